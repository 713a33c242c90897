/* SPDX-License-Identifier: BSD-3-Clause */
/* The observations that a panel holds for ARIMA: means of `bucket` steps, as shares or as the logarithm of what they
 * are of the mean load. */
#ifndef MP_METHODS_ARIMA_OBSERVATIONS_H
#define MP_METHODS_ARIMA_OBSERVATIONS_H

#include "methods/method.h"

struct arima_source {
    const struct panel *panel;
    size_t experts, bucket, observations; /* of a layer; steps; of a series, the latest that there are */
    bool logarithms;
};

struct arima_source mp_arima_source(const struct task *task);

/* values[count][observations] of series from `first` on, oldest first. */
void mp_arima_load(const struct arima_source *source, size_t first, size_t count, double *values);

/* scatter[count]: the variance of single steps about the mean of their observation, as shares. */
void mp_arima_scatter(const struct arima_source *source, size_t first, size_t count, double *scatter);

/* A share from an observation. */
double mp_arima_share(const struct arima_source *source, double observation);

#endif
