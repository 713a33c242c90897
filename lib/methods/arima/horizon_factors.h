/* SPDX-License-Identifier: BSD-3-Clause */
/* By how much a series' errors are larger than its model's formula says, at any horizon. */
#ifndef MP_METHODS_ARIMA_HORIZON_FACTORS_H
#define MP_METHODS_ARIMA_HORIZON_FACTORS_H

#include <stddef.h>

enum { MP_ARIMA_RUNGS = 12 };

/* The half-width of the normal interval of 80 %, which factors are about, in standard errors. */
#define MP_ARIMA_HALF_WIDTH 1.2815515655446004

/* The logarithms of the factors by which standard errors are multiplied: arima_calibrate.h. */
struct arima_factors {
    double step;                    /* of the next step, where an observation is of several */
    double horizon[MP_ARIMA_RUNGS]; /* of the mean of the next 1, 2, 4, .. observations */
};

/* That for the mean of any number of observations ahead, of which so many rungs are known; 0 without any. Between
 * rungs the factor is a power of the horizon. Beyond the last one it goes on as a power too, whose exponent is RISE +
 * GROWTH x the one seen before: noise averages out as the horizon grows, and what is left is drift. */
double mp_arima_log_factor(const struct arima_factors *factors, size_t rungs, size_t ahead);

#endif
