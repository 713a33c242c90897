/* SPDX-License-Identifier: BSD-3-Clause */
/* Edge cases of the detector: gaps, layers without tokens, invalid arguments. */
#include "detector_run.h"

static void a_long_gap_starts_warmup_again_and_a_short_one_does_not(void **state)
{
    (void)state;
    const int32_t counts[2] = {3, 4};
    moep_detector *detector = make_detector(1, 2, NULL);
    assert_int_equal(moep_detector_push_at(detector, 5000, 1, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(layer_since(detector), 5000);
    for (uint64_t step = 5001; step < 5400; step++)
        assert_int_equal(moep_detector_push_at(detector, step, 1, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(layer_state(detector), MOEP_STABLE);
    assert_int_equal(moep_detector_push_at(detector, 5500, 1, counts, MOEP_INT32), MOEP_OK); /* 100 were skipped */
    assert_int_equal(layer_state(detector), MOEP_STABLE);
    assert_int_equal(moep_detector_push_at(detector, 5602, 1, counts, MOEP_INT32), MOEP_OK); /* 101 were */
    assert_int_equal(layer_state(detector), MOEP_WARMUP);
    assert_int_equal(expert_state(detector, 1), MOEP_WARMUP);
    assert_int_equal(layer_since(detector), 5602);
    assert_int_equal(layer_changes(detector), 3);
    double drift;
    assert_int_equal(moep_detector_read(detector, MOEP_DRIFT, 0, &drift, NULL), MOEP_ERROR_TOO_FEW_STEPS);
    assert_int_equal(moep_detector_read(detector, MOEP_MEAN, 1, &drift, NULL), MOEP_OK);
    for (size_t step = 1; step < FIRST_STABLE; step++)
        assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(layer_state(detector), MOEP_STABLE);
    assert_int_equal(layer_since(detector), 5602 + FIRST_STABLE - 1);
    assert_int_equal(info_of_detector(detector).gaps, 101 - 1 + 101); /* not the 5000 before it began */
    moep_detector_destroy(detector);
}

static void layers_without_tokens_dead_experts_and_single_ones_are_stable(void **state)
{
    (void)state;
    enum { EXPERTS = 3 };
    moep_detector *detector = make_detector(2, EXPERTS, NULL), *single = make_detector(1, 1, NULL);
    uint64_t seed = 81;
    for (size_t step = 0; step < 400; step++) {
        int64_t noise = (int64_t)(random_number(&seed) % 64);
        const int64_t counts[2 * EXPERTS] = {0, 0, 0, 0, 1000 + noise, 1000 - noise};
        assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_detector_push(single, 1, counts + 4, MOEP_INT64), MOEP_OK);
    }
    moep_state layers[2], experts[2 * EXPERTS];
    double noise[2 * EXPERTS], drift[2 * EXPERTS];
    assert_int_equal(moep_detector_states(detector, layers, experts), MOEP_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(layers[i], MOEP_STABLE);
    for (size_t i = 0; i < 2 * EXPERTS; i++)
        assert_int_equal(experts[i], MOEP_STABLE);
    assert_int_equal(info_of_detector(detector).empty_layers, 400);
    assert_int_equal(moep_detector_read(detector, MOEP_NOISE, 0, NULL, noise), MOEP_OK);
    assert_int_equal(moep_detector_read(detector, MOEP_DRIFT, 0, NULL, drift), MOEP_OK);
    assert_true(isnan(noise[0]) && isnan(noise[3]) && noise[4] > 0 && drift[3] == 0);
    assert_int_equal(layer_state(single), MOEP_STABLE);
    assert_true(layer_value(single, MOEP_MEAN) == 1 && isnan(layer_value(single, MOEP_NOISE)));
    moep_detector_destroy(single);
    moep_detector_destroy(detector);
}

static void a_field_out_of_range_is_named(void **state)
{
    (void)state;
#define refused(words, change)                                                                               \
    do {                                                                                                     \
        moep_detector_config config = {.struct_size = sizeof config};                                        \
        moep_detector *detector = (moep_detector *)&config;                                                  \
        assert_int_equal(moep_detector_config_init(&config), MOEP_OK);                                       \
        change;                                                                                              \
        assert_int_equal(moep_detector_create(2, 3, &config, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT); \
        assert_says(words);                                                                                  \
        assert_null(detector);                                                                               \
    } while (0)
    refused("horizon must be", config.horizon = 0);
    refused("tolerance must be", config.tolerance = 0);
    refused("tolerance must be", config.tolerance = NAN);
    refused("tolerance must be", config.tolerance = INFINITY);
    refused("expert_tolerance must be", config.expert_tolerance = -0.1);
    refused("expert_tolerance must be", config.expert_tolerance = NAN);
    refused("growth must be MOEP_LEARN (-1) or within 0 and 1", config.growth = -0.1);
    refused("growth must be", config.growth = nextafter(MOEP_LEARN, 0));
    refused("growth must be", config.growth = -INFINITY);
    refused("growth must be", config.growth = 1.1);
    refused("growth must be", config.growth = NAN);
    refused("2 to 512 times block", config.block = 0);
    refused("2 to 512 times block", config.drift_window = 0);
    refused("2 to 512 times block", config.drift_window = 20);
    refused("2 to 512 times block", config.drift_window = 110);
    refused("2 to 512 times block", config.drift_window = 513 * 20);
    refused("dwell must be", config.dwell = 0);
    refused("reserved must be 0", config.reserved = 1);
    refused("1024 steps or fewer", config.windows[3] = 1025);
#undef refused
    moep_detector_config config = {.struct_size = sizeof config};
    moep_detector *detector = NULL;
    assert_int_equal(moep_detector_config_init(NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_config_init(&config), MOEP_OK);
    assert_true(config.growth == MOEP_LEARN);
    assert_int_equal(moep_detector_create(0, 3, &config, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_create(3, 0, &config, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_create(2, 3, NULL, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_create(2, 3, &config, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_create(SIZE_MAX / 2, SIZE_MAX / 2, &config, NULL, &detector),
                     MOEP_ERROR_OUT_OF_MEMORY);
    config.horizon = UINT64_MAX;
    for (double growth = 0; growth <= 1; growth++) {
        config.growth = growth;
        assert_int_equal(moep_detector_create(2, 3, &config, NULL, &detector), MOEP_OK);
        moep_detector_destroy(detector);
    }
    config.growth = MOEP_LEARN;
    config.drift_window = 512 * 20;
    memset(config.windows, 0, sizeof config.windows);
    assert_int_equal(moep_detector_create(2, 3, &config, NULL, &detector), MOEP_OK);
    moep_detector_destroy(detector);
    moep_detector_destroy(NULL);
}

static void a_quantity_that_cannot_be_read_is_refused_in_words(void **state)
{
    (void)state;
    const int32_t counts[4] = {1, 2, 3, 4};
    double value = 7;
    uint64_t number = 7;
    moep_state one = 7;
    moep_detector *detector = make_detector(1, 4, NULL);
    assert_int_equal(moep_detector_read(detector, MOEP_MEAN, 0, &value, NULL), MOEP_ERROR_TOO_FEW_STEPS);
    assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(moep_detector_read(detector, MOEP_MEAN, 2, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("has no such window");
    assert_int_equal(moep_detector_read(detector, MOEP_MEAN, SIZE_MAX, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_read(detector, MOEP_DRIFT, 1, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_read(detector, MOEP_DRIFT, 0, &value, NULL), MOEP_ERROR_TOO_FEW_STEPS);
    assert_says("WARMUP takes 200");
    assert_int_equal(moep_detector_read(detector, MOEP_NOISE, 0, &value, NULL), MOEP_ERROR_TOO_FEW_STEPS);
    assert_int_equal(moep_detector_read(detector, -1, 0, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_read(detector, 6, 0, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_read(NULL, MOEP_MEAN, 0, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_states(NULL, &one, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_since(NULL, &number, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_changes(NULL, &number, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_states(detector, NULL, NULL), MOEP_OK);
    assert_true(value == 7 && number == 7 && one == 7);
    moep_detector_destroy(detector);
}

static void a_refused_push_changes_nothing(void **state)
{
    (void)state;
    enum { MOST = 8192 };
    static unsigned char before[MOST], after[MOST];
    size_t size = 0, same = 0;
    const double counts[3][4] = {{1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, NAN, 4}};
    moep_detector *detector = make_detector(1, 4, NULL);
    for (size_t step = 0; step < 205; step++)
        assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_FLOAT64), MOEP_OK);
    assert_int_equal(moep_detector_save(detector, before, MOST, &size), MOEP_OK);
    assert_int_equal(moep_detector_push(detector, 3, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("step 2 of the call, layer 0, expert 2: count is not a number");
    assert_int_equal(moep_detector_push_at(detector, 100000, 3, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push_at(detector, 204, 1, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push(detector, 1, counts, 6), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push(detector, 1, NULL, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push(NULL, 1, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push_at(NULL, 1, 1, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push_at(detector, 100000, 0, NULL, MOEP_FLOAT64), MOEP_OK); /* no step: no gap */
    assert_int_equal(moep_detector_save(detector, after, MOST, &same), MOEP_OK);
    assert_int_equal(same, size);
    assert_memory_equal(before, after, size);
    moep_detector_destroy(detector);
}

static void push_and_reads_of_states_take_no_memory(void **state)
{
    (void)state;
    enum { PUSHED = 750 }; /* errors of the past come with step 700 */
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    int64_t *counts = random_counts(PUSHED, 2, 4, 91);
    moep_detector *detector = make_detector(2, 4, &runtime);
    moep_state states[8];
    double values[8];
    size_t requests = memory.requests;
    assert_int_equal(moep_detector_push(detector, PUSHED, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_detector_states(detector, NULL, states), MOEP_OK);
    for (moep_quantity quantity = MOEP_MEAN; quantity <= MOEP_DISPERSION; quantity++)
        assert_int_equal(moep_detector_read(detector, quantity, 0, NULL, values), MOEP_OK);
    assert_int_equal(memory.requests, requests);
    moep_detector_destroy(detector);
    assert_int_equal(memory.live_blocks, 0);
    assert_int_equal(memory.live_bytes, 0);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest detector_edges[] = {
        cmocka_unit_test(a_long_gap_starts_warmup_again_and_a_short_one_does_not),
        cmocka_unit_test(layers_without_tokens_dead_experts_and_single_ones_are_stable),
        cmocka_unit_test(a_field_out_of_range_is_named),
        cmocka_unit_test(a_quantity_that_cannot_be_read_is_refused_in_words),
        cmocka_unit_test(a_refused_push_changes_nothing),
        cmocka_unit_test(push_and_reads_of_states_take_no_memory),
    };
    return cmocka_run_group_tests(detector_edges, NULL, NULL);
}
