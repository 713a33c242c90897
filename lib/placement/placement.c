/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers; allocates: nothing. */
#include "placement/placement.h"

#include <string.h>

void mp_placement_lay_out(struct placement *placement, struct arena *arena, size_t experts, size_t slots, size_t ranks,
                          size_t nodes)
{
    size_t pairs = mp_product(ranks, experts);
    placement->experts = experts;
    placement->slots = slots;
    placement->ranks = ranks;
    placement->rank_slots = slots / ranks;
    placement->node_ranks = ranks / nodes;
    placement->load = mp_arena_take(arena, experts, sizeof *placement->load);
    placement->expert = mp_arena_take(arena, slots, sizeof *placement->expert);
    placement->copies = mp_arena_take(arena, experts, sizeof *placement->copies);
    placement->part = mp_arena_take(arena, experts, sizeof *placement->part);
    placement->held = mp_arena_take(arena, pairs, sizeof *placement->held);
    placement->before = mp_arena_take(arena, pairs, sizeof *placement->before);
    placement->carried = mp_arena_take(arena, ranks, sizeof *placement->carried);
}

/* ---- single copies ----------------------------------------------------------------------------------------------- */

/* Of h copies on a rank that held b before, max(0, h - b) have moved there. */
static int *held_and_moved(struct placement *placement, size_t rank, size_t expert, bool put)
{
    int32_t *held = mp_held(placement, rank, expert), before = *mp_held_before(placement, rank, expert);
    if (put)
        placement->moved += *held >= before;
    *held += put ? 1 : -1;
    if (!put)
        placement->moved -= *held >= before;
    return held;
}

static void set_copies(struct placement *placement, size_t expert, int32_t copies)
{
    placement->copies[expert] = copies;
    placement->part[expert] = copies > 1 ? placement->load[expert] / copies : placement->load[expert];
}

/* ---- maps -------------------------------------------------------------------------------------------------------- */

void mp_placement_begin(struct placement *placement, const int64_t *map)
{
    memset(placement->before, 0, placement->ranks * placement->experts * sizeof *placement->before);
    for (size_t slot = 0; map && slot < placement->slots; slot++)
        if (map[slot] >= 0)
            ++*mp_held_before(placement, mp_rank_of(placement, slot), (size_t)map[slot]);
}

void mp_placement_set(struct placement *placement, const int32_t *map)
{
    memset(placement->held, 0, placement->ranks * placement->experts * sizeof *placement->held);
    memset(placement->copies, 0, placement->experts * sizeof *placement->copies);
    memset(placement->carried, 0, placement->ranks * sizeof *placement->carried);
    placement->moved = 0;
    for (size_t slot = 0; slot < placement->slots; slot++) {
        placement->expert[slot] = map[slot];
        if (map[slot] < 0)
            continue;
        placement->copies[map[slot]]++;
        held_and_moved(placement, mp_rank_of(placement, slot), (size_t)map[slot], true);
    }
    for (size_t e = 0; e < placement->experts; e++)
        set_copies(placement, e, placement->copies[e]);
    for (size_t slot = 0; slot < placement->slots; slot++)
        if (map[slot] >= 0)
            placement->carried[mp_rank_of(placement, slot)] += placement->part[map[slot]];
}

bool mp_placement_covers(const struct placement *placement)
{
    for (size_t e = 0; e < placement->experts; e++)
        if (placement->copies[e] == 0)
            return false;
    return true;
}

bool mp_placement_is_full(const struct placement *placement)
{
    for (size_t slot = 0; slot < placement->slots; slot++)
        if (placement->expert[slot] < 0)
            return false;
    return true;
}

/* Does every copy of experts first .. end - 1 lie on one node? */
static bool on_one_node(const struct placement *placement, size_t first, size_t end)
{
    size_t node = SIZE_MAX;
    for (size_t r = 0; r < placement->ranks; r++)
        for (size_t e = first; e < end; e++) {
            if (*mp_held(placement, r, e) == 0)
                continue;
            if (node != SIZE_MAX && node != r / placement->node_ranks)
                return false;
            node = r / placement->node_ranks;
        }
    return true;
}

bool mp_placement_keeps_groups(const struct placement *placement, size_t size)
{
    for (size_t first = 0; first < placement->experts; first += size)
        if (!on_one_node(placement, first, first + size))
            return false;
    return true;
}

/* ---- moves ------------------------------------------------------------------------------------------------------- */

static void swap(struct placement *placement, size_t i, size_t j)
{
    size_t from = mp_rank_of(placement, i), to = mp_rank_of(placement, j);
    int32_t a = placement->expert[i], b = placement->expert[j], difference = placement->part[a] - placement->part[b];
    held_and_moved(placement, from, (size_t)a, false);
    held_and_moved(placement, to, (size_t)b, false);
    held_and_moved(placement, to, (size_t)a, true);
    held_and_moved(placement, from, (size_t)b, true);
    placement->expert[i] = b;
    placement->expert[j] = a;
    placement->carried[from] -= difference;
    placement->carried[to] += difference;
}

/* Adds what all copies of an expert carry to their ranks, or takes it off. */
static void carry(struct placement *placement, size_t expert, int32_t sign)
{
    for (size_t r = 0; r < placement->ranks; r++)
        placement->carried[r] += sign * *mp_held(placement, r, expert) * placement->part[expert];
}

/* A slot gets another expert; -1: it was empty. */
static void replace(struct placement *placement, size_t slot, int32_t expert)
{
    size_t rank = mp_rank_of(placement, slot), changed[2] = {(size_t)expert, (size_t)placement->expert[slot]};
    size_t n = placement->expert[slot] < 0 ? 1 : 2;
    for (size_t i = 0; i < n; i++) {
        carry(placement, changed[i], -1);
        held_and_moved(placement, rank, changed[i], i == 0);
        set_copies(placement, changed[i], placement->copies[changed[i]] + (i == 0 ? 1 : -1));
        carry(placement, changed[i], 1);
    }
    placement->expert[slot] = expert;
}

void mp_placement_move(struct placement *placement, const struct move *move)
{
    if (move->replaces)
        replace(placement, (size_t)move->slot, move->other);
    else
        swap(placement, (size_t)move->slot, (size_t)move->other);
}

/* Does another copy of the expert on that rank count as moved? */
static int arrives(const struct placement *placement, size_t rank, int32_t expert)
{
    return *mp_held(placement, rank, (size_t)expert) >= *mp_held_before(placement, rank, (size_t)expert);
}

/* Does one copy less there? */
static int leaves(const struct placement *placement, size_t rank, int32_t expert)
{
    return *mp_held(placement, rank, (size_t)expert) > *mp_held_before(placement, rank, (size_t)expert);
}

int mp_placement_moves(const struct placement *placement, const struct move *move)
{
    size_t rank = mp_rank_of(placement, (size_t)move->slot);
    int32_t a = placement->expert[move->slot], b = move->replaces ? move->other : placement->expert[move->other];
    int moves = arrives(placement, rank, b) - leaves(placement, rank, a);
    if (move->replaces)
        return moves;
    size_t to = mp_rank_of(placement, (size_t)move->other);
    return moves + arrives(placement, to, a) - leaves(placement, to, b);
}

size_t mp_placement_hottest(const struct placement *placement)
{
    size_t hottest = 0;
    for (size_t r = 1; r < placement->ranks; r++)
        if (placement->carried[r] > placement->carried[hottest])
            hottest = r;
    return hottest;
}
