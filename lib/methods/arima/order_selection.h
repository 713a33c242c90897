/* SPDX-License-Identifier: BSD-3-Clause */
/* Order selection: d by unit-root tests, p and q by AICc. */
#ifndef MP_METHODS_ARIMA_ORDER_SELECTION_H
#define MP_METHODS_ARIMA_ORDER_SELECTION_H

#include "methods/arima/estimate.h"

/* The largest p and q tried: as in auto.arima of R's forecast. */
enum { MP_ARIMA_SELECT_MOST = 5 };

/* Each of p, d and q is given, or MOEP_SELECT. */
struct arima_order_config {
    int p, d, q;
    bool mean; /* with a mean, where d is 0 */
};

struct arima_choice {
    struct arima_order order;
    unsigned period; /* of the season, in observations; 0: no season */
    double aicc;     /* of that order */
    unsigned orders_tried;
    double cost; /* floating-point operations that it took, by formula */
};

/* Chooses d by mp_arima_differences, a season by mp_arima_period, and p and q by the stepwise search of Hyndman and
 * Khandakar (2008), for every series of the request. Ignores the request's orders, budget and warm.
 *
 * The search begins at (2, 2), (0, 0), (1, 0) and (0, 1). It continues with the best order's neighbours, which differ
 * by 1 in p, q or both, until none is better. All orders of a series are compared on the same differenced observations,
 * by exact likelihood. A constant series gets p = d = q = 0. */
moep_status mp_arima_select_orders(const struct arima_request *request, struct arima_order_config config,
                                   struct arima_choice *choices);

#endif
