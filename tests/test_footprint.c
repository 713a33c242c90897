/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory that handles and calls take is what moepredict.h says. */
#include "support.h"

enum { MIB = 1 << 20 };

/* A method's predictor with counts pushed, its memory counted. */
struct footprint {
    struct test_memory memory;
    moep_predictor *predictor;
    size_t series, history;
};

static void make_footprint(struct footprint *f, moep_method method, size_t layers, size_t experts, size_t steps)
{
    *f = (struct footprint){.series = layers * experts};
    moep_runtime runtime = runtime_on(&f->memory);
    f->predictor = make_predictor(method, layers, experts, 0, &runtime);
    f->history = (size_t)info_of(f->predictor).history;
    int64_t *counts = random_counts(1, layers, experts, 5);
    for (size_t i = 0; i < steps; i++)
        assert_int_equal(moep_predictor_push(f->predictor, 1, counts, MOEP_INT64), MOEP_OK);
    free(counts);
}

/* The bytes that a predictor takes besides its history. */
static size_t beside_history(moep_method method, size_t layers, size_t experts)
{
    struct footprint f;
    make_footprint(&f, method, layers, experts, 0);
    size_t bytes = f.memory.live_bytes - 4 * f.history * f.series;
    moep_predictor_destroy(f.predictor);
    return bytes;
}

/* The most bytes that a predict of `horizon` steps takes besides the handle. */
static size_t scratch_of(moep_method method, size_t layers, size_t experts, size_t steps, size_t horizon)
{
    struct footprint f;
    make_footprint(&f, method, layers, experts, steps);
    double *shares = calloc(layers * experts, sizeof *shares);
    size_t held = f.memory.live_bytes;
    f.memory.peak_bytes = held;
    assert_int_equal(moep_predictor_predict(f.predictor, horizon, horizon, shares, layers * experts), MOEP_OK);
    assert_int_equal(f.memory.live_bytes, held);
    free(shares);
    moep_predictor_destroy(f.predictor);
    return f.memory.peak_bytes - held;
}

static size_t saved_size(const moep_predictor *predictor)
{
    size_t size = 0;
    assert_int_equal(moep_predictor_save(predictor, NULL, 0, &size), MOEP_OK);
    return size;
}

static void a_series_takes_four_bytes_a_step_and_with_arima_half_a_kib_more(void **state)
{
    (void)state;
    assert_in_range(beside_history(MOEP_SW_AVG, 8, 64), 0, 1024);
    size_t small = beside_history(MOEP_ARIMA, 2, 64), large = beside_history(MOEP_ARIMA, 10, 64);
    assert_in_range((large - small) / (8 * 64), 400, 512);
}

static void auto_takes_a_third_of_a_kib_a_series_and_keeps_no_steps(void **state)
{
    (void)state;
    size_t small = beside_history(MOEP_AUTO, 2, 256), large = beside_history(MOEP_AUTO, 10, 256);
    assert_in_range((large - small) / (8 * 256), 330, 370);
    moep_predictor *predictor = make_predictor(MOEP_AUTO, 1, 1, 0, NULL);
    assert_int_equal(info_of(predictor).history, 1);
    moep_predictor_destroy(predictor);
}

/* A state holds four copies of the weights and, for older libraries, 36,480 bytes of zeros. */
static void the_lstm_takes_five_copies_of_its_weights(void **state)
{
    (void)state;
    struct footprint f;
    make_footprint(&f, MOEP_LSTM, 2, 8, 0);
    size_t ring = 4 * f.history * f.series, copy = (saved_size(f.predictor) - ring - 36480) / 4;
    assert_in_range(f.memory.live_bytes - ring, 5 * copy * 97 / 100, 5 * copy * 103 / 100);
    moep_predictor_destroy(f.predictor);
}

static void a_forecast_takes_the_scratch_that_the_header_says(void **state)
{
    (void)state;
    assert_in_range(scratch_of(MOEP_SW_AVG, 4, 32, 200, 100000), 8 * 100000, 8 * 100000 + 8192);
    size_t observations = 1000 / 5, doubles = 8 * observations * 64;
    assert_in_range(scratch_of(MOEP_ARIMA, 4, 64, 1000, 1000), doubles, 10 * doubles + 512 * 1024);
    assert_in_range(scratch_of(MOEP_LSTM, 4, 256, 2048, 1000), 200 * 4 * 256 + MIB, 200 * 4 * 256 + 2 * MIB);
    assert_in_range(scratch_of(MOEP_LSTM, 1, 1024, 2048, 1000), (200 + 2000) * 1024, (200 + 2500) * 1024);
    assert_in_range(scratch_of(MOEP_AUTO, 4, 1024, 300, 1000), 650 * 1024, 750 * 1024);
}

static size_t detector_bytes(size_t layers, const moep_detector_config *config, size_t *saved)
{
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    moep_detector *detector = make_detector_of(layers, 64, config, &runtime);
    assert_int_equal(moep_detector_save(detector, NULL, 0, saved), MOEP_OK);
    size_t bytes = memory.live_bytes;
    moep_detector_destroy(detector);
    return bytes;
}

/* A layer's own numbers are shared by its 64 experts. */
static void a_detector_takes_what_its_windows_and_its_horizon_need(void **state)
{
    (void)state;
    const struct {
        double growth;
        uint64_t horizon;
        size_t learned;
    } cases[] = {
        {0.3, 1000, 0}, {MOEP_LEARN, 50, 32 + 4}, {MOEP_LEARN, 1000, 32 + 4 * 10}, {MOEP_LEARN, 1000000, 32 + 4 * 20}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        moep_detector_config config = detector_config(cases[i].growth);
        config.horizon = cases[i].horizon;
        size_t saved, small = detector_bytes(2, &config, &saved), large = detector_bytes(34, &config, &saved);
        size_t each = (large - small) / (32 * 64), said = 140 + 4 * 100 + 8 * (10 + 100) + 12 * 5 + cases[i].learned;
        assert_in_range(each, said - 3, said + 3);
        assert_in_range(saved, large * 34 / 100, large * 41 / 100);
    }
}

static size_t planner_bytes(size_t layers, const moep_planner_config *config, size_t *saved)
{
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    moep_planner *planner = make_planner_of(layers, 64, config, &runtime);
    assert_int_equal(moep_planner_save(planner, NULL, 0, saved), MOEP_OK);
    size_t bytes = memory.live_bytes;
    moep_planner_destroy(planner);
    return bytes;
}

static void a_planner_takes_four_bytes_a_scenario_and_92_more_and_is_saved_in_as_many(void **state)
{
    (void)state;
    const uint32_t scenarios[] = {2, 100, 1000};
    for (size_t i = 0; i < 3; i++) {
        moep_planner_config config = planner_config(1000, scenarios[i]);
        size_t saved, small = planner_bytes(2, &config, &saved), large = planner_bytes(34, &config, &saved);
        assert_int_equal((large - small) / (32 * 64), 4 * scenarios[i] + 92);
        assert_in_range(large, 34 * 64 * (4 * scenarios[i] + 92), 34 * 64 * (4 * scenarios[i] + 92) + 1024);
        assert_in_range(saved, large - 1024, large);
    }
}

/* What a plan, or a forecast of ranks, takes besides the planner of one layer with all steps kept. */
static size_t plan_bytes(size_t experts, size_t slots, size_t ranks, bool forecasts)
{
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    moep_layout layout = {sizeof layout, 1, experts, slots, ranks, 0, 0};
    moep_plan_result result = {.struct_size = sizeof result};
    moep_planner *planner = make_planner(1, experts, &runtime);
    int32_t *counts = calloc(900 * experts, sizeof *counts);
    int64_t *map = calloc(slots, sizeof *map);
    moep_plan_options options = {.struct_size = sizeof options};
    for (size_t slot = 0; slot < slots; slot++)
        map[slot] = (int64_t)(slot % experts);
    assert_int_equal(moep_plan_options_init(&options), MOEP_OK);
    options.effort = 1;
    assert_int_equal(moep_planner_push(planner, 900, counts, MOEP_INT32), MOEP_OK);
    size_t before = memory.peak_bytes = memory.live_bytes;
    moep_status status = forecasts ? moep_planner_predict_ranks(planner, &layout, map, NULL, 0, NULL, NULL, NULL, NULL)
                                   : moep_plan(planner, &layout, NULL, map, &options, &result);
    assert_int_equal(status, MOEP_OK);
    size_t bytes = memory.peak_bytes - before;
    free(map);
    free(counts);
    moep_planner_destroy(planner);
    return bytes;
}

static void a_plan_and_a_forecast_of_ranks_take_the_scratch_that_the_header_says(void **state)
{
    (void)state;
    const struct {
        size_t experts, slots, ranks;
    } shapes[] = {{256, 256, 8}, {256, 512, 256}, {64, 4096, 256}, {512, 512, 4}};
    for (size_t i = 0; i < 4; i++) {
        size_t experts = shapes[i].experts, slots = shapes[i].slots, ranks = shapes[i].ranks;
        size_t said = 44 * slots + 8 * ranks * experts + 4 * ranks * ranks + 1200 * experts + 600 * ranks;
        assert_in_range(plan_bytes(experts, slots, ranks, false), said * 80 / 100, said * 105 / 100 + 4096);
        said = 8 * ranks * experts + 1000 * experts + 500 * ranks;
        assert_in_range(plan_bytes(experts, slots, ranks, true), said * 80 / 100, said * 105 / 100 + 8 * slots);
    }
}

static void a_saved_predictor_is_about_as_large_as_the_handle(void **state)
{
    (void)state;
    for (moep_method method = 0; moep_method_name(method); method++) {
        struct footprint f;
        make_footprint(&f, method, 48, 64, 0);
        assert_in_range(saved_size(f.predictor), f.memory.live_bytes * 95 / 100, f.memory.live_bytes * 105 / 100);
        moep_predictor_destroy(f.predictor);
    }
}

int main(void)
{
    const struct CMUnitTest footprint[] = {
        cmocka_unit_test(a_series_takes_four_bytes_a_step_and_with_arima_half_a_kib_more),
        cmocka_unit_test(auto_takes_a_third_of_a_kib_a_series_and_keeps_no_steps),
        cmocka_unit_test(the_lstm_takes_five_copies_of_its_weights),
        cmocka_unit_test(a_forecast_takes_the_scratch_that_the_header_says),
        cmocka_unit_test(a_detector_takes_what_its_windows_and_its_horizon_need),
        cmocka_unit_test(a_planner_takes_four_bytes_a_scenario_and_92_more_and_is_saved_in_as_many),
        cmocka_unit_test(a_plan_and_a_forecast_of_ranks_take_the_scratch_that_the_header_says),
        cmocka_unit_test(a_saved_predictor_is_about_as_large_as_the_handle),
    };
    return cmocka_run_group_tests(footprint, NULL, NULL);
}
