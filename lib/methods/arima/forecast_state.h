/* SPDX-License-Identifier: BSD-3-Clause */
/* What a series' past means for its future, given an estimate. */
#ifndef MP_METHODS_ARIMA_FORECAST_STATE_H
#define MP_METHODS_ARIMA_FORECAST_STATE_H

#include "methods/arima/estimate.h"

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

/* What a change of all differences by 1 from the first one on changes the error at t by, for every t. */
void mp_arima_step_response(const struct arima_state *state, double *response, size_t n);

/* The state, after so many differences, of an estimate with another mean. */
void mp_arima_change_mean(struct arima_state *state, double mean, const double *response, size_t steps);

/* The forecast of the next observation, or of its difference, less the mean; the state moves on to it. */
double mp_arima_next(struct arima_state *state);
double mp_arima_next_difference(struct arima_state *state);

#endif
