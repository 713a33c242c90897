/* SPDX-License-Identifier: BSD-3-Clause */
/* Turns forecasts into proportions that sum to 1 in every layer. */
#ifndef MP_SERIES_SIMPLEX_H
#define MP_SERIES_SIMPLEX_H

#include <stddef.h>

/* Sets negative shares and NaNs to 0, and scales the rest to sum to 1, in place. If the rest has no normal, finite sum,
 * every share becomes 1 / experts. */
void mp_simplex(double *shares, size_t experts);

#endif
