/* SPDX-License-Identifier: BSD-3-Clause */
/* New maps whose ranks and slots are numbered so that copies stay. */
#include "placed.h"

#include "placement/relabel.h"

enum { TRIALS = 30 };

struct relabelled {
    struct placed placed;
    struct arena arena;
    struct relabel relabel;
    int64_t present[PLACED_SLOTS];
};

static void lay_out(void *self, struct arena *arena)
{
    struct relabelled *relabelled = self;
    const struct shape *shape = &relabelled->placed.shape;
    mp_relabel_lay_out(&relabelled->relabel, arena, shape->slots, shape->ranks, shape->nodes);
}

/* `current` of the placement is any map, its new one another. */
static void begin(struct relabelled *relabelled, const struct shape *shape, uint64_t *seed)
{
    int32_t map[PLACED_SLOTS];
    place(&relabelled->placed, shape, seed);
    assert_true(mp_arena_make(&relabelled->arena, lay_out, relabelled, &heap));
    random_map(shape, true, seed, map);
    for (size_t slot = 0; slot < shape->slots; slot++)
        relabelled->present[slot] = random_below(seed, 10) == 0 ? -1 : map[slot];
    mp_placement_begin(&relabelled->placed.placement, relabelled->present);
    mp_placement_set(&relabelled->placed.placement, relabelled->placed.map);
}

static void end(struct relabelled *relabelled)
{
    mp_arena_free(&relabelled->arena, &heap);
    unplace(&relabelled->placed);
}

/* Are the experts of a rank of one map those of a rank of another, in any order? */
static bool same_rank(const struct placement *placement, const int32_t *a, size_t rank, const int32_t *b, size_t other)
{
    size_t each = placement->rank_slots;
    for (size_t slot = rank * each; slot < (rank + 1) * each; slot++)
        if (copies_in(b, other * each, (other + 1) * each, a[slot]) !=
            copies_in(a, rank * each, (rank + 1) * each, a[slot]))
            return false;
    return true;
}

/* The new rank that got each number, every one once; of ranks that are alike any. */
static void assert_is_a_renumbering(const struct relabelled *relabelled)
{
    const struct placement *placement = &relabelled->placed.placement;
    const int32_t *old = relabelled->placed.map, *becomes = relabelled->relabel.becomes;
    bool taken[PLACED_SLOTS] = {false};
    for (size_t r = 0; r < placement->ranks; r++) {
        assert_true(same_rank(placement, old, r, placement->expert, (size_t)becomes[r]));
        assert_false(taken[becomes[r]]);
        taken[becomes[r]] = true;
        size_t node = r - r % placement->node_ranks; /* all its ranks go where its first one goes */
        assert_int_equal((size_t)becomes[r] / placement->node_ranks, (size_t)becomes[node] / placement->node_ranks);
    }
    assert_int_equal(placement->moved, moved_of(placement, placement->expert));
}

static void ranks_are_renumbered_and_nodes_stay_together(void **state)
{
    (void)state;
    uint64_t seed = 131;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        struct relabelled relabelled;
        begin(&relabelled, &shapes[trial % SHAPES], &seed);
        mp_relabel(&relabelled.relabel, &relabelled.placed.placement);
        assert_is_a_renumbering(&relabelled);
        end(&relabelled);
    }
}

/* Copies on ranks of the new map that ranks of the present one have too. */
static size_t in_common(const struct relabelled *relabelled, size_t rank, size_t present, size_t ranks)
{
    const struct placement *placement = &relabelled->placed.placement;
    size_t common = 0, each = placement->rank_slots;
    for (size_t i = 0; i < ranks * ranks; i++)
        for (size_t slot = (rank + i / ranks) * each; slot < (rank + i / ranks + 1) * each; slot++)
            common += *mp_held_before(placement, present + i % ranks, (size_t)relabelled->placed.map[slot]) > 0;
    return common;
}

/* Units of so many ranks: no pair has more in common than the partners that both of it have got. */
static void assert_most_in_common_first(const struct relabelled *relabelled, size_t first, size_t end, size_t unit)
{
    const int32_t *becomes = relabelled->relabel.becomes;
    for (size_t a = first; a < end; a += unit)
        for (size_t b = first; b < end; b += unit) {
            size_t of_a = (size_t)becomes[a] / unit * unit, of_b = (size_t)becomes[b] / unit * unit;
            size_t pair = in_common(relabelled, a, of_b, unit);
            assert_true(pair <= in_common(relabelled, a, of_a, unit) || pair <= in_common(relabelled, b, of_b, unit));
        }
}

static void nodes_and_then_ranks_with_most_in_common_are_matched_first(void **state)
{
    (void)state;
    uint64_t seed = 132;
    size_t before = 0, after = 0;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        struct relabelled relabelled;
        begin(&relabelled, &shapes[trial % SHAPES], &seed);
        const struct placement *placement = &relabelled.placed.placement;
        size_t node = placement->node_ranks;
        before += placement->moved;
        mp_relabel(&relabelled.relabel, &relabelled.placed.placement);
        after += placement->moved;
        assert_most_in_common_first(&relabelled, 0, placement->ranks, node);
        for (size_t first = 0; first < placement->ranks; first += node)
            assert_most_in_common_first(&relabelled, first, first + node, 1);
        end(&relabelled);
    }
    assert_true(after < before - before / 10); /* a single map may move more than it would as it was numbered */
}

/* Rank 0 has expert 0 twice, but a new rank can keep one copy of it only. */
static void second_copies_are_not_in_common_twice(void **state)
{
    (void)state;
    const struct shape shape = {6, 6, 2, 1};
    const int64_t present[] = {0, 0, 1, 2, 3, 4};
    const int32_t map[] = {0, 2, 3, 1, 4, 5};
    uint64_t seed = 135;
    struct relabelled relabelled;
    begin(&relabelled, &shape, &seed);
    mp_placement_begin(&relabelled.placed.placement, present);
    mp_placement_set(&relabelled.placed.placement, map);
    mp_relabel(&relabelled.relabel, &relabelled.placed.placement);
    assert_int_equal(relabelled.placed.placement.moved, 3);
    end(&relabelled);
}

/* The present map with its ranks, or its nodes, in another order: none moves. */
static void a_map_whose_ranks_are_only_renumbered_moves_nothing(void **state)
{
    (void)state;
    uint64_t seed = 133;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        struct relabelled relabelled;
        begin(&relabelled, &shapes[trial % SHAPES], &seed);
        struct placement *placement = &relabelled.placed.placement;
        size_t slots = placement->slots, by = (1 + random_below(&seed, placement->ranks)) * placement->rank_slots;
        if (placement->ranks > placement->node_ranks)
            by = placement->node_ranks * placement->rank_slots;
        for (size_t slot = 0; slot < slots; slot++)
            relabelled.present[slot] = relabelled.placed.map[(slot + by) % slots];
        mp_placement_begin(placement, relabelled.present);
        mp_placement_set(placement, relabelled.placed.map);
        mp_relabel(&relabelled.relabel, placement);
        assert_int_equal(placement->moved, 0);
        end(&relabelled);
    }
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

static void copies_that_stay_on_their_rank_keep_their_slots(void **state)
{
    (void)state;
    uint64_t seed = 134;
    size_t kept = 0;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        struct relabelled relabelled;
        begin(&relabelled, &shapes[trial % SHAPES], &seed);
        const struct placement *placement = &relabelled.placed.placement;
        int32_t map[PLACED_SLOTS];
        size_t each = placement->rank_slots;
        if (trial % 3 == 0 && each > 1) /* a doubled expert, of which one copy stays in one of its slots */
            relabelled.present[0] = relabelled.present[1];
        memcpy(map, relabelled.placed.map, placement->slots * sizeof *map);
        mp_keep_slots(placement, relabelled.present, map);
        for (size_t r = 0; r < placement->ranks; r++)
            assert_true(same_rank(placement, map, r, relabelled.placed.map, r));
        for (size_t slot = 0; slot < placement->slots; slot++) {
            size_t first = slot - slot % each, was = 0, is = 0;
            for (size_t other = first; other < first + each; other++) {
                was += relabelled.present[other] == map[slot];
                is += relabelled.present[other] == map[slot] && map[other] == map[slot];
            }
            assert_int_equal(is, was > 0);
            kept += is;
        }
        end(&relabelled);
    }
    assert_true(kept > TRIALS);
}

int main(void)
{
    const struct CMUnitTest relabel[] = {
        cmocka_unit_test(ranks_are_renumbered_and_nodes_stay_together),
        cmocka_unit_test(nodes_and_then_ranks_with_most_in_common_are_matched_first),
        cmocka_unit_test(second_copies_are_not_in_common_twice),
        cmocka_unit_test(a_map_whose_ranks_are_only_renumbered_moves_nothing),
        cmocka_unit_test(copies_that_stay_on_their_rank_keep_their_slots),
    };
    return cmocka_run_group_tests(relabel, NULL, NULL);
}
