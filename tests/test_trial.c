/* SPDX-License-Identifier: BSD-3-Clause */
/* The move that a trial chooses, against the totals after each candidate, measured anew. */
#include "searched.h"

enum { TRIALS = 30 };

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

/* The least total after any of the others, and the first of the moves with it. */
static int64_t least_of(struct searched *searched, struct move *first)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < searched->others.n; i++) {
        int64_t total = total_after(searched, &searched->others.moves[i]);
        if (total < least)
            *first = searched->others.moves[i];
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
static int64_t by_brute_force(struct searched *searched, int most_moves, struct move *move)
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
        least = least_of(searched, move);
        if (least < now - now / 50000)
            return least;
        mp_candidates_begin(&searched->others, MP_TRIED_REPLACEMENTS, INT32_MAX, most_moves);
        mp_find_replacements(&searched->placed.placement, hot, &searched->others);
        least = least_of(searched, move);
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
        begin_search(&searched, &shapes[trial % SHAPES], &seed);
        for (size_t i = 0; i < 8; i++) {
            int most_moves = trial % 3 == 0 ? (int)random_below(&seed, 3) : INT32_MAX;
            struct move move, first = {.slot = -1};
            int64_t expected = by_brute_force(&searched, most_moves, &first);
            bool found = mp_trial_best(&searched.trial, &searched.placed.placement, &searched.tried,
                                       &searched.candidates, most_moves, &move);
            assert_true(found == (expected < INT64_MAX));
            none += !found;
            if (!found)
                break;
            assert_true(mp_placement_moves(&searched.placed.placement, &move) <= most_moves);
            assert_true(total_after(&searched, &move) == expected);
            assert_true(move.slot == first.slot && move.other == first.other && move.replaces == first.replaces);
            swaps += !move.replaces;
            replacements += move.replaces;
            size_t replaced = (size_t)searched.placed.placement.expert[move.slot];
            mp_placement_move(&searched.placed.placement, &move);
            mp_scenarios_move(&searched.tried, &searched.placed.placement, &move, replaced);
        }
        end_search(&searched);
    }
    assert_true(swaps > 50 && replacements > 5 && none > 5);
}

int main(void)
{
    const struct CMUnitTest trial[] = {
        cmocka_unit_test(of_all_candidates_the_move_with_the_least_mean_peak_is_chosen),
    };
    return cmocka_run_group_tests(trial, NULL, NULL);
}
