/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the experts of one layer lie, and what the ranks carry: the state that a search changes step by step.
 *
 * Loads are integers, of which MP_LOAD_UNIT is the whole layer's. Their sums are exact in any order, so that every
 * processor and any number of threads finds the same plan. Each of c copies takes floor(load / c). Two layers' loads and
 * more fit into 32 bits. */
#ifndef MP_PLACEMENT_PLACEMENT_H
#define MP_PLACEMENT_PLACEMENT_H

#include "placement/layout.h"
#include "support/arena.h"

enum { MP_LOAD_UNIT = 1 << 29 };

static inline int32_t mp_larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

/* The load of a share, which is at least 0, rounded to the nearest. */
static inline int32_t mp_load_of(double share)
{
    return (int32_t)(share * MP_LOAD_UNIT + 0.5);
}

struct placement {
    size_t experts, slots, ranks, rank_slots;
    size_t node_ranks; /* copies stay on their node, of so many consecutive ranks */
    int32_t *load;     /* [experts]: of all copies together */
    int32_t *expert;   /* [slots], -1 where empty */
    int32_t *copies;   /* [experts] */
    int32_t *part;     /* [experts]: load / copies; load where there is none */
    int32_t *held;     /* [experts][ranks]: copies on the rank */
    int32_t *before;   /* [experts][ranks]: the same of the map from which moves count */
    int32_t *carried;  /* [ranks]: rank loads */
    size_t moved;      /* copies that were not on their rank before */
};

/* What a step of search does. */
struct move {
    int32_t peak;  /* the larger load of the two ranks, or the largest of all, that is expected of it */
    int32_t slot;  /* whose expert changes places ... */
    int32_t other; /* ... with this slot's; or is replaced by a copy of this expert */
    bool replaces;
};

/* Takes the arrays of a placement of that size from the arena (arena.h). */
void mp_placement_lay_out(struct placement *placement, struct arena *arena, size_t experts, size_t slots, size_t ranks,
                          size_t nodes);

/* Makes a map that from which moves count; -1 is an empty slot. NULL: every copy moves. */
void mp_placement_begin(struct placement *placement, const int64_t *map);

/* Takes over a map; loads are set. */
void mp_placement_set(struct placement *placement, const int32_t *map);

/* Carries out a move. */
void mp_placement_move(struct placement *placement, const struct move *move);

/* The copies that a move would move, less those that it would move back. */
int mp_placement_moves(const struct placement *placement, const struct move *move);

/* Has every expert a copy? Has every slot an expert? */
bool mp_placement_covers(const struct placement *placement);
bool mp_placement_is_full(const struct placement *placement);

/* Are all copies of every group of `size` consecutive experts on one node? */
bool mp_placement_keeps_groups(const struct placement *placement, size_t size);

/* Gives every expert a copy, fills empty slots, and removes duplicates: second copies of an expert on a rank. False,
 * and not all of it is done, if a rank has more slots than its node has experts. */
bool mp_placement_repair(struct placement *placement);

static inline size_t mp_rank_of(const struct placement *placement, size_t slot)
{
    return slot / placement->rank_slots;
}

/* The copies of an expert on a rank, now and before. */
static inline int32_t *mp_held(const struct placement *placement, size_t rank, size_t expert)
{
    return placement->held + expert * placement->ranks + rank;
}

static inline int32_t *mp_held_before(const struct placement *placement, size_t rank, size_t expert)
{
    return placement->before + expert * placement->ranks + rank;
}

/* The rank with the largest load, the first of several. */
size_t mp_placement_hottest(const struct placement *placement);

#endif
