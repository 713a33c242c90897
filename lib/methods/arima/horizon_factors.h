/* SPDX-License-Identifier: BSD-3-Clause */
/* A series' forecast errors over its model's standard errors, as factors for any horizon. */
#ifndef MP_METHODS_ARIMA_HORIZON_FACTORS_H
#define MP_METHODS_ARIMA_HORIZON_FACTORS_H

#include <stddef.h>

/* Calibration horizons are 1, 2, 4, .. observations, at most 12 of them. The longest, 2^11, is a third of a history of
 * 6,144 observations, and longer ones than a third are not calibrated. */
enum { MP_ARIMA_HORIZONS = 12 };

/* Half the width of the normal interval of 80 %, in standard errors. Factors are calibrated to this interval. */
#define MP_ARIMA_HALF_WIDTH 1.2815515655446004

/* Logarithms of the factors by which standard errors are multiplied. calibrate.c estimates them. */
struct arima_factors {
    double step;                       /* of the next step, where an observation is the mean of several */
    double horizon[MP_ARIMA_HORIZONS]; /* of the mean of the next 2^k observations */
};

/* The logarithm of the factor for the mean of the next `ahead` observations. Only the first `horizons` factors are
 * known; 0 if none is. */
double mp_arima_log_factor(const struct arima_factors *factors, size_t horizons, size_t ahead);

#endif
