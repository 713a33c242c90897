/* SPDX-License-Identifier: BSD-3-Clause */
/* Estimates of ARIMA(p, d, q) for all series of a panel, by exact likelihood. */
#ifndef MP_METHODS_ARIMA_ESTIMATE_H
#define MP_METHODS_ARIMA_ESTIMATE_H

#include "methods/arima/search.h"
#include "methods/arima/order.h"
#include "moepredict.h"
#include "support/memory.h"

/* The series to estimate, their orders, and the means. */
struct arima_request {
    size_t series, observations; /* of every series */
    /* Fills values[count][observations] with the series from `first` on, oldest first. Several threads call it at
     * once. */
    void (*load)(void *user, size_t first, size_t count, double *values);
    void *user;
    const struct arima_order *orders; /* [series] */
    unsigned starts;                  /* 1 .. MP_ARIMA_MOST_STARTS */
    bool warm;                        /* begin at the given estimates if they have the requested order */
    double budget;                    /* floating-point operations; 0: no limit */
    size_t threads;
    int lane_bytes; /* 0: the widest vectors that the processor has */
    const struct memory *memory;
    int32_t (*progress)(void *user, double fraction); /* on the caller's thread; NULL: none */
    void *progress_user;
};

/* Estimates the series that are not done, in ascending order, and marks them done. With a budget, it works in slices
 * until their cost reaches the budget. A slice is as large as the rest of the budget should allow, and at least one
 * series. It does not depend on the number of threads, so that any number does the same series. A series' estimate
 * does not depend on the other series, the number of threads or the budget. After OUT_OF_MEMORY and CANCELLED
 * `estimates` is undefined. */
moep_status mp_arima_estimate(const struct arima_request *request, struct arima_estimate *estimates);

#endif
