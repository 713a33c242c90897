/* SPDX-License-Identifier: BSD-3-Clause */
/* What a block has shown of a layer and its experts, put before the rule. */
#include "detector/detector.h"

#include <math.h>

static double square(double x)
{
    return x * x;
}

/* Beyond the limit even if three standard deviations of it were noise. The layer's drift is the mean of its experts'.
 * Noise of variance V gives the square of a difference the standard deviation sqrt(2) V, which adds up over the experts;
 * the product of two somewhat less. */
static struct expected_drift expect_of_layer(const moep_detector *detector, const struct movement *movement,
                                             const struct stability_rule *rule)
{
    size_t experts = detector->history.experts;
    double moved = 0, onward = 0, variance = 0;
    for (size_t e = 0; e < experts; e++) {
        moved += movement->moved[e];
        onward += movement->onward[e];
        variance += 2 * square(movement->noise[e]);
    }
    double error = sqrt(variance), unit = detector->growth * (double)experts;
    double unit_onward = detector->growth_onward * (double)experts;
    return (struct expected_drift){unit * moved, unit * error, unit * (moved - 3 * error) > rule->limit,
                                   unit_onward * (onward - 3 * error) > rule->limit};
}

/* A single difference D is far from normal when it is squared: it is doubted by three standard deviations of its own.
 * Beyond a limit of T^2 is abs(D) - 3 sqrt(V) > T, which without roots is: D^2 - T^2 - 9 V is more than 6 T sqrt(V).
 * Squared is D^2 - V; or D D' + V / 2, of which that asks for more: the mean of D and D' has half the noise. */
static bool certainly_beyond(double limit, double squared, double noise)
{
    double excess = squared - limit - 8 * noise;
    return excess > 0 && square(excess) > 36 * limit * noise;
}

static struct expected_drift expect_of_expert(const struct movement *movement, size_t e, double unit, double limit,
                                              double limit_onward)
{
    double moved = movement->moved[e], noise = movement->noise[e];
    return (struct expected_drift){unit * moved, unit * sqrt(2) * noise, certainly_beyond(limit, moved, noise),
                                   certainly_beyond(limit_onward, movement->onward[e], noise)};
}

static void judge_experts(moep_detector *detector, size_t layer, const struct movement *movement,
                          const struct stability_rule *rule, uint64_t ended, uint64_t step)
{
    size_t experts = detector->history.experts;
    double share = square((double)experts), unit = detector->growth * share;
    double limit = rule->limit / unit, limit_onward = rule->limit / (detector->growth_onward * share);
    for (size_t e = 0; e < experts; e++) {
        struct expected_drift expected = expect_of_expert(movement, e, unit, limit, limit_onward);
        mp_stability_judge(&detector->experts[layer * experts + e], rule, &expected, ended, step);
    }
}

void mp_detector_judge(moep_detector *detector, size_t layer, uint64_t ended)
{
    const moep_detector_config *config = &detector->config;
    size_t experts = detector->history.experts, blocks = detector->drift.blocks;
    uint64_t step = detector->history.next_step - 1;
    uint32_t dwell = config->dwell / config->block + (config->dwell % config->block != 0);
    struct stability_rule of_layer = mp_stability_rule(config->tolerance, dwell, blocks);
    struct stability_rule of_experts = mp_stability_rule(config->expert_tolerance, dwell, blocks);
    struct movement movement = {detector->scratch, detector->scratch + experts, detector->scratch + 2 * experts};
    mp_drift_measure(&detector->drift, layer * experts, experts, &movement);
    struct expected_drift expected = expect_of_layer(detector, &movement, &of_layer);
    mp_stability_judge(&detector->layers[layer], &of_layer, &expected, ended, step);
    judge_experts(detector, layer, &movement, &of_experts, ended, step);
}
