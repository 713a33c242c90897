/* SPDX-License-Identifier: BSD-3-Clause */
/* A search improves every start until a step gains little, and the best of them until a step gains next to nothing.
 * Then it treats the unit circle in two ways. First, theta and its mirror image have the same likelihood. So the slope
 * across the circle is 0, and steps towards it are slow. The search tries the roots of theta that are near the circle
 * on it. Second, a step may carry a root of theta to the other side. The search mirrors it back, which makes the model
 * invertible.
 *
 * The figures below were measured on the series of `arima_bench 256 400`. They say how the mean log-likelihood and the
 * work of (5, 1, 5) from five starts change with a number. */
#include "methods/arima/search.h"

#include "methods/arima/initial_estimates.h"
#include "methods/arima/roots.h"

#include <string.h>

/* The tolerance 0.1 loses 0.43 and saves 31 %; 0.001 gains 0.13 and costs 21 %. For the final part 1e-3 loses 0.07 and
 * saves 4 %; 1e-5 gains 0.01 and costs 2 %. */
static const double SEARCH_TOLERANCE = 0.01, FINAL_TOLERANCE = 1e-4;

/* Most searches take 20 to 25 iterations. A limit of 30 loses 0.06 and saves 16 %; 120 gains 0.01 and costs 9 %. For
 * the final part 50 loses 0.02 and saves 2 %; 300 gains nothing and costs 4 %. */
enum { SEARCH_ITERATIONS = 60, FINAL_ITERATIONS = 100 };

/* Inverse roots of theta of a larger modulus are tried on the circle. With 0.8 to 0.995 the likelihood changes by 0.01
 * at most. */
static const double NEAR_THE_CIRCLE = 0.95;

/* Up to that dimension searches also continue from the circle: 4 changes nothing, 8 gains 0.01 and costs 7 %. */
enum { CHEAP_DIMENSION = 2 };

void mp_arima_search_lay_out(struct arima_search *search, struct arena *arena, size_t observations, size_t specs,
                             unsigned starts, int lane_bytes)
{
    unsigned most = starts > 2 ? starts : 2; /* an ARMA(1, 1) and a warm spec have two */
    search->kernel = mp_arima_kernel(lane_bytes);
    search->start_kernel = mp_arima_start_kernel(lane_bytes);
    mp_arima_workspace_lay_out(&search->workspace, arena, observations);
    search->point = mp_arena_take(arena, 1, sizeof *search->point);
    search->active = mp_arena_take(arena, MP_ARIMA_PARAMETERS, sizeof *search->active);
    search->step = mp_arena_take(arena, MP_ARIMA_PARAMETERS, sizeof *search->step);
    search->twiddles = mp_arena_take(arena, mp_product(mp_sum(observations, 4), 2), sizeof *search->twiddles);
    search->batch = mp_arena_take(arena, specs, sizeof(struct arima_spec *));
    search->candidates = mp_arena_take(arena, mp_product(specs, most), sizeof *search->candidates);
    search->copies = mp_arena_take(arena, specs, sizeof *search->copies);
    search->unfinished = mp_arena_take(arena, specs, sizeof *search->unfinished);
    search->arma11 = mp_arena_take(arena, specs, sizeof *search->arma11);
    search->regressed = mp_arena_take(arena, specs, sizeof *search->regressed);
    search->cosines = mp_arena_take(arena, specs, sizeof *search->cosines);
}

size_t mp_arima_periodogram_size(size_t n)
{
    size_t size = 4;
    while (size < n)
        size *= 2;
    return size;
}

/* ---- starts ------------------------------------------------------------------------------------------------------ */

static void limit_search(struct arima_candidate *candidate, bool final)
{
    candidate->iterations = final ? FINAL_ITERATIONS : SEARCH_ITERATIONS;
    candidate->tolerance = final ? FINAL_TOLERANCE : SEARCH_TOLERANCE;
}

/* Computes the estimates from which the starts of a batch are made. */
static void prepare_starts(struct arima_search *s, struct arima_spec **specs, size_t count, unsigned dimension)
{
    bool structured = false;
    for (size_t i = 0; i < count; i++) {
        specs[i]->cost = 0;
        structured |= mp_arima_needs_arma11(specs[i]);
    }
    if (structured)
        mp_arima_initial_estimates(s, specs, count);
    mp_arima_hannan_rissanen(s, specs, count, dimension, s->regressed);
}

/* Lists the candidates of a batch, spec by spec; returns their number. A lone start has the final tolerance at once. */
static size_t list_candidates(struct arima_search *s, struct arima_spec **specs, size_t count)
{
    size_t candidates = 0;
    for (size_t i = 0; i < count; i++) {
        bool warm = specs[i]->warm;
        unsigned starts = mp_arima_start_count(specs[i]);
        for (unsigned k = 0; k < starts; k++) {
            struct arima_candidate *candidate = &s->candidates[candidates++];
            *candidate = specs[i]->candidate;
            limit_search(candidate, starts == 1);
            if (!warm || k > 0)
                candidate->at = mp_arima_start(warm ? 0 : k, candidate->p, candidate->q, s->regressed[i], s->arma11[i],
                                               s->cosines[i]);
        }
    }
    return candidates;
}

/* ---- after the best start ---------------------------------------------------------------------------------------- */

/* Continues the first `count` candidates of the list `unfinished` from their coefficients. */
static void resume(struct arima_search *s, size_t count, unsigned dimension)
{
    for (size_t k = 0; k < count; k++)
        s->copies[k] = s->candidates[s->unfinished[k]];
    mp_arima_optimise(s->kernel, &s->workspace, dimension, s->copies, count);
    for (size_t k = 0; k < count; k++) {
        s->copies[k].evaluations += s->candidates[s->unfinished[k]].evaluations;
        s->candidates[s->unfinished[k]] = s->copies[k];
    }
}

/* Keeps every spec's best candidate, mirrored into the invertible region. Lists as unfinished the best of several
 * starts and the mirrored ones, and returns their number. */
static size_t keep_best(struct arima_search *s, struct arima_spec **specs, size_t count)
{
    size_t at = 0, unfinished = 0;
    for (size_t i = 0; i < count; i++) {
        size_t best = at, starts = mp_arima_start_count(specs[i]);
        unsigned evaluations = 0;
        for (size_t k = at; k < at + starts; k++) {
            evaluations += s->candidates[k].evaluations;
            if (s->candidates[k].objective < s->candidates[best].objective)
                best = k;
        }
        at += starts;
        s->candidates[i] = s->candidates[best];
        s->candidates[i].evaluations = evaluations;
        limit_search(&s->candidates[i], true);
        bool mirrored = mp_arima_reflect(s->candidates[i].at.theta, s->candidates[i].q) != 1;
        if (mirrored || starts > 1)
            s->unfinished[unfinished++] = i;
    }
    return unfinished;
}

/* Tries the roots of theta near the unit circle on it, and continues from there for up to `iterations`. Candidates that
 * are better than before replace the old ones. Lists these as unfinished, and returns their number. */
static size_t try_unit_roots(struct arima_search *s, size_t count, unsigned dimension, unsigned iterations)
{
    size_t tried = 0, better = 0;
    for (size_t i = 0; i < count; i++) {
        struct arima_candidate *candidate = &s->copies[tried];
        *candidate = s->candidates[i];
        candidate->iterations = iterations;
        candidate->tolerance = SEARCH_TOLERANCE;
        s->unfinished[tried] = i;
        tried += mp_arima_snap_roots(candidate->at.theta, candidate->q, NEAR_THE_CIRCLE);
    }
    mp_arima_optimise(s->kernel, &s->workspace, dimension, s->copies, tried);
    for (size_t k = 0; k < tried; k++) {
        struct arima_candidate *candidate = &s->candidates[s->unfinished[k]];
        unsigned evaluations = candidate->evaluations + s->copies[k].evaluations;
        if (s->copies[k].objective < candidate->objective) {
            *candidate = s->copies[k];
            limit_search(candidate, true);
            s->unfinished[better++] = s->unfinished[k];
        }
        candidate->evaluations = evaluations;
    }
    return better;
}

/* Mirrors the candidates that the last steps have carried out of the invertible region. Lists them as unfinished, and
 * returns their number: one evaluation then computes their standard errors. */
static size_t mirror(struct arima_search *s, size_t count)
{
    size_t unfinished = 0;
    for (size_t i = 0; i < count; i++) {
        struct arima_candidate *candidate = &s->candidates[i];
        if (mp_arima_reflect(candidate->at.theta, candidate->q) == 1)
            continue;
        candidate->iterations = 0;
        s->unfinished[unfinished++] = i;
    }
    return unfinished;
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

static void search_batch(struct arima_search *s, struct arima_spec **specs, size_t count, unsigned dimension)
{
    double evaluation_cost = mp_arima_evaluation_cost(specs[0]->n, dimension);
    s->workspace.n = specs[0]->n;
    prepare_starts(s, specs, count, dimension);
    mp_arima_optimise(s->kernel, &s->workspace, dimension, s->candidates, list_candidates(s, specs, count));
    resume(s, keep_best(s, specs, count), dimension);
    resume(s, try_unit_roots(s, count, dimension, dimension <= CHEAP_DIMENSION ? SEARCH_ITERATIONS : 0), dimension);
    resume(s, mirror(s, count), dimension);
    for (size_t i = 0; i < count; i++) {
        specs[i]->cost += s->candidates[i].evaluations * evaluation_cost;
        specs[i]->candidate = s->candidates[i];
    }
}

/* max(p, q): the dimension of the state of an ARMA(p, q). */
static unsigned dimension_of(const struct arima_spec *spec)
{
    return spec->candidate.p > spec->candidate.q ? spec->candidate.p : spec->candidate.q;
}

static bool same_batch(const struct arima_spec *a, const struct arima_spec *b)
{
    return a->n == b->n && dimension_of(a) == dimension_of(b);
}

/* Specs of one length and dimension are one batch. A batch runs when its first spec comes. */
void mp_arima_search(struct arima_search *search, struct arima_spec *specs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = 0;
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = !same_batch(&specs[j], &specs[i]);
        if (!first)
            continue;
        for (size_t j = i; j < count; j++)
            if (same_batch(&specs[j], &specs[i]))
                search->batch[n++] = &specs[j];
        search_batch(search, search->batch, n, dimension_of(&specs[i]));
    }
}
