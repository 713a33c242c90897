/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds the best likelihood from several starts, for a batch of series and orders. */
#ifndef MP_METHODS_ARIMA_SEARCH_H
#define MP_METHODS_ARIMA_SEARCH_H

#include "methods/arima/starts.h"

/* A model specification: one series and one order. */
struct arima_spec {
    size_t n; /* observations */
    unsigned starts;
    bool warm; /* begin only at candidate.at and at the coefficients of Hannan and Rissanen */
    /* Input: the series, the order, and the start of a warm spec. Output: the best fit. */
    struct arima_candidate candidate;
    double cost; /* output: floating-point operations */
};

/* Scratch of searches, and their kernels. */
struct arima_search {
    const struct arima_kernel *kernel;
    const struct arima_start_kernel *start_kernel;
    struct arima_workspace workspace;
    struct arima_point *point;
    struct arima_lanes *active, *step;    /* [MP_ARIMA_PARAMETERS] */
    double *twiddles;                     /* scratch of the periodogram */
    struct arima_spec **batch;            /* [specs]: of one length and dimension */
    struct arima_candidate *candidates;   /* [specs x starts] */
    struct arima_candidate *copies;       /* [specs] */
    size_t *unfinished;                   /* [specs]: indices of candidates */
    struct arima_coefficients *arma11;    /* [specs] */
    struct arima_coefficients *regressed; /* [specs] */
    double (*cosines)[MP_ARIMA_PEAKS];    /* [specs] */
};

/* Lays out the scratch of searches of at most that many observations, specs and starts. lane_bytes: as in
 * mp_arima_kernel. */
void mp_arima_search_lay_out(struct arima_search *search, struct arena *arena, size_t observations, size_t specs,
                             unsigned starts, int lane_bytes);

/* The number of ordinates, with their mirror images, of a periodogram of n observations: a power of two. */
size_t mp_arima_periodogram_size(size_t n);

/* Fits every spec. Each has a p or q of at least 1, and n > 2 max(p, q) + 2. A spec's result does not depend on the
 * others. */
void mp_arima_search(struct arima_search *search, struct arima_spec *specs, size_t count);

#endif
