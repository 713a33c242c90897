/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts and their standard errors, in time and memory proportional to the horizon. The standard errors ignore that
 * the coefficients are estimates. They are exact if the roots of theta are off the unit circle or the history is
 * long. */
#ifndef MP_METHODS_ARIMA_FORECAST_H
#define MP_METHODS_ARIMA_FORECAST_H

#include "methods/arima/forecast_state.h"

/* Forecasts rows of `stride` observations each; the last may cover fewer. mean[r x spacing] is the forecast of row r's
 * mean, standard_error[r x spacing] its standard error. Either may be NULL. scratch[horizon] receives the sums Psi of
 * forecast.c if standard_error is not NULL. */
void mp_arima_forecast(const struct arima_forecast_state *state, size_t horizon, size_t stride, double *mean,
                       double *standard_error, size_t spacing, double *scratch);

/* standard_error[k], k < horizons, is that of the mean of the next 2^k observations. scratch: 2^(horizons - 1)
 * doubles. */
void mp_arima_dyadic_standard_errors(const struct arima_forecast_state *state, size_t horizons, double *standard_error,
                                     double *scratch);

/* The forecast of the mean of the next 2^k observations is linear in the state. weights[k][i] is the coefficient of
 * w[i], weights[k][p + j] that of e[j]. All states of a series have the same weights. */
typedef double arima_dyadic_weights[MP_ARIMA_PARAMETERS];
void mp_arima_dyadic_weights(const struct arima_forecast_state *state, size_t horizons, arima_dyadic_weights *weights);
double mp_arima_dyadic_mean(const struct arima_forecast_state *state, size_t k, const arima_dyadic_weights *weights);

#endif
