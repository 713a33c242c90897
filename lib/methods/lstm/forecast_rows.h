/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts: from a network's outputs, which are the means of 40 output spans of 50 steps, to rows of any stride.
 *
 * A row is the mean of its steps. With y_b(i) the output of series i for span b, made to sum to 1 over the experts of
 * each layer, a row of the steps first .. last - 1 is
 *
 *     sum over b of w_b y_b(i),   w_b = (steps that the row and span b share) / (last - first)
 *
 * The last output span has no end: all steps from 1,950 on belong to it.
 *
 * allocates: for the call; threads: as network/batch.h. */
#ifndef MP_METHODS_LSTM_FORECAST_ROWS_H
#define MP_METHODS_LSTM_FORECAST_ROWS_H

#include "methods/method.h"
#include "support/vectors.h"

/* The output spans that a horizon covers. */
size_t mp_lstm_spans(size_t horizon);

/* Rows of one layer, row_stride apart, from forecasts[experts][MP_LSTM_OUTPUT_ROW], of which the first
 * mp_lstm_spans(horizon) of each expert count. */
void mp_lstm_layer_rows(const real *forecasts, size_t experts, size_t horizon, size_t stride, double *rows,
                        size_t row_stride);

moep_status mp_lstm_forecast(const struct task *task, const void *model, size_t horizon, size_t stride, double *rows);
moep_status mp_lstm_quantiles(const struct task *task, const void *model, size_t horizon, size_t stride,
                              const struct quantiles *quantiles, double *rows);

#endif
