/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked of a series, what is found, and what lies between the series and the search: differences in a standard
 * unit on the way in, results in the series' own on the way out. */
#ifndef MP_METHODS_ARIMA_STANDARDISE_H
#define MP_METHODS_ARIMA_STANDARDISE_H

#include "methods/arima/optimise.h"

struct arima_order {
    unsigned p, d, q; /* p, q <= MP_ARIMA_ORDER, d <= 2 */
    bool mean;        /* only with d = 0 */
};

/* What an estimate had to give up. */
enum { MP_ARIMA_AS_ASKED = 0, MP_ARIMA_SMALLER_ORDER = 1, MP_ARIMA_MEAN = 2 };

struct arima_estimate {
    struct arima_order order; /* the one that was estimated */
    unsigned fallback;        /* SMALLER_ORDER: the series is too short for the one asked for. MEAN: it is constant, or
                               * its differences of order d > 0 are all 0, or numbers in it are not finite or above
                               * 1e150: no coefficients, and sigma2 = 0 */
    unsigned period;          /* of a season that selection found, in observations; 0: none */
    bool done;
    double phi[MP_ARIMA_ORDER], theta[MP_ARIMA_ORDER];
    double phi_error[MP_ARIMA_ORDER], theta_error[MP_ARIMA_ORDER]; /* standard errors */
    double mean;                                                   /* of w, in the series' unit; 0 for d > 0 */
    double sigma2;                                                 /* maximum likelihood: S / n */
    double loglik, aicc; /* exact, of the n differenced observations, in the series' unit; infinite where sigma2 = 0 */
    double cost;         /* floating-point operations that it took, by formula */
};

/* A series on its way: its differences, standardised. */
struct arima_series {
    double *values; /* n standardised observations, in place of the series */
    size_t n;
    double level, scale; /* w = level + scale x value */
};

/* false: constant, or not finite: nothing to estimate. */
bool mp_arima_standardise(struct arima_series *series, double *values, size_t steps, unsigned d, bool mean);

/* The largest order that so many observations bear. */
struct arima_order mp_arima_bearable(struct arima_order order, size_t n);

/* From a run on a standardised series. */
void mp_arima_describe(const struct arima_series *series, const struct arima_run *run, struct arima_order order,
                       struct arima_estimate *estimate);

/* The best likelihood for p = q = 0. */
void mp_arima_describe_noise(const struct arima_series *series, struct arima_order order,
                             struct arima_estimate *estimate);

#endif
