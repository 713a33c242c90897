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
 * Memory of mp_arima_states_size(steps) bytes. The values become the d-th differences, less their mean; errors[count]
 * [steps], if not NULL, the errors of these. */
void mp_arima_states(const struct arima_estimate *estimates, double *values, size_t count, size_t steps,
                     double root_limit, int lane_bytes, void *memory, struct arima_state *states, double *errors);

/* The state that the series had after its first `steps` observations, from the series, its differences and errors. */
struct arima_state mp_arima_earlier(const struct arima_state *state, const double *series, const double *differences,
                                    const double *errors, size_t steps);

/* The forecast of the next observation; the state moves on to it. */
double mp_arima_next(struct arima_state *state);

/* Rows of stride steps each, the last may cover fewer: mean[r x spacing] is the forecast of the row's mean, error[..]
 * its standard error. error NULL: the means only. scratch: horizon doubles, in which the standard errors leave, for
 * every k, the weight that an error has in the sum of itself and the k observations after it. */
void mp_arima_forecast(const struct arima_state *state, size_t horizon, size_t stride, double *mean, double *error,
                       size_t spacing, double *scratch);

/* The same for the means of the next 1, 2, 4, .. observations, so many of them. scratch: as many doubles as the longest. */
void mp_arima_span_means(struct arima_state state, size_t spans, double *mean);
void mp_arima_span_errors(const struct arima_state *state, size_t spans, double *error, double *scratch);

#endif
