/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts of an ARIMA estimate and their standard errors, by closed recursions: time and memory in proportion to the
 * horizon. The mean is the finite-sample predictor, given all observations; the errors are those of the psi-weights
 * (Box, Jenkins, Reinsel and Ljung, chapter 5), which hold exactly where theta's roots are off the unit circle or the
 * history is long. They take the estimate for the truth. */
#ifndef MP_ARIMA_FORECAST_H
#define MP_ARIMA_FORECAST_H

#include "arima_state.h"

/* Rows of stride steps each, the last may cover fewer: mean[r x spacing] is the forecast of the row's mean, error[..]
 * its standard error. mean NULL, error NULL: without these. scratch: horizon doubles, in which the standard errors leave, for
 * every k, the weight that an error has in the sum of itself and the k observations after it. */
void mp_arima_forecast(const struct arima_state *state, size_t horizon, size_t stride, double *mean, double *error,
                       size_t spacing, double *scratch);

/* The same for the means of the next 1, 2, 4, .. observations, so many of them. scratch: as many doubles as the longest. */
void mp_arima_span_means(struct arima_state state, size_t spans, double *mean);
void mp_arima_span_errors(const struct arima_state *state, size_t spans, double *error, double *scratch);

#endif
