/* SPDX-License-Identifier: BSD-3-Clause */
/* One call for forecast rows or their quantiles: what it asks for, and the memory that it works in. */
#ifndef MP_METHODS_ARIMA_FORECAST_CALL_H
#define MP_METHODS_ARIMA_FORECAST_CALL_H

#include "methods/arima/forecast.h"
#include "methods/arima/model.h"
#include "methods/arima/observations.h"
#include "methods/method.h"

#include <stdatomic.h>

struct arima_call {
    const struct task *task;
    struct arima_model model;
    struct arima_source source;
    size_t horizon, stride, count; /* steps, steps, rows */
    size_t ahead, width;           /* observations: of the horizon; of a row, for its standard error */
    const struct quantiles *quantiles;
    double *rows;
    char *memory; /* of all workers */
    size_t worker_size;
    atomic_size_t next;
};

/* What a worker has for the layer that it is at. */
struct arima_scratch {
    double *values;                   /* [experts][observations] */
    double *means;                    /* [experts]: of those */
    double *scatter;                  /* [experts]: the variance of steps within a bucket */
    double *shares;                   /* [experts] */
    double *centre;                   /* [count][experts]: the forecast */
    double *errors;                   /* [error rows] */
    double *sums;                     /* [ahead] */
    double *z;                        /* [quantiles]: of the normal distribution */
    struct arima_state *states;       /* [experts]: the forecast moves them on */
    struct arima_state *present;      /* [experts]: as the history leaves them, where quantiles are asked for */
    struct arima_estimate *estimates; /* [experts] */
    void *memory;
};

/* The step, counted from the first of the horizon, before which a row ends. */
size_t mp_arima_end_of_row(const struct arima_call *call, size_t row);

/* How many standard errors the horizon has, each of `width` observations. */
size_t mp_arima_error_rows(const struct arima_call *call);

/* The bytes of one worker's scratch, SIZE_MAX if too many; its parts, in the call's memory. */
size_t mp_arima_scratch_size(const struct arima_call *call);
struct arima_scratch mp_arima_scratch(const struct arima_call *call, size_t worker);

#endif
