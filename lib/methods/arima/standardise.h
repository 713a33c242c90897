/* SPDX-License-Identifier: BSD-3-Clause */
/* The search works on standardised differences of a series. This file makes them, and converts the optimum back to an
 * estimate in the series' own unit. */
#ifndef MP_METHODS_ARIMA_STANDARDISE_H
#define MP_METHODS_ARIMA_STANDARDISE_H

#include "methods/arima/optimise.h"
#include "methods/arima/order.h"

/* The differences of a series, standardised. */
struct arima_standardised {
    double *values; /* [n], in place of the series */
    size_t n;
    double level, scale; /* difference = level + scale x value */
};

/* Differences values[steps] d times in place, subtracts `level` and divides by the root mean square. The level is the
 * mean of the differences if `mean`, 0 otherwise. False: the differences are constant or not finite, and there is
 * nothing to estimate. */
bool mp_arima_standardise(struct arima_standardised *series, double *values, size_t steps, unsigned d, bool mean);

/* The largest order up to the given one that n observations support: 3 (p + q) + 5 <= n. */
struct arima_order mp_arima_supported_order(struct arima_order order, size_t n);

/* Fills the estimate, in the series' unit, from a candidate that has ended. */
void mp_arima_fill_estimate(const struct arima_standardised *series, const struct arima_candidate *candidate,
                            struct arima_order order, struct arima_estimate *estimate);

/* Fills the estimate for p = q = 0, where the likelihood has a closed form. */
void mp_arima_fill_noise_estimate(const struct arima_standardised *series, struct arima_order order,
                                  struct arima_estimate *estimate);

#endif
