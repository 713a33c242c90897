/* SPDX-License-Identifier: BSD-3-Clause */
/* Where searches for the best likelihood begin. The likelihood of a mixed model has many local optima. */
#ifndef MP_METHODS_ARIMA_STARTS_H
#define MP_METHODS_ARIMA_STARTS_H

#include "methods/arima/optimise.h"

enum { MP_ARIMA_MOST_STARTS = 1000, MP_ARIMA_PEAKS = 4 };

/* The k-th start of ARMA(p, q), admissible. By turns, as arima_starts.c lists them:
 *   `regressed`, Hannan and Rissanen's coefficients, and, first of all, these x 0.7, away from the border;
 *   structured: `base`, the optimum of ARMA(1, 1), times factors of phi and theta that nearly cancel, at the highest
 *   peaks of the periodogram of its residuals, given as the cosines of their frequencies;
 *   drawn from all that is admissible, the same for every series. */
struct arima_coefficients mp_arima_start(unsigned k, unsigned p, unsigned q, struct arima_coefficients regressed,
                                         struct arima_coefficients base, const double *peaks);

/* x 0.7, and drawn in until it is admissible. */
struct arima_coefficients mp_arima_damped(struct arima_coefficients c);

#endif
