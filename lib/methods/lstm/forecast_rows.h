/* SPDX-License-Identifier: BSD-3-Clause */
/* From a network's blocks of 50 steps to the rows that were asked for. */
#ifndef MP_METHODS_LSTM_FORECAST_ROWS_H
#define MP_METHODS_LSTM_FORECAST_ROWS_H

#include "methods/method.h"

moep_status mp_lstm_forecast(const struct task *task, const void *block, size_t horizon, size_t stride, double *rows);
moep_status mp_lstm_quantiles(const struct task *task, const void *block, size_t horizon, size_t stride,
                              const struct quantiles *quantiles, double *rows);

#endif
