/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/forecast_rows.h"

#include "api/status.h"
#include "methods/arima/fit.h"
#include "methods/arima/quantiles.h"
#include "series/simplex.h"
#include "support/parallel.h"

#include <math.h>
#include <string.h>

/* ---- states ------------------------------------------------------------------------------------------------------ */

/* The mean of the history, for a series that no fit has come to, and of which too little is held. */
static struct arima_estimate plain_mean(const double *values, size_t n, double mean)
{
    double squares = 0;
    for (size_t t = 0; t < n; t++)
        squares += (values[t] - mean) * (values[t] - mean);
    return (struct arima_estimate){.order = {.mean = true}, .mean = mean, .sigma2 = n > 0 ? squares / (double)n : 0};
}

static void find_states(const struct arima_call *call, struct arima_scratch *scratch, size_t first)
{
    struct arima_source source = call->source;
    size_t n = source.observations;
    mp_arima_load(&source, first, source.experts, scratch->values);
    for (size_t e = 0; e < source.experts; e++) {
        const double *values = scratch->values + e * n;
        double total = 0;
        for (size_t t = 0; t < n; t++)
            total += values[t];
        scratch->means[e] = total / (double)n;
        bool usable = call->model.known[first + e] && n >= MP_ARIMA_LEAST_OBSERVATIONS;
        scratch->estimates[e] = usable ? call->model.estimates[first + e] : plain_mean(values, n, scratch->means[e]);
    }
    mp_arima_states(scratch->estimates, scratch->values, source.experts, n, call->task->config->arima_root_limit, 0,
                    scratch->memory, scratch->states, NULL);
}

/* ---- the forecast ------------------------------------------------------------------------------------------------ */

/* The shares of the next observation, which sum to 1. */
static void next_shares(const struct arima_call *call, struct arima_scratch *scratch)
{
    for (size_t e = 0; e < call->source.experts; e++) {
        double observation = mp_arima_next(&scratch->states[e]);
        if (!isfinite(observation))
            observation = scratch->means[e];
        scratch->shares[e] = mp_arima_share(&call->source, observation);
    }
    mp_simplex(scratch->shares, call->source.experts);
}

/* rows[count], `spacing` apart, [experts] each: every row the mean of its steps, an observation's steps being alike. */
static void forecast_layer(const struct arima_call *call, struct arima_scratch *scratch, double *rows, size_t spacing)
{
    size_t experts = call->source.experts, bucket = call->source.bucket, row = 0;
    for (size_t r = 0; r < call->count; r++)
        memset(rows + r * spacing, 0, experts * sizeof *rows);
    for (size_t begin = 0; begin < call->horizon;) {
        next_shares(call, scratch);
        size_t end = bucket < call->horizon - begin ? begin + bucket : call->horizon;
        for (size_t step = begin; step < end;) {
            size_t of_row = mp_arima_end_of_row(call, row), until = of_row < end ? of_row : end;
            double weight = (double)(until - step) / (double)(of_row - row * call->stride);
            for (size_t e = 0; e < experts; e++)
                rows[row * spacing + e] += weight * scratch->shares[e];
            row += until == of_row;
            step = until;
        }
        begin = end;
    }
}

/* ---- all layers -------------------------------------------------------------------------------------------------- */

static void work(void *user, size_t worker)
{
    struct arima_call *call = user;
    struct arima_scratch scratch = mp_arima_scratch(call, worker);
    size_t experts = call->source.experts, series = call->task->panel.series;
    for (;;) {
        size_t first = atomic_fetch_add(&call->next, experts);
        if (first >= series)
            return;
        find_states(call, &scratch, first);
        if (!call->quantiles) {
            forecast_layer(call, &scratch, call->rows + first, series);
            continue;
        }
        memcpy(scratch.present, scratch.states, experts * sizeof *scratch.states);
        forecast_layer(call, &scratch, scratch.centre, experts);
        mp_arima_quantiles(call, &scratch, first);
    }
}

static bool all_known(const struct arima_call *call)
{
    bool all = true;
    for (size_t s = 0; s < call->task->panel.series; s++)
        all &= call->model.known[s] == 1;
    return all;
}

/* The time that it takes grows with the horizon. */
enum { MOST_AHEAD = 10000000 };

moep_status mp_arima_rows(const struct task *task, const void *block, size_t horizon, size_t stride,
                          const struct quantiles *quantiles, double *rows)
{
    const struct memory *memory = &task->runtime->memory;
    size_t threads = task->runtime->threads, layers = task->panel.series / task->experts;
    struct arima_call call = {.task = task,
                              .model = mp_arima_model((void *)block, task->panel.series),
                              .source = mp_arima_source(task),
                              .horizon = horizon,
                              .stride = stride < horizon ? stride : horizon,
                              .count = mp_forecast_rows(horizon, stride),
                              .quantiles = quantiles,
                              .rows = rows};
    if (quantiles && !all_known(&call))
        return mp_fail(MOEP_ERROR_NOT_FITTED, "no fit has come to all series yet: without one ARIMA has no intervals");
    if (quantiles && call.source.observations < MP_ARIMA_LEAST_OBSERVATIONS)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "%zu steps in the history, arima has intervals from %llu on",
                       task->panel.steps, MP_ARIMA_LEAST_OBSERVATIONS * (unsigned long long)call.source.bucket);
    if ((horizon - 1) / call.source.bucket >= MOST_AHEAD)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "horizon = %zu is more than 10^7 observations of %zu steps",
                       horizon, call.source.bucket);
    if (call.source.observations == 0)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "%zu steps in the history, arima_bucket is %zu", task->panel.steps,
                       call.source.bucket);
    call.ahead = (horizon - 1) / call.source.bucket + 1;
    call.width = call.stride / call.source.bucket > 0 ? (call.stride + call.source.bucket / 2) / call.source.bucket : 1;
    threads = threads < layers ? threads : layers;
    threads = threads < MP_MOST_THREADS ? threads : MP_MOST_THREADS;
    call.worker_size = mp_arima_scratch_size(&call);
    size_t size = mp_product(call.worker_size, threads);
    call.memory = mp_allocate(memory, size, 1);
    if (!call.memory)
        return mp_out_of_memory("the scratch of ARIMA forecasts");
    memset(call.memory, 0, size); /* lanes without a series compute too */
    mp_parallel(threads, work, &call);
    mp_release(memory, call.memory, size, 1);
    return MOEP_OK;
}
