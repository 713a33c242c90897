/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts of an ARIMA estimate and their standard errors, by closed recursions: time and memory in proportion to the
 * horizon. The mean is the finite-sample predictor, given all observations; the errors are those of the psi-weights
 * (Box, Jenkins, Reinsel and Ljung, chapter 5), which hold exactly where theta's roots are off the unit circle or the
 * history is long. They take the estimate for the truth. */
#ifndef MP_METHODS_ARIMA_FORECAST_H
#define MP_METHODS_ARIMA_FORECAST_H

#include "methods/arima/forecast_state.h"

/* Rows of stride steps each, the last may cover fewer: mean[r x spacing] is the forecast of the row's mean, error[..]
 * its standard error. mean NULL, error NULL: without these. scratch: horizon doubles, in which the standard errors
 * leave, for every k, the weight that an error has in the sum of itself and the k observations after it. */
void mp_arima_forecast(const struct arima_state *state, size_t horizon, size_t stride, double *mean, double *error,
                       size_t spacing, double *scratch);

/* Spans are the next 1, 2, 4, .. observations. error[span]: the standard error of their mean, of so many spans.
 * scratch: as many doubles as the longest has observations. */
void mp_arima_span_errors(const struct arima_state *state, size_t spans, double *error, double *scratch);

/* The mean of a span is linear in the state: weights[span][i] is what w[i] = 1 alone adds to it, and weights[span][p +
 * j] what e[j] = 1 does. They are the same for all states of a series. */
typedef double arima_span_weights[MP_ARIMA_PARAMETERS];
void mp_arima_span_weights(const struct arima_state *state, size_t spans, arima_span_weights *weights);
double mp_arima_span_mean(const struct arima_state *state, size_t span, const arima_span_weights *weights);

#endif
