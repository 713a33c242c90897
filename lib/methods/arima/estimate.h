/* SPDX-License-Identifier: BSD-3-Clause */
/* Estimates of ARIMA(p, d, q) for all series of a panel, by exact likelihood. */
#ifndef MP_METHODS_ARIMA_ESTIMATE_H
#define MP_METHODS_ARIMA_ESTIMATE_H

#include "methods/arima/search.h"
#include "methods/arima/standardise.h"
#include "moepredict.h"
#include "support/memory.h"

/* What is to be estimated, and with which means. */
struct arima_request {
    size_t series, observations; /* of every series */
    /* Fills values[count][observations] with those series, oldest first. Called from several threads at once. */
    void (*load)(void *user, size_t first, size_t count, double *values);
    void *user;
    const struct arima_order *orders; /* [series] */
    unsigned starts;                  /* 1 .. MP_ARIMA_MOST_STARTS */
    bool warm;                        /* begin at the given estimates, where they have the requested order */
    double budget;                    /* floating-point operations; 0: no limit */
    size_t threads;
    int lane_bytes; /* 0: what the processor has */
    const struct memory *memory;
    int32_t (*progress)(void *user, double fraction); /* on the caller's thread; NULL: none */
    void *progress_user;
};

/* Estimates the series that are not done, in order, and marks them done: all of them, or rounds of them until the cost
 * reaches the budget. A round is as large as the rest of the budget should allow, and at least one series. It does not
 * depend on the number of threads, so that the same series are done for any. Nor does a series' estimate depend on the
 * other series, on the number of threads, or on what a budget leaves for a later call. OUT_OF_MEMORY, CANCELLED:
 * `estimates` is in an unknown state. */
moep_status mp_arima_estimate(const struct arima_request *request, struct arima_estimate *estimates);

#endif
