/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks counts of any dtype, and turns those of one layer into shares. */
#ifndef MP_SERIES_INTAKE_H
#define MP_SERIES_INTAKE_H

#include "moepredict.h"

#include <stdbool.h>

/* The size of an element, 0 for an unknown dtype. */
size_t mp_dtype_size(moep_dtype dtype);

/* Checks that every count of [steps][layers][experts] is finite and >= 0. INVALID_ARGUMENT: a count is not, and the
 * message names the first such count; the dtype is unknown; the array is NULL; or no array can have that size. */
moep_status mp_intake_check(const void *counts, moep_dtype dtype, uint64_t steps, size_t layers, size_t experts);

/* Can checked counts of one layer be tokens? Integers can. Floating-point counts can if they are whole and below the
 * limit up to which their type holds every whole number: 2^24 for float, 2^53 for double. */
bool mp_intake_are_tokens(const void *counts, moep_dtype dtype, size_t experts);

/* Computes the shares of one layer from its checked counts and returns their total. A total of 0 leaves shares
 * untouched. The total of up to 2^21 integer counts is the exact sum, rounded once; scaling all counts by a power of
 * two changes no share (intake.c). */
double mp_intake_shares(const void *counts, moep_dtype dtype, size_t experts, float *shares);

/* As mp_intake_shares, but in double precision, for the actual shares with which a forecast is compared. */
double mp_intake_exact_shares(const void *counts, moep_dtype dtype, size_t experts, double *shares);

/* The values of n counts, which need not be valid. The dtype is known. Integers above 2^53 are rounded. */
void mp_intake_values(const void *counts, moep_dtype dtype, size_t n, double *values);

#endif
