/* SPDX-License-Identifier: BSD-3-Clause */
/* A panel's observations: means of `bucket` steps, of shares or of log(share x experts), the logarithm of the ratio to
 * the mean load. */
#ifndef MP_METHODS_ARIMA_OBSERVATIONS_H
#define MP_METHODS_ARIMA_OBSERVATIONS_H

#include "methods/method.h"

struct arima_observations {
    const struct panel *panel;
    size_t experts, bucket, observations; /* of a layer; steps; of every series, up to the latest step */
    bool logarithms;
};

struct arima_observations mp_arima_observations(const struct task *task);

/* values[count][observations] of the series from `first` on, oldest first. */
void mp_arima_read_observations(const struct arima_observations *observed, size_t first, size_t count, double *values);

/* variance[count]: of single steps about the mean of their observation, as shares; 0 for observations of one step. */
void mp_arima_step_variance(const struct arima_observations *observed, size_t first, size_t count, double *variance);

/* The share that an observation stands for. */
double mp_arima_share(const struct arima_observations *observed, double observation);

#endif
