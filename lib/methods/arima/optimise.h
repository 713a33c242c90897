/* SPDX-License-Identifier: BSD-3-Clause */
/* Levenberg-Marquardt on the exact likelihood for a list of runs, MP_LANES at once: a lane takes the next run as soon
 * as its own has ended. A run's result does not depend on the other runs. */
#ifndef MP_METHODS_ARIMA_OPTIMISE_H
#define MP_METHODS_ARIMA_OPTIMISE_H

#include "methods/arima/kernel/likelihood.h"

#include <stdbool.h>

struct arima_coefficients {
    double phi[MP_ARIMA_ORDER], theta[MP_ARIMA_ORDER]; /* 0 beyond p and q */
};

/* One series, one order, one start. */
struct arima_run {
    const double *series; /* as many observations as the workspace says, about as large as 1 */
    unsigned p, q;
    bool mean;                    /* a mean is estimated too, from the one given on; otherwise that one is subtracted */
    unsigned iterations;          /* at most; 0: the likelihood at the start only */
    double tolerance;             /* ends when steps gain less log-likelihood than that */
    double mean_value;            /* in and out */
    struct arima_coefficients at; /* in: the start (where it is not admissible, zeros); out: the best point met */
    /* Out. */
    double objective, sum_of_squares;
    double error[MP_ARIMA_PARAMETERS]; /* standard errors of phi(1) .. phi(p), theta(1) .. theta(q) */
    unsigned evaluations;
};

/* The runs are all of this order or less: p, q <= order, order >= 1. */
void mp_arima_optimise(const struct arima_kernel *kernel, struct arima_workspace *workspace, unsigned order,
                       struct arima_run *runs, size_t count);

#endif
