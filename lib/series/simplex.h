/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts out: every layer becomes a set of proportions. */
#ifndef MP_SERIES_SIMPLEX_H
#define MP_SERIES_SIMPLEX_H

#include <stddef.h>

/* In place: what is negative or not a number becomes 0, and the rest is scaled to sum to 1. Where nothing is left, or
 * it has no finite sum, every share becomes 1 / experts. */
void mp_simplex(double *shares, size_t experts);

#endif
