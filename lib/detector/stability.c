/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/stability.h"

#include <math.h>

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

static bool has_trend(const struct stability_rule *rule, unsigned says, uint64_t blocks_ended)
{
    return (says & MP_TREND) && blocks_ended >= 3 * rule->blocks;
}

static bool should_leave(const struct stability *stability, const struct stability_rule *rule, unsigned says,
                         uint64_t blocks_ended)
{
    bool long_enough_in_state = blocks_ended - stability->entered >= 2 * rule->blocks;
    return (says & MP_BEYOND) || (long_enough_in_state && has_trend(rule, says, blocks_ended));
}

void mp_stability_update(struct stability *stability, const struct stability_rule *rule, unsigned says,
                         uint64_t blocks_ended, uint64_t step)
{
    if (stability->state == MOEP_WARMUP)
        change(stability, MOEP_TRANSIENT, step);
    if (stability->state == MOEP_STABLE) {
        if (should_leave(stability, rule, says, blocks_ended))
            change(stability, MOEP_TRANSIENT, step);
        return;
    }
    bool within = (says & MP_WITHIN) && !has_trend(rule, says, blocks_ended);
    stability->blocks_within = within ? stability->blocks_within + 1 : 0;
    if (stability->blocks_within < rule->dwell)
        return;
    change(stability, MOEP_STABLE, step);
    stability->entered = blocks_ended;
}

void mp_stability_fields(struct stability *stability, double *smoothed, struct checkpoint *checkpoint, bool warmup,
                         uint64_t blocks_ended, uint64_t next_step)
{
    mp_field_i32(checkpoint, &stability->state);
    mp_field_u32(checkpoint, &stability->blocks_within);
    mp_field_u64(checkpoint, &stability->since);
    mp_field_u64(checkpoint, &stability->changes);
    mp_field_u64(checkpoint, &stability->entered);
    mp_field_f64(checkpoint, smoothed);
    bool known = stability->state == MOEP_TRANSIENT || stability->state == MOEP_STABLE;
    mp_checkpoint_require(checkpoint, warmup ? stability->state == MOEP_WARMUP : known);
    mp_checkpoint_require(checkpoint, stability->since < next_step || (stability->since == 0 && next_step == 0));
    mp_checkpoint_require(checkpoint, stability->state != MOEP_STABLE || stability->entered <= blocks_ended);
    mp_checkpoint_require(checkpoint, isfinite(*smoothed));
}
