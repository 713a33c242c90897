/* SPDX-License-Identifier: BSD-3-Clause */
/* Estimates the panel's series chunk by chunk. A worker loads a chunk, standardises it, searches, and stores the
 * estimates.
 *
 * bytes: the size of chunks changes none. threads: chunks. allocates: one arena per call. */
#include "methods/arima/estimate.h"

#include "api/status.h"
#include "methods/arima/chunks.h"
#include "methods/arima/standardise.h"

#include <math.h>
#include <string.h>

struct worker {
    struct arima_search search;
    double *values;                    /* [chunk][observations] */
    struct arima_standardised *series; /* [chunk] */
    struct arima_spec *specs;          /* [chunk] */
    size_t *series_of;                 /* [chunk]: the series of each spec */
};

struct estimation {
    const struct arima_request *request;
    struct arima_estimate *estimates;
    struct worker *workers; /* [threads] */
    size_t threads, chunk, begin;
};

static void lay_out(void *self, struct arena *arena)
{
    struct estimation *estimation = self;
    const struct arima_request *request = estimation->request;
    size_t chunk = estimation->chunk;
    estimation->workers = mp_arena_take(arena, estimation->threads, sizeof *estimation->workers);
    /* While the arena only counts bytes there are no workers: their arrays are counted in `counted`. */
    for (size_t w = 0; w < estimation->threads; w++) {
        struct worker counted, *worker = estimation->workers ? &estimation->workers[w] : &counted;
        worker->values = mp_arena_take(arena, mp_product(chunk, request->observations), sizeof *worker->values);
        worker->series = mp_arena_take(arena, chunk, sizeof *worker->series);
        worker->specs = mp_arena_take(arena, chunk, sizeof *worker->specs);
        worker->series_of = mp_arena_take(arena, chunk, sizeof *worker->series_of);
        mp_arima_search_lay_out(&worker->search, arena, request->observations, chunk, request->starts,
                                request->lane_bytes);
    }
}

/* ---- a chunk of series ------------------------------------------------------------------------------------------- */

/* The estimate of a constant series: its mean, or for d > 0 no change. */
static void fill_constant_estimate(const struct arima_standardised *series, struct arima_order order,
                                   struct arima_estimate *estimate)
{
    estimate->order = (struct arima_order){.d = order.d, .mean = order.mean};
    estimate->fallback = MP_ARIMA_MEAN;
    estimate->mean = isfinite(series->level) ? series->level : 0;
    estimate->loglik = INFINITY;
    estimate->aicc = -INFINITY;
}

static bool same_order(struct arima_order a, struct arima_order b)
{
    return a.p == b.p && a.d == b.d && a.q == b.q && a.mean == b.mean;
}

static struct arima_spec make_spec(const struct arima_request *request, const struct arima_standardised *series,
                                   const struct arima_estimate *before, struct arima_order order)
{
    struct arima_spec spec = {.n = series->n, .starts = request->starts};
    struct arima_candidate *candidate = &spec.candidate;
    candidate->series = series->values;
    candidate->p = order.p;
    candidate->q = order.q;
    candidate->mean = order.mean;
    if (request->warm && same_order(order, before->order)) {
        spec.warm = true;
        memcpy(candidate->at.phi, before->phi, sizeof candidate->at.phi);
        memcpy(candidate->at.theta, before->theta, sizeof candidate->at.theta);
        if (order.mean)
            candidate->mean_value = (before->mean - series->level) / series->scale;
    }
    return spec;
}

/* Makes a spec of each series of a chunk that has coefficients to estimate, and returns their number. Estimates the
 * others at once. */
static size_t prepare(struct estimation *estimation, struct worker *worker, size_t first, size_t count)
{
    const struct arima_request *request = estimation->request;
    size_t specs = 0;
    for (size_t s = 0; s < count; s++) {
        struct arima_estimate *estimate = &estimation->estimates[first + s], before = *estimate;
        struct arima_order requested = request->orders[first + s];
        if (before.done)
            continue;
        requested.mean = requested.mean && requested.d == 0;
        *estimate = (struct arima_estimate){.period = before.period, .done = true};
        struct arima_standardised *series = &worker->series[s];
        if (!mp_arima_standardise(series, worker->values + s * request->observations, request->observations,
                                  requested.d, requested.mean)) {
            fill_constant_estimate(series, requested, estimate);
            continue;
        }
        struct arima_order order = mp_arima_supported_order(requested, series->n);
        if (!same_order(order, requested))
            estimate->fallback = MP_ARIMA_SMALLER_ORDER;
        if (order.p + order.q == 0) {
            mp_arima_fill_noise_estimate(series, order, estimate);
            continue;
        }
        worker->series_of[specs] = s;
        worker->specs[specs++] = make_spec(request, series, &before, order);
    }
    return specs;
}

static bool is_done(const struct estimation *estimation, size_t first, size_t count)
{
    bool done = true;
    for (size_t s = first; s < first + count; s++)
        done &= estimation->estimates[s].done;
    return done;
}

static void estimate_chunk(void *user, size_t w, size_t first, size_t count)
{
    struct estimation *estimation = user;
    const struct arima_request *request = estimation->request;
    struct worker *worker = &estimation->workers[w];
    if (is_done(estimation, first, count))
        return;
    request->load(request->user, first, count, worker->values);
    size_t specs = prepare(estimation, worker, first, count);
    mp_arima_search(&worker->search, worker->specs, specs);
    for (size_t i = 0; i < specs; i++) {
        const struct arima_candidate *fit = &worker->specs[i].candidate;
        size_t s = worker->series_of[i];
        struct arima_estimate *estimate = &estimation->estimates[first + s];
        struct arima_order order = {fit->p, request->orders[first + s].d, fit->q, fit->mean};
        mp_arima_fill_estimate(&worker->series[s], fit, order, estimate);
        estimate->cost = worker->specs[i].cost;
    }
}

/* ---- all series -------------------------------------------------------------------------------------------------- */

/* Series per chunk. MOST keeps all lanes of a search busy except for its last candidates. With a progress function
 * chunks are smaller, so that it is called more often. MOST_VALUES bounds a worker's copy of the panel to 8 MB. */
enum { MOST = 256, MOST_WITH_PROGRESS = 64, MOST_VALUES = 1 << 20 };

/* At least two chunks per thread, so that threads end at about the same time. */
static size_t chunk_for(const struct arima_request *request, size_t threads)
{
    size_t chunk = request->observations > 0 ? MOST_VALUES / request->observations : MOST,
           per_thread = threads == 1 ? request->series : request->series / threads / 2 + 1;
    size_t most = request->progress ? MOST_WITH_PROGRESS : MOST;
    chunk = chunk > most ? most : chunk;
    chunk = chunk > per_thread ? per_thread : chunk;
    return chunk < MP_LANES ? MP_LANES : chunk;
}

/* The usual number of evaluations per start at the largest orders. Only the size of slices depends on it: with a
 * smaller number a slice overruns its budget by more, with a larger one a budget takes more slices. */
enum { LIKELY_EVALUATIONS = 60 };

/* The end of the slice that begins now. */
static size_t slice_end(const struct estimation *estimation, double left)
{
    const struct arima_request *request = estimation->request;
    double costliest = 0;
    if (request->budget <= 0)
        return request->series;
    for (size_t s = 0; s < request->series; s++) {
        unsigned dimension = request->orders[s].p > request->orders[s].q ? request->orders[s].p : request->orders[s].q;
        costliest = fmax(costliest, mp_arima_evaluation_cost(request->observations, dimension));
    }
    double series_in_budget = left / (LIKELY_EVALUATIONS * costliest * (request->warm ? 2 : request->starts) + 1);
    size_t end = estimation->begin;
    for (double series = 0; end < request->series && (series < 1 || series < series_in_budget); end++)
        series += !estimation->estimates[end].done;
    return end;
}

static moep_status run_slices(struct estimation *estimation)
{
    const struct arima_request *request = estimation->request;
    double spent = 0;
    while (estimation->begin < request->series && (request->budget <= 0 || spent < request->budget)) {
        size_t begin = estimation->begin, end = slice_end(estimation, request->budget - spent);
        for (size_t s = begin; s < end; s++)
            estimation->estimates[s].cost = estimation->estimates[s].done ? 0 : estimation->estimates[s].cost;
        moep_status status = mp_arima_run_chunks(&(struct arima_chunks){.begin = begin,
                                                                        .end = end,
                                                                        .size = estimation->chunk,
                                                                        .workers = estimation->threads,
                                                                        .work = estimate_chunk,
                                                                        .user = estimation,
                                                                        .progress = request->progress,
                                                                        .progress_user = request->progress_user,
                                                                        .total = request->series});
        if (status != MOEP_OK)
            return status;
        for (size_t s = begin; s < end; s++)
            spent += estimation->estimates[s].cost;
        estimation->begin = end;
    }
    return MOEP_OK;
}

moep_status mp_arima_estimate(const struct arima_request *request, struct arima_estimate *estimates)
{
    struct estimation estimation = {.request = request, .estimates = estimates};
    struct arena arena;
    estimation.threads = mp_arima_workers(request->threads, request->series / MP_LANES + 1);
    estimation.chunk = chunk_for(request, estimation.threads);
    if (!mp_arena_make(&arena, lay_out, &estimation, request->memory)) /* zeroed: lanes without a series compute too */
        return mp_out_of_memory("the scratch of an ARIMA fit");
    moep_status status = run_slices(&estimation);
    mp_arena_free(&arena, request->memory);
    return status;
}
