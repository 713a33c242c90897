/* SPDX-License-Identifier: BSD-3-Clause */
/* A map that lacks copies, has empty slots, or two copies of an expert on one rank becomes one without.
 *
 * It always can where every node has its part of the experts: a rank has at most as many slots, so if one of them is
 * free, or doubles another, some expert is not on the rank. But a caller's map may have most groups on one node, and too
 * few experts on another. */
#include "placement/placement.h"

/* Is the slot empty, or does it double another one of its rank? */
static bool is_free(const struct placement *placement, size_t slot)
{
    int32_t expert = placement->expert[slot];
    return expert < 0 || *mp_held(placement, mp_rank_of(placement, slot), (size_t)expert) > 1;
}

/* A slot for an expert without a copy: a free one, on the rank with the least load; else the copy whose loss adds
 * least to those that remain. */
static size_t slot_for_missing(const struct placement *placement)
{
    size_t best = SIZE_MAX, least_rank = SIZE_MAX;
    for (size_t slot = 0; slot < placement->slots; slot++) {
        size_t rank = mp_rank_of(placement, slot);
        if (is_free(placement, slot) &&
            (least_rank == SIZE_MAX || placement->carried[rank] < placement->carried[least_rank])) {
            best = slot;
            least_rank = rank;
        }
    }
    int32_t least = INT32_MAX;
    for (size_t slot = 0; slot < placement->slots && least_rank == SIZE_MAX; slot++) {
        int32_t expert = placement->expert[slot], copies = placement->copies[expert];
        if (copies > 1 && placement->load[expert] / (copies - 1) < least) {
            best = slot;
            least = placement->load[expert] / (copies - 1);
        }
    }
    return best;
}

/* Does an expert lie on the node? An expert without a copy may lie anywhere. */
static bool on_node(const struct placement *placement, size_t expert, size_t first_rank)
{
    for (size_t r = first_rank; r < first_rank + placement->node_ranks; r++)
        if (*mp_held(placement, r, expert) > 0)
            return true;
    return placement->copies[expert] == 0;
}

/* The expert with the largest part of those that the rank may still get; -1 if there is none. */
static int32_t expert_for_free(const struct placement *placement, size_t rank)
{
    size_t first_rank = rank - rank % placement->node_ranks;
    int32_t best = -1;
    for (size_t e = 0; e < placement->experts; e++)
        if (*mp_held(placement, rank, e) == 0 && (best < 0 || placement->part[e] > placement->part[best]) &&
            on_node(placement, e, first_rank))
            best = (int32_t)e;
    return best;
}

static void fill(struct placement *placement, size_t slot, int32_t expert)
{
    mp_placement_move(placement, &(struct move){.slot = (int32_t)slot, .other = expert, .replaces = true});
}

bool mp_placement_repair(struct placement *placement)
{
    for (size_t e = 0; e < placement->experts; e++)
        if (placement->copies[e] == 0)
            fill(placement, slot_for_missing(placement), (int32_t)e);
    for (size_t slot = 0; slot < placement->slots; slot++) {
        if (!is_free(placement, slot))
            continue;
        int32_t expert = expert_for_free(placement, mp_rank_of(placement, slot));
        if (expert < 0)
            return false;
        fill(placement, slot, expert);
    }
    return true;
}
