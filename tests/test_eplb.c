/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include <float.h>
#include <stdio.h>

enum { LAYERS = 2, EXPERTS = 6, SLOTS = 12, RANKS = 4, WEIGHTS = LAYERS * EXPERTS, MAP = LAYERS * SLOTS };

static const moep_layout usual = {sizeof(moep_layout), LAYERS, EXPERTS, SLOTS, RANKS, 0, 0};

/* No copies of two experts tie. */
static const double weights[WEIGHTS] = {3.1, 1, 4, 1.5, 9, 2.6, 5, 3.5, 8, 9.7, 93, 2};

static void rebalance(const moep_layout *layout, const void *of, moep_dtype dtype, int64_t *phy2log)
{
    assert_int_equal(moep_rebalance(layout, of, dtype, phy2log, NULL, 0, NULL), MOEP_OK);
}

/* ---- EPLB -------------------------------------------------------------------------------------------------------- */

enum { MOST = 256 };

/* A case of data/placement/eplb.txt, whose script says what its lines mean. */
struct golden {
    FILE *file;
    moep_layout layout;
    bool ties;
    double weights[MOST];
    int64_t phy2log[MOST], logcnt[MOST];
};

static void read_numbers(FILE *file, const char *name, size_t n, double *numbers)
{
    char what[16];
    assert_true(n <= MOST);
    assert_int_equal(fscanf(file, "%15s", what), 1);
    assert_string_equal(what, name);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(fscanf(file, "%lf", &numbers[i]), 1);
}

static void read_integers(FILE *file, const char *name, size_t n, int64_t *integers)
{
    double numbers[MOST];
    read_numbers(file, name, n, numbers);
    for (size_t i = 0; i < n; i++)
        integers[i] = (int64_t)numbers[i];
}

static bool next_case(struct golden *golden)
{
    int ties;
    moep_layout *layout = &golden->layout;
    layout->struct_size = sizeof *layout;
    if (fscanf(golden->file, " case %*s %zu %zu %zu %zu %zu %zu %d", &layout->layers, &layout->experts, &layout->slots,
               &layout->groups, &layout->nodes, &layout->ranks, &ties) != 7)
        return false;
    golden->ties = ties;
    read_numbers(golden->file, "weights", layout->layers * layout->experts, golden->weights);
    read_integers(golden->file, "phy2log", layout->layers * layout->slots, golden->phy2log);
    read_integers(golden->file, "logcnt", layout->layers * layout->experts, golden->logcnt);
    return true;
}

static float load_of_slot(const struct golden *golden, const int64_t *phy2log, const int64_t *logcnt, size_t i)
{
    size_t place = i / golden->layout.slots * golden->layout.experts + (size_t)phy2log[i];
    return (float)golden->weights[place] / (float)logcnt[place];
}

static void equals_eplb_but_for_the_order_of_experts_that_tie(void **state)
{
    (void)state;
    struct golden golden = {.file = fopen(TEST_DATA "/placement/eplb.txt", "r")};
    int64_t phy2log[MOST], logcnt[MOST];
    size_t cases = 0, without_ties = 0;
    assert_non_null(golden.file);
    assert_int_equal(fscanf(golden.file, "made%*[^\n]"), 0);
    for (; next_case(&golden); cases++) {
        const moep_layout *layout = &golden.layout;
        assert_int_equal(moep_rebalance(layout, golden.weights, MOEP_FLOAT64, phy2log, NULL, 0, logcnt), MOEP_OK);
        assert_memory_equal(logcnt, golden.logcnt, layout->layers * layout->experts * sizeof *logcnt);
        for (size_t i = 0; i < layout->layers * layout->slots; i++)
            assert_true(load_of_slot(&golden, phy2log, logcnt, i) ==
                        load_of_slot(&golden, golden.phy2log, golden.logcnt, i));
        if (!golden.ties)
            assert_memory_equal(phy2log, golden.phy2log, layout->layers * layout->slots * sizeof *phy2log);
        without_ties += !golden.ties;
    }
    fclose(golden.file);
    assert_int_equal(cases, 17);
    assert_int_equal(without_ties, 9);
}

static void where_experts_tie_the_lowest_index_comes_first(void **state)
{
    (void)state;
    const moep_layout layout = {sizeof layout, 1, 4, 8, 2, 0, 0};
    const double equal[4] = {1, 1, 1, 1}, two[4] = {0, 2, 0, 2};
    const int64_t of_equal[8] = {0, 2, 0, 2, 1, 3, 1, 3}, of_two[8] = {1, 1, 1, 0, 3, 3, 3, 2};
    int64_t phy2log[8];
    rebalance(&layout, equal, MOEP_FLOAT64, phy2log);
    assert_memory_equal(phy2log, of_equal, sizeof phy2log);
    rebalance(&layout, two, MOEP_FLOAT64, phy2log);
    assert_memory_equal(phy2log, of_two, sizeof phy2log);
}

/* ---- laws -------------------------------------------------------------------------------------------------------- */

static void permuting_experts_permutes_the_map(void **state)
{
    (void)state;
    const int64_t permuted[EXPERTS] = {4, 2, 0, 5, 1, 3};
    double others[WEIGHTS];
    int64_t phy2log[MAP], of_others[MAP];
    for (size_t i = 0; i < WEIGHTS; i++)
        others[i / EXPERTS * EXPERTS + (size_t)permuted[i % EXPERTS]] = weights[i];
    rebalance(&usual, weights, MOEP_FLOAT64, phy2log);
    rebalance(&usual, others, MOEP_FLOAT64, of_others);
    for (size_t i = 0; i < MAP; i++)
        assert_int_equal(of_others[i], permuted[phy2log[i]]);
}

static void a_power_of_two_changes_nothing(void **state)
{
    (void)state;
    const double scales[] = {0x1p-100, 0.5, 2, 0x1p100};
    double scaled[WEIGHTS];
    int64_t phy2log[MAP], of_scaled[MAP];
    rebalance(&usual, weights, MOEP_FLOAT64, phy2log);
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
        for (size_t i = 0; i < WEIGHTS; i++)
            scaled[i] = weights[i] * scales[s];
        rebalance(&usual, scaled, MOEP_FLOAT64, of_scaled);
        assert_memory_equal(of_scaled, phy2log, sizeof phy2log);
    }
}

#define assert_same_as(type, dtype)                              \
    do {                                                         \
        type others[WEIGHTS];                                    \
        for (size_t i = 0; i < WEIGHTS; i++)                     \
            others[i] = (type)counts[i];                         \
        rebalance(&usual, others, dtype, of_others);             \
        assert_memory_equal(of_others, phy2log, sizeof phy2log); \
    } while (0)

static void weights_of_every_dtype_give_the_same(void **state)
{
    (void)state;
    const int64_t counts[WEIGHTS] = {30, 10, 40, 15, 90, 26, 50, 35, 80, 97, 930, 20};
    int64_t phy2log[MAP], of_others[MAP];
    rebalance(&usual, counts, MOEP_INT64, phy2log);
    assert_same_as(int32_t, MOEP_INT32);
    assert_same_as(uint32_t, MOEP_UINT32);
    assert_same_as(uint64_t, MOEP_UINT64);
    assert_same_as(float, MOEP_FLOAT32);
    assert_same_as(double, MOEP_FLOAT64);
}

static void a_layer_alone_gets_the_map_that_it_gets_among_others(void **state)
{
    (void)state;
    moep_layout alone = usual;
    int64_t phy2log[MAP], of_layer[SLOTS];
    alone.layers = 1;
    rebalance(&usual, weights, MOEP_FLOAT64, phy2log);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        rebalance(&alone, weights + layer * EXPERTS, MOEP_FLOAT64, of_layer);
        assert_memory_equal(of_layer, phy2log + layer * SLOTS, sizeof of_layer);
    }
}

static void a_group_stays_on_one_node(void **state)
{
    (void)state;
    enum { NODES = 2, GROUPS = 3 * NODES, SIZE = 2, E = GROUPS * SIZE, P = 20 };
    const moep_layout layout = {sizeof layout, 1, E, P, 4, GROUPS, NODES};
    double loads[E];
    int64_t phy2log[P];
    uint64_t seed = 3;
    for (size_t trial = 0; trial < 50; trial++) {
        int node_of[GROUPS] = {0}, groups_on[NODES] = {0};
        for (size_t e = 0; e < E; e++)
            loads[e] = (double)(random_number(&seed) >> 40);
        rebalance(&layout, loads, MOEP_FLOAT64, phy2log);
        for (size_t slot = 0; slot < P; slot++)
            node_of[phy2log[slot] / SIZE] |= 1 << slot / (P / NODES);
        for (size_t g = 0; g < GROUPS; g++) {
            assert_true(node_of[g] == 1 || node_of[g] == 2);
            groups_on[node_of[g] - 1]++;
        }
        assert_int_equal(groups_on[0], groups_on[1]);
    }
}

static void groups_without_nodes_and_nodes_without_groups_constrain_nothing(void **state)
{
    (void)state;
    const size_t groups[] = {1, 3, 5, 0, 1}, nodes[] = {0, 1, 1, 3, 2};
    int64_t phy2log[MAP], other[MAP];
    rebalance(&usual, weights, MOEP_FLOAT64, phy2log);
    for (size_t i = 0; i < 5; i++) { /* 5 groups, and 3 nodes, would not divide anything */
        moep_layout layout = usual;
        layout.groups = groups[i];
        layout.nodes = nodes[i];
        rebalance(&layout, weights, MOEP_FLOAT64, other);
        assert_memory_equal(other, phy2log, sizeof phy2log);
    }
}

/* Sums of loads become infinite. */
static void weights_up_to_the_largest_float_are_balanced(void **state)
{
    (void)state;
    const double largest[WEIGHTS] = {FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX, -0.0, 0, 0, 1e-60, 0, 0};
    int64_t phy2log[MAP], logcnt[WEIGHTS];
    assert_int_equal(moep_rebalance(&usual, largest, MOEP_FLOAT64, phy2log, NULL, 0, logcnt), MOEP_OK);
    for (size_t i = 0; i < MAP; i++)
        logcnt[i / SLOTS * EXPERTS + (size_t)phy2log[i]]--;
    for (size_t i = 0; i < WEIGHTS; i++)
        assert_int_equal(logcnt[i], 0);
}

/* ---- what it writes ---------------------------------------------------------------------------------------------- */

static void log2phy_has_the_slots_of_each_expert_ascending(void **state)
{
    (void)state;
    enum { ROOM = SLOTS - EXPERTS + 1 };
    int64_t phy2log[MAP], logcnt[WEIGHTS], log2phy[WEIGHTS][ROOM];
    assert_int_equal(moep_rebalance(&usual, weights, MOEP_FLOAT64, phy2log, &log2phy[0][0], ROOM, logcnt), MOEP_OK);
    for (size_t i = 0; i < WEIGHTS; i++) {
        int64_t found = 0;
        for (size_t slot = 0; slot < SLOTS; slot++)
            if (phy2log[i / EXPERTS * SLOTS + slot] == (int64_t)(i % EXPERTS))
                assert_int_equal(log2phy[i][found++], slot);
        assert_int_equal(logcnt[i], found);
        while (found < ROOM)
            assert_int_equal(log2phy[i][found++], -1);
    }
}

static void each_output_may_be_null(void **state)
{
    (void)state;
    enum { ROOM = SLOTS - EXPERTS + 1 };
    int64_t all[MAP + WEIGHTS * ROOM + WEIGHTS], one[MAP + WEIGHTS * ROOM + WEIGHTS];
    int64_t *log2phy = one + MAP, *logcnt = log2phy + WEIGHTS * ROOM;
    assert_int_equal(moep_rebalance(&usual, weights, MOEP_FLOAT64, all, all + MAP, ROOM, all + MAP + WEIGHTS * ROOM),
                     MOEP_OK);
    assert_int_equal(moep_rebalance(&usual, weights, MOEP_FLOAT64, one, NULL, 0, NULL), MOEP_OK);
    assert_int_equal(moep_rebalance(&usual, weights, MOEP_FLOAT64, NULL, log2phy, ROOM, NULL), MOEP_OK);
    assert_int_equal(moep_rebalance(&usual, weights, MOEP_FLOAT64, NULL, NULL, 0, logcnt), MOEP_OK);
    assert_memory_equal(one, all, sizeof all);
    assert_int_equal(moep_rebalance(&usual, weights, MOEP_FLOAT64, NULL, NULL, 0, NULL), MOEP_OK);
}

static void more_slots_than_experts_times_ranks_are_filled(void **state)
{
    (void)state;
    const moep_layout layout = {sizeof layout, 1, 2, 8, 2, 0, 0};
    const double loads[2] = {3, 1};
    const int64_t six_and_two[2] = {6, 2};
    int64_t logcnt[2];
    assert_int_equal(moep_rebalance(&layout, loads, MOEP_FLOAT64, NULL, NULL, 0, logcnt), MOEP_OK);
    assert_memory_equal(logcnt, six_and_two, sizeof logcnt);
}

/* ---- bad input --------------------------------------------------------------------------------------------------- */

/* A call whose outputs are all asked for, and must stay as they are. */
struct call {
    moep_layout layout;
    double weights[WEIGHTS];
    moep_dtype dtype;
    size_t copies;
    int64_t phy2log[MAP], log2phy[WEIGHTS * SLOTS], logcnt[WEIGHTS];
};

static void make_call(struct call *call)
{
    memset(call, 0x7f, sizeof *call);
    call->layout = usual;
    memcpy(call->weights, weights, sizeof weights);
    call->dtype = MOEP_FLOAT64;
    call->copies = SLOTS - EXPERTS + 1;
}

static moep_status make_the_call(struct call *call)
{
    return moep_rebalance(&call->layout, call->weights, call->dtype, call->phy2log, call->log2phy, call->copies,
                          call->logcnt);
}

#define refused(words, change)                                               \
    do {                                                                     \
        struct call call, before;                                            \
        make_call(&call);                                                    \
        change;                                                              \
        memcpy(&before, &call, sizeof call);                                 \
        assert_int_equal(make_the_call(&call), MOEP_ERROR_INVALID_ARGUMENT); \
        assert_says(words);                                                  \
        assert_memory_equal(&call, &before, sizeof call);                    \
    } while (0)

static void bad_input_is_refused_in_words_and_nothing_is_written(void **state)
{
    (void)state;
    refused("layer 1, expert 4 is nan", call.weights[10] = NAN);
    refused("layer 0, expert 5 is inf", call.weights[5] = INFINITY);
    refused("layer 1, expert 5 is -1", call.weights[11] = -1);
    refused("layer 1, expert 5 is -1e-60", call.weights[11] = -1e-60);
    refused("layer 0, expert 0 is 1e+39", call.weights[0] = 1e39);
    refused("dtype 99", call.dtype = 99);
    refused("0 layers", call.layout.layers = 0);
    refused("0 experts", call.layout.experts = 0);
    refused("0 ranks", call.layout.ranks = 0);
    refused("4 slots", call.layout.slots = 4);
    refused("14 slots", call.layout.slots = 14);
    refused("no array has that size", call.layout.layers = SIZE_MAX / SLOTS);
    refused("no array has that size", call.copies = SIZE_MAX / WEIGHTS);
    refused("nodes must divide", (call.layout.groups = 3, call.layout.nodes = 2));
    refused("nodes must divide", (call.layout.groups = 6, call.layout.nodes = 3));
    refused("groups divide experts", (call.layout.groups = 4, call.layout.nodes = 2));
    assert_int_equal(moep_rebalance(NULL, weights, MOEP_FLOAT64, NULL, NULL, 0, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("moep_layout is NULL");
    assert_int_equal(moep_rebalance(&usual, NULL, MOEP_FLOAT64, NULL, NULL, 0, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("weights is NULL");
    assert_int_equal(moep_rebalance(&usual, weights, MOEP_FLOAT64, NULL, NULL, 1, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("log2phy is NULL");
}

/* Layer 0 would fit. */
static void log2phy_needs_room_for_the_expert_with_the_most_copies(void **state)
{
    (void)state;
    struct call fits;
    int64_t logcnt[WEIGHTS], most = 0;
    assert_int_equal(moep_rebalance(&usual, weights, MOEP_FLOAT64, NULL, NULL, 0, logcnt), MOEP_OK);
    for (size_t i = EXPERTS; i < WEIGHTS; i++)
        most = logcnt[i] > most ? logcnt[i] : most;
    refused("layer 1, expert 4 has more copies than the", call.copies = (size_t)most - 1);
    refused("layer 0, expert 0 has more copies than the 0", call.copies = 0);
    make_call(&fits);
    fits.copies = (size_t)most;
    assert_int_equal(make_the_call(&fits), MOEP_OK);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static bool memory_is_refused;
static size_t largest_request;

void *__real_mp_default_allocate(void *user, size_t size);
void *__wrap_mp_default_allocate(void *user, size_t size);

void *__wrap_mp_default_allocate(void *user, size_t size)
{
    largest_request = size > largest_request ? size : largest_request;
    return memory_is_refused ? NULL : __real_mp_default_allocate(user, size);
}

static void without_memory_nothing_is_written(void **state)
{
    (void)state;
    struct call call, before;
    make_call(&call);
    memcpy(&before, &call, sizeof call);
    memory_is_refused = true;
    moep_status status = make_the_call(&call);
    memory_is_refused = false;
    assert_int_equal(status, MOEP_ERROR_OUT_OF_MEMORY);
    assert_says("no memory for");
    assert_memory_equal(&call, &before, sizeof call);
}

static void scratch_is_what_the_header_says(void **state)
{
    (void)state;
    enum { E = 1000, P = 2000 };
    const moep_layout flat = {sizeof flat, 1, E, P, P, 0, 0}, grouped = {sizeof flat, 1, E, P, 100, E, 2};
    double *many = calloc(E, sizeof *many);
    const moep_layout *layouts[] = {&flat, &grouped};
    for (size_t i = 0; i < 2; i++) {
        largest_request = 0;
        assert_int_equal(moep_rebalance(layouts[i], many, MOEP_FLOAT64, NULL, NULL, 0, NULL), MOEP_OK);
        assert_in_range(largest_request, 1, 40 * (E + P));
    }
    free(many);
}

int main(void)
{
    const struct CMUnitTest eplb[] = {
        cmocka_unit_test(equals_eplb_but_for_the_order_of_experts_that_tie),
        cmocka_unit_test(where_experts_tie_the_lowest_index_comes_first),
        cmocka_unit_test(permuting_experts_permutes_the_map),
        cmocka_unit_test(a_power_of_two_changes_nothing),
        cmocka_unit_test(weights_of_every_dtype_give_the_same),
        cmocka_unit_test(a_layer_alone_gets_the_map_that_it_gets_among_others),
        cmocka_unit_test(a_group_stays_on_one_node),
        cmocka_unit_test(groups_without_nodes_and_nodes_without_groups_constrain_nothing),
        cmocka_unit_test(weights_up_to_the_largest_float_are_balanced),
        cmocka_unit_test(log2phy_has_the_slots_of_each_expert_ascending),
        cmocka_unit_test(each_output_may_be_null),
        cmocka_unit_test(more_slots_than_experts_times_ranks_are_filled),
        cmocka_unit_test(bad_input_is_refused_in_words_and_nothing_is_written),
        cmocka_unit_test(log2phy_needs_room_for_the_expert_with_the_most_copies),
        cmocka_unit_test(without_memory_nothing_is_written),
        cmocka_unit_test(scratch_is_what_the_header_says),
    };
    return cmocka_run_group_tests(eplb, NULL, NULL);
}
