/* SPDX-License-Identifier: BSD-3-Clause */
/* Standard errors of the coefficients. */
#ifndef MP_METHODS_ARIMA_STANDARD_ERRORS_H
#define MP_METHODS_ARIMA_STANDARD_ERRORS_H

#include "methods/arima/optimise.h"

/* Fills candidate->standard_error from lane l of the point where the optimiser ended. `dimension` is that of the
 * point's parameters. A standard error is infinite if the likelihood does not determine the coefficient. */
void mp_arima_standard_errors(const struct arima_point *point, unsigned dimension, size_t l,
                              struct arima_candidate *candidate);

#endif
