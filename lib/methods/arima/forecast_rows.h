/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecast rows and their quantiles, from the estimates and the history: layer by layer, on as many threads as there
 * are. */
#ifndef MP_METHODS_ARIMA_FORECAST_ROWS_H
#define MP_METHODS_ARIMA_FORECAST_ROWS_H

#include "methods/method.h"

/* As the operations of struct method; quantiles NULL: the forecast. */
moep_status mp_arima_rows(const struct task *task, const void *block, size_t horizon, size_t stride,
                          const struct quantiles *quantiles, double *rows);

#endif
