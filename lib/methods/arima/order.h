/* SPDX-License-Identifier: BSD-3-Clause */
/* An order of ARIMA, and the estimate of a series with it. */
#ifndef MP_METHODS_ARIMA_ORDER_H
#define MP_METHODS_ARIMA_ORDER_H

#include "methods/arima/kernel/likelihood.h"

#include <stdbool.h>

enum { MP_ARIMA_ORDERS = MP_ARIMA_ORDER + 1 }; /* the values of p, and of q: 0 .. MP_ARIMA_ORDER */

struct arima_order {
    unsigned p, d, q; /* p, q <= MP_ARIMA_ORDER, d <= 2 */
    bool mean;        /* only with d = 0 */
};

/* Whether the estimate has the order requested. SMALLER_ORDER: the series is too short for it. MEAN: the series or, for
 * d > 0, its differences are constant, or a number is not finite or above 1e150. Then there are no coefficients and
 * sigma2 = 0. */
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

#endif
