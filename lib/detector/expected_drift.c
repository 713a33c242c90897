/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/expected_drift.h"

#include "detector/stability.h"
#include "support/simd.h"

#include <math.h>

/* tests/bench/README.md says what other numbers do. */
enum { DEVIATIONS = 3 };
static const double LIMIT = 1.3, SETTLING = 0.8, MOST_TRUST = 0.7, ROOT_OF_2 = 1.4142135623730951;

static inline double square(double x)
{
    return x * x;
}

struct drift_rule mp_drift_rule(const struct growth *growth, double tolerance)
{
    double squared = mp_squared_tolerance(tolerance);
    return (struct drift_rule){*growth, squared, LIMIT * LIMIT * squared};
}

/* The numbers of one series at a block's end. */
struct numbers {
    double predicted, error; /* p, v */
    double factor, recent;   /* c, r */
};

/* Updates s and E2; says whether E2 is within the tolerance or beyond the limit. part: of the difference to p by which
 * s changes. */
static inline int64_t judge(const struct drift_rule *rule, struct numbers now, bool learned, double part,
                            double *restrict smoothed, double *restrict squared)
{
    double s = *smoothed + (now.predicted - *smoothed) * part;
    double trust = learned ? MOST_TRUST * 2 * rule->tolerance / (2 * rule->tolerance + now.error) : 1;
    double margin = learned ? trust * now.error / 2 : now.error;
    double expected = learned ? SETTLING * (trust * now.factor * s + (1 - trust) * now.recent) : s;
    *smoothed = s;
    *squared = expected;
    bool within = (expected > 0 ? expected : 0) + margin <= rule->tolerance;
    bool beyond = learned & (expected - margin > rule->limit);
    return (within ? MP_WITHIN : 0) | (beyond ? MP_BEYOND : 0);
}

static double part_of(bool first)
{
    return first ? 1 : 0.5;
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

unsigned mp_expect_of_layer(const struct drift_rule *rule, const struct drift_estimate *estimate, size_t experts,
                            const struct learned *learned, bool first, double *smoothed, double *squared)
{
    double drift = 0, trend = 0, variance = 0, scale = rule->growth.drift * (double)experts;
    for (size_t e = 0; e < experts; e++) {
        drift += estimate->squared[e];
        trend += estimate->trend[e];
        variance += 2 * square(estimate->noise[e]);
    }
    double error = sqrt(variance), limit = rule->limit / learned->factor;
    struct numbers now = {scale * drift, learned->factor * scale * error, learned->factor, learned->recent};
    int64_t says = judge(rule, now, learned->any, part_of(first), smoothed, squared);
    bool beyond = scale * (drift - DEVIATIONS * error) > limit;
    bool has_trend = rule->growth.trend * (double)experts * (trend - DEVIATIONS * error) > limit;
    return (unsigned)says | (beyond ? MP_BEYOND : 0) | (has_trend ? MP_TREND : 0);
}

/* ---- experts ----------------------------------------------------------------------------------------------------- */

/* |D| - 3 sqrt(V) > T without roots, with the limit T^2 as a share squared and q = D^2 - V:
 *
 *     D^2 > T^2 + 6 T sqrt(V) + 9 V,  and so  q - T^2 - 8 V > 6 T sqrt(V)
 *
 * For a trend q = D D' + V / 2, and the same inequality is stricter: the mean of D and D' has only half the standard
 * deviation, sqrt(V) / 2. */
static inline bool certainly_exceeds(double limit, double q, double noise)
{
    double excess = q - limit - (DEVIATIONS * DEVIATIONS - 1) * noise;
    return (excess > 0) & (square(excess) > 4 * DEVIATIONS * DEVIATIONS * limit * noise);
}

/* What all experts of a layer have in common: scales of squared shares, without c, and limits as squared shares. */
struct expert_scale {
    double drift, limit, trend_limit;
};

/* drift, trend, noise: D^2 - V, D D' + V / 2, V. */
static inline int64_t judge_expert(const struct drift_rule *rule, const struct expert_scale *scale, double drift,
                                   double trend, double noise, double c, double recent, bool learned, double part,
                                   double *restrict smoothed, double *restrict squared)
{
    struct numbers now = {scale->drift * drift, c * scale->drift * ROOT_OF_2 * noise, c, recent};
    bool beyond = certainly_exceeds(scale->limit, c * drift, c * noise);
    bool has_trend = certainly_exceeds(scale->trend_limit, c * trend, c * noise);
    return judge(rule, now, learned, part, smoothed, squared) | (beyond ? MP_BEYOND : 0) | (has_trend ? MP_TREND : 0);
}

/* All pointers and constants are local, and there are two loops: otherwise the compiler finds no vector code. */
MP_VECTORISED static void mp_judge_experts(struct drift_rule rule, struct expert_scale scale,
                                           struct drift_estimate estimate, struct learned_experts learned, double part,
                                           double *restrict smoothed, double *restrict squared, int64_t *restrict says,
                                           size_t n)
{
    const double *restrict drift = estimate.squared, *restrict trend = estimate.trend, *restrict noise = estimate.noise;
    const double *restrict factor = learned.factor, *restrict recent = learned.recent;
    size_t taught = learned.any ? n : 0;
    for (size_t e = 0; e < taught; e++)
        says[e] = judge_expert(&rule, &scale, drift[e], trend[e], noise[e], factor[e], recent[e], true, part,
                               &smoothed[e], &squared[e]);
    for (size_t e = 0; e < n - taught; e++)
        says[e] =
            judge_expert(&rule, &scale, drift[e], trend[e], noise[e], 1, 0, false, part, &smoothed[e], &squared[e]);
}

void mp_expect_of_experts(const struct drift_rule *rule, const struct drift_estimate *estimate, size_t n,
                          const struct learned_experts *learned, bool first, double *smoothed, double *squared,
                          int64_t *says)
{
    double squared_experts = square((double)n), scale = rule->growth.drift * squared_experts;
    struct expert_scale of_experts = {scale, rule->limit / scale, rule->limit / (rule->growth.trend * squared_experts)};
    mp_judge_experts(*rule, of_experts, *estimate, *learned, part_of(first), smoothed, squared, says, n);
}
