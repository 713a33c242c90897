/* SPDX-License-Identifier: BSD-3-Clause */
/* Where experts lie, kept up to date move by move, against what the map alone says. */
#include "placed.h"

enum { TRIALS = 12, MOVES = 30 };

static void assert_as_from_scratch(const struct placement *placement, const int32_t *map)
{
    assert_memory_equal(placement->expert, map, placement->slots * sizeof *map);
    for (size_t e = 0; e < placement->experts; e++) {
        int32_t copies = copies_in(map, 0, placement->slots, (int32_t)e);
        assert_int_equal(placement->copies[e], copies);
        assert_int_equal(placement->part[e], placement->load[e] / (copies > 0 ? copies : 1));
        for (size_t r = 0; r < placement->ranks; r++)
            assert_int_equal(*mp_held(placement, r, e),
                             copies_in(map, r * placement->rank_slots, (r + 1) * placement->rank_slots, (int32_t)e));
    }
    for (size_t r = 0; r < placement->ranks; r++)
        assert_int_equal(placement->carried[r], load_of_rank(placement, map, r));
    assert_int_equal(placement->moved, moved_of(placement, map));
}

/* ---- moves ------------------------------------------------------------------------------------------------------- */

/* Any move that code may ask for: two full slots change their experts, or any slot gets one. Makes it in the map. */
static struct move random_move(const struct placement *placement, uint64_t *seed, int32_t *map)
{
    struct move move = {.slot = (int32_t)random_below(seed, placement->slots)};
    move.replaces = map[move.slot] < 0 || random_below(seed, 2) == 0;
    move.other = (int32_t)random_below(seed, move.replaces ? placement->experts : placement->slots);
    if (!move.replaces && map[move.other] < 0)
        move.other = move.slot;
    int32_t expert = map[move.slot];
    map[move.slot] = move.replaces ? move.other : map[move.other];
    if (!move.replaces)
        map[move.other] = expert;
    return move;
}

/* Maps with empty slots, missing experts and duplicates among them. */
static void after_every_move_all_is_as_from_scratch(void **state)
{
    (void)state;
    struct placed placed;
    uint64_t seed = 81;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        place(&placed, &shapes[trial % SHAPES], &seed);
        int32_t *map = placed.map;
        for (size_t slot = 0; slot < placed.shape.slots && trial % 2 == 1; slot++)
            map[slot] = (int32_t)random_below(&seed, placed.shape.experts + 1) - 1;
        mp_placement_set(&placed.placement, map);
        assert_as_from_scratch(&placed.placement, map);
        for (size_t i = 0; i < MOVES; i++) {
            struct move move = random_move(&placed.placement, &seed, map);
            mp_placement_move(&placed.placement, &move);
            assert_as_from_scratch(&placed.placement, map);
        }
        unplace(&placed);
    }
}

static void without_a_map_before_every_copy_moves(void **state)
{
    (void)state;
    struct placed placed;
    uint64_t seed = 82;
    place(&placed, &shapes[4], &seed);
    mp_placement_begin(&placed.placement, NULL);
    mp_placement_set(&placed.placement, placed.map);
    assert_int_equal(placed.placement.moved, placed.shape.slots);
    unplace(&placed);
}

static void the_copies_that_a_move_moves_are_told_before_it_is_made(void **state)
{
    (void)state;
    struct placed placed;
    uint64_t seed = 83;
    size_t told[5] = {0};
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        place(&placed, &shapes[trial % SHAPES], &seed);
        struct placement *placement = &placed.placement;
        for (size_t i = 0; i < MOVES; i++) {
            struct move move = random_move(placement, &seed, placed.map);
            int32_t from = placement->expert[move.slot],
                    to = move.replaces ? move.other : placement->expert[move.other];
            bool asked = from != to && (move.replaces || mp_rank_of(placement, (size_t)move.slot) !=
                                                             mp_rank_of(placement, (size_t)move.other));
            int moves = asked ? mp_placement_moves(placement, &move) : 0;
            size_t before = placement->moved;
            mp_placement_move(placement, &move);
            if (!asked)
                continue;
            assert_int_equal((int)placement->moved - (int)before, moves);
            told[moves + 2]++;
        }
        unplace(&placed);
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(told[i] > 0); /* -2 .. 2 */
}

/* ---- what is asked of a map -------------------------------------------------------------------------------------- */

static void a_map_that_lacks_an_expert_or_has_an_empty_slot_is_told(void **state)
{
    (void)state;
    struct placed placed;
    uint64_t seed = 84;
    place(&placed, &shapes[4], &seed);
    struct placement *placement = &placed.placement;
    assert_true(mp_placement_covers(placement) && mp_placement_is_full(placement));
    placed.map[placed.shape.slots - 1] = -1;
    mp_placement_set(placement, placed.map);
    assert_false(mp_placement_is_full(placement));
    for (size_t slot = 0; slot < placed.shape.slots; slot++)
        placed.map[slot] = (int32_t)(slot % (placed.shape.experts - 1));
    mp_placement_set(placement, placed.map);
    assert_false(mp_placement_covers(placement));
    assert_true(mp_placement_is_full(placement));
    unplace(&placed);
}

static void the_hottest_rank_is_the_first_with_the_largest_load(void **state)
{
    (void)state;
    struct placed placed;
    uint64_t seed = 85;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        place(&placed, &shapes[trial % SHAPES], &seed);
        const struct placement *placement = &placed.placement;
        size_t hottest = mp_placement_hottest(placement);
        for (size_t r = 0; r < placed.shape.ranks; r++)
            assert_true(placement->carried[r] < placement->carried[hottest] + (r >= hottest));
        unplace(&placed);
    }
}

static bool groups_lie_on_one_node(const struct placed *placed, size_t size)
{
    size_t node_slots = placed->shape.slots / placed->shape.nodes;
    for (size_t i = 0; i < placed->shape.slots; i++)
        for (size_t j = 0; j < i; j++)
            if (placed->map[i] >= 0 && placed->map[j] >= 0 &&
                placed->map[i] / (int32_t)size == placed->map[j] / (int32_t)size && i / node_slots != j / node_slots)
                return false;
    return true;
}

static void groups_are_kept_if_all_their_copies_lie_on_one_node(void **state)
{
    (void)state;
    struct placed placed;
    uint64_t seed = 86;
    size_t kept[2] = {0};
    for (size_t trial = 0; trial < 100; trial++) {
        place(&placed, &shapes[SHAPES - 1 - trial % 2], &seed);
        for (size_t i = 0; i < trial % 3; i++)
            placed.map[random_below(&seed, placed.shape.slots)] =
                (int32_t)random_below(&seed, placed.shape.experts + 1) - 1;
        mp_placement_set(&placed.placement, placed.map);
        for (size_t size = 1; size <= 4; size *= 2) {
            bool expected = groups_lie_on_one_node(&placed, size);
            assert_int_equal(mp_placement_keeps_groups(&placed.placement, size), expected);
            kept[expected]++;
        }
        unplace(&placed);
    }
    assert_true(kept[0] > 50 && kept[1] > 50);
}

/* ---- repair ------------------------------------------------------------------------------------------------------ */

/* Of one node any map; of several, copies stay on the expert's node. */
static void break_map(struct placed *placed, uint64_t *seed)
{
    size_t node_slots = placed->shape.slots / placed->shape.nodes,
           of_node = placed->shape.experts / placed->shape.nodes;
    for (size_t slot = 0; slot < placed->shape.slots; slot++)
        if (placed->shape.nodes == 1 && random_below(seed, 2) == 0)
            placed->map[slot] = (int32_t)random_below(seed, placed->shape.experts + 1) - 1;
        else if (random_below(seed, 2) == 0 && copies_in(placed->map, 0, placed->shape.slots, placed->map[slot]) > 1)
            placed->map[slot] = (int32_t)(slot / node_slots * of_node + random_below(seed, of_node));
}

static void any_map_is_repaired(void **state)
{
    (void)state;
    struct placed placed;
    uint64_t seed = 87;
    size_t broken = 0;
    for (size_t trial = 0; trial < 40 * SHAPES; trial++) {
        int32_t copies_before[PLACED_EXPERTS];
        place(&placed, &shapes[trial % SHAPES], &seed);
        struct placement *placement = &placed.placement;
        break_map(&placed, &seed);
        mp_placement_set(placement, placed.map);
        memcpy(copies_before, placement->copies, placed.shape.experts * sizeof *copies_before);
        broken += has_duplicates(placement, placed.map) || !mp_placement_covers(placement);
        mp_placement_repair(placement);
        assert_true(mp_placement_covers(placement) && mp_placement_is_full(placement));
        assert_false(has_duplicates(placement, placement->expert));
        memcpy(placed.map, placement->expert, placed.shape.slots * sizeof *placed.map);
        assert_as_from_scratch(placement, placed.map);
        if (placed.shape.nodes > 1)
            assert_true(groups_lie_on_one_node(&placed, placed.shape.experts / placed.shape.nodes));
        unplace(&placed);
    }
    assert_true(broken > 10 * SHAPES);
}

static void a_map_without_faults_is_left_alone(void **state)
{
    (void)state;
    struct placed placed;
    uint64_t seed = 88;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        place(&placed, &shapes[trial % SHAPES], &seed);
        mp_placement_repair(&placed.placement);
        assert_memory_equal(placed.placement.expert, placed.map, placed.shape.slots * sizeof *placed.map);
        unplace(&placed);
    }
}

/* Two ranks of three slots. Expert 3 lacks a copy. */
static void a_missing_expert_takes_a_free_slot_or_the_copy_that_is_missed_least(void **state)
{
    (void)state;
    const struct shape shape = {4, 6, 2, 1};
    const int32_t free_slots[6] = {0, 1, -1, 0, -1, 1}, filled[6] = {0, 1, 2, 0, 1, 2};
    struct placed placed;
    uint64_t seed = 89;
    place(&placed, &shape, &seed);
    const int32_t loads[4] = {600, 300, 200, 100};
    memcpy(placed.placement.load, loads, sizeof loads);
    mp_placement_set(&placed.placement, filled);
    mp_placement_repair(&placed.placement);
    assert_int_equal(placed.placement.copies[3], 1);
    assert_int_equal(placed.placement.copies[2], 1); /* 200 on one rank is less than 300 or 600 */
    mp_placement_set(&placed.placement, free_slots);
    mp_placement_repair(&placed.placement);
    for (int32_t e = 0; e < 2; e++)
        assert_int_equal(placed.placement.copies[e], 2); /* none had to give way */
    unplace(&placed);
}

int main(void)
{
    const struct CMUnitTest placement[] = {
        cmocka_unit_test(after_every_move_all_is_as_from_scratch),
        cmocka_unit_test(without_a_map_before_every_copy_moves),
        cmocka_unit_test(the_copies_that_a_move_moves_are_told_before_it_is_made),
        cmocka_unit_test(a_map_that_lacks_an_expert_or_has_an_empty_slot_is_told),
        cmocka_unit_test(the_hottest_rank_is_the_first_with_the_largest_load),
        cmocka_unit_test(groups_are_kept_if_all_their_copies_lie_on_one_node),
        cmocka_unit_test(any_map_is_repaired),
        cmocka_unit_test(a_map_without_faults_is_left_alone),
        cmocka_unit_test(a_missing_expert_takes_a_free_slot_or_the_copy_that_is_missed_least),
    };
    return cmocka_run_group_tests(placement, NULL, NULL);
}
