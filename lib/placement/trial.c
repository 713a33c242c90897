/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers; allocates: nothing. */
#include "placement/trial.h"

#include "support/simd.h"

#include <string.h>

enum {
    TRIED_RANKS = 3,    /* from which load is to go, one after the other */
    OFTEN = 1000,       /* to be the hottest at all counts as much as to be so by this part of the load */
    LEAST_GAIN = 50000, /* a move must lower the sum by this part of it */
};

void mp_trial_lay_out(struct trial *trial, struct arena *arena, size_t ranks, size_t most_scenarios)
{
    trial->heat = mp_arena_take(arena, ranks, sizeof *trial->heat);
    trial->first = mp_arena_take(arena, most_scenarios, sizeof *trial->first);
    trial->second = mp_arena_take(arena, most_scenarios, sizeof *trial->second);
    trial->which = mp_arena_take(arena, most_scenarios, sizeof *trial->which);
    trial->largest = mp_arena_take(arena, most_scenarios, sizeof *trial->largest);
    trial->part = mp_arena_take(arena, mp_product(2, most_scenarios), sizeof *trial->part);
}

/* ---- the largest of each scenario -------------------------------------------------------------------------------- */

MP_VECTORISED static void mp_trial_rank(const int32_t *restrict carried, int32_t rank, int32_t *restrict first,
                                        int32_t *restrict second, int32_t *restrict which, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int32_t load = carried[i], largest = first[i], next = second[i], by = which[i];
        int32_t smaller = load > largest ? largest : load;
        first[i] = load > largest ? load : largest;
        which[i] = load > largest ? rank : by;
        second[i] = smaller > next ? smaller : next;
    }
}

/* Fills first, second and which of all ranks but `without`. */
static void find_largest(struct trial *trial, const struct scenarios *scenarios, size_t without)
{
    size_t row = scenarios->row;
    memset(trial->first, 0, row * sizeof *trial->first);
    memset(trial->second, 0, row * sizeof *trial->second);
    memset(trial->which, 0, row * sizeof *trial->which);
    for (size_t r = 0; r < scenarios->ranks; r++)
        if (r != without)
            mp_trial_rank(mp_scenarios_carried(scenarios, r), (int32_t)r, trial->first, trial->second, trial->which,
                          row);
}

/* Fills heat, and returns the sum of the largest loads. Where a rank is the hottest, it counts by how much. */
static int64_t measure_heat(struct trial *trial, const struct scenarios *scenarios)
{
    int64_t sum = 0;
    find_largest(trial, scenarios, SIZE_MAX);
    memset(trial->heat, 0, scenarios->ranks * sizeof *trial->heat);
    for (size_t i = 0; i < scenarios->n; i++) {
        trial->heat[trial->which[i]] += trial->first[i] - trial->second[i] + trial->first[i] / OFTEN;
        sum += trial->first[i];
    }
    return sum;
}

static size_t hottest(const struct trial *trial, size_t ranks)
{
    size_t best = 0;
    for (size_t r = 1; r < ranks; r++)
        if (trial->heat[r] > trial->heat[best])
            best = r;
    return best;
}

/* ---- moves ------------------------------------------------------------------------------------------------------- */

/* The sum after a swap, by which `from` carries a - b less and `to` as much more. Other ranks keep their loads. */
MP_VECTORISED static int64_t mp_trial_swap(const int32_t *a, const int32_t *b, const int32_t *from, const int32_t *to,
                                           const struct trial *trial, int32_t rank, size_t n)
{
    const int32_t *first = trial->first, *second = trial->second, *which = trial->which;
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t difference = a[i] - b[i], one = first[i], two = second[i], others = which[i] == rank ? two : one;
        sum += mp_larger(mp_larger(from[i] - difference, to[i] + difference), others);
    }
    return sum;
}

static int64_t try_swap(const struct trial *trial, const struct placement *placement, const struct scenarios *scenarios,
                        const struct move *move)
{
    size_t from = mp_rank_of(placement, (size_t)move->slot), to = mp_rank_of(placement, (size_t)move->other);
    size_t a = (size_t)placement->expert[move->slot], b = (size_t)placement->expert[move->other];
    return mp_trial_swap(scenarios->part + a * scenarios->row, scenarios->part + b * scenarios->row,
                         mp_scenarios_carried(scenarios, from), mp_scenarios_carried(scenarios, to), trial, (int32_t)to,
                         scenarios->row);
}

/* The parts of two experts in each scenario, before and after a copy of `a` gives way to one of b. */
struct parts {
    const int32_t *old_a, *old_b;
    int32_t *new_a, *new_b;
};

/* Raises `largest` to the load of a rank that held so many copies of each, and then holds `own` less of a and more of
 * b. */
MP_VECTORISED static void mp_trial_replace(int32_t *restrict largest, const int32_t *restrict carried,
                                           const struct parts *parts, int32_t held_a, int32_t held_b, int32_t own,
                                           size_t n)
{
    const int32_t *old_a = parts->old_a, *old_b = parts->old_b, *new_a = parts->new_a, *new_b = parts->new_b;
    int32_t then_a = held_a - own, then_b = held_b + own;
    for (size_t i = 0; i < n; i++) {
        int32_t load = carried[i] - held_a * old_a[i] - held_b * old_b[i] + then_a * new_a[i] + then_b * new_b[i];
        largest[i] = mp_larger(largest[i], load);
    }
}

static int64_t try_replacement(const struct trial *trial, const struct placement *placement,
                               const struct scenarios *scenarios, const struct move *move)
{
    size_t a = (size_t)placement->expert[move->slot], b = (size_t)move->other, row = scenarios->row;
    struct parts parts = {scenarios->part + a * row, scenarios->part + b * row, trial->part, trial->part + row};
    mp_scenarios_parts(scenarios, a, placement->copies[a] - 1, parts.new_a);
    mp_scenarios_parts(scenarios, b, placement->copies[b] + 1, parts.new_b);
    memset(trial->largest, 0, row * sizeof *trial->largest);
    for (size_t r = 0; r < placement->ranks; r++)
        mp_trial_replace(trial->largest, mp_scenarios_carried(scenarios, r), &parts, *mp_held(placement, r, a),
                         *mp_held(placement, r, b), r == mp_rank_of(placement, (size_t)move->slot), row);
    return mp_scenarios_sum(trial->largest, row);
}

static int64_t try_move(const struct trial *trial, const struct placement *placement, const struct scenarios *scenarios,
                        const struct move *move)
{
    return move->replaces ? try_replacement(trial, placement, scenarios, move)
                          : try_swap(trial, placement, scenarios, move);
}

/* Tries all candidates. True if one makes the sum smaller than *least. */
static bool try_all(const struct trial *trial, const struct placement *placement, const struct scenarios *scenarios,
                    const struct candidates *candidates, int64_t *least, struct move *best)
{
    bool found = false;
    for (size_t i = 0; i < candidates->n; i++) {
        int64_t sum = try_move(trial, placement, scenarios, &candidates->moves[i]);
        if (sum >= *least)
            continue;
        *least = sum;
        *best = candidates->moves[i];
        found = true;
    }
    return found;
}

/* Swaps first: more of them are there, and a replacement is dearer to try. */
static bool relieve(struct trial *trial, const struct placement *placement, const struct scenarios *scenarios,
                    size_t rank, struct candidates *candidates, int most_moves, int64_t least, struct move *best)
{
    find_largest(trial, scenarios, rank);
    mp_candidates_begin(candidates, MP_TRIED_SWAPS, INT32_MAX, most_moves);
    mp_find_swaps(placement, rank, candidates);
    if (try_all(trial, placement, scenarios, candidates, &least, best))
        return true;
    mp_candidates_begin(candidates, MP_TRIED_REPLACEMENTS, INT32_MAX, most_moves);
    mp_find_replacements(placement, rank, candidates);
    return try_all(trial, placement, scenarios, candidates, &least, best);
}

bool mp_trial_best(struct trial *trial, const struct placement *placement, const struct scenarios *scenarios,
                   struct candidates *candidates, int most_moves, struct move *best)
{
    int64_t sum = measure_heat(trial, scenarios), least = sum - sum / LEAST_GAIN;
    bool found = false;
    for (size_t tried = 0; tried < TRIED_RANKS && !found; tried++) {
        size_t rank = hottest(trial, scenarios->ranks);
        if (trial->heat[rank] == 0)
            break;
        trial->heat[rank] = 0;
        found = relieve(trial, placement, scenarios, rank, candidates, most_moves, least, best);
    }
    return found;
}
