/* SPDX-License-Identifier: BSD-3-Clause */
/* The starts of searches for the best likelihood. The likelihood of a mixed model has many local optima. */
#ifndef MP_METHODS_ARIMA_STARTS_H
#define MP_METHODS_ARIMA_STARTS_H

#include "methods/arima/optimise.h"

/* Memory grows with the number of starts: the limit is ten times the 100 that arima_bench takes for the best known. The
 * lists of starts.c use four peaks. */
enum { MP_ARIMA_MOST_STARTS = 1000, MP_ARIMA_PEAKS = 4 };

/* The k-th start of ARMA(p, q), which is admissible; starts.c lists the kinds in order. `regressed` are the
 * coefficients of Hannan and Rissanen. `arma11` is the optimum of ARMA(1, 1) or the part of it that p and q allow.
 * `cosines` belong to the frequencies at which the periodogram of its residuals is highest. */
struct arima_coefficients mp_arima_start(unsigned k, unsigned p, unsigned q, struct arima_coefficients regressed,
                                         struct arima_coefficients arma11, const double *cosines);

/* The coefficients times 0.7, shrunk until they are admissible. */
struct arima_coefficients mp_arima_damped_start(struct arima_coefficients c);

#endif
