/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include <float.h>
#include <stdio.h>

enum { LAYERS = 2, EXPERTS = 5, SLOTS = 8, RANKS = 4, ON_RANK = SLOTS / RANKS, MAP = LAYERS * SLOTS };
enum { SHARES = LAYERS * EXPERTS, LOADS = LAYERS * RANKS, ROOM = 3 };

static const moep_layout usual = {sizeof(moep_layout), LAYERS, EXPERTS, SLOTS, RANKS, 0, 0};

/* Layer 0 has experts twice, once on one rank. Layer 1 has empty slots. */
static const int64_t sparse[MAP] = {0, 1, 2, 3, 4, 4, 1, 0, 3, -1, 0, -1, 4, 3, 2, 1};
/* Layer 1 lacks expert 2. */
static const int64_t lacking[MAP] = {0, 1, 2, 3, 4, 4, 1, 0, 3, -1, 0, -1, 4, 3, -1, 1};
static const int64_t full[MAP] = {0, 1, 2, 3, 4, 0, 1, 2, 4, 3, 2, 1, 0, 4, 3, 2};

/* ---- slots of experts -------------------------------------------------------------------------------------------- */

static void the_slots_of_each_expert_are_found_ascending(void **state)
{
    (void)state;
    const int64_t slots[SHARES][ROOM] = {{0, 7, -1},  {1, 6, -1},  {2, -1, -1},  {3, -1, -1}, {4, 5, -1},
                                         {2, -1, -1}, {7, -1, -1}, {-1, -1, -1}, {0, 5, -1},  {4, -1, -1}};
    const int64_t copies[SHARES] = {2, 2, 1, 1, 2, 1, 1, 0, 2, 1};
    int64_t log2phy[SHARES][ROOM], logcnt[SHARES];
    assert_int_equal(moep_map_invert(&usual, lacking, &log2phy[0][0], ROOM, logcnt), MOEP_OK);
    assert_memory_equal(log2phy, slots, sizeof slots);
    assert_memory_equal(logcnt, copies, sizeof copies);
    memset(log2phy, 0, sizeof log2phy);
    memset(logcnt, 0, sizeof logcnt);
    assert_int_equal(moep_map_invert(&usual, lacking, &log2phy[0][0], ROOM, NULL), MOEP_OK);
    assert_int_equal(moep_map_invert(&usual, lacking, NULL, 0, logcnt), MOEP_OK);
    assert_memory_equal(log2phy, slots, sizeof slots);
    assert_memory_equal(logcnt, copies, sizeof copies);
    assert_int_equal(moep_map_invert(&usual, lacking, NULL, 0, NULL), MOEP_OK);
}

/* Each layer has three copies of expert e, and of the others one. */
static void assert_fits_but_not_with_less(size_t experts, size_t e)
{
    const moep_layout layout = {sizeof layout, 2, experts, experts + 2, experts + 2, 0, 0};
    size_t slots = layout.slots, size = 2 * experts * 3 * sizeof(int64_t);
    int64_t *map = malloc(2 * slots * sizeof *map), *log2phy = malloc(size), *untouched = malloc(size);
    char words[64];
    (void)snprintf(words, sizeof words, "layer 1, expert %zu has more copies than the 2 that", e);
    for (size_t i = 0; i < 2 * slots; i++)
        map[i] = (int64_t)(i % slots < experts ? i % slots : e);
    assert_int_equal(moep_map_invert(&layout, map, log2phy, 3, NULL), MOEP_OK);
    map[slots - 1] = -1; /* layer 0 fits */
    memset(log2phy, 0x7f, size);
    memset(untouched, 0x7f, size);
    assert_int_equal(moep_map_invert(&layout, map, log2phy, 2, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says(words);
    assert_memory_equal(log2phy, untouched, size);
    free(map);
    free(log2phy);
    free(untouched);
}

static void copies_beyond_the_room_are_refused_however_many_experts(void **state)
{
    (void)state;
    const size_t numbers[] = {2, 511, 512, 513, 1025};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_fits_but_not_with_less(numbers[i], 0);
        assert_fits_but_not_with_less(numbers[i], numbers[i] - 1);
    }
}

/* ---- moves ------------------------------------------------------------------------------------------------------- */

static uint64_t moves_of(const moep_layout *layout, const int64_t *from, const int64_t *to)
{
    uint64_t moves[LAYERS], sum = 0;
    assert_true(layout->layers <= LAYERS);
    assert_int_equal(moep_map_moves(layout, from, to, moves), MOEP_OK);
    for (size_t layer = 0; layer < layout->layers; layer++)
        sum += moves[layer];
    return sum;
}

static void slots_with_an_expert_new_to_their_rank_move(void **state)
{
    (void)state;
    uint64_t moves[LAYERS];
    assert_int_equal(moep_map_moves(&usual, sparse, full, moves), MOEP_OK);
    assert_int_equal(moves[0], 2); /* ranks 2 and 3: 4 4 -> 4 0, 1 0 -> 1 2 */
    assert_int_equal(moves[1], 5); /* 3 - -> 4 3, 0 - -> 2 1, 4 3 -> 0 4, 2 1 -> 3 2 */
    assert_int_equal(moep_map_moves(&usual, lacking, full, moves), MOEP_OK);
    assert_int_equal(moves[1], 6);
}

static void a_second_copy_on_a_rank_moves_too(void **state)
{
    (void)state;
    const moep_layout layout = {sizeof layout, 1, 3, 6, 2, 0, 0};
    const int64_t one[6] = {0, 1, 2, 0, 1, 2}, two[6] = {0, 1, 0, 2, 1, 2}, three[6] = {1, 0, 1, 2, 2, 2};
    assert_int_equal(moves_of(&layout, one, two), 2);
    assert_int_equal(moves_of(&layout, two, one), 2);
    assert_int_equal(moves_of(&layout, two, three), 2);
}

static void changing_places_on_a_rank_moves_nothing(void **state)
{
    (void)state;
    int64_t other[MAP];
    for (size_t slot = 0; slot < MAP; slot++)
        other[slot] = full[slot / ON_RANK * ON_RANK + (ON_RANK - 1 - slot % ON_RANK)];
    assert_int_equal(moves_of(&usual, full, full), 0);
    assert_int_equal(moves_of(&usual, full, other), 0);
}

/* As moep_rebalance makes them. */
static void a_rank_may_have_more_slots_than_there_are_experts(void **state)
{
    (void)state;
    const moep_layout layout = {sizeof layout, 1, 2, 6, 2, 0, 0};
    const int64_t from[6] = {0, 0, 1, 0, 1, 1}, to[6] = {0, 0, 0, 1, 1, 0};
    const double shares[2] = {2, 1};
    int64_t logcnt[2];
    double loads[2];
    assert_int_equal(moves_of(&layout, from, to), 1);
    assert_int_equal(moep_map_invert(&layout, to, NULL, 0, logcnt), MOEP_OK);
    assert_int_equal(logcnt[0], 4);
    assert_int_equal(moep_rank_loads(&layout, to, 1, shares, loads, NULL), MOEP_OK);
    assert_near(loads[0], 0.5, 1e-15);
    assert_near(loads[1], 0.5, 1e-15);
}

/* ---- loads of ranks ---------------------------------------------------------------------------------------------- */

static void a_rank_carries_the_parts_of_its_copies(void **state)
{
    (void)state;
    enum { ROWS = 7 };
    double shares[ROWS][LAYERS][EXPERTS], loads[ROWS][LAYERS][RANKS], peak[ROWS][LAYERS];
    uint64_t seed = 9;
    for (size_t i = 0; i < ROWS * SHARES; i++)
        (&shares[0][0][0])[i] = (double)(random_number(&seed) >> 20);
    assert_int_equal(moep_rank_loads(&usual, sparse, ROWS, &shares[0][0][0], &loads[0][0][0], &peak[0][0]), MOEP_OK);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t layer = 0; layer < LAYERS; layer++) {
            double expected[RANKS] = {0}, total = 0, largest = 0;
            const int64_t *map = sparse + layer * SLOTS;
            for (size_t e = 0; e < EXPERTS; e++)
                total += shares[row][layer][e];
            for (size_t slot = 0; slot < SLOTS; slot++) {
                size_t copies = 0;
                for (size_t other = 0; other < SLOTS; other++)
                    copies += map[other] == map[slot];
                if (map[slot] >= 0)
                    expected[slot / ON_RANK] += shares[row][layer][map[slot]] / (double)copies / total;
            }
            for (size_t rank = 0; rank < RANKS; rank++) {
                assert_near(loads[row][layer][rank], expected[rank], 1e-15);
                largest = fmax(largest, loads[row][layer][rank]);
            }
            assert_true(peak[row][layer] == largest * RANKS);
        }
    }
}

static void each_output_may_be_null_and_there_may_be_no_row(void **state)
{
    (void)state;
    const double shares[SHARES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    double loads[LOADS], peak[LAYERS], others[LOADS];
    assert_int_equal(moep_rank_loads(&usual, full, 1, shares, loads, peak), MOEP_OK);
    assert_int_equal(moep_rank_loads(&usual, full, 1, shares, others, NULL), MOEP_OK);
    assert_memory_equal(others, loads, sizeof loads);
    assert_int_equal(moep_rank_loads(&usual, full, 1, shares, NULL, others), MOEP_OK);
    assert_memory_equal(others, peak, sizeof peak);
    assert_int_equal(moep_rank_loads(&usual, full, 1, shares, NULL, NULL), MOEP_OK);
    assert_int_equal(moep_rank_loads(&usual, full, 0, NULL, loads, peak), MOEP_OK);
}

static void a_layer_without_load_counts_as_uniform(void **state)
{
    (void)state;
    const double none[SHARES] = {0}, ones[SHARES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    double of_none[LOADS], of_ones[LOADS];
    assert_int_equal(moep_rank_loads(&usual, full, 1, none, of_none, NULL), MOEP_OK);
    assert_int_equal(moep_rank_loads(&usual, full, 1, ones, of_ones, NULL), MOEP_OK);
    for (size_t i = 0; i < LOADS; i++)
        assert_near(of_none[i], of_ones[i], 1e-16);
}

static void scaling_shares_changes_nothing_not_even_to_the_limits_of_double(void **state)
{
    (void)state;
    const double scales[] = {0x1p-1074, 0x1p-600, 0x1p10, 0x1p1020};
    double shares[SHARES] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, loads[LOADS], others[LOADS], scaled[SHARES];
    assert_int_equal(moep_rank_loads(&usual, full, 1, shares, loads, NULL), MOEP_OK);
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        for (size_t i = 0; i < SHARES; i++)
            scaled[i] = shares[i] * scales[s];
        assert_int_equal(moep_rank_loads(&usual, full, 1, scaled, others, NULL), MOEP_OK);
        assert_memory_equal(others, loads, sizeof loads);
    }
    for (size_t i = 0; i < SHARES; i++)
        scaled[i] = DBL_MAX;
    assert_int_equal(moep_rank_loads(&usual, full, 1, scaled, others, NULL), MOEP_OK);
    assert_near(others[0], 1.0 / 5 / 2 + 1.0 / 5 / 2, 1e-16); /* experts 0 and 1, two copies each */
}

/* ---- bad input --------------------------------------------------------------------------------------------------- */

/* The input of all three calls, and their outputs, which must stay as they are. */
struct calls {
    moep_layout layout;
    int64_t from[MAP], to[MAP];
    double shares[SHARES];
    int64_t log2phy[SHARES][ROOM], logcnt[SHARES];
    uint64_t moves[LAYERS];
    double loads[LOADS], peak[LAYERS];
};

enum { INVERT = 1, MOVES = 2, RANK_LOADS = 4 };

static void make_calls(struct calls *calls)
{
    memset(calls, 0x7f, sizeof *calls);
    calls->layout = usual;
    memcpy(calls->from, sparse, sizeof sparse);
    memcpy(calls->to, full, sizeof full);
    for (size_t i = 0; i < SHARES; i++)
        calls->shares[i] = 1;
}

static moep_status call(struct calls *calls, int which)
{
    if (which == INVERT)
        return moep_map_invert(&calls->layout, calls->to, &calls->log2phy[0][0], ROOM, calls->logcnt);
    if (which == MOVES)
        return moep_map_moves(&calls->layout, calls->from, calls->to, calls->moves);
    return moep_rank_loads(&calls->layout, calls->to, 1, calls->shares, calls->loads, calls->peak);
}

static void assert_unchanged_by(struct calls *calls, int which, moep_status expected, const char *words)
{
    struct calls before = *calls;
    assert_int_equal(call(calls, which), expected);
    assert_says(words);
    assert_memory_equal(calls, &before, sizeof before);
}

#define refused(by, words, change)                                                        \
    do {                                                                                  \
        struct calls calls;                                                               \
        make_calls(&calls);                                                               \
        change;                                                                           \
        for (int which = INVERT; which <= RANK_LOADS; which *= 2)                         \
            if ((by)&which)                                                               \
                assert_unchanged_by(&calls, which, MOEP_ERROR_INVALID_ARGUMENT, (words)); \
    } while (0)

static void bad_input_is_refused_in_words_and_nothing_is_written(void **state)
{
    (void)state;
    const int all = INVERT | MOVES | RANK_LOADS;
    refused(all, "7 slots", calls.layout.slots = 7);
    refused(all, "9 experts", calls.layout.experts = 9);
    refused(all, "layer 1, slot 3: 5 is not an expert", calls.to[SLOTS + 3] = EXPERTS);
    refused(all, "layer 0, slot 7: -2 is not an expert", calls.to[7] = -2);
    refused(MOVES, "from: layer 1, slot 1: 7 is not", calls.from[SLOTS + 1] = 7);
    refused(MOVES, "to: layer 1, slot 3 is empty", calls.to[SLOTS + 3] = -1);
    refused(MOVES | RANK_LOADS, "layer 1, expert 1 has no copy", calls.to[SLOTS + 3] = 0);
    refused(RANK_LOADS, "layer 1, expert 0 is nan", calls.shares[EXPERTS] = NAN);
    refused(RANK_LOADS, "layer 1, expert 4 is -1", calls.shares[SHARES - 1] = -1);
    refused(RANK_LOADS, "layer 0, expert 0 is inf", calls.shares[0] = INFINITY);
}

static void missing_arrays_are_refused(void **state)
{
    (void)state;
    const double shares[SHARES] = {1};
    int64_t output[SHARES];
    uint64_t moves[LAYERS];
    double loads[LOADS];
    assert_int_equal(moep_map_invert(NULL, full, NULL, 0, output), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_map_invert(&usual, NULL, NULL, 0, output), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("phy2log is NULL");
    assert_int_equal(moep_map_invert(&usual, full, NULL, 1, output), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("log2phy is NULL");
    assert_int_equal(moep_map_moves(NULL, full, full, moves), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_map_moves(&usual, NULL, full, moves), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("from is NULL");
    assert_int_equal(moep_map_moves(&usual, full, NULL, moves), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("to is NULL");
    assert_int_equal(moep_map_moves(&usual, full, full, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("slots_moved is NULL");
    assert_int_equal(moep_rank_loads(NULL, full, 1, shares, loads, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_rank_loads(&usual, NULL, 1, shares, loads, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("phy2log is NULL");
    assert_int_equal(moep_rank_loads(&usual, full, 1, NULL, loads, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("shares is NULL");
    assert_int_equal(moep_rank_loads(&usual, full, SIZE_MAX / 16, shares, loads, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("no array has that size");
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static bool memory_is_refused;

void *__real_mp_default_allocate(void *user, size_t size);
void *__wrap_mp_default_allocate(void *user, size_t size);

void *__wrap_mp_default_allocate(void *user, size_t size)
{
    return memory_is_refused ? NULL : __real_mp_default_allocate(user, size);
}

static void without_memory_nothing_is_written_and_inverting_needs_none(void **state)
{
    (void)state;
    struct calls calls;
    make_calls(&calls);
    memory_is_refused = true;
    assert_unchanged_by(&calls, MOVES, MOEP_ERROR_OUT_OF_MEMORY, "no memory for");
    assert_unchanged_by(&calls, RANK_LOADS, MOEP_ERROR_OUT_OF_MEMORY, "no memory for");
    assert_int_equal(call(&calls, INVERT), MOEP_OK);
    memory_is_refused = false;
}

int main(void)
{
    const struct CMUnitTest maps[] = {
        cmocka_unit_test(the_slots_of_each_expert_are_found_ascending),
        cmocka_unit_test(copies_beyond_the_room_are_refused_however_many_experts),
        cmocka_unit_test(slots_with_an_expert_new_to_their_rank_move),
        cmocka_unit_test(a_second_copy_on_a_rank_moves_too),
        cmocka_unit_test(changing_places_on_a_rank_moves_nothing),
        cmocka_unit_test(a_rank_may_have_more_slots_than_there_are_experts),
        cmocka_unit_test(a_rank_carries_the_parts_of_its_copies),
        cmocka_unit_test(each_output_may_be_null_and_there_may_be_no_row),
        cmocka_unit_test(a_layer_without_load_counts_as_uniform),
        cmocka_unit_test(scaling_shares_changes_nothing_not_even_to_the_limits_of_double),
        cmocka_unit_test(bad_input_is_refused_in_words_and_nothing_is_written),
        cmocka_unit_test(missing_arrays_are_refused),
        cmocka_unit_test(without_memory_nothing_is_written_and_inverting_needs_none),
    };
    return cmocka_run_group_tests(maps, NULL, NULL);
}
