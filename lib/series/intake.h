/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts in, of any dtype: checked, and turned into the shares of one layer. */
#ifndef MP_SERIES_INTAKE_H
#define MP_SERIES_INTAKE_H

#include "moepredict.h"

#include <stdbool.h>

/* The size of an element, 0 for an unknown dtype. */
size_t mp_dtype_size(moep_dtype dtype);

/* Every count of [steps][layers][experts] finite and >= 0? INVALID_ARGUMENT otherwise, naming the first that is not, or
 * the dtype, the missing array, or a size that no array can have. */
moep_status mp_intake_check(const void *counts, moep_dtype dtype, uint64_t steps, size_t layers, size_t experts);

/* May checked counts of one layer be tokens? Integers are; floating-point ones if they are whole, and small enough that
 * their type tells them from their neighbours: float below 2^24, double below 2^53. */
bool mp_intake_are_tokens(const void *counts, moep_dtype dtype, size_t experts);

/* The shares of one layer from its checked counts, and their total. A total of 0 leaves shares untouched.
 * Totals are exact up to 2^21 integer counts of any size: scaling all counts by a power of two changes no share. */
double mp_intake_shares(const void *counts, moep_dtype dtype, size_t experts, float *shares);

/* The same in double precision: the truth that a forecast is held against. */
double mp_intake_exact_shares(const void *counts, moep_dtype dtype, size_t experts, double *shares);

#endif
