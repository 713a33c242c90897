/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts from window means alone, by a shared network without recurrent layers (lstm_scope MOEP_LSTM_SHARED,
 * lstm_layers = 0): its features need nothing else.
 *
 * A row of 256 experts takes 45 microseconds on one Zen 4 core for 1,000 steps, with vectors of 32 bytes as of 64, and
 * 66 for 2,000 (tests/bench/lstm.c): only the output spans that the horizon covers are computed.
 *
 * bytes: those of mp_lstm_forecast, if that sees the same means and no change point; the same for every vector width.
 * threads: none; allocates: never. */
#ifndef MP_METHODS_LSTM_MEANS_FORECAST_H
#define MP_METHODS_LSTM_MEANS_FORECAST_H

#include "methods/method.h"

extern const struct means_forecast mp_lstm_means_forecast;

#endif
