/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/estimate.h"

#include "api/status.h"
#include "support/parallel.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* A series without anything to estimate: its mean, or for d > 0 no change. */
static void describe_constant(const struct arima_series *series, struct arima_order order,
                              struct arima_estimate *estimate)
{
    estimate->order = (struct arima_order){.d = order.d, .mean = order.mean};
    estimate->fallback = MP_ARIMA_MEAN;
    estimate->mean = isfinite(series->level) ? series->level : 0;
    estimate->loglik = INFINITY;
    estimate->aicc = -INFINITY;
}

/* ---- a chunk of series ---- */

/* Fewer at a time where the caller wants to be told, and may want to stop. */
enum { CHUNK = 256, WATCHED_CHUNK = 64, CHUNK_VALUES = 1 << 20 };

struct worker {
    struct arima_search search;
    double *values;              /* [chunk][steps] */
    struct arima_series *series; /* [chunk] */
    struct arima_item *items;    /* [chunk] */
    size_t *item_of;             /* [chunk] */
};

struct fit {
    const struct arima_job *job;
    struct arima_estimate *estimates;
    struct worker *workers;
    size_t chunk, begin, end;
    atomic_size_t next;
    atomic_bool cancelled;
};

static bool same_order(struct arima_order a, struct arima_order b)
{
    return a.p == b.p && a.d == b.d && a.q == b.q && a.mean == b.mean;
}

static struct arima_item make_item(const struct arima_job *job, const struct arima_series *series,
                                   const struct arima_estimate *before, struct arima_order order)
{
    struct arima_item item = {.n = series->n, .starts = job->starts};
    item.run.series = series->values;
    item.run.p = order.p;
    item.run.q = order.q;
    item.run.mean = order.mean;
    if (job->warm && same_order(order, before->order)) {
        item.warm = true;
        memcpy(item.run.at.phi, before->phi, sizeof item.run.at.phi);
        memcpy(item.run.at.theta, before->theta, sizeof item.run.at.theta);
        if (order.mean)
            item.run.mean_value = (before->mean - series->level) / series->scale;
    }
    return item;
}

/* Those of a chunk that have coefficients to estimate become items; the others are described at once. */
static size_t prepare(struct fit *fit, struct worker *worker, size_t first, size_t count)
{
    const struct arima_job *job = fit->job;
    size_t items = 0;
    for (size_t s = 0; s < count; s++) {
        struct arima_estimate *estimate = &fit->estimates[first + s], before = *estimate;
        struct arima_order asked = job->orders[first + s];
        if (before.done)
            continue;
        asked.mean = asked.mean && asked.d == 0;
        *estimate = (struct arima_estimate){.period = before.period, .done = true};
        struct arima_series *series = &worker->series[s];
        if (!mp_arima_standardise(series, worker->values + s * job->steps, job->steps, asked.d, asked.mean)) {
            describe_constant(series, asked, estimate);
            continue;
        }
        struct arima_order order = mp_arima_bearable(asked, series->n);
        if (!same_order(order, asked))
            estimate->fallback = MP_ARIMA_SMALLER_ORDER;
        if (order.p + order.q == 0) {
            mp_arima_describe_noise(series, order, estimate);
            continue;
        }
        worker->item_of[items] = s;
        worker->items[items++] = make_item(job, series, &before, order);
    }
    return items;
}

static void fit_chunk(struct fit *fit, struct worker *worker, size_t first, size_t count)
{
    bool pending = false;
    for (size_t s = first; s < first + count; s++)
        pending |= !fit->estimates[s].done;
    if (!pending)
        return;
    fit->job->load(fit->job->user, first, count, worker->values);
    size_t items = prepare(fit, worker, first, count);
    mp_arima_search(&worker->search, worker->items, items);
    for (size_t i = 0; i < items; i++) {
        const struct arima_item *item = &worker->items[i];
        size_t s = worker->item_of[i];
        struct arima_estimate *estimate = &fit->estimates[first + s];
        struct arima_order order = fit->job->orders[first + s];
        order.p = item->run.p;
        order.q = item->run.q;
        order.mean = item->run.mean;
        mp_arima_describe(&worker->series[s], &item->run, order, estimate);
        estimate->cost = item->cost;
    }
}

/* Chunks until none is left; the caller's thread tells how far it is. */
static void work(void *user, size_t index)
{
    struct fit *fit = user;
    const struct arima_job *job = fit->job;
    for (;;) {
        size_t first = atomic_fetch_add(&fit->next, fit->chunk);
        if (first >= fit->end || atomic_load(&fit->cancelled))
            return;
        if (index == 0 && job->progress && job->progress(job->progress_user, (double)first / (double)job->series)) {
            atomic_store(&fit->cancelled, true);
            return;
        }
        size_t count = fit->end - first < fit->chunk ? fit->end - first : fit->chunk;
        fit_chunk(fit, &fit->workers[index], first, count);
    }
}

/* ---- memory: one block ---- */

static size_t worker_size(const struct arima_job *job, size_t chunk)
{
    size_t size = mp_arima_search_size(job->steps, chunk, job->starts);
    size = mp_whole_lines(size, 1);
    size = mp_sum(size, mp_whole_lines(mp_product(chunk, job->steps), sizeof(double)));
    size = mp_sum(size, mp_whole_lines(chunk, sizeof(struct arima_series)));
    size = mp_sum(size, mp_whole_lines(chunk, sizeof(struct arima_item)));
    return mp_sum(size, mp_whole_lines(chunk, sizeof(size_t)));
}

static void worker_init(struct worker *worker, const struct arima_job *job, size_t chunk, char *memory)
{
    worker->values = (double *)memory;
    memory += mp_whole_lines(chunk * job->steps, sizeof(double));
    worker->series = (struct arima_series *)memory;
    memory += mp_whole_lines(chunk, sizeof(struct arima_series));
    worker->items = (struct arima_item *)memory;
    memory += mp_whole_lines(chunk, sizeof(struct arima_item));
    worker->item_of = (size_t *)memory;
    memory += mp_whole_lines(chunk, sizeof(size_t));
    mp_arima_search_init(&worker->search, memory, job->steps, chunk, job->starts, job->lane_bytes);
}

/* ---- all series ---- */

static size_t chunk_for(const struct arima_job *job, size_t threads)
{
    size_t chunk = job->steps > 0 ? CHUNK_VALUES / job->steps : CHUNK,
           share = threads == 1 ? job->series : job->series / threads / 2 + 1;
    size_t most = job->progress ? WATCHED_CHUNK : CHUNK;
    chunk = chunk > most ? most : chunk;
    chunk = chunk > share ? share : chunk;
    return chunk < MP_LANES ? MP_LANES : chunk;
}

/* So many evaluations a start takes at the most dear orders, as a rule. */
enum { LIKELY_EVALUATIONS = 60 };

/* The end of a round: of as many series as the rest of the budget should bear, whatever the number of threads. */
static size_t round_end(const struct fit *fit, double left)
{
    const struct arima_job *job = fit->job;
    double dearest = 0;
    if (job->budget <= 0)
        return job->series;
    for (size_t s = 0; s < job->series; s++) {
        unsigned order = job->orders[s].p > job->orders[s].q ? job->orders[s].p : job->orders[s].q;
        dearest = fmax(dearest, mp_arima_evaluation_cost(job->steps, order));
    }
    double bearable = left / (LIKELY_EVALUATIONS * dearest * (job->warm ? 2 : job->starts) + 1);
    size_t end = fit->begin;
    for (double taken = 0; end < job->series && (taken < 1 || taken < bearable); end++)
        taken += !fit->estimates[end].done;
    return end;
}

static moep_status run_rounds(struct fit *fit, size_t threads)
{
    const struct arima_job *job = fit->job;
    double spent = 0;
    while (fit->begin < job->series && (job->budget <= 0 || spent < job->budget)) {
        fit->end = round_end(fit, job->budget - spent);
        for (size_t s = fit->begin; s < fit->end; s++)
            fit->estimates[s].cost = fit->estimates[s].done ? 0 : fit->estimates[s].cost;
        atomic_store(&fit->next, fit->begin);
        mp_parallel(threads, work, fit);
        if (atomic_load(&fit->cancelled))
            return mp_fail(MOEP_ERROR_CANCELLED, "cancelled by the progress function");
        for (size_t s = fit->begin; s < fit->end; s++)
            spent += fit->estimates[s].cost;
        fit->begin = fit->end;
    }
    return MOEP_OK;
}

moep_status mp_arima_estimate(const struct arima_job *job, struct arima_estimate *estimates)
{
    size_t threads = job->threads < 1 ? 1 : job->threads > MP_MOST_THREADS ? MP_MOST_THREADS : job->threads;
    if (threads > job->series / MP_LANES + 1)
        threads = job->series / MP_LANES + 1;
    size_t chunk = chunk_for(job, threads), each = worker_size(job, chunk);
    size_t heads = mp_whole_lines(threads, sizeof(struct worker)), size = mp_sum(heads, mp_product(each, threads));
    char *memory = mp_allocate(job->memory, size, 1);
    if (!memory)
        return mp_out_of_memory("the scratch of an ARIMA fit");
    memset(memory, 0, size); /* lanes without a series compute too */
    struct fit fit = {.job = job, .estimates = estimates, .workers = (struct worker *)memory, .chunk = chunk};
    for (size_t i = 0; i < threads; i++)
        worker_init(&fit.workers[i], job, chunk, memory + heads + i * each);
    moep_status status = run_rounds(&fit, threads);
    mp_release(job->memory, memory, size, 1);
    return status;
}
