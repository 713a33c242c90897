/* SPDX-License-Identifier: BSD-3-Clause */
/* A request for forecast rows or their quantiles, and the scratch of its workers. */
#ifndef MP_METHODS_ARIMA_FORECAST_REQUEST_H
#define MP_METHODS_ARIMA_FORECAST_REQUEST_H

#include "methods/arima/forecast.h"
#include "methods/arima/model.h"
#include "methods/arima/observations.h"
#include "methods/method.h"

/* A worker's scratch, for one layer. The fields from `centre` on exist only for quantiles. */
struct arima_forecast_scratch {
    struct arima_state_scratch of_states;
    double *values;                       /* [experts][observations] */
    double *means;                        /* [experts]: of the values */
    double *shares;                       /* [experts] */
    struct arima_estimate *estimates;     /* [experts] */
    struct arima_forecast_state *states;  /* [experts]: the forecast advances them */
    double *centre;                       /* [rows][experts]: the forecast */
    double *step_variance;                /* [experts]: of single steps about the mean of their observation */
    double *standard_errors;              /* [error rows] */
    double *psi_sums;                     /* [ahead]: Psi of forecast.c */
    double *z;                            /* [quantiles]: of the normal distribution */
    struct arima_forecast_state *present; /* [experts]: the states before the forecast */
};

struct arima_forecast_request {
    const struct task *task;
    struct arima_model model;
    struct arima_observations observed;
    size_t horizon, stride, count;     /* steps, steps, rows */
    size_t ahead;                      /* observations of the horizon */
    size_t width;                      /* observations of a row of standard errors: the stride's, rounded */
    const struct quantiles *quantiles; /* NULL: the forecast alone */
    double *rows;
    struct arima_forecast_scratch *scratch; /* [threads] */
    size_t threads;
};

/* Lays out the scratch. self: a struct arima_forecast_request that is otherwise complete. */
void mp_arima_forecast_lay_out(void *self, struct arena *arena);

/* The step, counted from the first of the horizon, before which a row ends. */
size_t mp_arima_row_end(const struct arima_forecast_request *request, size_t row);

/* The number of rows of standard errors, each of `width` observations. */
size_t mp_arima_error_rows(const struct arima_forecast_request *request);

#endif
