/* SPDX-License-Identifier: BSD-3-Clause */
/* How far the loads may be from their forecast. */
#ifndef MP_METHODS_ARIMA_QUANTILES_H
#define MP_METHODS_ARIMA_QUANTILES_H

#include "methods/arima/forecast_call.h"

/* Into the call's rows, the quantiles of the layer whose series begin at `first`: about scratch->centre, from the
 * states in scratch->present. */
void mp_arima_quantiles(const struct arima_call *call, struct arima_scratch *scratch, size_t first);

#endif
