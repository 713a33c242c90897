/* SPDX-License-Identifier: BSD-3-Clause */
/* Detects whether a series repeats itself, and after how many observations. */
#ifndef MP_METHODS_ARIMA_SEASON_H
#define MP_METHODS_ARIMA_SEASON_H

#include <stddef.h>

/* Returns the period, in observations, at which values[n] repeat themselves; 0: none. power[k x spacing], k = 0 ..
 * size / 2 - 1, is the periodogram of the whitened values, padded with zeros to size. Whitened values are x(t) - r
 * x(t-1), with r the first autocorrelation of the values. */
unsigned mp_arima_period(const double *values, size_t n, const double *power, size_t size, size_t spacing);

#endif
