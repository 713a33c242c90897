/* SPDX-License-Identifier: BSD-3-Clause */
/* Does a series repeat itself? */
#ifndef MP_METHODS_ARIMA_SEASON_H
#define MP_METHODS_ARIMA_SEASON_H

#include <stddef.h>

/* The period, in observations, of a peak of the periodogram that stands out from its surroundings (under a smooth
 * spectrum, so high a one would come up anywhere in 1 of 1000 series) and of whose length the autocorrelation is above
 * what noise leaves; 0: none. power[k x spacing], k = 0 .. size / 2 - 1, is that of the n values, less what the value
 * before tells of each, with zeros up to size. */
unsigned mp_arima_period(const double *values, size_t n, const double *power, size_t size, size_t spacing);

#endif
