/* SPDX-License-Identifier: BSD-3-Clause */
/* Maximises the exact likelihood of many candidate fits, MP_LANES at once. As soon as a lane's candidate has ended, the
 * lane begins the next one. The result of a candidate does not depend on the others. */
#ifndef MP_METHODS_ARIMA_OPTIMISE_H
#define MP_METHODS_ARIMA_OPTIMISE_H

#include "methods/arima/kernel/likelihood.h"

#include <stdbool.h>

struct arima_coefficients {
    double phi[MP_ARIMA_ORDER], theta[MP_ARIMA_ORDER]; /* 0 beyond p and q */
};

/* A candidate fit: one series, one order, one start. */
struct arima_candidate {
    /* Input. */
    const double *series; /* [workspace.n], of a variance of about 1 */
    unsigned p, q;
    bool mean;           /* true: mean_value is estimated too; false: it is only subtracted */
    unsigned iterations; /* at most; 0: only evaluates the start */
    double tolerance;    /* the fit ends when a step gains less log-likelihood */
    /* Input: the start. Output: the best point met. A start without a likelihood is replaced by zeros. */
    double mean_value;
    struct arima_coefficients at;
    /* Output. */
    double objective, sum_of_squares;           /* as in struct arima_point */
    double standard_error[MP_ARIMA_PARAMETERS]; /* of phi(1) .. phi(p), theta(1) .. theta(q) */
    unsigned evaluations;
};

/* Fits the candidates. Their p and q are at most `dimension`, which is at least 1. */
void mp_arima_optimise(const struct arima_kernel *kernel, struct arima_workspace *workspace, unsigned dimension,
                       struct arima_candidate *candidates, size_t count);

#endif
