/* SPDX-License-Identifier: BSD-3-Clause */
/* Placements with scenarios, for the unit tests of trials and searches; and their totals, measured anew. */
#ifndef TESTS_SEARCHED_H
#define TESTS_SEARCHED_H

#include "placed.h"

#include "placement/search.h"

enum { MOST = 20, SCENARIOS = 11 };

struct searched {
    struct placed placed;
    struct arena arena;
    struct scenarios tried, held_out, measured;
    struct trial trial;
    struct candidates candidates, others;
};

static inline void lay_out_searched(void *self, struct arena *arena)
{
    struct searched *searched = self;
    const struct shape *shape = &searched->placed.shape;
    mp_scenarios_lay_out(&searched->tried, arena, shape->experts, shape->ranks, MOST);
    mp_scenarios_lay_out(&searched->held_out, arena, shape->experts, shape->ranks, MOST);
    mp_scenarios_lay_out(&searched->measured, arena, shape->experts, shape->ranks, MOST);
    mp_trial_lay_out(&searched->trial, arena, shape->ranks, mp_scenarios_row(MOST));
    mp_candidates_lay_out(&searched->candidates, arena, shape->slots, MP_TRIED_SWAPS);
    mp_candidates_lay_out(&searched->others, arena, shape->slots, MP_TRIED_SWAPS);
}

/* The loads of the placement, each halved at most, then scaled to the unit. In every other scenario they lose whole
 * quarters, so that ranks tie. */
static inline void fill(struct scenarios *scenarios, const struct placement *placement, uint64_t *seed)
{
    scenarios->n = SCENARIOS;
    scenarios->row = mp_scenarios_row(SCENARIOS);
    for (size_t i = 0; i < SCENARIOS; i++) {
        uint64_t weights[PLACED_EXPERTS], total = 0;
        for (size_t e = 0; e < scenarios->experts; e++) {
            uint64_t left = i % 2 == 0 ? 500 + random_below(seed, 500) : 500 + 250 * random_below(seed, 3);
            total += weights[e] = (uint64_t)placement->load[e] * left / 1000;
        }
        for (size_t e = 0; e < scenarios->experts; e++)
            scenarios->load[e * scenarios->row + i] = (int32_t)(weights[e] * MP_LOAD_UNIT / total);
    }
}

static inline void begin_search(struct searched *searched, const struct shape *shape, uint64_t *seed)
{
    place(&searched->placed, shape, seed);
    assert_true(mp_arena_make(&searched->arena, lay_out_searched, searched, &heap));
    fill(&searched->tried, &searched->placed.placement, seed);
    fill(&searched->held_out, &searched->placed.placement, seed);
    mp_scenarios_set(&searched->tried, &searched->placed.placement);
}

static inline void end_search(struct searched *searched)
{
    mp_arena_free(&searched->arena, &heap);
    unplace(&searched->placed);
}

/* The sum of the largest rank loads of scenarios under the placement, from the loads alone. */
static inline int64_t total_of(struct searched *searched, const struct scenarios *scenarios)
{
    struct scenarios *measured = &searched->measured;
    measured->n = scenarios->n;
    measured->row = scenarios->row;
    memcpy(measured->load, scenarios->load, scenarios->experts * scenarios->row * sizeof *measured->load);
    mp_scenarios_set(measured, &searched->placed.placement);
    return mp_scenarios_total(measured);
}

#endif
