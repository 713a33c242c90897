/* SPDX-License-Identifier: BSD-3-Clause */
#include "arima_search.h"
#include "arima_roots.h"

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

/* ---- what starts are made of ---- */

static void load_lane(struct arima_search *s, size_t l, const struct arima_run *run)
{
    double *column = mp_arima_lane(&s->workspace, s->workspace.series, l);
    for (size_t t = 0; t < s->workspace.n; t++)
        column[t * MP_LANE_COLUMN] = run->series[t] - run->mean_value;
}

/* Hannan-Rissanen of ARMA(p, q) with p and q cut to the order, for up to MP_LANES items. */
static void hannan_rissanen(struct arima_search *s, struct arima_item **items, size_t count, unsigned order,
                            struct arima_coefficients *out)
{
    static const struct arima_lanes undamped;
    static const struct arima_secant none;
    struct arima_lanes augmented = undamped;
    unsigned lags = s->workspace.n / 4 < MP_ARIMA_MOST_LAGS ? (unsigned)(s->workspace.n / 4) : MP_ARIMA_MOST_LAGS;
    for (size_t l = 0; l < count; l++) {
        load_lane(s, l, &items[l]->run);
        for (unsigned i = 0; i < order; i++) {
            s->active[i].lane[l] = i < items[l]->run.p;
            s->active[order + i].lane[l] = i < items[l]->run.q;
        }
    }
    s->start_kernel->regress(&s->workspace, order, lags, s->point);
    s->kernel->solve(s->point, &none, s->active, order, undamped.lane, augmented.lane, s->step);
    for (size_t l = 0; l < count; l++) {
        memset(&out[l], 0, sizeof out[l]);
        for (unsigned i = 0; i < order; i++) {
            out[l].phi[i] = i < items[l]->run.p ? s->step[i].lane[l] : 0;
            out[l].theta[i] = i < items[l]->run.q ? s->step[order + i].lane[l] : 0;
        }
    }
}

static void all_hannan_rissanen(struct arima_search *s, struct arima_item **items, size_t count, unsigned order,
                                struct arima_coefficients *out)
{
    for (size_t first = 0; first < count; first += MP_LANES)
        hannan_rissanen(s, items + first, count - first < MP_LANES ? count - first : MP_LANES, order, out + first);
}

/* The highest of lane l's periodogram, not close to each other; as cosines of their frequencies. */
static void find_peaks(const struct arima_search *s, size_t l, size_t size, double *peaks)
{
    const double *power = mp_arima_lane(&s->workspace, s->workspace.filtered, l);
    size_t found[MP_ARIMA_PEAKS], apart = 3 * size / s->workspace.n;
    for (int i = 0; i < MP_ARIMA_PEAKS; i++) {
        double highest = -1;
        found[i] = 1;
        for (size_t k = 1; k < size / 2; k++) {
            double here = power[k * MP_LANE_COLUMN];
            if (here <= highest)
                continue;
            bool close = false;
            for (int j = 0; j < i; j++)
                close |= k + apart >= found[j] && k <= found[j] + apart;
            if (close)
                continue;
            highest = here;
            found[i] = k;
        }
        peaks[i] = s->twiddles[2 * found[i]];
    }
}

/* The residuals of the ARMA(1, 1) in bases, and their peaks. */
static void all_peaks(struct arima_search *s, struct arima_item **items, size_t count)
{
    size_t size = 4;
    while (size < s->workspace.n)
        size *= 2;
    for (size_t first = 0; first < count; first += MP_LANES) {
        size_t lanes = count - first < MP_LANES ? count - first : MP_LANES;
        for (size_t l = 0; l < lanes; l++) {
            load_lane(s, l, &items[first + l]->run);
            s->point->parameters[0].lane[l] = s->bases[first + l].phi[0];
            s->point->parameters[1].lane[l] = s->bases[first + l].theta[0];
        }
        s->kernel->evaluate(&s->workspace, 1, s->point);
        s->start_kernel->periodogram(&s->workspace, size, s->twiddles);
        for (size_t l = 0; l < lanes; l++)
            find_peaks(s, l, size, s->peaks[first + l]);
    }
}

static unsigned starts_of(const struct arima_item *item)
{
    if (item->warm)
        return 2;                                                   /* the optimum there was may not be one any more */
    return item->run.q == 0 && item->starts > 3 ? 3 : item->starts; /* an autoregression has few optima */
}

/* Structured starts do, but that of ARMA(1, 1). */
static bool needs_base(const struct arima_item *item)
{
    return !item->warm && starts_of(item) > 1 && (item->run.p != 1 || item->run.q != 1);
}

/* The optimum of ARMA(1, 1), or of what of it p and q allow, from two starts, in bases; the peaks. */
static void fit_bases(struct arima_search *s, struct arima_item **items, size_t count)
{
    all_hannan_rissanen(s, items, count, 1, s->bases);
    for (size_t i = 0; i < 2 * count; i++) {
        struct arima_run *run = &s->runs[i];
        *run = items[i / 2]->run;
        run->p = run->p > 0;
        run->q = run->q > 0;
        run->mean = false;
        run->iterations = SEARCH_ITERATIONS;
        run->tolerance = search_tolerance;
        run->at = i % 2 == 0 ? mp_arima_damped(s->bases[i / 2])
                             : mp_arima_start(1, 1, 1, s->bases[i / 2], s->bases[i / 2], NULL);
    }
    mp_arima_optimise(s->kernel, &s->workspace, 1, s->runs, 2 * count);
    for (size_t i = 0; i < count; i++) {
        const struct arima_run *two = &s->runs[2 * i];
        s->bases[i] = two[two[1].objective < two[0].objective].at;
        if (needs_base(items[i])) /* the others' are not used, and their cost must not depend on their neighbours */
            items[i]->cost += (two[0].evaluations + two[1].evaluations) * mp_arima_evaluation_cost(s->workspace.n, 1);
    }
    all_peaks(s, items, count);
}

/* ---- one batch ---- */

static size_t prepare_runs(struct arima_search *s, struct arima_item **items, size_t count, unsigned order)
{
    struct arima_coefficients *regressed = s->bases + count;
    size_t runs = 0;
    bool structured = false;
    for (size_t i = 0; i < count; i++) {
        items[i]->cost = 0;
        structured |= needs_base(items[i]);
    }
    if (structured)
        fit_bases(s, items, count);
    all_hannan_rissanen(s, items, count, order, regressed);
    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; k < starts_of(items[i]); k++) {
            struct arima_run *run = &s->runs[runs++];
            *run = items[i]->run;
            run->iterations = starts_of(items[i]) > 1 ? SEARCH_ITERATIONS : FINAL_ITERATIONS;
            run->tolerance = starts_of(items[i]) > 1 ? search_tolerance : final_tolerance;
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
        size_t best = at, runs = starts_of(items[i]);
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
