/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers, of equal ones the first; allocates: nothing. */
#include "placement/double_swap.h"

enum {
    MOST_RANK_SLOTS = 64 /* time grows with their fourth power; where there are more, swaps alone balance well */
};

/* The best so far: slots i and k of the hottest rank for j and l. */
struct double_swap {
    int32_t peak;
    size_t i, j, k, l;
};

static bool fits(const struct placement *placement, size_t rank, size_t slot)
{
    return *mp_held(placement, rank, (size_t)placement->expert[slot]) == 0;
}

static int32_t part_of(const struct placement *placement, size_t slot)
{
    return placement->part[placement->expert[slot]];
}

/* Against every pair of slots of a rank. With d, what the two slots carry more than the two of that rank, the ranks then
 * carry hot - d and other + d. */
static void try_pairs(const struct placement *placement, size_t i, size_t k, size_t rank, struct double_swap *best)
{
    size_t hot = mp_rank_of(placement, i), first = rank * placement->rank_slots, end = first + placement->rank_slots;
    int32_t both = part_of(placement, i) + part_of(placement, k);
    for (size_t j = first; j < end; j++) {
        if (!fits(placement, hot, j))
            continue;
        for (size_t l = j + 1; l < end; l++) {
            int32_t d = both - part_of(placement, j) - part_of(placement, l);
            int32_t less = placement->carried[hot] - d, more = placement->carried[rank] + d;
            int32_t peak = less > more ? less : more;
            if (peak < best->peak && fits(placement, hot, l))
                *best = (struct double_swap){peak, i, j, k, l};
        }
    }
}

static void try_rank(const struct placement *placement, size_t hot, size_t rank, struct double_swap *best)
{
    size_t first = hot * placement->rank_slots, end = first + placement->rank_slots;
    for (size_t i = first; i < end; i++)
        for (size_t k = i + 1; k < end && fits(placement, rank, i); k++)
            if (fits(placement, rank, k))
                try_pairs(placement, i, k, rank, best);
}

bool mp_double_swap(struct placement *placement)
{
    if (placement->rank_slots > MOST_RANK_SLOTS)
        return false;
    size_t hot = mp_placement_hottest(placement), first = hot - hot % placement->node_ranks;
    struct double_swap best = {.peak = placement->carried[hot]};
    for (size_t r = first; r < first + placement->node_ranks; r++)
        if (r != hot && ((int64_t)placement->carried[hot] + placement->carried[r]) / 2 < best.peak)
            try_rank(placement, hot, r, &best);
    if (best.peak == placement->carried[hot])
        return false;
    mp_placement_move(placement, &(struct move){.slot = (int32_t)best.i, .other = (int32_t)best.j});
    mp_placement_move(placement, &(struct move){.slot = (int32_t)best.k, .other = (int32_t)best.l});
    return true;
}
