/* SPDX-License-Identifier: BSD-3-Clause */
/* How well the likelihood tells the coefficients. */
#ifndef MP_METHODS_ARIMA_STANDARD_ERRORS_H
#define MP_METHODS_ARIMA_STANDARD_ERRORS_H

#include "methods/arima/optimise.h"

/* The run's standard errors, from the point that it has ended at, in lane l and parameters of that order: the roots of
 * the diagonal of the inverse of the Gauss-Newton matrix; infinite where that is singular. */
void mp_arima_standard_errors(const struct arima_point *point, unsigned order, size_t l, struct arima_run *run);

#endif
