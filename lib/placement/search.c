/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers, and a few IEEE operations on doubles; allocates: nothing. */
#include "placement/search.h"

#include "placement/double_swap.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { NEARLY = 1000 }; /* the bound is reached within this part of it: better balance drowns in noise */

static bool is_balanced(const struct placement *placement, int32_t bound)
{
    return placement->carried[mp_placement_hottest(placement)] <= bound + bound / NEARLY;
}

/* The best move by the loads: a swap, else a replacement. False if none takes load off the hottest rank. */
static bool best_by_loads(const struct placement *placement, struct candidates *candidates, int most_moves,
                          struct move *best)
{
    size_t hot = mp_placement_hottest(placement);
    mp_candidates_begin(candidates, 1, placement->carried[hot], most_moves);
    mp_find_swaps(placement, hot, candidates);
    if (candidates->n == 0)
        mp_find_replacements(placement, hot, candidates);
    *best = candidates->moves[0];
    return candidates->n > 0;
}

void mp_search_balance(struct placement *placement, struct candidates *candidates, int32_t bound, size_t effort)
{
    struct move move;
    while (effort-- > 0 && !is_balanced(placement, bound)) {
        if (best_by_loads(placement, candidates, INT32_MAX, &move))
            mp_placement_move(placement, &move);
        else if (!mp_double_swap(placement))
            return;
    }
}

static bool next_move(const struct search *search, struct move *move)
{
    size_t moved = search->placement->moved, most = search->price.most_slots;
    int most_moves = most - moved < INT32_MAX ? (int)(most - moved) : INT32_MAX;
    if (search->tried)
        return mp_trial_best(search->trial, search->placement, search->tried, search->candidates, most_moves, move);
    return !is_balanced(search->placement, search->bound) &&
           best_by_loads(search->placement, search->candidates, most_moves, move);
}

static void make_move(const struct search *search, const struct move *move)
{
    size_t replaced = (size_t)search->placement->expert[move->slot];
    mp_placement_move(search->placement, move);
    if (search->tried)
        mp_scenarios_move(search->tried, search->placement, move, replaced);
    mp_scenarios_move(search->held_out, search->placement, move, replaced);
}

/* Finite, so that the first map of a layer which must move is kept, whatever it costs. */
static double moving_cost(const struct search *search)
{
    return fmin(search->price.slot_cost * (double)search->placement->moved, DBL_MAX);
}

double mp_search_value(const struct search *search, struct found *found)
{
    const struct placement *placement = search->placement;
    double peak = mp_scenarios_peak(search->held_out, mp_scenarios_total(search->held_out));
    double cost = search->price.horizon * peak + moving_cost(search);
    if (cost >= found->cost)
        return cost;
    memcpy(found->map, placement->expert, placement->slots * sizeof *found->map);
    found->cost = cost;
    found->peak = peak;
    found->moved = placement->moved;
    return cost;
}

/* No peak is below 1, so more moves are hopeless once they cost as much as that would save. */
void mp_search_run(const struct search *search, struct found *found)
{
    struct move move;
    if (search->placement->moved > search->price.most_slots)
        return;
    if (search->tried)
        mp_scenarios_set(search->tried, search->placement);
    mp_scenarios_set(search->held_out, search->placement);
    mp_search_value(search, found);
    for (size_t i = 0; i < search->effort; i++) {
        if (search->price.horizon + moving_cost(search) > found->cost || !next_move(search, &move))
            return;
        make_move(search, &move);
        mp_search_value(search, found);
    }
}
