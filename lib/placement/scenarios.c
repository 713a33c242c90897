/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers; allocates: nothing. */
#include "placement/scenarios.h"

#include "support/simd.h"

#include <string.h>

enum { ROW_UNIT = 16 }; /* loads of a whole vector of the widest kind */

size_t mp_scenarios_row(size_t n)
{
    return n > 0 ? mp_sum(n, ROW_UNIT - 1) / ROW_UNIT * ROW_UNIT : ROW_UNIT;
}

void mp_scenarios_lay_out(struct scenarios *scenarios, struct arena *arena, size_t experts, size_t ranks, size_t most)
{
    size_t row = mp_scenarios_row(most);
    scenarios->experts = experts;
    scenarios->ranks = ranks;
    scenarios->load = mp_arena_take(arena, mp_product(experts, row), sizeof *scenarios->load);
    scenarios->part = mp_arena_take(arena, mp_product(experts, row), sizeof *scenarios->part);
    scenarios->carried = mp_arena_take(arena, mp_product(ranks, row), sizeof *scenarios->carried);
    scenarios->largest = mp_arena_take(arena, row, sizeof *scenarios->largest);
    scenarios->step = mp_arena_take(arena, experts, sizeof *scenarios->step);
}

/* ---- kept steps -------------------------------------------------------------------------------------------------- */

/* The distance between the numbers of a choice, and the first of them that is kept. */
static uint64_t distance(enum scenario_choice choice)
{
    return choice == MP_ALL_STEPS ? 1 : 2;
}

static uint64_t first_number(const struct samples *samples, enum scenario_choice choice)
{
    uint64_t first = mp_samples_first(samples);
    return choice == MP_ALL_STEPS ? first : first + (first % 2 != (uint64_t)(choice == MP_ODD_STEPS));
}

size_t mp_scenarios_kept(const struct samples *samples, enum scenario_choice choice)
{
    uint64_t first = first_number(samples, choice), end = mp_samples_end(samples), by = distance(choice);
    return first < end ? (size_t)((end - first + by - 1) / by) : 0;
}

/* The loads of a scenario before they are scaled, each from 0 on. Returns their sum; cut: some had been below 0. */
MP_VECTORISED static int64_t mp_scenario_shift(int32_t *restrict to, const float *restrict step,
                                               const int32_t *restrict forecast, const int32_t *restrict mean, size_t n,
                                               bool *cut)
{
    int64_t total = 0;
    int32_t any = 0;
    for (size_t e = 0; e < n; e++) {
        int32_t load = forecast[e] + mp_load_of((double)step[e]) - mean[e];
        any |= load;
        to[e] = load > 0 ? load : 0;
        total += to[e];
    }
    *cut = any < 0;
    return total;
}

/* Scenario i from a kept step's shares. Loads that were cut make the others too large in all. */
static void make_one(struct scenarios *scenarios, size_t i, const float *step, const struct layer_loads *loads)
{
    bool cut;
    int64_t total =
        mp_scenario_shift(scenarios->step, step, loads->forecast, loads->kept_mean, scenarios->experts, &cut);
    double scale = (double)MP_LOAD_UNIT / (double)total;
    for (size_t e = 0; cut && e < scenarios->experts; e++)
        scenarios->step[e] = (int32_t)((double)scenarios->step[e] * scale);
    for (size_t e = 0; e < scenarios->experts; e++)
        scenarios->load[e * scenarios->row + i] = scenarios->step[e];
}

void mp_scenarios_make(struct scenarios *scenarios, const struct layer_loads *loads, enum scenario_choice choice,
                       size_t most)
{
    const struct samples *samples = loads->samples;
    size_t kept = mp_scenarios_kept(samples, choice), n = kept < most ? kept : most;
    scenarios->n = n > 0 ? n : 1;
    scenarios->row = mp_scenarios_row(scenarios->n);
    memset(scenarios->load, 0, scenarios->experts * scenarios->row * sizeof *scenarios->load);
    for (size_t i = 0; i < n; i++) {
        uint64_t number = first_number(samples, choice) + i * kept / n * distance(choice);
        make_one(scenarios, i, mp_samples_step(samples, number, loads->layer), loads);
    }
    for (size_t e = 0; n == 0 && e < scenarios->experts; e++)
        scenarios->load[e * scenarios->row] = loads->forecast[e];
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* floor(load / copies). The quotient of two integers below 2^31 as doubles never rounds up to the next integer. */
MP_VECTORISED static void mp_scenario_parts(int32_t *restrict part, const int32_t *restrict load, int32_t copies,
                                            size_t n)
{
    double by = copies;
    for (size_t i = 0; i < n; i++)
        part[i] = (int32_t)((double)load[i] / by);
}

MP_VECTORISED static void mp_scenario_add(int32_t *restrict to, const int32_t *restrict row, int32_t times, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] += times * row[i];
}

MP_VECTORISED static void mp_scenario_largest(int32_t *restrict to, const int32_t *restrict row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = row[i] > to[i] ? row[i] : to[i];
}

MP_VECTORISED static int64_t mp_scenario_sum(const int32_t *values, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

int64_t mp_scenarios_sum(const int32_t *values, size_t row)
{
    return mp_scenario_sum(values, row);
}

/* ---- placements -------------------------------------------------------------------------------------------------- */

void mp_scenarios_parts(const struct scenarios *scenarios, size_t expert, int32_t copies, int32_t *part)
{
    const int32_t *load = scenarios->load + expert * scenarios->row;
    if (copies > 1)
        mp_scenario_parts(part, load, copies, scenarios->row);
    else
        memcpy(part, load, scenarios->row * sizeof *part);
}

static void set_part(struct scenarios *scenarios, const struct placement *placement, size_t expert)
{
    mp_scenarios_parts(scenarios, expert, placement->copies[expert], scenarios->part + expert * scenarios->row);
}

void mp_scenarios_set(struct scenarios *scenarios, const struct placement *placement)
{
    for (size_t e = 0; e < scenarios->experts; e++)
        set_part(scenarios, placement, e);
    memset(scenarios->carried, 0, scenarios->ranks * scenarios->row * sizeof *scenarios->carried);
    for (size_t slot = 0; slot < placement->slots; slot++)
        if (placement->expert[slot] >= 0)
            mp_scenario_add(mp_scenarios_carried(scenarios, mp_rank_of(placement, slot)),
                            scenarios->part + (size_t)placement->expert[slot] * scenarios->row, 1, scenarios->row);
}

/* The copies of an expert carry `times` of its parts more. */
static void carry(struct scenarios *scenarios, const struct placement *placement, size_t expert, int32_t times)
{
    for (size_t r = 0; r < scenarios->ranks; r++)
        if (*mp_held(placement, r, expert) > 0)
            mp_scenario_add(mp_scenarios_carried(scenarios, r), scenarios->part + expert * scenarios->row,
                            times * *mp_held(placement, r, expert), scenarios->row);
}

static void exchange(struct scenarios *scenarios, const struct placement *placement, const struct move *move)
{
    size_t slots[2] = {(size_t)move->slot, (size_t)move->other};
    for (size_t i = 0; i < 2; i++) {
        int32_t *carried = mp_scenarios_carried(scenarios, mp_rank_of(placement, slots[i]));
        const int32_t *part = scenarios->part;
        mp_scenario_add(carried, part + (size_t)placement->expert[slots[i]] * scenarios->row, 1, scenarios->row);
        mp_scenario_add(carried, part + (size_t)placement->expert[slots[1 - i]] * scenarios->row, -1, scenarios->row);
    }
}

void mp_scenarios_move(struct scenarios *scenarios, const struct placement *placement, const struct move *move,
                       size_t replaced)
{
    if (!move->replaces) {
        exchange(scenarios, placement, move);
        return;
    }
    size_t changed[2] = {replaced, (size_t)move->other}, rank = mp_rank_of(placement, (size_t)move->slot);
    int32_t *carried = mp_scenarios_carried(scenarios, rank);
    for (size_t i = 0; i < 2; i++) { /* as if the placement had the old copies, then with the new ones */
        const int32_t *part = scenarios->part + changed[i] * scenarios->row;
        carry(scenarios, placement, changed[i], -1);
        mp_scenario_add(carried, part, i == 0 ? -1 : 1, scenarios->row);
        set_part(scenarios, placement, changed[i]);
        carry(scenarios, placement, changed[i], 1);
    }
}

int64_t mp_scenarios_total(struct scenarios *scenarios)
{
    int32_t *largest = scenarios->largest;
    memset(largest, 0, scenarios->row * sizeof *largest);
    for (size_t r = 0; r < scenarios->ranks; r++)
        mp_scenario_largest(largest, mp_scenarios_carried(scenarios, r), scenarios->row);
    return mp_scenario_sum(largest, scenarios->row);
}
