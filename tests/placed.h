/* SPDX-License-Identifier: BSD-3-Clause */
/* Placements of random loads and maps, for the unit tests of plans. */
#ifndef TESTS_PLACED_H
#define TESTS_PLACED_H

#include "support.h"

#include "placement/placement.h"

enum { PLACED_EXPERTS = 32, PLACED_SLOTS = 64 };

static const struct memory heap = {mp_default_allocate, mp_default_release, NULL};

struct shape {
    size_t experts, slots, ranks, nodes;
};

/* One rank; slots of one; as many slots as experts; every rank can hold all; copies; nodes. */
static const struct shape shapes[] = {{4, 4, 1, 1},   {3, 6, 6, 1},   {12, 12, 4, 1}, {4, 16, 4, 1},
                                      {10, 16, 4, 1}, {16, 24, 8, 1}, {12, 16, 4, 2}, {12, 24, 6, 3}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

struct placed {
    struct shape shape;
    struct arena arena;
    struct placement placement;
    int32_t map[PLACED_SLOTS];
};

static inline size_t random_below(uint64_t *seed, size_t n)
{
    return (size_t)((random_number(seed) >> 32) % n);
}

static inline void lay_out_placed(void *self, struct arena *arena)
{
    struct placed *placed = self;
    const struct shape *shape = &placed->shape;
    mp_placement_lay_out(&placed->placement, arena, shape->experts, shape->slots, shape->ranks, shape->nodes);
}

/* Loads that sum to the unit but for rounding: some equal, some 0, one large now and then. */
static inline void set_random_loads(struct placement *placement, uint64_t *seed)
{
    uint64_t weights[PLACED_EXPERTS], total = 0;
    for (size_t e = 0; e < placement->experts; e++)
        total += weights[e] = random_below(seed, 5) == 0 ? 0 : 1 + random_below(seed, 40);
    weights[0] += random_below(seed, 4) == 0 ? 3 * total + 1 : 1;
    total = 0;
    for (size_t e = 0; e < placement->experts; e++)
        total += weights[e];
    for (size_t e = 0; e < placement->experts; e++)
        placement->load[e] = (int32_t)(weights[e] * MP_LOAD_UNIT / total);
}

/* A map with a copy of every expert, no empty slot and no duplicates. Nodes have as many experts each, whose copies stay
 * there. consecutive: node 0 has the first ones, and so on; otherwise any. */
static inline void random_map(const struct shape *shape, bool consecutive, uint64_t *seed, int32_t *map)
{
    int32_t order[PLACED_EXPERTS], copies[PLACED_EXPERTS] = {0};
    size_t rank_slots = shape->slots / shape->ranks, of_node = shape->experts / shape->nodes;
    size_t node_slots = shape->slots / shape->nodes;
    for (size_t e = 0; e < shape->experts; e++)
        order[e] = (int32_t)e;
    for (size_t e = shape->experts; e-- > 1;) {
        size_t first = consecutive ? e - e % of_node : 0, other = first + random_below(seed, e - first + 1);
        int32_t swapped = order[e];
        order[e] = order[other];
        order[other] = swapped;
    }
    for (size_t slot = 0; slot < shape->slots; slot++)
        copies[map[slot] = order[slot / node_slots * of_node + slot % node_slots % of_node]]++;
    for (size_t i = 0; i < 4 * shape->slots; i++) { /* other numbers of copies */
        size_t slot = random_below(seed, shape->slots), first = slot - slot % rank_slots;
        int32_t expert = order[slot / node_slots * of_node + random_below(seed, of_node)];
        bool there = copies[map[slot]] < 2;
        for (size_t other = first; other < first + rank_slots; other++)
            there |= map[other] == expert;
        if (there)
            continue;
        copies[map[slot]]--;
        copies[map[slot] = expert]++;
    }
}

/* A placement of the shape with random loads, which begins at one random map and is set to another. */
static inline void place(struct placed *placed, const struct shape *shape, uint64_t *seed)
{
    int32_t before[PLACED_SLOTS];
    int64_t wide[PLACED_SLOTS];
    placed->shape = *shape;
    assert_true(mp_arena_make(&placed->arena, lay_out_placed, placed, &heap));
    set_random_loads(&placed->placement, seed);
    random_map(shape, true, seed, placed->map);
    random_map(shape, true, seed, before);
    for (size_t slot = 0; slot < shape->slots; slot++)
        wide[slot] = before[slot];
    mp_placement_begin(&placed->placement, wide);
    mp_placement_set(&placed->placement, placed->map);
}

static inline void unplace(struct placed *placed)
{
    mp_arena_free(&placed->arena, &heap);
}

/* Copies of an expert in the slots first .. end - 1 of a map. */
static inline int32_t copies_in(const int32_t *map, size_t first, size_t end, int32_t expert)
{
    int32_t copies = 0;
    for (size_t slot = first; slot < end; slot++)
        copies += map[slot] == expert;
    return copies;
}

/* The load of a rank under a map, and the copies that were not on their rank before: from the definitions. */
static inline int32_t load_of_rank(const struct placement *placement, const int32_t *map, size_t rank)
{
    int32_t load = 0;
    for (size_t slot = rank * placement->rank_slots; slot < (rank + 1) * placement->rank_slots; slot++)
        if (map[slot] >= 0)
            load += placement->load[map[slot]] / copies_in(map, 0, placement->slots, map[slot]);
    return load;
}

static inline size_t moved_of(const struct placement *placement, const int32_t *map)
{
    size_t moved = 0;
    for (size_t r = 0; r < placement->ranks; r++)
        for (size_t e = 0; e < placement->experts; e++) {
            int32_t held = copies_in(map, r * placement->rank_slots, (r + 1) * placement->rank_slots, (int32_t)e);
            int32_t before = *mp_held_before(placement, r, e);
            moved += held > before ? (size_t)(held - before) : 0;
        }
    return moved;
}

static inline bool has_duplicates(const struct placement *placement, const int32_t *map)
{
    for (size_t slot = 0; slot < placement->slots; slot++) {
        size_t first = slot - slot % placement->rank_slots;
        if (map[slot] >= 0 && copies_in(map, first, first + placement->rank_slots, map[slot]) > 1)
            return true;
    }
    return false;
}

#endif
