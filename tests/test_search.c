/* SPDX-License-Identifier: BSD-3-Clause */
/* The map that a search finds, measured anew. */
#include "searched.h"

#include "placement/double_swap.h"

enum { TRIALS = 8, EFFORT = 12 };

/* ---- the cheapest map -------------------------------------------------------------------------------------------- */

/* The map of the placement becomes the one from which moves count. */
static void nothing_has_moved(struct placement *placement)
{
    int64_t same[PLACED_SLOTS];
    for (size_t slot = 0; slot < placement->slots; slot++)
        same[slot] = placement->expert[slot];
    mp_placement_begin(placement, same);
}

static struct search search_of(struct searched *searched, const struct price *price, size_t effort, bool tries)
{
    return (struct search){
        .placement = &searched->placed.placement,
        .candidates = &searched->candidates,
        .trial = &searched->trial,
        .tried = tries ? &searched->tried : NULL,
        .held_out = &searched->held_out,
        .price = *price,
        .effort = effort,
        .bound = MP_LOAD_UNIT / (int32_t)searched->placed.shape.ranks,
    };
}

/* What the placement costs by the definition. */
static double cost_now(struct searched *searched, const struct price *price)
{
    const struct placement *placement = &searched->placed.placement;
    double total = (double)total_of(searched, &searched->held_out);
    double peak = total / (double)searched->held_out.n * (double)placement->ranks / MP_LOAD_UNIT;
    return price->horizon * peak + price->slot_cost * (double)moved_of(placement, placement->expert);
}

/* The scenarios' rank loads are those of the placement. */
static void assert_follow(struct searched *searched, const struct scenarios *scenarios)
{
    total_of(searched, scenarios);
    for (size_t r = 0; r < scenarios->ranks; r++)
        assert_memory_equal(mp_scenarios_carried(scenarios, r), mp_scenarios_carried(&searched->measured, r),
                            scenarios->n * sizeof(int32_t));
}

/* A search from the first map on. */
static void search_again(struct searched *searched, const struct price *price, size_t effort, bool tries,
                         struct found *found)
{
    struct search search = search_of(searched, price, effort, tries);
    found->cost = INFINITY;
    mp_placement_set(&searched->placed.placement, searched->placed.map);
    mp_search_run(&search, found);
    assert_follow(searched, &searched->held_out);
    if (tries)
        assert_follow(searched, &searched->tried);
}

/* A search of n moves stops at map n, so searches of 0, 1, 2, ... moves show all maps on the way. */
static void the_found_map_is_the_cheapest_on_the_way(void **state)
{
    (void)state;
    const struct price prices[] = {{1000, 0, SIZE_MAX}, {1000, 3, SIZE_MAX}, {1000, 40, SIZE_MAX}, {1000, 1, 20}};
    uint64_t seed = 122;
    size_t on_the_way = 0;
    for (size_t trial = 0; trial < 4 * SHAPES; trial++) {
        const struct price *price = &prices[trial % 4];
        bool tries = trial / SHAPES % 2 == 0;
        int32_t map[PLACED_SLOTS];
        struct found found = {.map = map};
        struct searched searched;
        double least = INFINITY, last = 0;
        begin_search(&searched, &shapes[trial % SHAPES], &seed);
        for (size_t effort = 0; effort <= EFFORT; effort++) {
            search_again(&searched, price, effort, tries, &found);
            last = cost_now(&searched, price);
            least = fmin(least, last);
            assert_near(found.cost, least, 1e-9 * least);
            assert_true(effort == 0 || searched.placed.placement.moved <= price->most_slots);
        }
        on_the_way += last > least;
        mp_placement_set(&searched.placed.placement, map);
        assert_near(cost_now(&searched, price), found.cost, 1e-9 * least);
        assert_int_equal(moved_of(&searched.placed.placement, map), found.moved);
        assert_near(found.peak * price->horizon + price->slot_cost * (double)found.moved, found.cost, 1e-9 * least);
        end_search(&searched);
    }
    assert_true(on_the_way > 1); /* it is not always the last */
}

/* A slot that costs more than the whole peak could save. */
static void a_search_ends_when_moves_can_no_longer_pay(void **state)
{
    (void)state;
    const struct price price = {100, 1e6, SIZE_MAX};
    uint64_t seed = 123;
    int32_t map[PLACED_SLOTS];
    struct found found = {.map = map};
    struct searched searched;
    begin_search(&searched, &shapes[4], &seed);
    nothing_has_moved(&searched.placed.placement);
    search_again(&searched, &price, EFFORT, true, &found);
    assert_int_equal(found.moved, 0);
    assert_in_range(searched.placed.placement.moved, 1, 2); /* it made one move, and saw that */
    end_search(&searched);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static void no_more_slots_move_than_may(void **state)
{
    (void)state;
    uint64_t seed = 125;
    size_t all = 0;
    for (size_t trial = 0; trial < 8 * SHAPES; trial++) {
        const struct price price = {1000, 0, trial / SHAPES % 4};
        int32_t map[PLACED_SLOTS];
        struct found found = {.map = map};
        struct searched searched;
        begin_search(&searched, &shapes[trial % SHAPES], &seed);
        nothing_has_moved(&searched.placed.placement);
        for (size_t effort = 0; effort <= EFFORT; effort++) {
            search_again(&searched, &price, effort, trial / SHAPES >= 4, &found);
            assert_true(searched.placed.placement.moved <= price.most_slots);
        }
        all += price.most_slots > 0 && searched.placed.placement.moved == price.most_slots;
        end_search(&searched);
    }
    assert_true(all > SHAPES);
}

static void a_map_that_has_moved_too_far_is_no_start(void **state)
{
    (void)state;
    uint64_t seed = 126;
    int32_t map[PLACED_SLOTS];
    struct found found = {.map = map};
    struct searched searched;
    begin_search(&searched, &shapes[4], &seed);
    size_t moved = searched.placed.placement.moved;
    mp_scenarios_set(&searched.held_out, &searched.placed.placement);
    assert_true(moved > 1);
    search_again(&searched, &(struct price){1000, 0, moved}, 0, true, &found);
    assert_int_equal(found.moved, moved);
    search_again(&searched, &(struct price){1000, 0, moved - 1}, EFFORT, true, &found);
    assert_true(isinf(found.cost));
    assert_memory_equal(searched.placed.placement.expert, searched.placed.map,
                        searched.placed.shape.slots * sizeof *map);
    end_search(&searched);
}

/* A layer that must move does, whatever slots cost; the first of maps that cost the same is kept. */
static void costs_beyond_all_numbers_are_finite(void **state)
{
    (void)state;
    uint64_t seed = 127;
    int32_t map[PLACED_SLOTS];
    struct found found = {.map = map};
    struct searched searched;
    begin_search(&searched, &shapes[4], &seed);
    mp_scenarios_set(&searched.held_out, &searched.placed.placement);
    search_again(&searched, &(struct price){1000, 1e308, SIZE_MAX}, EFFORT, true, &found);
    assert_true(isfinite(found.cost));
    assert_memory_equal(map, searched.placed.map, searched.placed.shape.slots * sizeof *map);
    end_search(&searched);
}

/* ---- the way ----------------------------------------------------------------------------------------------------- */

/* The best swap, or if none takes load off the hottest rank the best replacement; false if the largest load is within a
 * thousandth of the bound, or none does. */
static bool best_by_loads(struct searched *searched, int32_t bound, struct move *move)
{
    const struct placement *placement = &searched->placed.placement;
    size_t hot = mp_placement_hottest(placement);
    int32_t largest = placement->carried[hot];
    if (largest - bound <= bound / 1000)
        return false;
    mp_candidates_begin(&searched->others, 1, largest, INT32_MAX);
    mp_find_swaps(placement, hot, &searched->others);
    if (searched->others.n == 0)
        mp_find_replacements(placement, hot, &searched->others);
    *move = searched->others.moves[0];
    return searched->others.n > 0;
}

/* Below all maps; a tenth below the first; within a thousandth of it, and just not. */
static int32_t any_bound(const struct placement *placement, size_t trial)
{
    int32_t largest = placement->carried[mp_placement_hottest(placement)];
    const int32_t bounds[] = {0, largest - largest / 10, largest - largest / 1010, largest - largest / 990};
    return bounds[trial % 4];
}

static void balance_makes_the_best_move_or_a_double_swap_until_the_bound(void **state)
{
    (void)state;
    const struct shape wide = {16, 16, 2, 1}; /* with few swaps and many double ones */
    uint64_t seed = 124;
    size_t doubles = 0, replacements = 0, ends = 0;
    for (size_t trial = 0; trial < 4 * TRIALS * SHAPES; trial++) {
        struct searched searched;
        begin_search(&searched, trial / 4 % 2 == 0 ? &wide : &shapes[trial / 8 % SHAPES], &seed);
        struct placement *placement = &searched.placed.placement;
        int32_t bound = any_bound(placement, trial), by_hand[PLACED_SLOTS];
        size_t size = placement->slots * sizeof *by_hand;
        bool goes_on = true;
        memcpy(by_hand, searched.placed.map, size);
        for (size_t effort = 0; effort <= EFFORT; effort++) {
            mp_placement_set(placement, searched.placed.map);
            mp_search_balance(placement, &searched.candidates, bound, effort);
            assert_memory_equal(placement->expert, by_hand, size);
            struct move move;
            int32_t before = placement->carried[mp_placement_hottest(placement)];
            if (!goes_on)
                continue;
            if (best_by_loads(&searched, bound, &move)) {
                replacements += move.replaces;
                mp_placement_move(placement, &move);
            } else {
                goes_on = before - bound > bound / 1000 && mp_double_swap(placement);
                doubles += goes_on;
                ends += !goes_on;
            }
            assert_true(placement->carried[mp_placement_hottest(placement)] <= before);
            assert_false(has_duplicates(placement, placement->expert));
            memcpy(by_hand, placement->expert, size);
        }
        end_search(&searched);
    }
    assert_true(doubles > 3 && replacements > 10 && ends > 10);
}

/* Without costs, so that nothing else ends it. */
static void a_search_goes_from_one_best_move_to_the_next(void **state)
{
    (void)state;
    const struct price price = {1000, 0, SIZE_MAX};
    uint64_t seed = 128;
    for (size_t trial = 0; trial < 8 * SHAPES; trial++) {
        int32_t map[PLACED_SLOTS], by_hand[PLACED_SLOTS];
        struct found found = {.map = map};
        struct searched searched;
        begin_search(&searched, &shapes[trial / 8], &seed);
        struct placement *placement = &searched.placed.placement;
        int32_t bound = any_bound(placement, trial);
        bool tries = trial % 8 >= 4;
        struct search search = search_of(&searched, &price, 0, tries);
        search.bound = bound;
        memcpy(by_hand, searched.placed.map, placement->slots * sizeof *map);
        for (; search.effort <= EFFORT; search.effort++) {
            struct move move;
            found.cost = INFINITY;
            mp_placement_set(placement, searched.placed.map);
            mp_search_run(&search, &found);
            assert_memory_equal(placement->expert, by_hand, placement->slots * sizeof *map);
            mp_scenarios_set(&searched.tried, placement);
            if (tries ? mp_trial_best(&searched.trial, placement, &searched.tried, &searched.others, INT32_MAX, &move)
                      : best_by_loads(&searched, bound, &move))
                mp_placement_move(placement, &move);
            memcpy(by_hand, placement->expert, placement->slots * sizeof *map);
        }
        end_search(&searched);
    }
}

int main(void)
{
    const struct CMUnitTest search[] = {
        cmocka_unit_test(the_found_map_is_the_cheapest_on_the_way),
        cmocka_unit_test(a_search_ends_when_moves_can_no_longer_pay),
        cmocka_unit_test(no_more_slots_move_than_may),
        cmocka_unit_test(a_map_that_has_moved_too_far_is_no_start),
        cmocka_unit_test(costs_beyond_all_numbers_are_finite),
        cmocka_unit_test(balance_makes_the_best_move_or_a_double_swap_until_the_bound),
        cmocka_unit_test(a_search_goes_from_one_best_move_to_the_next),
    };
    return cmocka_run_group_tests(search, NULL, NULL);
}
