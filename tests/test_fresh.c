/* SPDX-License-Identifier: BSD-3-Clause */
/* Maps from scratch against brute force, and against the rules that they are made by. */
#include "placed.h"

#include "placement/fresh.h"

enum { TRIALS = 60 };

struct made {
    struct shape shape;
    struct arena arena;
    struct fresh fresh;
    struct placement placement; /* has the loads */
};

static void lay_out_made(void *self, struct arena *arena)
{
    struct made *made = self;
    const struct shape *shape = &made->shape;
    mp_fresh_lay_out(&made->fresh, arena, shape->experts, shape->ranks);
    mp_placement_lay_out(&made->placement, arena, shape->experts, shape->slots, shape->ranks, shape->nodes);
}

static void make(struct made *made, const struct shape *shape, uint64_t *seed)
{
    made->shape = *shape;
    assert_true(mp_arena_make(&made->arena, lay_out_made, made, &heap));
    set_random_loads(&made->placement, seed);
    mp_placement_begin(&made->placement, NULL);
}

/* Those of one node. */
#define for_each_flat_shape(shape) \
    for (const struct shape *shape = shapes; shape < shapes + SHAPES && shape->nodes == 1; shape++)

/* ---- copies ------------------------------------------------------------------------------------------------------ */

/* The smallest possible largest part of experts e and later ones, which share so many slots. */
static int32_t least_largest_part(const int32_t *load, size_t n, size_t slots, size_t ranks)
{
    int32_t least = INT32_MAX;
    if (n == 0)
        return slots == 0 ? 0 : INT32_MAX;
    for (size_t copies = 1; copies <= ranks && copies + n - 1 <= slots; copies++) {
        int32_t part = load[0] / (int32_t)copies, rest = least_largest_part(load + 1, n - 1, slots - copies, ranks);
        int32_t largest = part > rest ? part : rest;
        least = largest < least ? largest : least;
    }
    return least;
}

static void the_largest_part_is_the_smallest_that_there_can_be(void **state)
{
    (void)state;
    const struct shape small[] = {{1, 2, 2, 1}, {3, 3, 3, 1}, {3, 6, 3, 1}, {4, 9, 3, 1}, {5, 8, 4, 1}, {4, 16, 4, 1}};
    struct made made;
    uint64_t seed = 91;
    for (size_t trial = 0; trial < 20 * sizeof small / sizeof *small; trial++) {
        const struct shape *shape = &small[trial % (sizeof small / sizeof *small)];
        int32_t map[PLACED_SLOTS];
        make(&made, shape, &seed);
        const int32_t *load = made.placement.load;
        int32_t largest = mp_fresh_map(&made.fresh, load, shape->experts, shape->slots, shape->ranks, map);
        assert_int_equal(largest, least_largest_part(load, shape->experts, shape->slots, shape->ranks));
        for (size_t e = 0; e < shape->experts; e++) {
            int32_t copies = copies_in(map, 0, shape->slots, (int32_t)e);
            assert_in_range(copies, 1, shape->ranks);
            assert_true(load[e] / copies <= largest);
        }
        mp_arena_free(&made.arena, &heap);
    }
}

static void copies_that_tie_go_to_the_lowest_index(void **state)
{
    (void)state;
    const struct shape shape = {4, 6, 3, 1};
    const int32_t equal[4] = {100, 100, 100, 100}, zeros[4] = {0};
    int32_t map[6];
    struct made made;
    uint64_t seed = 92;
    make(&made, &shape, &seed);
    mp_fresh_map(&made.fresh, equal, 4, 6, 3, map);
    for (int32_t e = 0; e < 4; e++)
        assert_int_equal(copies_in(map, 0, 6, e), e < 2 ? 2 : 1);
    mp_fresh_map(&made.fresh, zeros, 4, 6, 3, map);
    for (int32_t e = 0; e < 4; e++)
        assert_int_equal(copies_in(map, 0, 6, e), e == 0 ? 3 : 1);
    mp_arena_free(&made.arena, &heap);
}

/* ---- ranks ------------------------------------------------------------------------------------------------------- */

/* The rule as the header of the file has it: the least loaded rank with a free slot, without the expert if there is
 * one. map: -1 where a slot is free. */
static size_t slot_by_rule(const struct placement *placement, const int32_t *map, const int64_t *carried,
                           int32_t expert)
{
    size_t best = SIZE_MAX, each = placement->rank_slots;
    bool best_has = true;
    for (size_t r = 0; r < placement->ranks; r++) {
        bool has = copies_in(map, r * each, (r + 1) * each, expert) > 0;
        if (copies_in(map, r * each, (r + 1) * each, -1) == 0)
            continue;
        if (best == SIZE_MAX || has < best_has || (has == best_has && carried[r] < carried[best])) {
            best = r;
            best_has = has;
        }
    }
    for (size_t slot = best * each;; slot++)
        if (map[slot] < 0)
            return slot;
}

static void experts_with_the_largest_parts_choose_the_least_loaded_ranks_first(void **state)
{
    (void)state;
    uint64_t seed = 93;
    for_each_flat_shape(shape)
    {
        for (size_t trial = 0; trial < TRIALS / 4; trial++) {
            int32_t map[PLACED_SLOTS], ours[PLACED_SLOTS], copies[PLACED_EXPERTS];
            int64_t carried[PLACED_SLOTS] = {0};
            struct made made;
            make(&made, shape, &seed);
            const int32_t *load = made.placement.load;
            mp_fresh_map(&made.fresh, load, shape->experts, shape->slots, shape->ranks, map);
            for (size_t slot = 0; slot < shape->slots; slot++)
                ours[slot] = -1;
            for (size_t e = 0; e < shape->experts; e++)
                copies[e] = copies_in(map, 0, shape->slots, (int32_t)e);
            for (size_t i = 0; i < shape->experts; i++) {
                size_t next = SIZE_MAX;
                for (size_t e = 0; e < shape->experts; e++)
                    if (copies[e] > 0 && (next == SIZE_MAX || load[e] / copies[e] > load[next] / copies[next]))
                        next = e;
                int32_t part = load[next] / copies[next];
                for (; copies[next] > 0; copies[next]--) {
                    size_t slot = slot_by_rule(&made.placement, ours, carried, (int32_t)next);
                    ours[slot] = (int32_t)next;
                    carried[slot / made.placement.rank_slots] += part;
                }
            }
            assert_memory_equal(map, ours, shape->slots * sizeof *map);
            mp_arena_free(&made.arena, &heap);
        }
    }
}

int main(void)
{
    const struct CMUnitTest fresh[] = {
        cmocka_unit_test(the_largest_part_is_the_smallest_that_there_can_be),
        cmocka_unit_test(copies_that_tie_go_to_the_lowest_index),
        cmocka_unit_test(experts_with_the_largest_parts_choose_the_least_loaded_ranks_first),
    };
    return cmocka_run_group_tests(fresh, NULL, NULL);
}
