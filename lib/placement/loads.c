/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers, and a few IEEE operations on doubles in a fixed order; allocates: nothing. */
#include "placement/loads.h"

#include "placement/placement.h"
#include "series/intake.h"
#include "series/simplex.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

enum { OWN_BLOCKS = MP_SAMPLE_BLOCKS / 5 }; /* 180 steps of 900: longer lags behind, shorter is noisier */

void mp_layer_loads_lay_out(struct layer_loads *loads, struct arena *arena, size_t experts)
{
    loads->forecast = mp_arena_take(arena, experts, sizeof *loads->forecast);
    loads->kept_mean = mp_arena_take(arena, experts, sizeof *loads->kept_mean);
    loads->shares = mp_arena_take(arena, experts, sizeof *loads->shares);
    loads->mean = mp_arena_take(arena, experts, sizeof *loads->mean);
    loads->sums = mp_arena_take(arena, experts, sizeof *loads->sums);
    loads->kept_sums = mp_arena_take(arena, experts, sizeof *loads->kept_sums);
}

/* ---- the forecast ------------------------------------------------------------------------------------------------ */

static void to_loads(const double *shares, size_t experts, int32_t *loads)
{
    for (size_t e = 0; e < experts; e++)
        loads[e] = mp_load_of(shares[e]);
}

MP_VECTORISED static void mp_loads_sum_up(int64_t *restrict sums, const float *restrict step, size_t n)
{
    for (size_t e = 0; e < n; e++)
        sums[e] += mp_load_of((double)step[e]);
}

/* 0 without a kept step. */
static void set_kept_mean(struct layer_loads *loads)
{
    const struct samples *samples = loads->samples;
    uint64_t first = mp_samples_first(samples), end = mp_samples_end(samples);
    memset(loads->kept_sums, 0, samples->experts * sizeof *loads->kept_sums);
    for (uint64_t number = first; number < end; number++)
        mp_loads_sum_up(loads->kept_sums, mp_samples_step(samples, number, loads->layer), samples->experts);
    for (size_t e = 0; e < samples->experts; e++)
        loads->kept_mean[e] = end > first ? (int32_t)(loads->kept_sums[e] / (int64_t)(end - first)) : 0;
}

void mp_layer_loads_set(struct layer_loads *loads, const struct samples *samples, size_t layer, const double *forecast)
{
    struct block_means blocks = mp_samples_blocks(samples, layer);
    struct block_origin now = mp_samples_now(samples);
    size_t steps = OWN_BLOCKS * samples->block, experts = samples->experts;
    loads->samples = samples;
    loads->layer = layer;
    memset(loads->shares, 0, experts * sizeof *loads->shares);
    if (forecast)
        mp_intake_exact_shares(forecast + layer * experts, MOEP_FLOAT64, experts, loads->shares);
    else
        mp_window_means(&blocks, &now, &steps, 1, loads->sums, loads->shares);
    mp_simplex(loads->shares, experts); /* a forecast of all 0 becomes uniform */
    to_loads(loads->shares, experts, loads->forecast);
    set_kept_mean(loads);
}

/* ---- risk -------------------------------------------------------------------------------------------------------- */

/* sums[e] = sum over the last n blocks of their mean, or if there is a centre of (mean - centre)^2. */
static void sum_blocks(const struct layer_loads *loads, uint64_t n, const double *centre, double *sums)
{
    struct block_means blocks = mp_samples_blocks(loads->samples, loads->layer);
    uint64_t end = mp_samples_now(loads->samples).blocks;
    memset(sums, 0, blocks.experts * sizeof *sums);
    for (uint64_t block = end - n; block < end; block++) {
        const float *mean = mp_block_mean(&blocks, block);
        for (size_t e = 0; e < blocks.experts; e++) {
            double difference = centre ? (double)mean[e] - centre[e] : 0;
            sums[e] += centre ? difference * difference : (double)mean[e];
        }
    }
}

void mp_layer_loads_with_risk(const struct layer_loads *loads, double risk, int32_t *to)
{
    size_t experts = loads->samples->experts;
    uint64_t ended = mp_samples_now(loads->samples).blocks, n = ended < MP_SAMPLE_BLOCKS ? ended : MP_SAMPLE_BLOCKS;
    double *mean = loads->mean, *sums = loads->sums;
    sum_blocks(loads, n, NULL, mean);
    for (size_t e = 0; n > 0 && e < experts; e++)
        mean[e] /= (double)n;
    sum_blocks(loads, n, mean, sums);
    for (size_t e = 0; e < experts; e++)
        mean[e] = loads->shares[e] + (n > 0 ? risk * sqrt(sums[e] / (double)n) : 0);
    mp_simplex(mean, experts);
    to_loads(mean, experts, to);
}
