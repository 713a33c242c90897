/* SPDX-License-Identifier: BSD-3-Clause */
/* The state from which a series is forecast: the latest values and residuals that its model's recursion needs. */
#ifndef MP_METHODS_ARIMA_FORECAST_STATE_H
#define MP_METHODS_ARIMA_FORECAST_STATE_H

#include "methods/arima/estimate.h"

struct arima_forecast_state {
    struct arima_order order;
    double phi[MP_ARIMA_ORDER], theta[MP_ARIMA_ORDER], mean, sigma2;
    double w[MP_ARIMA_ORDER]; /* the latest d-th differences less their mean, the latest first */
    double e[MP_ARIMA_ORDER]; /* the latest residuals: expected innovations given all observations */
    double last[2];           /* the last observation, and the last of the first differences */
    bool has_residuals;
};

/* Scratch of mp_arima_forecast_states. */
struct arima_state_scratch {
    struct arima_workspace workspace;
    struct arima_point *point;
    const struct arima_kernel *kernel;
};

/* Lays out scratch for series of up to `observations`. lane_bytes: as in mp_arima_kernel. */
void mp_arima_state_scratch_lay_out(struct arima_state_scratch *scratch, struct arena *arena, size_t observations,
                                    int lane_bytes);

/* Fills states[count] from estimates[count] and values[count][n]. The values become the d-th differences less their
 * mean. residuals[count][n], if not NULL, receives the residuals of the differences.
 *
 * Inverse roots of phi and theta of a modulus above root_limit are first scaled to it; 1: none are. Otherwise factors
 * that nearly cancel on the unit circle would understate the variance. If the likelihood does not exist there, the
 * coefficients stay as estimated. If it does not exist with these either, they are 0, and the forecast is the mean or
 * the last value. */
void mp_arima_forecast_states(const struct arima_estimate *estimates, double *values, size_t count, size_t n,
                              double root_limit, const struct arima_state_scratch *scratch,
                              struct arima_forecast_state *states, double *residuals);

/* Returns the state after the first `observations` of the series, from the series, its differences and residuals. */
struct arima_forecast_state mp_arima_state_at(const struct arima_forecast_state *state, const double *series,
                                              const double *differences, const double *residuals, size_t observations);

/* Fills response[t], t < n: the change of the residual at t if all differences change by 1. */
void mp_arima_step_response(const struct arima_forecast_state *state, double *response, size_t n);

/* Changes the mean of a state after `differences` differences, and with it w and e. response: as filled above. */
void mp_arima_change_mean(struct arima_forecast_state *state, double mean, const double *response, size_t differences);

/* Advances the state by one observation and returns its forecast, or that of its difference less the mean. */
double mp_arima_next(struct arima_forecast_state *state);
double mp_arima_next_difference(struct arima_forecast_state *state);

#endif
