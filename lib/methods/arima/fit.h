/* SPDX-License-Identifier: BSD-3-Clause */
/* The fit of a panel: orders, estimates, and how far the forecasts of its own past were off. */
#ifndef MP_METHODS_ARIMA_FIT_H
#define MP_METHODS_ARIMA_FIT_H

#include "methods/method.h"

enum { MP_ARIMA_LEAST_OBSERVATIONS = 8 };

moep_status mp_arima_fit(const struct task *task, void *block);

#endif
