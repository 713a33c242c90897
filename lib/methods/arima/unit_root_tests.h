/* SPDX-License-Identifier: BSD-3-Clause */
/* Is a series stationary, or has it a unit root? The two classical tests, each of the other's hypothesis. */
#ifndef MP_METHODS_ARIMA_UNIT_ROOT_TESTS_H
#define MP_METHODS_ARIMA_UNIT_ROOT_TESTS_H

#include <stdbool.h>
#include <stddef.h>

enum arima_trend { MP_ARIMA_NO_CONSTANT, MP_ARIMA_LEVEL, MP_ARIMA_TREND };

enum { MP_ARIMA_TEST_LAGS = 64 };

/* Probabilities are interpolated in published tables, and are theirs at the ends: 0.01 .. 0.1 and 0.01 .. 0.99. A
 * series that is constant, or too short, gives a statistic of 0 and the probability 1. */
struct arima_test {
    double statistic, probability;
};

/* Kwiatkowski, Phillips, Schmidt and Shin (1992): large where the series is not stationary around a level or trend. */
struct arima_test mp_arima_kpss(const double *values, size_t n, enum arima_trend trend, unsigned lags);

/* Said and Dickey (1984): the t-statistic of the level in the regression of the difference on it and `lags` lagged
 * differences, lags <= MP_ARIMA_TEST_LAGS; very negative where the series has no unit root. */
struct arima_test mp_arima_adf(const double *values, size_t n, enum arima_trend trend, unsigned lags);

/* The lags of both that R's ndiffs takes. */
unsigned mp_arima_test_lags(size_t n);

/* Once differenced, or not at all: only where KPSS rejects stationarity and ADF does not reject the unit root, both at
 * 5 %. KPSS alone calls most persistent stationary series integrated. Never twice: a second difference makes forecasts
 * run away. */
unsigned mp_arima_differences(const double *values, size_t n);

#endif
