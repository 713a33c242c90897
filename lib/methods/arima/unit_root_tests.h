/* SPDX-License-Identifier: BSD-3-Clause */
/* Two classical tests of whether a series is stationary or has a unit root. Each one's null hypothesis is the other's
 * alternative. */
#ifndef MP_METHODS_ARIMA_UNIT_ROOT_TESTS_H
#define MP_METHODS_ARIMA_UNIT_ROOT_TESTS_H

#include <stdbool.h>
#include <stddef.h>

enum arima_trend { MP_ARIMA_NO_CONSTANT, MP_ARIMA_LEVEL, MP_ARIMA_TREND };

/* The most lags, which bounds the memory of a regression: mp_arima_test_lags reaches it at 77,000 observations. */
enum { MP_ARIMA_TEST_LAGS = 64 };

/* Probabilities are interpolated in published tables, which end at 0.01 and 0.1 for KPSS, at 0.01 and 0.99 for ADF. A
 * series that is constant, or too short, has the statistic 0 and the probability 1. */
struct arima_test {
    double statistic, probability;
};

/* Kwiatkowski, Phillips, Schmidt and Shin (1992). Null hypothesis: stationary around a level or a trend; a large
 * statistic rejects it. */
struct arima_test mp_arima_kpss(const double *values, size_t n, enum arima_trend trend, unsigned lags);

/* Said and Dickey (1984), the augmented Dickey-Fuller test. Null hypothesis: a unit root; a very negative statistic
 * rejects it. lags <= MP_ARIMA_TEST_LAGS. */
struct arima_test mp_arima_adf(const double *values, size_t n, enum arima_trend trend, unsigned lags);

/* The number of lags of both tests, trunc(3 sqrt(n) / 13): that of R's ndiffs. */
unsigned mp_arima_test_lags(size_t n);

/* The number of differences: 1 if KPSS rejects stationarity and ADF does not reject the unit root, both at 5 %, and 0
 * otherwise. KPSS alone calls most persistent stationary series integrated. Never 2: forecasts with a second difference
 * diverge. */
unsigned mp_arima_differences(const double *values, size_t n);

#endif
