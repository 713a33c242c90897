/* SPDX-License-Identifier: BSD-3-Clause */
/* Maximises the exact likelihood of many candidate fits, MP_LANES at once: as soon as a lane's candidate has ended the
 * lane takes the next one. The result of a candidate does not depend on the others. */
#ifndef MP_METHODS_ARIMA_OPTIMISE_H
#define MP_METHODS_ARIMA_OPTIMISE_H

#include "methods/arima/kernel/likelihood.h"

#include <stdbool.h>

struct arima_coefficients {
    double phi[MP_ARIMA_ORDER], theta[MP_ARIMA_ORDER]; /* 0 beyond p and q */
};

/* A candidate fit: one series, one order, one start. */
struct arima_candidate {
    /* In. */
    const double *series; /* as many observations as the workspace says, of a variance of about 1 */
    unsigned p, q;
    bool mean;           /* true: mean_value is estimated too; false: it is only subtracted */
    unsigned iterations; /* at most; 0: only the likelihood at the start */
    double tolerance;    /* the fit ends when a step gains less log-likelihood than that */
    /* In: the start. Out: the best point met. A start without a likelihood is replaced by zeros. */
    double mean_value;
    struct arima_coefficients at;
    /* Out. */
    double objective, sum_of_squares;           /* as in struct arima_point */
    double standard_error[MP_ARIMA_PARAMETERS]; /* of phi(1) .. phi(p), theta(1) .. theta(q) */
    unsigned evaluations;
};

/* Candidates whose p and q are at most `dimension`; dimension >= 1. */
void mp_arima_optimise(const struct arima_kernel *kernel, struct arima_workspace *workspace, unsigned dimension,
                       struct arima_candidate *candidates, size_t count);

#endif
