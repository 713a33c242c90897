/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts of an ARIMA estimate and their standard errors, by closed recursions: time and memory in proportion to the
 * horizon. The mean is the finite-sample predictor, given all observations; the errors are those of the psi-weights
 * (Box, Jenkins, Reinsel and Ljung, chapter 5), which hold exactly where theta's roots are off the unit circle or the
 * history is long. They take the estimate for the truth. */
#ifndef MP_ARIMA_FORECAST_H
#define MP_ARIMA_FORECAST_H

#include "arima_estimate.h"

/* What a forecast needs of the past. w is the d-th difference, less its mean. */
struct arima_state {
    struct arima_order order;
    double phi[MP_ARIMA_ORDER], theta[MP_ARIMA_ORDER], mean, sigma2;
    double w[MP_ARIMA_ORDER], e[MP_ARIMA_ORDER]; /* the latest first; e: expected, given all observations */
    double last[2];                              /* the last observation, and the last of the first differences */
    bool evaluated;                              /* e is known */
};

/* Scratch of mp_arima_states, in bytes; SIZE_MAX if too many. */
size_t mp_arima_states_size(size_t steps);

/* The states of count series, values[count][steps], which are used up. Roots whose inverse has a modulus above
 * root_limit are drawn in to it, which keeps factors of phi and theta that nearly cancel on the unit circle from
 * understating the variance; 1: none, and none where the errors of the past cannot be told with roots drawn in. A
 * series whose errors cannot be told at all is forecast without its coefficients: by its mean, or without a change.
 * Memory of mp_arima_states_size(steps) bytes. */
void mp_arima_states(const struct arima_estimate *estimates, double *values, size_t count, size_t steps,
                     double root_limit, int lane_bytes, void *memory, struct arima_state *states);

/* The forecast of the next observation; the state moves on to it. */
double mp_arima_next(struct arima_state *state);

/* Rows of stride steps each, the last may cover fewer: mean[r x spacing] is the forecast of the row's mean, error[..]
 * its standard error. scratch: horizon doubles. error NULL: the means only. */
void mp_arima_forecast(const struct arima_state *state, size_t horizon, size_t stride, double *mean, double *error,
                       size_t spacing, double *scratch);

#endif
