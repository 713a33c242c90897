/* SPDX-License-Identifier: BSD-3-Clause */
/* What a block has shown of a layer and its experts, put before the rule. */
#include "detector.h"

#include <math.h>

static double square(double x)
{
    return x * x;
}

/* The layer's drift is the mean of its experts'. Noise of variance V gives the square of a difference the standard
 * deviation sqrt(2) V, which adds up over the experts: three of those are doubted. */
static void expect_of_layer(const moep_detector *detector, const double *moved, const double *noise, size_t scale,
                            const struct stability_rule *rule, struct expected_drift *expected)
{
    size_t experts = detector->history.experts;
    double unit = detector->growth[scale] * (double)experts, drift = 0, variance = 0;
    for (size_t e = 0; e < experts; e++) {
        drift += moved[e];
        variance += 2 * square(noise[e]);
    }
    double error = sqrt(variance);
    if (scale == 0) {
        expected->drift = unit * drift;
        expected->error = unit * error;
    }
    expected->beyond[scale] = unit * (drift - 3 * error) > rule->limit;
}

/* A single difference D is far from normal when it is squared: it is doubted by three standard deviations of its own.
 * Beyond a limit of T^2 is abs(D) - 3 sqrt(V) > T, which without roots is: D^2 - T^2 - 9 V is more than 6 T sqrt(V). */
static void expect_of_expert(const moep_detector *detector, double moved, double noise, size_t scale,
                             const struct stability_rule *rule, struct expected_drift *expected)
{
    double unit = detector->growth[scale] * square((double)detector->history.experts);
    double limit = rule->limit / unit, excess = moved - limit - 8 * noise;
    if (scale == 0) {
        expected->drift = unit * moved;
        expected->error = unit * sqrt(2) * noise;
    }
    expected->beyond[scale] = excess > 0 && square(excess) > 36 * limit * noise;
}

static void judge_experts(moep_detector *detector, size_t layer, const struct stability_rule *rule, uint64_t ended)
{
    size_t experts = detector->history.experts;
    for (size_t e = 0; e < experts; e++) {
        struct expected_drift expected;
        for (size_t scale = 0; scale < MP_SCALES; scale++) {
            const double *moved = detector->scratch + 2 * scale * experts, *noise = moved + experts;
            expect_of_expert(detector, moved[e], noise[e], scale, rule, &expected);
        }
        mp_stability_judge(&detector->experts[layer * experts + e], rule, &expected, ended,
                           detector->history.next_step - 1);
    }
}

void mp_detector_judge(moep_detector *detector, size_t layer, uint64_t ended)
{
    const moep_detector_config *config = &detector->config;
    size_t experts = detector->history.experts, blocks = detector->drift.blocks;
    uint32_t dwell = config->dwell / config->block + (config->dwell % config->block != 0);
    struct stability_rule of_layer = mp_stability_rule(config->tolerance, dwell, blocks);
    struct stability_rule of_experts = mp_stability_rule(config->expert_tolerance, dwell, blocks);
    struct expected_drift expected;
    for (size_t scale = 0; scale < MP_SCALES; scale++) {
        double *moved = detector->scratch + 2 * scale * experts, *noise = moved + experts;
        mp_drift_measure(&detector->drift, scale, layer * experts, experts, moved, noise);
        expect_of_layer(detector, moved, noise, scale, &of_layer, &expected);
    }
    mp_stability_judge(&detector->layers[layer], &of_layer, &expected, ended, detector->history.next_step - 1);
    judge_experts(detector, layer, &of_experts, ended);
}
