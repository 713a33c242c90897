/* SPDX-License-Identifier: BSD-3-Clause */
/* The move that a trial chooses, and the map that a search finds, each measured anew. */
#include "placed.h"

#include "placement/search.h"

enum { MOST = 20, SCENARIOS = 11, TRIALS = 8, EFFORT = 12 };

struct searched {
    struct placed placed;
    struct arena arena;
    struct scenarios tried, held_out, measured;
    struct trial trial;
    struct candidates candidates, others;
};

static void lay_out(void *self, struct arena *arena)
{
    struct searched *searched = self;
    const struct shape *shape = &searched->placed.shape;
    mp_scenarios_lay_out(&searched->tried, arena, shape->experts, shape->ranks, MOST);
    mp_scenarios_lay_out(&searched->held_out, arena, shape->experts, shape->ranks, MOST);
    mp_scenarios_lay_out(&searched->measured, arena, shape->experts, shape->ranks, MOST);
    mp_trial_lay_out(&searched->trial, arena, shape->ranks, mp_scenarios_row(MOST));
    mp_candidates_lay_out(&searched->candidates, arena, shape->slots, MP_TRIED_SWAPS);
    mp_candidates_lay_out(&searched->others, arena, shape->slots, MP_TRIED_SWAPS);
}

/* The placement's loads, each doubled at most. */
static void fill(struct scenarios *scenarios, const struct placement *placement, uint64_t *seed)
{
    scenarios->n = SCENARIOS;
    scenarios->row = mp_scenarios_row(SCENARIOS);
    for (size_t e = 0; e < scenarios->experts; e++)
        for (size_t i = 0; i < SCENARIOS; i++)
            scenarios->load[e * scenarios->row + i] =
                (int32_t)((uint64_t)placement->load[e] * (1000 + random_below(seed, 1000)) / 2000);
}

static void begin(struct searched *searched, const struct shape *shape, uint64_t *seed)
{
    place(&searched->placed, shape, seed);
    assert_true(mp_arena_make(&searched->arena, lay_out, searched, &heap));
    fill(&searched->tried, &searched->placed.placement, seed);
    fill(&searched->held_out, &searched->placed.placement, seed);
    mp_scenarios_set(&searched->tried, &searched->placed.placement);
}

static void end(struct searched *searched)
{
    mp_arena_free(&searched->arena, &heap);
    unplace(&searched->placed);
}

/* The sum of the largest rank loads of scenarios under the placement, from the loads alone. */
static int64_t total_of(struct searched *searched, const struct scenarios *scenarios)
{
    struct scenarios *measured = &searched->measured;
    measured->n = scenarios->n;
    measured->row = scenarios->row;
    memcpy(measured->load, scenarios->load, scenarios->experts * scenarios->row * sizeof *measured->load);
    mp_scenarios_set(measured, &searched->placed.placement);
    return mp_scenarios_total(measured);
}

/* ---- the best move ----------------------------------------------------------------------------------------------- */

/* The total after a move, which is then undone. */
static int64_t total_after(struct searched *searched, const struct move *move)
{
    struct placement *placement = &searched->placed.placement;
    int32_t map[PLACED_SLOTS];
    memcpy(map, placement->expert, placement->slots * sizeof *map);
    mp_placement_move(placement, move);
    int64_t total = total_of(searched, &searched->tried);
    mp_placement_set(placement, map);
    return total;
}

static int64_t least_of(struct searched *searched)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < searched->others.n; i++) {
        int64_t total = total_after(searched, &searched->others.moves[i]);
        least = total < least ? total : least;
    }
    return least;
}

/* The hottest rank but for those passed over: it is the first in most scenarios, and by how much counts. */
static size_t hottest_but(const struct searched *searched, const bool *passed_over)
{
    const struct scenarios *scenarios = &searched->tried;
    int64_t heat[PLACED_SLOTS] = {0};
    size_t hottest = SIZE_MAX;
    for (size_t i = 0; i < scenarios->n; i++) {
        size_t first = 0;
        int32_t second = 0;
        for (size_t r = 1; r < scenarios->ranks; r++)
            if (mp_scenarios_carried(scenarios, r)[i] > mp_scenarios_carried(scenarios, first)[i])
                first = r;
        int32_t largest = mp_scenarios_carried(scenarios, first)[i];
        for (size_t r = 0; r < scenarios->ranks; r++)
            if (r != first && mp_scenarios_carried(scenarios, r)[i] > second)
                second = mp_scenarios_carried(scenarios, r)[i];
        heat[first] += largest - second + largest / 1000;
    }
    for (size_t r = 0; r < scenarios->ranks; r++)
        if (!passed_over[r] && heat[r] > 0 && (hottest == SIZE_MAX || heat[r] > heat[hottest]))
            hottest = r;
    return hottest;
}

/* The least total that a move from one of the three hottest ranks reaches: a swap's, or if none helps a replacement's.
 * INT64_MAX if none helps. */
static int64_t by_brute_force(struct searched *searched, int most_moves)
{
    bool passed_over[PLACED_SLOTS] = {false};
    int64_t now = total_of(searched, &searched->tried), least = INT64_MAX;
    for (size_t i = 0; i < 3; i++) {
        size_t hot = hottest_but(searched, passed_over);
        if (hot == SIZE_MAX)
            return INT64_MAX;
        passed_over[hot] = true;
        mp_candidates_begin(&searched->others, MP_TRIED_SWAPS, INT32_MAX, most_moves);
        mp_find_swaps(&searched->placed.placement, hot, &searched->others);
        least = least_of(searched);
        if (least < now - now / 50000)
            return least;
        mp_candidates_begin(&searched->others, MP_TRIED_REPLACEMENTS, INT32_MAX, most_moves);
        mp_find_replacements(&searched->placed.placement, hot, &searched->others);
        least = least_of(searched);
        if (least < now - now / 50000)
            return least;
    }
    return INT64_MAX;
}

static void of_all_candidates_the_move_with_the_least_mean_peak_is_chosen(void **state)
{
    (void)state;
    uint64_t seed = 121;
    size_t swaps = 0, replacements = 0, none = 0;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        struct searched searched;
        begin(&searched, &shapes[trial % SHAPES], &seed);
        for (size_t i = 0; i < 8; i++) {
            int most_moves = trial % 3 == 0 ? (int)random_below(&seed, 3) : INT32_MAX;
            int64_t expected = by_brute_force(&searched, most_moves);
            struct move move;
            bool found = mp_trial_best(&searched.trial, &searched.placed.placement, &searched.tried,
                                       &searched.candidates, most_moves, &move);
            assert_true(found == (expected < INT64_MAX));
            none += !found;
            if (!found)
                break;
            assert_true(mp_placement_moves(&searched.placed.placement, &move) <= most_moves);
            assert_true(total_after(&searched, &move) == expected);
            swaps += !move.replaces;
            replacements += move.replaces;
            size_t replaced = (size_t)searched.placed.placement.expert[move.slot];
            mp_placement_move(&searched.placed.placement, &move);
            mp_scenarios_move(&searched.tried, &searched.placed.placement, &move, replaced);
        }
        end(&searched);
    }
    assert_true(swaps > 50 && replacements > 5 && none > 5);
}

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
        begin(&searched, &shapes[trial % SHAPES], &seed);
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
        end(&searched);
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
    begin(&searched, &shapes[4], &seed);
    int64_t same[PLACED_SLOTS];
    for (size_t slot = 0; slot < searched.placed.shape.slots; slot++)
        same[slot] = searched.placed.map[slot];
    mp_placement_begin(&searched.placed.placement, same);
    search_again(&searched, &price, EFFORT, true, &found);
    assert_int_equal(found.moved, 0);
    assert_in_range(searched.placed.placement.moved, 1, 2); /* it made one move, and saw that */
    end(&searched);
}

static void balance_lowers_the_hottest_rank_until_the_bound_or_no_move_helps(void **state)
{
    (void)state;
    uint64_t seed = 124;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        struct searched searched;
        begin(&searched, &shapes[trial % SHAPES], &seed);
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
        end(&searched);
    }
}

int main(void)
{
    const struct CMUnitTest search[] = {
        cmocka_unit_test(of_all_candidates_the_move_with_the_least_mean_peak_is_chosen),
        cmocka_unit_test(the_found_map_is_the_cheapest_on_the_way),
        cmocka_unit_test(a_search_ends_when_moves_can_no_longer_pay),
        cmocka_unit_test(balance_lowers_the_hottest_rank_until_the_bound_or_no_move_helps),
    };
    return cmocka_run_group_tests(search, NULL, NULL);
}
