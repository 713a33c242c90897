/* SPDX-License-Identifier: BSD-3-Clause */
/* A panel's observations. An observation is the mean share s of `bucket` steps, or log(s x experts), the logarithm of
 * its ratio to the mean load. */
#ifndef MP_METHODS_ARIMA_OBSERVATIONS_H
#define MP_METHODS_ARIMA_OBSERVATIONS_H

#include "methods/method.h"

struct arima_observations {
    const struct panel *panel;
    size_t experts;      /* of a layer */
    size_t bucket;       /* steps */
    size_t observations; /* of every series, up to the latest step */
    bool logarithms;
};

struct arima_observations mp_arima_observations(const struct task *task);

/* Fills values[count][observations] with the series from `first` on, oldest first. */
void mp_arima_read_observations(const struct arima_observations *observed, size_t first, size_t count, double *values);

/* Fills variance[count]: that of single steps about the mean of their observation, as shares; 0 if bucket is 1. */
void mp_arima_step_variance(const struct arima_observations *observed, size_t first, size_t count, double *variance);

/* exp(x); above LARGEST_LOGARITHM, where exp(x) would not be finite, its value there. */
double mp_arima_finite_exp(double x);

/* The share that an observation stands for. */
double mp_arima_share(const struct arima_observations *observed, double observation);

#endif
