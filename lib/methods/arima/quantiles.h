/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles of forecast rows. */
#ifndef MP_METHODS_ARIMA_QUANTILES_H
#define MP_METHODS_ARIMA_QUANTILES_H

#include "methods/arima/forecast_request.h"

/* Fills the request's rows with quantiles of the layer whose series begin at `first`. Reads scratch->centre and
 * scratch->present. */
void mp_arima_quantiles(const struct arima_forecast_request *request, struct arima_forecast_scratch *scratch,
                        size_t first);

#endif
