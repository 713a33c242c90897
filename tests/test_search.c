/* SPDX-License-Identifier: BSD-3-Clause */
/* The map that a search finds, measured anew. */
#include "searched.h"

enum { TRIALS = 8, EFFORT = 12 };

/* ---- the cheapest map -------------------------------------------------------------------------------------------- */

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

static void search_again(struct searched *searched, const struct price *price, size_t effort, bool tries,
                         struct found *found)
{
    struct search search = search_of(searched, price, effort, tries);
    found->cost = INFINITY;
    mp_placement_set(&searched->placed.placement, searched->placed.map);
    mp_search_run(&search, found);
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
    int64_t same[PLACED_SLOTS];
    for (size_t slot = 0; slot < searched.placed.shape.slots; slot++)
        same[slot] = searched.placed.map[slot];
    mp_placement_begin(&searched.placed.placement, same);
    search_again(&searched, &price, EFFORT, true, &found);
    assert_int_equal(found.moved, 0);
    assert_in_range(searched.placed.placement.moved, 1, 2); /* it made one move, and saw that */
    end_search(&searched);
}

static void balance_lowers_the_hottest_rank_until_the_bound_or_no_move_helps(void **state)
{
    (void)state;
    uint64_t seed = 124;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        struct searched searched;
        begin_search(&searched, &shapes[trial % SHAPES], &seed);
        struct placement *placement = &searched.placed.placement;
        int32_t largest = placement->carried[mp_placement_hottest(placement)], bound = largest - largest / 10;
        mp_search_balance(placement, &searched.candidates, bound, 1);
        int32_t after = placement->carried[mp_placement_hottest(placement)];
        assert_true(after <= largest);
        mp_search_balance(placement, &searched.candidates, bound, 1000);
        after = placement->carried[mp_placement_hottest(placement)];
        size_t hot = mp_placement_hottest(placement);
        mp_candidates_begin(&searched.candidates, 1, after, INT32_MAX);
        mp_find_swaps(placement, hot, &searched.candidates);
        mp_find_replacements(placement, hot, &searched.candidates);
        assert_true(after <= bound + bound / 1000 || searched.candidates.n == 0);
        assert_false(has_duplicates(placement, placement->expert));
        end_search(&searched);
    }
}

int main(void)
{
    const struct CMUnitTest search[] = {
        cmocka_unit_test(the_found_map_is_the_cheapest_on_the_way),
        cmocka_unit_test(a_search_ends_when_moves_can_no_longer_pay),
        cmocka_unit_test(balance_lowers_the_hottest_rank_until_the_bound_or_no_move_helps),
    };
    return cmocka_run_group_tests(search, NULL, NULL);
}
