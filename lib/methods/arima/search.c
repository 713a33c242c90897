/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/search.h"

#include "methods/arima/initial_estimates.h"
#include "methods/arima/roots.h"

#include <string.h>

static const double search_tolerance = 0.01, final_tolerance = 1e-4;
enum { SEARCH_ITERATIONS = 60, FINAL_ITERATIONS = 100 };

/* ---- scratch ---- */

/* The size of the next part; where `at` is not NULL, where it begins, and `at` moves on. */
static size_t part(char **at, void *out, size_t count, size_t size)
{
    size_t bytes = mp_whole_lines(count, size);
    if (at) {
        memcpy(out, at, sizeof *at);
        *at += bytes;
    }
    return bytes;
}

static size_t lay_out(struct arima_search *s, char *memory, size_t observations, size_t items, unsigned starts)
{
    char **at = memory ? &memory : NULL;
    size_t size = mp_arima_workspace_size(observations);
    if (at) {
        mp_arima_workspace_init(&s->workspace, memory, observations);
        memory += size;
        memory += (MP_CACHE_LINE - (uintptr_t)memory % MP_CACHE_LINE) % MP_CACHE_LINE;
    }
    size = mp_sum(size, MP_CACHE_LINE);
    size = mp_sum(size, part(at, &s->point, 1, sizeof *s->point));
    size = mp_sum(size, part(at, &s->active, MP_ARIMA_PARAMETERS, sizeof *s->active));
    size = mp_sum(size, part(at, &s->step, MP_ARIMA_PARAMETERS, sizeof *s->step));
    size = mp_sum(size, part(at, &s->twiddles, mp_product(observations + 4, 2), sizeof *s->twiddles));
    size = mp_sum(size, part(at, &s->list, items, sizeof *s->list));
    size = mp_sum(size, part(at, &s->runs, mp_product(items, starts > 2 ? starts : 2), sizeof *s->runs));
    size = mp_sum(size, part(at, &s->copies, items, sizeof *s->copies));
    size = mp_sum(size, part(at, &s->again, items, sizeof *s->again));
    size = mp_sum(size, part(at, &s->bases, mp_product(items, 2), sizeof *s->bases));
    size = mp_sum(size, part(at, &s->peaks, items, sizeof *s->peaks));
    return size;
}

size_t mp_arima_search_size(size_t observations, size_t items, unsigned starts)
{
    struct arima_search none;
    return lay_out(&none, NULL, observations, items, starts);
}

void mp_arima_search_init(struct arima_search *search, void *memory, size_t observations, size_t items, unsigned starts,
                          int lane_bytes)
{
    lay_out(search, memory, observations, items, starts);
    search->kernel = mp_arima_kernel(lane_bytes);
    search->start_kernel = mp_arima_start_kernel(lane_bytes);
}

/* ---- one batch ---- */

static size_t prepare_runs(struct arima_search *s, struct arima_item **items, size_t count, unsigned order)
{
    struct arima_coefficients *regressed = s->bases + count;
    size_t runs = 0;
    bool structured = false;
    for (size_t i = 0; i < count; i++) {
        items[i]->cost = 0;
        structured |= mp_arima_needs_base(items[i]);
    }
    if (structured)
        mp_arima_bases(s, items, count);
    mp_arima_regressed(s, items, count, order, regressed);
    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; k < mp_arima_starts_of(items[i]); k++) {
            struct arima_run *run = &s->runs[runs++];
            *run = items[i]->run;
            run->iterations = mp_arima_starts_of(items[i]) > 1 ? SEARCH_ITERATIONS : FINAL_ITERATIONS;
            run->tolerance = mp_arima_starts_of(items[i]) > 1 ? search_tolerance : final_tolerance;
            if (items[i]->warm && k == 0)
                continue;
            run->at = mp_arima_start(items[i]->warm ? 0 : k, run->p, run->q, regressed[i], s->bases[i], s->peaks[i]);
        }
    return runs;
}

/* Runs of the list `again` once more, as they are now. */
static void rerun(struct arima_search *s, size_t count, unsigned order)
{
    for (size_t k = 0; k < count; k++)
        s->copies[k] = s->runs[s->again[k]];
    mp_arima_optimise(s->kernel, &s->workspace, order, s->copies, count);
    for (size_t k = 0; k < count; k++) {
        s->copies[k].evaluations += s->runs[s->again[k]].evaluations;
        s->runs[s->again[k]] = s->copies[k];
    }
}

static void follow_on(struct arima_run *run)
{
    run->iterations = FINAL_ITERATIONS;
    run->tolerance = final_tolerance;
}

/* The best run of every item, mirrored into what is invertible, becomes its only one. In `again` those that are not at
 * their end: the best of several, and what was mirrored. */
static size_t keep_best(struct arima_search *s, struct arima_item **items, size_t count)
{
    size_t at = 0, again = 0;
    for (size_t i = 0; i < count; i++) {
        size_t best = at, runs = mp_arima_starts_of(items[i]);
        unsigned evaluations = 0;
        for (size_t k = at; k < at + runs; k++) {
            evaluations += s->runs[k].evaluations;
            if (s->runs[k].objective < s->runs[best].objective)
                best = k;
        }
        at += runs;
        s->runs[i] = s->runs[best];
        s->runs[i].evaluations = evaluations;
        follow_on(&s->runs[i]);
        bool mirrored = mp_arima_reflect(s->runs[i].at.theta, s->runs[i].q) != 1;
        if (mirrored || runs > 1)
            s->again[again++] = i;
    }
    return again;
}

/* The likelihood is the same on both sides of the unit circle, and so its slope across it is 0: steps towards it are
 * slow. Where the run is better with its roots of theta near the circle moved onto it, or after so many iterations from
 * there, that becomes the run. Returns how many did, and in `again` which. */
static size_t try_unit_roots(struct arima_search *s, size_t count, unsigned order, unsigned iterations)
{
    size_t tried = 0, better = 0;
    for (size_t i = 0; i < count; i++) {
        struct arima_run *run = &s->copies[tried];
        *run = s->runs[i];
        run->iterations = iterations;
        run->tolerance = search_tolerance;
        s->again[tried] = i;
        tried += mp_arima_snap_roots(run->at.theta, run->q, 0.95);
    }
    mp_arima_optimise(s->kernel, &s->workspace, order, s->copies, tried);
    for (size_t k = 0; k < tried; k++) {
        struct arima_run *run = &s->runs[s->again[k]];
        unsigned evaluations = run->evaluations + s->copies[k].evaluations;
        if (s->copies[k].objective < run->objective) {
            *run = s->copies[k];
            follow_on(run);
            s->again[better++] = s->again[k];
        }
        run->evaluations = evaluations;
    }
    return better;
}

/* After the last step theta may have a root inside again; its mirror image has the same likelihood. */
static size_t mirror(struct arima_search *s, size_t count)
{
    size_t again = 0;
    for (size_t i = 0; i < count; i++) {
        struct arima_run *run = &s->runs[i];
        if (mp_arima_reflect(run->at.theta, run->q) == 1)
            continue;
        run->iterations = 0;
        s->again[again++] = i;
    }
    return again;
}

static void search_batch(struct arima_search *s, struct arima_item **items, size_t count, unsigned order)
{
    double evaluation = mp_arima_evaluation_cost(items[0]->n, order);
    s->workspace.n = items[0]->n;
    size_t runs = prepare_runs(s, items, count, order);
    mp_arima_optimise(s->kernel, &s->workspace, order, s->runs, runs);
    rerun(s, keep_best(s, items, count), order);
    rerun(s, try_unit_roots(s, count, order, order <= 2 ? SEARCH_ITERATIONS : 0), order); /* where that costs little */
    rerun(s, mirror(s, count), order);
    for (size_t i = 0; i < count; i++) {
        items[i]->cost += s->runs[i].evaluations * evaluation;
        items[i]->run = s->runs[i];
    }
}

static unsigned order_of(const struct arima_item *item)
{
    return item->run.p > item->run.q ? item->run.p : item->run.q;
}

void mp_arima_search(struct arima_search *search, struct arima_item *items, size_t count)
{
    /* Batches of one length and order, in the order in which the first of each comes. */
    for (size_t i = 0; i < count; i++) {
        size_t n = 0;
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = items[j].n != items[i].n || order_of(&items[j]) != order_of(&items[i]);
        if (!first)
            continue;
        for (size_t j = i; j < count; j++)
            if (items[j].n == items[i].n && order_of(&items[j]) == order_of(&items[i]))
                search->list[n++] = &items[j];
        search_batch(search, search->list, n, order_of(&items[i]));
    }
}
