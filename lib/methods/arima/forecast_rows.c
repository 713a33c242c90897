/* SPDX-License-Identifier: BSD-3-Clause */
/* A forecast row is the mean of steps, an observation the mean of `bucket` steps: both boundaries cut the horizon.
 *
 * bytes: a layer's rows do not depend on other layers. threads: layers. allocates: one arena per call. */
#include "methods/arima/forecast_rows.h"

#include "api/status.h"
#include "methods/arima/chunks.h"
#include "methods/arima/fit.h"
#include "methods/arima/quantiles.h"
#include "series/simplex.h"

#include <math.h>
#include <string.h>

/* ---- states ------------------------------------------------------------------------------------------------------ */

/* The estimate of a series that has no other, or whose history is too short for one: the mean of the history. */
static struct arima_estimate plain_mean(const double *values, size_t n, double mean)
{
    double squares = 0;
    for (size_t t = 0; t < n; t++)
        squares += (values[t] - mean) * (values[t] - mean);
    return (struct arima_estimate){.order = {.mean = true}, .mean = mean, .sigma2 = n > 0 ? squares / (double)n : 0};
}

static void find_states(const struct arima_forecast_request *request, struct arima_forecast_scratch *scratch,
                        size_t first)
{
    struct arima_observations observed = request->observed;
    size_t n = observed.observations;
    mp_arima_read_observations(&observed, first, observed.experts, scratch->values);
    for (size_t e = 0; e < observed.experts; e++) {
        const double *values = scratch->values + e * n;
        double total = 0;
        for (size_t t = 0; t < n; t++)
            total += values[t];
        scratch->means[e] = total / (double)n;
        bool usable = request->model.has_estimate[first + e] && n >= MP_ARIMA_LEAST_OBSERVATIONS;
        scratch->estimates[e] = usable ? request->model.estimates[first + e] : plain_mean(values, n, scratch->means[e]);
    }
    mp_arima_forecast_states(scratch->estimates, scratch->values, observed.experts, n,
                             request->task->config->arima_root_limit, &scratch->of_states, scratch->states, NULL);
}

/* ---- the forecast ------------------------------------------------------------------------------------------------ */

/* Computes the shares of the next observation, which sum to 1. */
static void next_shares(const struct arima_forecast_request *request, struct arima_forecast_scratch *scratch)
{
    for (size_t e = 0; e < request->observed.experts; e++) {
        double observation = mp_arima_next(&scratch->states[e]);
        if (!isfinite(observation))
            observation = scratch->means[e];
        scratch->shares[e] = mp_arima_share(&request->observed, observation);
    }
    mp_simplex(scratch->shares, request->observed.experts);
}

/* Fills rows[count][experts], which begin `spacing` apart. Every row is the mean of its steps, and all steps of an
 * observation have its shares. */
static void forecast_layer(const struct arima_forecast_request *request, struct arima_forecast_scratch *scratch,
                           double *rows, size_t spacing)
{
    size_t experts = request->observed.experts, bucket = request->observed.bucket, row = 0;
    for (size_t r = 0; r < request->count; r++)
        memset(rows + r * spacing, 0, experts * sizeof *rows);
    for (size_t begin = 0; begin < request->horizon;) {
        next_shares(request, scratch);
        size_t end = bucket < request->horizon - begin ? begin + bucket : request->horizon;
        for (size_t step = begin; step < end;) {
            size_t row_end = mp_arima_row_end(request, row), until = row_end < end ? row_end : end;
            double weight = (double)(until - step) / (double)(row_end - row * request->stride);
            for (size_t e = 0; e < experts; e++)
                rows[row * spacing + e] += weight * scratch->shares[e];
            row += until == row_end;
            step = until;
        }
        begin = end;
    }
}

/* ---- all layers -------------------------------------------------------------------------------------------------- */

/* Forecasts the layer whose series begin at `first`. */
static void work(void *user, size_t worker, size_t first, size_t experts)
{
    struct arima_forecast_request *request = user;
    struct arima_forecast_scratch *scratch = &request->scratch[worker];
    find_states(request, scratch, first);
    if (!request->quantiles) {
        forecast_layer(request, scratch, request->rows + first, request->task->panel.series);
        return;
    }
    memcpy(scratch->present, scratch->states, experts * sizeof *scratch->states);
    forecast_layer(request, scratch, scratch->centre, experts);
    mp_arima_quantiles(request, scratch, first);
}

static bool all_have_estimates(const struct arima_forecast_request *request)
{
    bool all = true;
    for (size_t s = 0; s < request->task->panel.series; s++)
        all &= request->model.has_estimate[s] == 1;
    return all;
}

/* Bounds the time of a forecast, which grows with the horizon. */
enum { MOST_AHEAD = 10000000 };

static moep_status check(const struct arima_forecast_request *request)
{
    const struct arima_observations *observed = &request->observed;
    size_t steps = request->task->panel.steps;
    if (request->quantiles && !all_have_estimates(request))
        return mp_fail(MOEP_ERROR_NOT_FITTED, "not every series has been fitted: without a fit ARIMA has no intervals");
    if (request->quantiles && observed->observations < MP_ARIMA_LEAST_OBSERVATIONS)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "%zu steps in the history, arima has intervals from %llu on", steps,
                       MP_ARIMA_LEAST_OBSERVATIONS * (unsigned long long)observed->bucket);
    if ((request->horizon - 1) / observed->bucket >= MOST_AHEAD)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "horizon = %zu is more than 10^7 observations of %zu steps",
                       request->horizon, observed->bucket);
    if (observed->observations == 0)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "%zu steps in the history, arima_bucket is %zu", steps,
                       observed->bucket);
    return MOEP_OK;
}

moep_status mp_arima_forecast_rows(const struct task *task, const void *model, size_t horizon, size_t stride,
                                   const struct quantiles *quantiles, double *rows)
{
    const struct memory *memory = &task->runtime->memory;
    size_t series = task->panel.series, bucket = task->config->arima_bucket;
    struct arena arena;
    struct arima_forecast_request request = {.task = task,
                                             .model = mp_arima_model((void *)model, series),
                                             .observed = mp_arima_observations(task),
                                             .horizon = horizon,
                                             .stride = stride < horizon ? stride : horizon,
                                             .count = mp_forecast_rows(horizon, stride),
                                             .quantiles = quantiles,
                                             .rows = rows};
    moep_status status = check(&request);
    if (status != MOEP_OK)
        return status;
    request.ahead = (horizon - 1) / bucket + 1;
    request.width = request.stride / bucket > 0 ? (request.stride + bucket / 2) / bucket : 1;
    request.threads = mp_arima_workers(task->runtime->threads, series / task->experts);
    if (!mp_arena_make(&arena, mp_arima_forecast_lay_out, &request, memory)) /* zeroed: see estimate.c */
        return mp_out_of_memory("the scratch of ARIMA forecasts");
    status = mp_arima_run_chunks(&(struct arima_chunks){
        .end = series, .size = task->experts, .workers = request.threads, .work = work, .user = &request});
    mp_arena_free(&arena, memory);
    return status;
}
