/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/calibrate.h"

#include "api/status.h"
#include "methods/arima/forecast.h"
#include "support/logarithm.h"
#include "support/parallel.h"
#include "support/select.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* With fewer observations half of them says too little. */
enum { LEAST_OBSERVATIONS = 32, MOST_PASTS = 25 };

/* Series are alike that are differenced equally often and whose standard errors all grow with the horizon, or all
 * shrink: walks do not tell of noise. */
enum { KINDS = 2 * 3 };

/* The factors that a past may ask for. */
static const double least_factor = 1.0 / 32, largest_factor = 8;

/* Beyond FITTED_TO observations errors within the history are smaller than those to come, since the coefficients have
 * seen what came: by this power of the horizon. Found like the constants of arima_factors.c. */
static const double seen = 0.03;
enum { FITTED_TO = 4 };

/* ---- what it works in -------------------------------------------------------------------------------------------- */

struct calibration {
    const struct task *task;
    const struct arima_model *model;
    const struct arima_source *source;
    size_t pasts, gap; /* how many; observations between them */
    char *memory;      /* of all workers */
    size_t worker_size;
    atomic_size_t next;
};

/* What a worker has for the layer that it is at. */
struct bench {
    double *values;             /* [experts][observations] */
    double *differences;        /* [experts][observations] */
    double *errors;             /* [experts][observations] */
    double *scatter;            /* [experts]: of single steps within an observation */
    double *off;                /* [rungs][experts][pasts]: in standard errors; what is not known is not finite */
    double *step_off;           /* [experts][pasts]: of the next step */
    double *group;              /* [experts x pasts] */
    double *sums;               /* [observations] */
    double *totals;             /* [observations + 1] */
    struct arima_state *states; /* [experts] */
    unsigned *kinds;            /* [experts] */
    void *memory;
};

static size_t rungs_of(size_t observations)
{
    size_t rungs = 0;
    while (rungs < MP_ARIMA_RUNGS && (size_t)1 << rungs <= observations / 3)
        rungs++;
    return observations < LEAST_OBSERVATIONS ? 0 : rungs;
}

static size_t bench_size(const struct calibration *calibration)
{
    const struct arima_source *source = calibration->source;
    size_t e = source->experts, n = source->observations, each = mp_product(e, calibration->pasts);
    size_t doubles = mp_sum(mp_product(mp_product(3, e), n), mp_product(calibration->model->progress->rungs + 2, each));
    size_t size = mp_product(mp_sum(doubles, mp_sum(e, mp_sum(mp_product(2, n), 1))), sizeof(double));
    size = mp_sum(size, mp_product(e, sizeof(struct arima_state) + 2 * sizeof(unsigned)));
    return mp_whole_lines(mp_sum(size, mp_arima_states_size(n)), 1);
}

static struct bench bench_of(const struct calibration *calibration, size_t worker)
{
    size_t e = calibration->source->experts, n = calibration->source->observations, each = e * calibration->pasts;
    struct bench bench = {.values = (double *)(calibration->memory + worker * calibration->worker_size)};
    bench.differences = bench.values + e * n;
    bench.errors = bench.differences + e * n;
    bench.scatter = bench.errors + e * n;
    bench.off = bench.scatter + e;
    bench.step_off = bench.off + calibration->model->progress->rungs * each;
    bench.group = bench.step_off + each;
    bench.sums = bench.group + each;
    bench.totals = bench.sums + n;
    bench.states = (struct arima_state *)(bench.totals + n + 1);
    bench.kinds = (unsigned *)(bench.states + e);
    bench.memory = bench.kinds + 2 * e; /* an even number keeps what follows aligned */
    return bench;
}

/* ---- errors of the past ------------------------------------------------------------------------------------------ */

static size_t past_of(const struct calibration *calibration, size_t index)
{
    return calibration->source->observations - (index + 1) * calibration->gap;
}

/* Of the present, with all that it takes to go back from there. */
static void find_states(const struct calibration *calibration, const struct bench *bench, size_t first)
{
    const struct arima_source *source = calibration->source;
    size_t all = source->experts * source->observations;
    mp_arima_load(source, first, source->experts, bench->values);
    mp_arima_scatter(source, first, source->experts, bench->scatter);
    memcpy(bench->differences, bench->values, all * sizeof *bench->values);
    memset(bench->errors, 0, all * sizeof *bench->errors);
    mp_arima_states(calibration->model->estimates + first, bench->differences, source->experts, source->observations,
                    calibration->task->config->arima_root_limit, 0, bench->memory, bench->states, bench->errors);
}

/* Of the step after a past, of which the observation's mean and standard error were forecast. */
static double step_off(const struct calibration *calibration, const struct bench *bench, size_t series, size_t past,
                       double mean, double error)
{
    const struct arima_source *source = calibration->source;
    size_t step = source->panel->steps - (source->observations - past) * source->bucket;
    double share = mp_arima_share(source, mean), unit = source->logarithms ? share : 1;
    double beyond = bench->scatter[series % source->experts] * (1 - 1 / (double)source->bucket);
    return fabs((double)mp_panel_row(source->panel, step)[series] - share) / sqrt(error * error * unit * unit + beyond);
}

/* What is the same at every past of a series. */
struct view {
    size_t series;
    double error[MP_ARIMA_RUNGS];
    arima_span_weights weights[MP_ARIMA_RUNGS];
};

/* At the horizons that have come since a past; totals[t] is the sum of the first t observations. */
static void look_ahead(const struct calibration *calibration, const struct bench *bench, const struct view *view,
                       size_t index, const struct arima_state *state)
{
    size_t experts = calibration->source->experts, n = calibration->source->observations;
    size_t expert = view->series % experts, past = past_of(calibration, index);
    for (size_t rung = 0; rung < calibration->model->progress->rungs; rung++) {
        size_t span = (size_t)1 << rung;
        double *off = &bench->off[(rung * experts + expert) * calibration->pasts + index];
        *off = INFINITY;
        if (span <= n - past) {
            double came = (bench->totals[past + span] - bench->totals[past]) / (double)span;
            *off = fabs(came - mp_arima_span_mean(state, rung, view->weights)) / view->error[rung];
        }
    }
    bench->step_off[expert * calibration->pasts + index] =
        step_off(calibration, bench, view->series, past, mp_arima_span_mean(state, 0, view->weights), view->error[0]);
}

static void sum_up(const double *values, size_t n, double *totals)
{
    totals[0] = 0;
    for (size_t t = 0; t < n; t++)
        totals[t + 1] = totals[t] + values[t];
}

static void look_back(const struct calibration *calibration, const struct bench *bench, size_t series)
{
    size_t expert = series % calibration->source->experts, n = calibration->source->observations;
    size_t rungs = calibration->model->progress->rungs;
    const struct arima_state *present = &bench->states[expert];
    const double *values = bench->values + expert * n;
    struct view view = {.series = series};
    mp_arima_span_errors(present, rungs, view.error, bench->sums);
    mp_arima_span_weights(present, rungs, view.weights);
    sum_up(values, n, bench->totals);
    bench->kinds[expert] = 2 * present->order.d + (view.error[rungs - 1] > view.error[0]);
    if (present->order.mean)
        mp_arima_step_response(present, bench->sums, n);
    for (size_t i = 0; i < calibration->pasts; i++) {
        size_t past = past_of(calibration, i);
        struct arima_state state =
            mp_arima_earlier(present, values, bench->differences + expert * n, bench->errors + expert * n, past);
        if (state.order.mean)
            mp_arima_change_mean(&state, bench->totals[past] / (double)past, bench->sums, past);
        look_ahead(calibration, bench, &view, i, &state);
    }
}

/* ---- factors ----------------------------------------------------------------------------------------------------- */

/* off[experts][pasts]: those of the layer's series of a kind, from group[0] on; how many. */
static size_t gather(const struct calibration *calibration, const struct bench *bench, const double *off, unsigned kind)
{
    size_t pasts = calibration->pasts, count = 0;
    for (size_t e = 0; e < calibration->source->experts; e++)
        for (size_t i = 0; i < pasts && bench->kinds[e] == kind; i++)
            if (isfinite(off[e * pasts + i]))
                bench->group[count++] = off[e * pasts + i];
    return count;
}

/* The errors' quantile of 80 %, of all and the one to come, over the normal one. */
static double factor_of(double *errors, size_t count)
{
    if (count == 0)
        return 1;
    size_t rank = (4 * (count + 1) + 4) / 5; /* from 1 */
    return mp_select(errors, count, (rank < count ? rank : count) - 1) / MP_ARIMA_HALF_WIDTH;
}

/* By how much errors are larger than those that the fit has seen: with k coefficients Akaike's final prediction error
 * is the mean square of residuals times (n + k) / (n - k). */
static double seen_by_the_fit(const struct arima_order *order, size_t n)
{
    double k = (double)(order->p + order->q + order->mean), observations = (double)n;
    return sqrt((observations + k) / fmax(observations - k, 1));
}

static double log_factor(double factor, double least)
{
    return mp_logarithm(fmin(fmax(factor, least), largest_factor));
}

/* The group's factors at that horizon. One observation ahead the formula holds, if the noise does not grow: no past
 * makes an interval narrower there. */
static void take_factor(const struct calibration *calibration, const struct bench *bench, size_t first, unsigned kind,
                        size_t rung)
{
    size_t experts = calibration->source->experts, n = calibration->source->observations, horizon = (size_t)1 << rung;
    const double *off = bench->off + rung * experts * calibration->pasts;
    double factor = factor_of(bench->group, gather(calibration, bench, off, kind));
    double beyond = horizon > FITTED_TO ? seen * mp_logarithm((double)horizon / FITTED_TO) : 0;
    for (size_t e = 0; e < experts; e++) {
        const struct arima_order *order = &bench->states[e].order;
        if (bench->kinds[e] == kind)
            calibration->model->factors[first + e].horizon[rung] =
                log_factor(factor * seen_by_the_fit(order, n), rung == 0 ? 1 : least_factor) + beyond;
    }
}

static void take_step_factor(const struct calibration *calibration, const struct bench *bench, size_t first,
                             unsigned kind)
{
    double factor = factor_of(bench->group, gather(calibration, bench, bench->step_off, kind));
    for (size_t e = 0; e < calibration->source->experts; e++)
        if (bench->kinds[e] == kind)
            calibration->model->factors[first + e].step = log_factor(factor, least_factor);
}

static void calibrate_layer(const struct calibration *calibration, const struct bench *bench, size_t first)
{
    const struct arima_source *source = calibration->source;
    size_t rungs = calibration->model->progress->rungs;
    find_states(calibration, bench, first);
    for (size_t e = 0; e < source->experts; e++)
        look_back(calibration, bench, first + e);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        take_step_factor(calibration, bench, first, kind);
        for (size_t rung = 0; rung < rungs; rung++)
            take_factor(calibration, bench, first, kind, rung);
    }
}

static void work(void *user, size_t worker)
{
    struct calibration *calibration = user;
    struct bench bench = bench_of(calibration, worker);
    size_t experts = calibration->source->experts;
    for (;;) {
        size_t first = atomic_fetch_add(&calibration->next, experts);
        if (first >= calibration->task->panel.series)
            return;
        calibrate_layer(calibration, &bench, first);
    }
}

moep_status mp_arima_calibrate(const struct task *task, struct arima_model *model, const struct arima_source *source)
{
    const struct memory *memory = &task->runtime->memory;
    size_t n = source->observations, threads = task->runtime->threads, layers = task->panel.series / source->experts;
    struct calibration calibration = {.task = task, .model = model, .source = source};
    model->progress->rungs = rungs_of(n);
    if (model->progress->rungs == 0)
        return MOEP_OK;
    calibration.gap = (n / 2 + MOST_PASTS - 1) / MOST_PASTS;
    calibration.pasts = n / 2 / calibration.gap;
    calibration.worker_size = bench_size(&calibration);
    threads = threads < layers ? threads : layers;
    threads = threads < MP_MOST_THREADS ? threads : MP_MOST_THREADS;
    size_t size = mp_product(calibration.worker_size, threads);
    calibration.memory = mp_allocate(memory, size, 1);
    if (!calibration.memory)
        return mp_out_of_memory("the calibration of an ARIMA fit");
    memset(calibration.memory, 0, size); /* lanes without a series compute too */
    mp_parallel(threads, work, &calibration);
    mp_release(memory, calibration.memory, size, 1);
    return MOEP_OK;
}
