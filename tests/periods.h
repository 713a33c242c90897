/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by tests of what a detector learns: periods of known means and noise, and the errors that these have by the
 * definition (hindsight.h). */
#ifndef TESTS_PERIODS_H
#define TESTS_PERIODS_H

#include "support.h"

#include "detector/drift.h"

/* Experts for a vector and for what is left over. */
enum { LAYERS = 2, EXPERTS = 11, SERIES = LAYERS * EXPERTS, W = 2, PERIODS = 60 };

static const struct memory memory = {mp_default_allocate, mp_default_release, NULL};

struct periods {
    moep_detector_config config;
    struct drift drift;
    double means[PERIODS][LAYERS][EXPERTS], noise[PERIODS][LAYERS][EXPERTS];
    uint64_t ended;
};

static inline void make_periods(struct periods *periods, uint64_t horizon)
{
    *periods = (struct periods){.config = detector_config(MOEP_LEARN)};
    periods->config.horizon = horizon;
    periods->config.drift_window = W;
    periods->config.block = 1;
    periods->config.tolerance = 0.5;
    periods->config.expert_tolerance = 1;
    assert_int_equal(mp_drift_make(&periods->drift, SERIES, 1, W, &memory), MOEP_OK);
}

static inline void free_periods(struct periods *periods)
{
    mp_drift_free(&periods->drift, &memory);
}

/* Ends a period whose steps all have these shares. */
static inline void end_period(struct periods *periods, const double shares[LAYERS][EXPERTS], double noise)
{
    float row[SERIES];
    for (size_t s = 0; s < SERIES; s++) {
        row[s] = (float)shares[s / EXPERTS][s % EXPERTS];
        periods->means[periods->ended][s / EXPERTS][s % EXPERTS] = (double)row[s];
        periods->noise[periods->ended][s / EXPERTS][s % EXPERTS] = noise * (double)(1 + s);
    }
    for (size_t step = 0; step < W; step++)
        mp_drift_push(&periods->drift, row);
    periods->ended++;
}

/* The same of all series. */
static inline void end_even_period(struct periods *periods, double share)
{
    double shares[LAYERS][EXPERTS];
    for (size_t s = 0; s < SERIES; s++)
        shares[s / EXPERTS][s % EXPERTS] = floor(share * 0x1p24) * 0x1p-24;
    end_period(periods, (const double(*)[EXPERTS])shares, 0);
}

/* Shares that walk, as multiples of 2^-20, so that means are exact. */
static inline void end_random_period(struct periods *periods, uint64_t *seed, double step, double noise)
{
    double shares[LAYERS][EXPERTS];
    for (size_t layer = 0; layer < LAYERS; layer++)
        for (size_t e = 0; e < EXPERTS; e++) {
            double before = periods->ended > 0 ? periods->means[periods->ended - 1][layer][e] : 0.5;
            double moved = before + step * ((double)(random_number(seed) >> 11) * 0x1p-52 - 1);
            shares[layer][e] = floor(fmin(fmax(moved, 0), 1) * 0x1p20) * 0x1p-20;
        }
    end_period(periods, (const double(*)[EXPERTS])shares, noise);
}

/* ---- the definition ---------------------------------------------------------------------------------------------- */

static inline double growth_over(double steps)
{
    return (double)(float)pow((W + steps) / (2 * W), 2 * 0.3);
}

static inline double square(double x)
{
    return x * x;
}

/* p and e when period i ends, by the mean of period o. */
struct pair {
    double p, e;
};

static inline struct pair pair_of_expert(const struct periods *periods, size_t layer, size_t e, uint64_t i, uint64_t o)
{
    double span = (double)(i - o), came = 0, g = growth_over((double)periods->config.horizon);
    double v = periods->noise[i][layer][e], past = periods->means[o][layer][e],
           before = periods->means[o - 1][layer][e];
    for (uint64_t period = o + 1; period <= i; period++)
        came += periods->means[period][layer][e] / span;
    return (struct pair){g * EXPERTS * EXPERTS * (square(past - before) - v),
                         g / growth_over(span * W) * EXPERTS * EXPERTS *
                             (square(came - past) - (1 + 1 / span) * v / 2)};
}

static inline struct pair pair_of_layer(const struct periods *periods, size_t layer, uint64_t i, uint64_t o)
{
    struct pair mean = {0};
    for (size_t e = 0; e < EXPERTS; e++) {
        struct pair of_expert = pair_of_expert(periods, layer, e, i, o);
        mean.p += of_expert.p / EXPERTS;
        mean.e += of_expert.e / EXPERTS;
    }
    return mean;
}

/* Horizons and the spans that they give, in periods. */
static const struct {
    uint64_t horizon;
    size_t spans[2], n;
} horizons[] = {{1, {1}, 1}, {3 * W, {3}, 1}, {5 * W + 1, {5}, 1}, {7 * W, {5, 7}, 2}, {100 * W, {5, 20}, 2}};

#endif
