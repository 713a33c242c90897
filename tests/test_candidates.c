/* SPDX-License-Identifier: BSD-3-Clause */
/* Candidates for moves against brute force: all moves, each made and measured. */
#include "placed.h"

#include "placement/candidates.h"
#include "placement/double_swap.h"

enum { TRIALS = 60, MOST = 4096 };

/* What a search asks for. */
struct question {
    size_t hot, capacity;
    int32_t limit;
    int most_moves;
};

struct peaks {
    int32_t values[MOST];
    size_t n;
};

static struct candidates make_candidates(struct arena *arena, size_t slots, size_t most)
{
    struct candidates candidates = {0};
    struct arena counted = {0};
    mp_candidates_lay_out(&candidates, &counted, slots, most);
    void *memory = calloc(1, counted.used);
    *arena = mp_arena_over(memory);
    mp_candidates_lay_out(&candidates, arena, slots, most);
    return candidates;
}

/* The map after a move. */
static void make_move(const struct placement *placement, const struct move *move, int32_t *map)
{
    memcpy(map, placement->expert, placement->slots * sizeof *map);
    map[move->slot] = move->replaces ? move->other : placement->expert[move->other];
    if (!move->replaces)
        map[move->other] = placement->expert[move->slot];
}

/* The largest load of the ranks of a swap; of those that have a copy of either expert, of a replacement. */
static int32_t peak_of(const struct placement *placement, const struct move *move, const int32_t *map)
{
    int32_t peak = 0, a = placement->expert[move->slot], b = move->other;
    for (size_t r = 0; r < placement->ranks; r++) {
        size_t first = r * placement->rank_slots, end = first + placement->rank_slots;
        bool touched = r == mp_rank_of(placement, (size_t)move->slot);
        touched |= move->replaces ? copies_in(map, first, end, a) + copies_in(map, first, end, b) > 0
                                  : r == mp_rank_of(placement, (size_t)move->other);
        int32_t load = touched ? load_of_rank(placement, map, r) : 0;
        peak = load > peak ? load : peak;
    }
    return peak;
}

static bool on_node(const struct placement *placement, int32_t expert, size_t first_rank)
{
    size_t first = first_rank * placement->rank_slots, n = placement->node_ranks * placement->rank_slots;
    return copies_in(placement->expert, first, first + n, expert) > 0;
}

/* Is it a move that the header of candidates speaks of? */
static bool is_candidate(const struct placement *placement, size_t hot, const struct move *move, const int32_t *map)
{
    size_t rank = mp_rank_of(placement, (size_t)move->slot), node = hot / placement->node_ranks;
    int32_t a = placement->expert[move->slot], copies_b;
    if (has_duplicates(placement, map))
        return false;
    if (!move->replaces) {
        size_t other = mp_rank_of(placement, (size_t)move->other);
        return rank == hot && other != hot && other / placement->node_ranks == node &&
               a != placement->expert[move->other];
    }
    copies_b = placement->copies[move->other];
    if (a == move->other || placement->copies[a] < 2 || rank / placement->node_ranks != node)
        return false;
    if (rank != hot)
        return *mp_held(placement, hot, (size_t)move->other) > 0;
    return on_node(placement, move->other, node * placement->node_ranks) &&
           placement->load[move->other] / (copies_b + 1) < placement->part[a];
}

/* Is it one that the question allows? Fills its peak. */
static bool is_allowed(const struct placement *placement, const struct question *question, struct move *move)
{
    int32_t map[PLACED_SLOTS];
    make_move(placement, move, map);
    if (!is_candidate(placement, question->hot, move, map))
        return false;
    move->peak = peak_of(placement, move, map);
    return move->peak < question->limit &&
           (int)moved_of(placement, map) - (int)placement->moved <= question->most_moves;
}

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Takes in a peak. Of a slot's swaps with one rank the best alone counts. */
static void note(const struct placement *placement, const struct move *move, struct peaks *peaks)
{
    static struct move last;
    bool same = peaks->n > 0 && !move->replaces && move->slot == last.slot &&
                mp_rank_of(placement, (size_t)move->other) == mp_rank_of(placement, (size_t)last.other);
    last = *move;
    if (!same)
        peaks->values[peaks->n++] = move->peak;
    else if (move->peak < peaks->values[peaks->n - 1])
        peaks->values[peaks->n - 1] = move->peak;
}

/* The peaks of the best moves, ascending. */
static void brute_force(const struct placement *placement, const struct question *question, bool replaces,
                        struct peaks *peaks)
{
    size_t others = replaces ? placement->experts : placement->slots;
    peaks->n = 0;
    for (size_t slot = 0; slot < placement->slots; slot++)
        for (size_t other = 0; other < others; other++) {
            struct move move = {.slot = (int32_t)slot, .other = (int32_t)other, .replaces = replaces};
            if (is_allowed(placement, question, &move))
                note(placement, &move, peaks);
        }
    qsort(peaks->values, peaks->n, sizeof *peaks->values, ascending);
    peaks->n = peaks->n < question->capacity ? peaks->n : question->capacity;
}

static void assert_different(const struct candidates *found)
{
    for (size_t i = 0; i < found->n; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(found->moves[i].slot != found->moves[j].slot || found->moves[i].other != found->moves[j].other);
}

static size_t compare(const struct placement *placement, const struct question *question, bool replaces,
                      struct candidates *found)
{
    static struct peaks expected, peaks;
    brute_force(placement, question, replaces, &expected);
    mp_candidates_begin(found, question->capacity, question->limit, question->most_moves);
    if (replaces)
        mp_find_replacements(placement, question->hot, found);
    else
        mp_find_swaps(placement, question->hot, found);
    assert_int_equal(found->n, expected.n);
    for (size_t i = 0; i < found->n; i++) {
        struct move move = found->moves[i];
        assert_true(move.replaces == replaces && is_allowed(placement, question, &move));
        assert_int_equal(move.peak, found->moves[i].peak);
        peaks.values[i] = move.peak;
    }
    assert_different(found);
    qsort(peaks.values, found->n, sizeof *peaks.values, ascending);
    assert_memory_equal(peaks.values, expected.values, expected.n * sizeof *peaks.values);
    return expected.n;
}

static struct question random_question(const struct placement *placement, uint64_t *seed)
{
    const size_t capacities[] = {1, 2, 7, MOST};
    struct question question = {mp_placement_hottest(placement), capacities[random_below(seed, 4)], INT32_MAX,
                                INT32_MAX};
    if (random_below(seed, 3) == 0)
        question.hot = random_below(seed, placement->ranks);
    if (random_below(seed, 2) == 0)
        question.limit = placement->carried[question.hot];
    if (random_below(seed, 2) == 0)
        question.most_moves = (int)random_below(seed, 4) - 1;
    return question;
}

static void of_all_moves_those_with_the_lowest_peaks_are_found(void **state)
{
    (void)state;
    struct placed placed;
    struct arena arena;
    struct candidates found = make_candidates(&arena, PLACED_SLOTS, MOST);
    uint64_t seed = 101;
    size_t swaps = 0, replacements = 0;
    for (size_t trial = 0; trial < TRIALS * SHAPES; trial++) {
        place(&placed, &shapes[trial % SHAPES], &seed);
        struct question question = random_question(&placed.placement, &seed);
        swaps += compare(&placed.placement, &question, false, &found);
        replacements += compare(&placed.placement, &question, true, &found);
        unplace(&placed);
    }

    assert_true(swaps > 500 && replacements > 500);
    free(arena.memory);
}

/* ---- double swaps ------------------------------------------------------------------------------------------------ */

/* The least that the larger load of two ranks can become, one the hottest, if two of its copies change places with two
 * of the other's. INT32_MAX if no two may. */
static int32_t best_double_swap(const struct placement *placement, size_t hot)
{
    int32_t map[PLACED_SLOTS], least = INT32_MAX;
    size_t each = placement->rank_slots, first = hot * each;
    for (size_t i = 0; i < each * each * placement->slots * placement->slots; i++) {
        size_t a = first + i % each, b = first + i / each % each, c = i / each / each % placement->slots;
        size_t d = i / each / each / placement->slots, other = mp_rank_of(placement, c);
        if (a >= b || c >= d || mp_rank_of(placement, d) != other || other == hot ||
            other / placement->node_ranks != hot / placement->node_ranks)
            continue;
        memcpy(map, placement->expert, placement->slots * sizeof *map);
        map[a] = placement->expert[c], map[c] = placement->expert[a];
        map[b] = placement->expert[d], map[d] = placement->expert[b];
        bool comes_back = *mp_held(placement, hot, (size_t)map[a]) + *mp_held(placement, hot, (size_t)map[b]) +
                              *mp_held(placement, other, (size_t)map[c]) + *mp_held(placement, other, (size_t)map[d]) >
                          0;
        int32_t one = load_of_rank(placement, map, hot), two = load_of_rank(placement, map, other);
        int32_t peak = one > two ? one : two;
        if (!comes_back && peak < least)
            least = peak;
    }
    return least;
}

static void of_all_double_swaps_the_one_with_the_lowest_peak_is_made(void **state)
{
    (void)state;
    const struct shape small[] = {{12, 12, 4, 1}, {10, 16, 4, 1}, {12, 16, 4, 2}, {6, 6, 6, 1}, {8, 12, 2, 1}};
    struct placed placed;
    uint64_t seed = 103;
    size_t made = 0, none = 0;
    for (size_t trial = 0; trial < 50; trial++) {
        place(&placed, &small[trial % 5], &seed);
        struct placement *placement = &placed.placement;
        size_t hot = mp_placement_hottest(placement);
        int32_t before = placement->carried[hot], least = best_double_swap(placement, hot);
        assert_true(mp_double_swap(placement) == (least < before));
        made += least < before;
        none += least >= before;
        if (least >= before) {
            assert_memory_equal(placement->expert, placed.map, placed.shape.slots * sizeof *placed.map);
        } else {
            int32_t reached = 0;
            for (size_t r = 0; r < placed.shape.ranks; r++) {
                size_t first = r * placement->rank_slots, n = placement->rank_slots;
                bool touched = memcmp(placement->expert + first, placed.map + first, n * sizeof *placed.map) != 0;
                if (touched && placement->carried[r] > reached)
                    reached = placement->carried[r];
            }
            assert_int_equal(reached, least);
            assert_false(has_duplicates(placement, placement->expert));
        }
        unplace(&placed);
    }
    assert_true(made > 15 && none > 5);
}

static void a_rank_alone_and_ranks_that_are_alike_have_no_swaps(void **state)
{
    (void)state;
    const struct shape alike = {3, 6, 2, 1};
    struct placed placed;
    struct arena arena;
    struct candidates found = make_candidates(&arena, PLACED_SLOTS, MOST);
    uint64_t seed = 102;
    for (size_t trial = 0; trial < 2; trial++) {
        place(&placed, trial == 0 ? &shapes[0] : &alike, &seed);
        mp_candidates_begin(&found, MOST, INT32_MAX, INT32_MAX);
        mp_find_swaps(&placed.placement, 0, &found);
        mp_find_replacements(&placed.placement, 0, &found);
        assert_int_equal(found.n, 0);
        unplace(&placed);
    }
    free(arena.memory);
}

int main(void)
{
    const struct CMUnitTest candidates[] = {
        cmocka_unit_test(of_all_moves_those_with_the_lowest_peaks_are_found),
        cmocka_unit_test(of_all_double_swaps_the_one_with_the_lowest_peak_is_made),
        cmocka_unit_test(a_rank_alone_and_ranks_that_are_alike_have_no_swaps),
    };
    return cmocka_run_group_tests(candidates, NULL, NULL);
}
