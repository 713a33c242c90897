/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/expected_drift.h"

#include "detector/stability.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

/* Chosen with tests/bench/detector_quality.py. A lower LIMIT ends STABLE falsely, a higher one leaves ramps late. Fewer
 * DEVIATIONS take noise for drift, more see drift late. Less than UNUSUAL takes usual drifts for new ones, more sees
 * shifts late. A SETTLING of 1 expects more than comes. More than MOST_TRUST sees less of the errors that came. */
enum { DEVIATIONS = 3, UNUSUAL = 4 };
static const double LIMIT = 1.3, SETTLING = 0.75, MOST_TRUST = 0.7, ROOT_OF_2 = 1.4142135623730951;

static inline double square(double x)
{
    return x * x;
}

static inline double larger(double a, double b)
{
    return a > b ? a : b;
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

/* Updates s and E2; says whether E2 is within the tolerance or beyond the limit. part: of its difference to p, by which s
 * changes. */
static inline int64_t judge(const struct drift_rule *rule, struct numbers now, bool learned, double part,
                            double *restrict smoothed, double *restrict expected)
{
    double s = *smoothed + (now.predicted - *smoothed) * part;
    double trust = learned ? MOST_TRUST * 2 * rule->tolerance / (2 * rule->tolerance + now.error) : 1;
    double margin = learned ? trust * now.error / 2 : now.error;
    double square_expected = learned ? SETTLING * (trust * now.factor * s + (1 - trust) * now.recent) : s;
    *smoothed = s;
    *expected = square_expected;
    int64_t within = larger(square_expected, 0) + margin <= rule->tolerance;
    int64_t beyond = learned ? square_expected - margin > rule->limit : 0;
    return within * MP_WITHIN | beyond * MP_BEYOND;
}

/* The first p counts whole, whatever was there. */
static double begin(bool first, double *smoothed, size_t n)
{
    if (first)
        memset(smoothed, 0, n * sizeof *smoothed);
    return first ? 1 : 0.5;
}

/* What a drift must exceed to be a new one, of which the past says nothing. */
static inline double unusual(double limit, double usual)
{
    return larger(UNUSUAL * usual, limit);
}

/* ---- layers ------------------------------------------------------------------------------------------------------ */

unsigned mp_expect_of_layer(const struct drift_rule *rule, const struct drift_estimate *estimate, size_t experts,
                            const struct learned *learned, bool first, double *smoothed, double *expected)
{
    double drift = 0, trend = 0, variance = 0, scale = rule->growth.drift * (double)experts;
    for (size_t e = 0; e < experts; e++) {
        drift += estimate->squared[e];
        trend += estimate->trend[e];
        variance += 2 * square(estimate->noise[e]);
    }
    double error = sqrt(variance), c = learned->factor;
    struct numbers now = {scale * drift, c * scale * error, c, learned->recent};
    int64_t says = judge(rule, now, learned->any, begin(first, smoothed, 1), smoothed, expected);
    double certain = scale * (drift - DEVIATIONS * error);
    bool beyond = c * certain > rule->limit || certain > unusual(rule->limit, learned->usual);
    double certain_trend = rule->growth.trend * (double)experts * (trend - DEVIATIONS * error);
    bool has_trend = larger(c, 1) * certain_trend > rule->limit;
    return (unsigned)says | (beyond ? MP_BEYOND : 0) | (has_trend ? MP_TREND : 0);
}

/* ---- experts ----------------------------------------------------------------------------------------------------- */

/* |D| - 3 sqrt(V) > T without roots, with the limit T^2 in the same units as V, and q = D^2 - V:
 *
 *     D^2 > T^2 + 6 T sqrt(V) + 9 V,  and so  q - T^2 - 8 V > 6 T sqrt(V)
 *
 * For a trend q = D D' + V / 2, and the same inequality is stricter: the mean of D and D' has only half the standard
 * deviation, sqrt(V) / 2. */
static inline int64_t certainly_exceeds(double limit, double q, double noise)
{
    double excess = q - limit - (DEVIATIONS * DEVIATIONS - 1) * noise;
    return (int64_t)(excess > 0) & (int64_t)(square(excess) > 4 * DEVIATIONS * DEVIATIONS * limit * noise);
}

/* Constants of a loop over experts; squared shares times these are in units of the mean load. */
struct expert_rule {
    struct drift_rule rule;
    double drift, trend;
    double part;
};

/* What is certain. The arguments are D^2 - V, D D' + V / 2 and V as squared shares, c and u. */
static inline int64_t judge_certain(const struct expert_rule *of, double drift, double trend, double noise,
                                    double factor, double usual)
{
    double p = of->drift * drift, v = of->drift * noise, trend_scale = larger(factor * of->trend, of->trend);
    int64_t beyond = certainly_exceeds(of->rule.limit, factor * p, factor * v);
    int64_t is_new = certainly_exceeds(unusual(of->rule.limit, usual), p, v);
    int64_t has_trend = certainly_exceeds(of->rule.limit, trend_scale * trend, trend_scale * noise);
    return (beyond | is_new) * MP_BEYOND | has_trend * MP_TREND;
}

static inline int64_t judge_expected(const struct expert_rule *of, double drift, double noise, double factor,
                                     double recent, bool learned, double *restrict smoothed, double *restrict expected)
{
    struct numbers now = {of->drift * drift, factor * of->drift * ROOT_OF_2 * noise, factor, recent};
    return judge(&of->rule, now, learned, of->part, smoothed, expected);
}

/* Before an error has come, and after it. */
MP_VECTORISED static void mp_judge_by_constant(struct expert_rule of, const double *restrict drift,
                                               const double *restrict trend, const double *restrict noise,
                                               double *restrict smoothed, double *restrict expected,
                                               int64_t *restrict says, size_t n)
{
    for (size_t e = 0; e < n; e++)
        says[e] = judge_certain(&of, drift[e], trend[e], noise[e], 1, 0) |
                  judge_expected(&of, drift[e], noise[e], 1, 0, false, &smoothed[e], &expected[e]);
}

MP_VECTORISED static void mp_judge_certain(struct expert_rule of, const double *restrict drift,
                                           const double *restrict trend, const double *restrict noise,
                                           const double *restrict factor, const double *restrict usual,
                                           int64_t *restrict says, size_t n)
{
    for (size_t e = 0; e < n; e++)
        says[e] = judge_certain(&of, drift[e], trend[e], noise[e], factor[e], usual[e]);
}

MP_VECTORISED static void mp_judge_expected(struct expert_rule of, const double *restrict drift,
                                            const double *restrict noise, const double *restrict factor,
                                            const double *restrict recent, double *restrict smoothed,
                                            double *restrict expected, int64_t *restrict says, size_t n)
{
    for (size_t e = 0; e < n; e++)
        says[e] |= judge_expected(&of, drift[e], noise[e], factor[e], recent[e], true, &smoothed[e], &expected[e]);
}

void mp_expect_of_experts(const struct drift_rule *rule, const struct drift_estimate *estimate, size_t n,
                          const struct learned_experts *learned, bool first, double *smoothed, double *expected,
                          int64_t *says)
{
    double unit = square((double)n);
    struct expert_rule of = {*rule, rule->growth.drift * unit, rule->growth.trend * unit, begin(first, smoothed, n)};
    const double *drift = estimate->squared, *trend = estimate->trend, *noise = estimate->noise;
    if (!learned->any) {
        mp_judge_by_constant(of, drift, trend, noise, smoothed, expected, says, n);
        return;
    }
    mp_judge_certain(of, drift, trend, noise, learned->factor, learned->usual, says, n);
    mp_judge_expected(of, drift, noise, learned->factor, learned->recent, smoothed, expected, says, n);
}
