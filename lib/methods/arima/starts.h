/* SPDX-License-Identifier: BSD-3-Clause */
/* Where searches for the best likelihood begin: the likelihood of a mixed model has many local optima. */
#ifndef MP_METHODS_ARIMA_STARTS_H
#define MP_METHODS_ARIMA_STARTS_H

#include "methods/arima/optimise.h"

enum { MP_ARIMA_MOST_STARTS = 1000, MP_ARIMA_PEAKS = 4 };

/* The k-th start of ARMA(p, q), admissible; starts.c lists the kinds in order. `regressed` are the coefficients of
 * Hannan and Rissanen, `arma11` is the optimum of ARMA(1, 1) or the part of it that p and q allow. `cosines` are those
 * of the frequencies at which the periodogram of its residuals is highest. */
struct arima_coefficients mp_arima_start(unsigned k, unsigned p, unsigned q, struct arima_coefficients regressed,
                                         struct arima_coefficients arma11, const double *cosines);

/* The coefficients times 0.7, shrunk until they are admissible. */
struct arima_coefficients mp_arima_damped_start(struct arima_coefficients c);

#endif
