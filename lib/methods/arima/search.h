/* SPDX-License-Identifier: BSD-3-Clause */
/* The best likelihood from several starts, for a batch of series and orders: each start is followed until a step gains
 * less than 0.01 of log-likelihood, the best of them until a step gains less than 0.0001. */
#ifndef MP_METHODS_ARIMA_SEARCH_H
#define MP_METHODS_ARIMA_SEARCH_H

#include "methods/arima/starts.h"

/* One series and order; everything of the run that is not out is in, but the iterations and the tolerance. */
struct arima_item {
    size_t n; /* observations */
    unsigned starts;
    bool warm; /* begins at run.at, and where Hannan and Rissanen begin: no more */
    struct arima_run run;
    double cost; /* out: floating-point operations */
};

struct arima_search {
    const struct arima_kernel *kernel;
    const struct arima_start_kernel *start_kernel;
    struct arima_workspace workspace;
    struct arima_point *point;
    struct arima_lanes *active, *step;
    double *twiddles;
    struct arima_item **list;         /* [items] */
    struct arima_run *runs;           /* [items x starts] */
    struct arima_run *copies;         /* [items] */
    size_t *again;                    /* [items] */
    struct arima_coefficients *bases; /* [2 x items] */
    double (*peaks)[MP_ARIMA_PEAKS];  /* [items] */
};

/* Bytes of scratch, SIZE_MAX if too many; laid out in memory of that size. */
size_t mp_arima_search_size(size_t observations, size_t items, unsigned starts);
void mp_arima_search_init(struct arima_search *search, void *memory, size_t observations, size_t items, unsigned starts,
                          int lane_bytes);

/* Orders from 0, of which at least one of p and q is 1 or more; n > 2 max(p, q) + 2. */
void mp_arima_search(struct arima_search *search, struct arima_item *items, size_t count);

#endif
