/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts out: every layer's shares become proportions that sum to 1. */
#ifndef MP_SERIES_SIMPLEX_H
#define MP_SERIES_SIMPLEX_H

#include <stddef.h>

/* In place: negative shares and NaNs become 0, and the rest is scaled to sum to 1. If no normal, finite sum is left,
 * every share becomes 1 / experts. */
void mp_simplex(double *shares, size_t experts);

#endif
