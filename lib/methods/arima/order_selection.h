/* SPDX-License-Identifier: BSD-3-Clause */
/* Which order suits a series: d by tests, p and q by AICc. */
#ifndef MP_METHODS_ARIMA_ORDER_SELECTION_H
#define MP_METHODS_ARIMA_ORDER_SELECTION_H

#include "methods/arima/estimate.h"

enum { MP_ARIMA_SELECT_MOST = 5 }; /* the largest p and q tried */

/* What is given, and what is to be found: MOEP_SELECT. */
struct arima_wanted {
    int p, d, q;
    bool mean; /* where d is 0 */
};

struct arima_choice {
    struct arima_order order;
    unsigned period; /* 0: none */
    double aicc;     /* of the best candidate */
    unsigned candidates;
    double cost; /* floating-point operations that it took, by formula */
};

/* For every series: d by mp_arima_differences, a season by mp_arima_period, and p and q by a stepwise search (Hyndman
 * and Khandakar 2008): from (2, 2), (0, 0), (1, 0) and (0, 1), on to neighbours that differ by 1 in p, q or both, until
 * none is better. All candidates of a series are compared on the same differenced observations, by exact likelihood.
 * The job's orders, budget and warm are not looked at. A constant series gets p = d = q = 0. */
moep_status mp_arima_select(const struct arima_job *job, struct arima_wanted wanted, struct arima_choice *choices);

#endif
