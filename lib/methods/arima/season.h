/* SPDX-License-Identifier: BSD-3-Clause */
/* Seasons: whether a series repeats itself, and after how many observations. */
#ifndef MP_METHODS_ARIMA_SEASON_H
#define MP_METHODS_ARIMA_SEASON_H

#include <stddef.h>

/* The period, in observations, at which values[n] repeat themselves; 0: none. power[k x spacing], k = 0 .. size / 2 -
 * 1, is the periodogram of the whitened values, x(t) - r x(t-1) with r their first autocorrelation, padded with zeros
 * to size. */
unsigned mp_arima_period(const double *values, size_t n, const double *power, size_t size, size_t spacing);

#endif
