/* SPDX-License-Identifier: BSD-3-Clause */
/* Computes forecast rows and their quantiles from the estimates and the history, layer by layer on several threads. */
#ifndef MP_METHODS_ARIMA_FORECAST_ROWS_H
#define MP_METHODS_ARIMA_FORECAST_ROWS_H

#include "methods/method.h"

/* The operations `forecast` (quantiles NULL) and `quantiles` of struct method. */
moep_status mp_arima_forecast_rows(const struct task *task, const void *model, size_t horizon, size_t stride,
                                   const struct quantiles *quantiles, double *rows);

#endif
