/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts in, of any dtype: checked, and turned into the shares of one layer. */
#ifndef MP_SERIES_INTAKE_H
#define MP_SERIES_INTAKE_H

#include "moepredict.h"

#include <stdbool.h>

/* The size of an element, 0 for an unknown dtype. */
size_t mp_dtype_size(moep_dtype dtype);

/* Checks that every count of [steps][layers][experts] is finite and >= 0. INVALID_ARGUMENT names the first that is not,
 * an unknown dtype, a missing array, or a size that no array can have. */
moep_status mp_intake_check(const void *counts, moep_dtype dtype, uint64_t steps, size_t layers, size_t experts);

/* Can checked counts of one layer be tokens? Integers can; floating-point ones if they are whole and below the limit up
 * to which their type holds every whole number: 2^24 for float, 2^53 for double. */
bool mp_intake_are_tokens(const void *counts, moep_dtype dtype, size_t experts);

/* Computes the shares of one layer from its checked counts and returns their total. A total of 0 leaves shares
 * untouched. The total of up to 2^21 integer counts is the exact sum, rounded once; scaling all counts by a power of
 * two changes no share (intake.c). */
double mp_intake_shares(const void *counts, moep_dtype dtype, size_t experts, float *shares);

/* The same in double precision, for the actual shares that a forecast is scored against. */
double mp_intake_exact_shares(const void *counts, moep_dtype dtype, size_t experts, double *shares);

#endif
