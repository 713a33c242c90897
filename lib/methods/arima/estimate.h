/* SPDX-License-Identifier: BSD-3-Clause */
/* Estimates of ARIMA(p, d, q) for all series of a panel, by exact likelihood. */
#ifndef MP_METHODS_ARIMA_ESTIMATE_H
#define MP_METHODS_ARIMA_ESTIMATE_H

#include "methods/arima/search.h"
#include "methods/arima/standardise.h"
#include "moepredict.h"
#include "support/memory.h"

struct arima_job {
    size_t series, steps;
    /* values[count][steps]: those series, oldest first. From several threads at once. */
    void (*load)(void *user, size_t first, size_t count, double *values);
    void *user;
    const struct arima_order *orders; /* [series] */
    unsigned starts;                  /* 1 .. MP_ARIMA_MOST_STARTS */
    bool warm;                        /* begin at the estimates given, where they are of the order asked for */
    double budget;                    /* floating-point operations; 0: to the end */
    size_t threads;
    int lane_bytes; /* 0: what the processor has */
    const struct memory *memory;
    int32_t (*progress)(void *user, double fraction); /* NULL: none; on the caller's thread */
    void *progress_user;
};

enum { MP_ARIMA_DEFAULT_STARTS = 5 };

/* Estimates the series that are not done, in order, and marks them done: all of them, or rounds of them until the cost
 * reaches the budget. A round is made as large as the rest of the budget should bear, one series at least; so the same
 * ones are done for any number of threads. What a series gets does not depend on the others, on the number of threads
 * or on what a budget leaves for a later call. OUT_OF_MEMORY, CANCELLED: `estimates` is in an unknown state. */
moep_status mp_arima_estimate(const struct arima_job *job, struct arima_estimate *estimates);

#endif
