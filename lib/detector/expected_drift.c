/* SPDX-License-Identifier: BSD-3-Clause */
/* The drift that a forecast over the horizon must expect, of a layer and of its experts, when a block ends.
 *
 * For expert e, drift.h gives estimates of D^2, of D D' and of the noise V, as shares squared. E is the number of
 * experts, g the growth of a squared drift from W to the horizon (growth.h), and c the part of it that comes
 * (learning.h). Drifts are measured in units of the mean load 1 / E, so squared shares are multiplied by E^2:
 *
 *     expert    p = g E^2 (D^2 - V)               se = c g E^2 sqrt(2) V
 *     layer     p = g E sum_e (D_e^2 - V_e)       se = c g E sqrt(sum_e 2 V_e^2)      the mean over its experts
 *
 * A normal number with mean 0 and variance V has a square with the standard deviation sqrt(2) V. For a trend,
 *
 *     D D' + V / 2 replaces D^2 - V, and the growth of a trend replaces g
 *
 * with the same se, although the product scatters a little less, by sqrt(5/4) V.
 *
 * d = c p is "certain" to exceed a limit L if it does even where three standard deviations are noise:
 *
 *     layer     d - 3 se > L                                   a sum over many experts is about normal
 *     expert    sqrt(c g) E (|D| - 3 sqrt(V)) > sqrt(L)        a single square is not, but D itself is
 *
 * stability.h says what two or four standard deviations would do. */
#include "detector/detector.h"

#include <math.h>

enum { DEVIATIONS = 3 };

static double square(double x)
{
    return x * x;
}

static struct expected_drift expect_of_layer(const moep_detector *detector, size_t layer,
                                             const struct drift_estimate *estimate, const struct stability_rule *rule)
{
    size_t experts = detector->history.experts;
    struct learned learned = mp_learned_of_layer(&detector->learning, layer, mp_detector_periods(detector));
    double squared = 0, trend = 0, variance = 0;
    for (size_t e = 0; e < experts; e++) {
        squared += estimate->squared[e];
        trend += estimate->trend[e];
        variance += 2 * square(estimate->noise[e]);
    }
    double standard_error = sqrt(variance), scale = detector->growth.drift * (double)experts;
    double limit = rule->limit / learned.factor, trend_scale = detector->growth.trend * (double)experts;
    return (struct expected_drift){scale * squared, learned.factor * scale * standard_error,
                                   scale * (squared - DEVIATIONS * standard_error) > limit,
                                   trend_scale * (trend - DEVIATIONS * standard_error) > limit, learned};
}

/* |D| - 3 sqrt(V) > T without roots, with the limit T^2 as a share squared and q = D^2 - V:
 *
 *     D^2 > T^2 + 6 T sqrt(V) + 9 V,  and so  q - T^2 - 8 V > 6 T sqrt(V)
 *
 * For a trend q = D D' + V / 2, and the same inequality is stricter: the mean of D and D' has only half the standard
 * deviation, sqrt(V) / 2. */
static bool certainly_exceeds(double limit, double q, double noise)
{
    double excess = q - limit - (DEVIATIONS * DEVIATIONS - 1) * noise;
    return excess > 0 && square(excess) > 4 * DEVIATIONS * DEVIATIONS * limit * noise;
}

/* What all experts of a layer have in common: scales of squared shares, without c, and limits as squared shares. */
struct expert_scale {
    double drift, limit, trend_limit;
};

static struct expected_drift expect_of_expert(const struct drift_estimate *estimate, size_t e,
                                              const struct learned *learned, const struct expert_scale *scale)
{
    double squared = estimate->squared[e], noise = estimate->noise[e], c = learned->factor;
    return (struct expected_drift){scale->drift * squared, c * scale->drift * sqrt(2) * noise,
                                   certainly_exceeds(scale->limit, c * squared, c * noise),
                                   certainly_exceeds(scale->trend_limit, c * estimate->trend[e], c * noise), *learned};
}

static void evaluate_experts(moep_detector *detector, size_t layer, const struct drift_estimate *estimate,
                             const struct stability_rule *rule, uint64_t blocks_ended, uint64_t step)
{
    size_t experts = detector->history.experts;
    double drift = detector->growth.drift * square((double)experts);
    struct expert_scale scale = {drift, rule->limit / drift,
                                 rule->limit / (detector->growth.trend * square((double)experts))};
    struct learned_experts all = mp_learned_of_experts(&detector->learning, layer, mp_detector_periods(detector),
                                                       detector->scratch + 3 * experts);
    for (size_t e = 0; e < experts; e++) {
        struct learned learned = mp_learned_of_expert(&all, e);
        struct expected_drift expected = expect_of_expert(estimate, e, &learned, &scale);
        mp_stability_update(&detector->experts[layer * experts + e], rule, &expected, blocks_ended, step);
    }
}

void mp_detector_evaluate(moep_detector *detector, size_t layer, uint64_t blocks_ended)
{
    const moep_detector_config *config = &detector->config;
    size_t experts = detector->history.experts, blocks = detector->drift.blocks;
    uint64_t step = detector->history.next_step - 1;
    uint32_t dwell = config->dwell / config->block + (config->dwell % config->block != 0);
    struct stability_rule of_layer = mp_stability_rule(config->tolerance, dwell, blocks);
    struct stability_rule of_experts = mp_stability_rule(config->expert_tolerance, dwell, blocks);
    struct drift_estimate estimate = {detector->scratch, detector->scratch + experts, detector->scratch + 2 * experts};
    mp_drift_estimate(&detector->drift, layer * experts, experts, &estimate);
    if (blocks_ended % blocks == 0)
        mp_learning_learn(&detector->learning, layer, mp_detector_periods(detector), estimate.noise);
    struct expected_drift expected = expect_of_layer(detector, layer, &estimate, &of_layer);
    mp_stability_update(&detector->layers[layer], &of_layer, &expected, blocks_ended, step);
    evaluate_experts(detector, layer, &estimate, &of_experts, blocks_ended, step);
}
