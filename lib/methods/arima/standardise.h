/* SPDX-License-Identifier: BSD-3-Clause */
/* Orders and estimates, and the way between a series and the search: standardised differences on the way in, estimates
 * in the series' own unit on the way out. */
#ifndef MP_METHODS_ARIMA_STANDARDISE_H
#define MP_METHODS_ARIMA_STANDARDISE_H

#include "methods/arima/optimise.h"

struct arima_order {
    unsigned p, d, q; /* p, q <= MP_ARIMA_ORDER, d <= 2 */
    bool mean;        /* only with d = 0 */
};

/* Whether the estimate has the order requested. SMALLER_ORDER: the series is too short for it. MEAN: there is nothing
 * to estimate, because the series or, for d > 0, its differences are constant, or because a number is not finite or
 * above 1e150. Then there are no coefficients and sigma2 = 0. */
enum { MP_ARIMA_AS_REQUESTED = 0, MP_ARIMA_SMALLER_ORDER = 1, MP_ARIMA_MEAN = 2 };

struct arima_estimate {
    struct arima_order order; /* the one estimated */
    unsigned fallback;        /* one of the three above */
    unsigned period;          /* of the season that order selection found, in observations; 0: none */
    bool done;
    double phi[MP_ARIMA_ORDER], theta[MP_ARIMA_ORDER];
    double phi_error[MP_ARIMA_ORDER], theta_error[MP_ARIMA_ORDER]; /* standard errors */
    double mean;                                                   /* of w, in the series' unit; 0 for d > 0 */
    double sigma2;                                                 /* maximum likelihood: S / n */
    double loglik, aicc; /* exact, of the n differenced observations, in the series' unit; infinite where sigma2 = 0 */
    double cost;         /* floating-point operations that it took, by formula */
};

/* The differences of a series, standardised. */
struct arima_standardised {
    double *values; /* [n], in place of the series */
    size_t n;
    double level, scale; /* difference = level + scale x value */
};

/* Differences values[steps] d times in place, and divides by their root mean square about `level`: their mean if
 * `mean`, 0 otherwise. False: they are constant or not finite, and there is nothing to estimate. */
bool mp_arima_standardise(struct arima_standardised *series, double *values, size_t steps, unsigned d, bool mean);

/* The largest order up to the given one that n observations support: 3 (p + q) + 5 <= n. */
struct arima_order mp_arima_supported_order(struct arima_order order, size_t n);

/* The estimate, in the series' unit, of a candidate that has ended. */
void mp_arima_fill_estimate(const struct arima_standardised *series, const struct arima_candidate *candidate,
                            struct arima_order order, struct arima_estimate *estimate);

/* The estimate for p = q = 0, where the likelihood has a closed form. */
void mp_arima_fill_noise_estimate(const struct arima_standardised *series, struct arima_order order,
                                  struct arima_estimate *estimate);

#endif
