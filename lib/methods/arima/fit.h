/* SPDX-License-Identifier: BSD-3-Clause */
/* The fit of a panel: orders, estimates, and the calibration of forecast errors. */
#ifndef MP_METHODS_ARIMA_FIT_H
#define MP_METHODS_ARIMA_FIT_H

#include "methods/arima/order_selection.h"
#include "methods/method.h"

/* The shortest series that supports an ARMA(1, 0) or (0, 1): 3 (p + q) + 5 (order.h). */
enum { MP_ARIMA_LEAST_OBSERVATIONS = 8 };

/* The operation `fit` of struct method. */
moep_status mp_arima_fit(const struct task *task, void *model);

/* One order for all series of a layer: the most frequent d, and the most frequent p and q of the series with that d.
 * Ties go to the smallest p + q, then to the smallest p. */
struct arima_order mp_arima_vote(const struct arima_choice *choices, size_t count);

#endif
