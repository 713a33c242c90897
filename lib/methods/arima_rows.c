/* SPDX-License-Identifier: BSD-3-Clause */
#include "arima_rows.h"

#include "arima_fit.h"
#include "arima_forecast.h"
#include "arima_model.h"
#include "arima_source.h"
#include "simplex.h"
#include "status.h"
#include "support/normal.h"
#include "support/parallel.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

struct call {
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

/* What a worker has for the layer it is at. */
struct scratch {
    double *values;                   /* [experts][observations] */
    double *means;                    /* [experts]: of those */
    double *scatter;                  /* [experts]: the variance of steps within a bucket */
    double *shares;                   /* [experts] */
    double *centre;                   /* [count][experts]: the forecast */
    double *errors;                   /* [error_rows] */
    double *path;                     /* [error_rows] */
    double *sums;                     /* [ahead] */
    struct arima_state *states;       /* [experts] */
    struct arima_estimate *estimates; /* [experts] */
    void *memory;
};

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static size_t error_rows(const struct call *call)
{
    return mp_forecast_rows(call->ahead, call->width);
}

static size_t worker_size(const struct call *call)
{
    size_t e = call->source.experts, doubles = mp_product(e, call->source.observations);
    doubles = mp_sum(doubles, mp_product(3, e));
    if (call->quantiles) {
        doubles = mp_sum(doubles, mp_product(call->count, e));
        doubles = mp_sum(doubles, mp_sum(mp_product(2, error_rows(call)), call->ahead));
    }
    size_t size = mp_product(doubles, sizeof(double));
    size = mp_sum(size, mp_product(e, sizeof(struct arima_state) + sizeof(struct arima_estimate)));
    size = mp_sum(size, mp_arima_states_size(call->source.observations));
    return mp_whole_lines(size, 1);
}

static struct scratch lay_out(const struct call *call, size_t worker)
{
    size_t e = call->source.experts;
    struct scratch scratch = {.values = (double *)(call->memory + worker * call->worker_size)};
    scratch.means = scratch.values + e * call->source.observations;
    scratch.scatter = scratch.means + e;
    scratch.shares = scratch.scatter + e;
    scratch.centre = scratch.shares + e;
    double *end = scratch.centre;
    if (call->quantiles) {
        scratch.errors = scratch.centre + call->count * e;
        scratch.path = scratch.errors + error_rows(call);
        scratch.sums = scratch.path + error_rows(call);
        end = scratch.sums + call->ahead;
    }
    scratch.states = (struct arima_state *)end;
    scratch.estimates = (struct arima_estimate *)(scratch.states + e);
    scratch.memory = scratch.estimates + e;
    return scratch;
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

/* The mean of the history, for a series that no fit has come to, and of which too little is held. */
static struct arima_estimate plain_mean(const double *values, size_t n, double mean)
{
    double squares = 0;
    for (size_t t = 0; t < n; t++)
        squares += (values[t] - mean) * (values[t] - mean);
    return (struct arima_estimate){.order = {.mean = true}, .mean = mean, .sigma2 = n > 0 ? squares / (double)n : 0};
}

static void find_states(const struct call *call, struct scratch *scratch, size_t first)
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
                    scratch->memory, scratch->states);
}

/* ---- the forecast ------------------------------------------------------------------------------------------------ */

/* The shares of the next observation, which sum to 1. */
static void next_shares(const struct call *call, struct scratch *scratch)
{
    for (size_t e = 0; e < call->source.experts; e++) {
        double observation = mp_arima_next(&scratch->states[e]);
        if (!isfinite(observation))
            observation = scratch->means[e];
        scratch->shares[e] = mp_arima_share(&call->source, observation);
    }
    mp_simplex(scratch->shares, call->source.experts);
}

static size_t end_of_row(const struct call *call, size_t row)
{
    size_t begin = row * call->stride;
    return call->stride < call->horizon - begin ? begin + call->stride : call->horizon;
}

/* rows[count], `spacing` apart, [experts] each: every row the mean of its steps, an observation's steps being alike. */
static void forecast_layer(const struct call *call, struct scratch *scratch, double *rows, size_t spacing)
{
    size_t experts = call->source.experts, bucket = call->source.bucket, row = 0;
    for (size_t r = 0; r < call->count; r++)
        memset(rows + r * spacing, 0, experts * sizeof *rows);
    for (size_t begin = 0; begin < call->horizon;) {
        next_shares(call, scratch);
        size_t end = bucket < call->horizon - begin ? begin + bucket : call->horizon;
        for (size_t step = begin; step < end;) {
            size_t of_row = end_of_row(call, row), until = of_row < end ? of_row : end;
            double weight = (double)(until - step) / (double)(of_row - row * call->stride);
            for (size_t e = 0; e < experts; e++)
                rows[row * spacing + e] += weight * scratch->shares[e];
            row += until == of_row;
            step = until;
        }
        begin = end;
    }
}

/* ---- quantiles --------------------------------------------------------------------------------------------------- */

/* The variance of single steps about the mean of their bucket, which a row shorter than one has more of. */
static void find_scatter(const struct call *call, struct scratch *scratch, size_t first)
{
    const struct arima_source *source = &call->source;
    size_t experts = source->experts, bucket = source->bucket, n = source->observations;
    memset(scratch->scatter, 0, experts * sizeof *scratch->scatter);
    if (bucket == 1)
        return;
    for (size_t e = 0; e < experts; e++) {
        double squares = 0;
        for (size_t i = 0; i < n; i++) {
            double total = 0, of_squares = 0;
            for (size_t k = 0; k < bucket; k++) {
                size_t step = source->panel->steps - (n - i) * bucket + k;
                double x = (double)mp_panel_row(source->panel, step)[first + e];
                total += x;
                of_squares += x * x;
            }
            squares += fmax(of_squares - total * total / (double)bucket, 0);
        }
        scratch->scatter[e] = squares / (double)(n * (bucket - 1));
    }
}

/* Beyond the formula's, for a row that ends so many steps ahead: drift grows more slowly than a random walk's, whose
 * variance grows as the time. */
static double calibrated(const struct call *call, size_t series, double variance, size_t ahead)
{
    double far = (double)call->model.progress->far;
    if (far == 0 || !call->model.known[series])
        return variance;
    double extra = call->model.calibration[series] * pow((double)ahead / far, 0.6);
    return fmax(variance + extra, variance / 4);
}

static double quantile(const struct call *call, double centre, double z, double variance, double scatter)
{
    double value = call->source.logarithms ? centre * exp(fmin(z * sqrt(variance), 700)) + z * sqrt(scatter)
                                           : centre + z * sqrt(variance + scatter);
    return fmin(fmax(value, 0), 1);
}

/* Of the row of standard errors in which that row ends. */
static size_t error_row(const struct call *call, size_t row)
{
    return (end_of_row(call, row) - 1) / call->source.bucket / call->width;
}

/* The steps that it is about: the last has what is left. */
static double steps_of_error(const struct call *call, size_t index)
{
    size_t left = call->ahead - index * call->width;
    return (double)((left < call->width ? left : call->width) * call->source.bucket);
}

static void quantiles_of_expert(const struct call *call, const struct scratch *scratch, size_t first, size_t expert)
{
    size_t experts = call->source.experts, series = call->task->panel.series;
    for (size_t row = 0; row < call->count; row++) {
        size_t end = end_of_row(call, row);
        size_t index = error_row(call, row);
        double error = scratch->errors[index], steps = (double)(end - row * call->stride);
        double variance = calibrated(call, first + expert, error * error, end);
        double scatter = scratch->scatter[expert] * fmax(1 / steps - 1 / steps_of_error(call, index), 0);
        for (size_t i = 0; i < call->quantiles->n; i++) {
            double z = mp_normal_quantile(call->quantiles->probabilities[i]);
            call->rows[(i * call->count + row) * series + first + expert] =
                quantile(call, scratch->centre[row * experts + expert], z, isfinite(variance) ? variance : 1, scatter);
        }
    }
}

static void quantiles_of_layer(const struct call *call, struct scratch *scratch, size_t first)
{
    size_t experts = call->source.experts;
    find_scatter(call, scratch, first);
    for (size_t e = 0; e < experts; e++) {
        mp_arima_forecast(&scratch->states[e], call->ahead, call->width, scratch->path, scratch->errors, 1,
                          scratch->sums);
        quantiles_of_expert(call, scratch, first, e);
    }
}

/* ---- all layers -------------------------------------------------------------------------------------------------- */

static void work(void *user, size_t worker)
{
    struct call *call = user;
    struct scratch scratch = lay_out(call, worker);
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
        forecast_layer(call, &scratch, scratch.centre, experts);
        find_states(call, &scratch, first); /* the forecast has moved them on */
        quantiles_of_layer(call, &scratch, first);
    }
}

static bool all_known(const struct call *call)
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
    struct call call = {.task = task,
                        .model = mp_arima_model((void *)block, task->panel.series),
                        .source = mp_arima_source(task),
                        .horizon = horizon,
                        .stride = stride < horizon ? stride : horizon,
                        .count = mp_forecast_rows(horizon, stride),
                        .quantiles = quantiles,
                        .rows = rows};
    if (quantiles && !all_known(&call))
        return mp_fail(MOEP_ERROR_NOT_FITTED, "no fit has come to all series yet: without one ARIMA has no intervals");
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
    call.worker_size = worker_size(&call);
    size_t size = mp_product(call.worker_size, threads);
    call.memory = mp_allocate(memory, size, 1);
    if (!call.memory)
        return mp_out_of_memory("the scratch of ARIMA forecasts");
    memset(call.memory, 0, size); /* lanes without a series compute too */
    mp_parallel(threads, work, &call);
    mp_release(memory, call.memory, size, 1);
    return MOEP_OK;
}
