/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/stability.h"

#include <math.h>

/* STABLE ends beyond this many tolerances; stability.h says why. */
static const double LIMIT = 1.3;

struct stability_rule mp_stability_rule(double tolerance, uint32_t dwell, size_t blocks)
{
    double squared = tolerance * tolerance;
    return (struct stability_rule){squared, LIMIT * LIMIT * squared, dwell, blocks};
}

static void change(struct stability *stability, moep_state state, uint64_t step)
{
    stability->state = state;
    stability->since = step;
    stability->changes++;
    stability->blocks_within = 0;
}

void mp_stability_restart(struct stability *stability, uint64_t step)
{
    stability->changes += stability->state != MOEP_WARMUP;
    stability->state = MOEP_WARMUP;
    stability->since = step;
    stability->blocks_within = 0;
}

static bool trend_exceeds(const struct stability_rule *rule, const struct expected_drift *expected,
                          uint64_t blocks_ended)
{
    return expected->trend_exceeds_limit && blocks_ended >= 3 * rule->blocks;
}

/* E2 */
static double expected_square(const struct stability *stability, const struct expected_drift *expected)
{
    return mp_learned_drift(&expected->learned, stability->predicted);
}

static double margin(const struct expected_drift *expected)
{
    return expected->learned.any ? expected->standard_error / 2 : expected->standard_error;
}

/* The smoothed drift does, though no block's is certain to. */
static bool smoothed_exceeds(const struct stability *stability, const struct stability_rule *rule,
                             const struct expected_drift *expected)
{
    return expected->learned.any && expected_square(stability, expected) - margin(expected) > rule->limit;
}

static bool should_leave(const struct stability *stability, const struct stability_rule *rule,
                         const struct expected_drift *expected, uint64_t blocks_ended)
{
    bool long_enough_in_state = blocks_ended - stability->entered >= 2 * rule->blocks;
    return expected->exceeds_limit || smoothed_exceeds(stability, rule, expected) ||
           (long_enough_in_state && trend_exceeds(rule, expected, blocks_ended));
}

static bool within_tolerance(const struct stability *stability, const struct stability_rule *rule,
                             const struct expected_drift *expected, uint64_t blocks_ended)
{
    return fmax(expected_square(stability, expected), 0) + margin(expected) <= rule->tolerance &&
           !trend_exceeds(rule, expected, blocks_ended);
}

void mp_stability_update(struct stability *stability, const struct stability_rule *rule,
                         const struct expected_drift *expected, uint64_t blocks_ended, uint64_t step)
{
    if (stability->state == MOEP_WARMUP) {
        change(stability, MOEP_TRANSIENT, step);
        stability->predicted = expected->predicted;
    }
    stability->predicted += (expected->predicted - stability->predicted) / 2;
    if (stability->state == MOEP_STABLE) {
        if (should_leave(stability, rule, expected, blocks_ended))
            change(stability, MOEP_TRANSIENT, step);
        return;
    }
    stability->blocks_within =
        within_tolerance(stability, rule, expected, blocks_ended) ? stability->blocks_within + 1 : 0;
    if (stability->blocks_within < rule->dwell)
        return;
    change(stability, MOEP_STABLE, step);
    stability->entered = blocks_ended;
}

void mp_stability_fields(struct stability *stability, struct checkpoint *checkpoint, bool warmup, uint64_t blocks_ended,
                         uint64_t next_step)
{
    mp_field_i32(checkpoint, &stability->state);
    mp_field_u32(checkpoint, &stability->blocks_within);
    mp_field_u64(checkpoint, &stability->since);
    mp_field_u64(checkpoint, &stability->changes);
    mp_field_u64(checkpoint, &stability->entered);
    mp_field_f64(checkpoint, &stability->predicted);
    bool known = stability->state == MOEP_TRANSIENT || stability->state == MOEP_STABLE;
    mp_checkpoint_require(checkpoint, warmup ? stability->state == MOEP_WARMUP : known);
    mp_checkpoint_require(checkpoint, stability->since < next_step || (stability->since == 0 && next_step == 0));
    mp_checkpoint_require(checkpoint, stability->state != MOEP_STABLE || stability->entered <= blocks_ended);
    mp_checkpoint_require(checkpoint, isfinite(stability->predicted));
}
