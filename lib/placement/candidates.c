/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers; allocates: nothing. */
#include "placement/candidates.h"

#include "support/simd.h"
#include "support/sort.h"

void mp_candidates_lay_out(struct candidates *candidates, struct arena *arena, size_t slots, size_t most)
{
    candidates->moves = mp_arena_take(arena, most, sizeof *candidates->moves);
    candidates->heap = mp_arena_take(arena, most, sizeof *candidates->heap);
    candidates->parts = mp_arena_take(arena, slots, sizeof *candidates->parts);
}

void mp_candidates_begin(struct candidates *candidates, size_t capacity, int32_t limit, int most_moves)
{
    candidates->n = 0;
    candidates->capacity = capacity;
    candidates->heap_made = false;
    candidates->limit = limit;
    candidates->most_moves = most_moves;
}

/* ---- the best -------------------------------------------------------------------------------------------------- */

/* The heap's keys are peaks, and where the moves stand. Once it is full, a move takes the place of the worst. */
static void add(struct candidates *candidates, const struct move *move)
{
    size_t at = candidates->n < candidates->capacity ? candidates->n++ : (uint32_t)candidates->heap[0];
    uint64_t key = (uint64_t)move->peak << 32 | at;
    candidates->moves[at] = *move;
    if (candidates->heap_made)
        mp_heap_replace(candidates->heap, candidates->n, 0, key);
    else
        candidates->heap[at] = key;
    if (!candidates->heap_made && candidates->n == candidates->capacity) {
        mp_heap_make(candidates->heap, candidates->n);
        candidates->heap_made = true;
    }
    int32_t worst = candidates->moves[(uint32_t)candidates->heap[0]].peak;
    if (candidates->heap_made && worst < candidates->limit)
        candidates->limit = worst;
}

static bool may(const struct placement *placement, const struct candidates *candidates, const struct move *move)
{
    return candidates->most_moves == INT32_MAX || mp_placement_moves(placement, move) <= candidates->most_moves;
}

/* ---- swaps ------------------------------------------------------------------------------------------------------- */

/* A copy of `a` in slot i of the hot rank against each copy of another rank. With d = part(a) - part(b), the ranks then
 * carry hot - d and other + d. */
static void swaps_with_rank(const struct placement *placement, size_t i, size_t rank, struct candidates *candidates)
{
    size_t hot = mp_rank_of(placement, i), first = rank * placement->rank_slots;
    int32_t a = placement->expert[i], part = candidates->parts[i];
    int32_t hot_less = placement->carried[hot] - part, other_more = placement->carried[rank] + part;
    const int32_t *parts = candidates->parts + first;
    if (*mp_held(placement, rank, (size_t)a) > 0)
        return;
    struct move best = {.peak = candidates->limit, .slot = (int32_t)i, .other = -1};
    for (size_t j = 0; j < placement->rank_slots; j++) {
        int32_t peak = mp_larger(hot_less + parts[j], other_more - parts[j]);
        if (peak >= best.peak || *mp_held(placement, hot, (size_t)placement->expert[first + j]) > 0)
            continue;
        struct move move = {.peak = peak, .slot = (int32_t)i, .other = (int32_t)(first + j)};
        if (may(placement, candidates, &move))
            best = move;
    }
    if (best.other >= 0)
        add(candidates, &best);
}

/* No swap between two ranks makes the larger load smaller than their mean. */
void mp_find_swaps(const struct placement *placement, size_t hot, struct candidates *candidates)
{
    size_t first = hot - hot % placement->node_ranks;
    for (size_t slot = 0; slot < placement->slots; slot++)
        candidates->parts[slot] = placement->part[placement->expert[slot]];
    for (size_t r = first; r < first + placement->node_ranks; r++) {
        int64_t both = (int64_t)placement->carried[hot] + placement->carried[r];
        for (size_t i = hot * placement->rank_slots; r != hot && i < (hot + 1) * placement->rank_slots; i++)
            if (both / 2 < candidates->limit)
                swaps_with_rank(placement, i, r, candidates);
    }
}

/* ---- replacements ------------------------------------------------------------------------------------------------ */

/* The largest load of a rank that has copies of either expert, after one copy more or less of them changes their
 * parts by so much. */
MP_VECTORISED static int32_t mp_largest_touched(const int32_t *carried, const int32_t *held_a, const int32_t *held_b,
                                                int32_t more_a, int32_t more_b, size_t n)
{
    int32_t peak = 0;
    for (size_t r = 0; r < n; r++) {
        int32_t load = carried[r] + held_a[r] * more_a + held_b[r] * more_b;
        peak = mp_larger(peak, held_a[r] + held_b[r] > 0 ? load : 0);
    }
    return peak;
}

/* The same after slot's expert `a` gives way to b. */
static int32_t peak_after(const struct placement *placement, size_t slot, size_t b)
{
    size_t a = (size_t)placement->expert[slot], rank = mp_rank_of(placement, slot);
    int32_t new_a = placement->load[a] / (placement->copies[a] - 1), more_a = new_a - placement->part[a];
    int32_t new_b = placement->load[b] / (placement->copies[b] + 1), more_b = new_b - placement->part[b];
    const int32_t *carried = placement->carried, *held_a = mp_held(placement, 0, a), *held_b = mp_held(placement, 0, b);
    int32_t own = carried[rank] + held_a[rank] * more_a + new_b - new_a;
    int32_t below = mp_largest_touched(carried, held_a, held_b, more_a, more_b, rank);
    size_t next = rank + 1;
    int32_t above =
        mp_largest_touched(carried + next, held_a + next, held_b + next, more_a, more_b, placement->ranks - next);
    return mp_larger(own, mp_larger(below, above));
}

static void try_replacement(const struct placement *placement, size_t slot, size_t b, struct candidates *candidates)
{
    if (*mp_held(placement, mp_rank_of(placement, slot), b) > 0)
        return;
    struct move move = {.slot = (int32_t)slot, .other = (int32_t)b, .replaces = true};
    if (!may(placement, candidates, &move))
        return;
    move.peak = peak_after(placement, slot, b);
    if (move.peak < candidates->limit)
        add(candidates, &move);
}

/* An expert of the same node that then carries less than the one that it replaces. */
static bool is_colder(const struct placement *placement, size_t slot, size_t b, size_t first_rank)
{
    if (placement->load[b] / (placement->copies[b] + 1) >= placement->part[placement->expert[slot]])
        return false;
    for (size_t r = first_rank; r < first_rank + placement->node_ranks; r++)
        if (*mp_held(placement, r, b) > 0)
            return true;
    return false;
}

void mp_find_replacements(const struct placement *placement, size_t hot, struct candidates *candidates)
{
    size_t first_rank = hot - hot % placement->node_ranks, first = first_rank * placement->rank_slots;
    for (size_t slot = first; slot < first + placement->node_ranks * placement->rank_slots; slot++) {
        if (placement->copies[placement->expert[slot]] < 2)
            continue;
        bool on_hot = mp_rank_of(placement, slot) == hot;
        for (size_t b = 0; on_hot && b < placement->experts; b++)
            if (is_colder(placement, slot, b, first_rank))
                try_replacement(placement, slot, b, candidates);
        for (size_t i = hot * placement->rank_slots; !on_hot && i < (hot + 1) * placement->rank_slots; i++)
            try_replacement(placement, slot, (size_t)placement->expert[i], candidates);
    }
}
