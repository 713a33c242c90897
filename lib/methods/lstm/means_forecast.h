/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts from window means alone, by a shared network without recurrent layers (lstm_scope MOEP_LSTM_SHARED,
 * lstm_layers = 0): its features need nothing else.
 *
 * bytes: those of mp_lstm_forecast, if that sees the same means and no change point. */
#ifndef MP_METHODS_LSTM_MEANS_FORECAST_H
#define MP_METHODS_LSTM_MEANS_FORECAST_H

#include "methods/method.h"

extern const struct means_forecast mp_lstm_means_forecast;

#endif
