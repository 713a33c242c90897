/* SPDX-License-Identifier: BSD-3-Clause */
/* The planner's handle: configuration, steps in, info. */
#include "support.h"

enum { LAYERS = 2, EXPERTS = 3, SERIES = LAYERS * EXPERTS, STEPS = 70, MOST = 4096 };

/* Strides of 3 steps, blocks of 2: both wrap within STEPS. */
static moep_planner *make_small(void)
{
    moep_planner_config config = planner_config(47, 12);
    return make_planner_of(LAYERS, EXPERTS, &config, NULL);
}

static moep_info info_of_planner(const moep_planner *planner)
{
    moep_info info = {.struct_size = sizeof info};
    assert_int_equal(moep_planner_info(planner, &info), MOEP_OK);
    return info;
}

struct saved {
    unsigned char at[MOST];
    size_t size;
};

static struct saved saved(const moep_planner *planner)
{
    struct saved saved = {.size = 0};
    assert_int_equal(moep_planner_save(planner, saved.at, MOST, &saved.size), MOEP_OK);
    return saved;
}

static void assert_same(const moep_planner *a, const moep_planner *b)
{
    struct saved of_a = saved(a), of_b = saved(b);
    assert_int_equal(of_a.size, of_b.size);
    assert_memory_equal(of_a.at, of_b.at, of_a.size);
}

/* ---- configuration ----------------------------------------------------------------------------------------------- */

static void the_defaults_are_what_the_header_says(void **state)
{
    (void)state;
    moep_planner_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_planner_config_init(&config), MOEP_OK);
    assert_int_equal(config.span, 900);
    assert_int_equal(config.scenarios, 100);
    assert_true(config.risk == 0.674);
}

static void a_field_out_of_range_is_named(void **state)
{
    (void)state;
#define refused(words, change)                                                                             \
    do {                                                                                                   \
        moep_planner_config config = planner_config(100, 10);                                              \
        moep_planner *planner = (moep_planner *)&config;                                                   \
        change;                                                                                            \
        assert_int_equal(moep_planner_create(2, 3, &config, NULL, &planner), MOEP_ERROR_INVALID_ARGUMENT); \
        assert_says("moep_planner_config: " words);                                                        \
        assert_null(planner);                                                                              \
    } while (0)
    refused("span must be 20 or more", config.span = 19);
    refused("span must be 20 or more", config.span = 0);
    refused("scenarios must be within 2 and span", config.scenarios = 1);
    refused("scenarios must be within 2 and span", config.scenarios = 101);
    refused("risk must be finite and 0 or more", config.risk = nextafter(0, -1));
    refused("risk must be finite and 0 or more", config.risk = NAN);
    refused("risk must be finite and 0 or more", config.risk = INFINITY);
#undef refused
}

static void a_configuration_is_kept_up_to_its_limits(void **state)
{
    (void)state;
    const struct {
        uint32_t span, scenarios;
        double risk;
    } limits[] = {{20, 2, 0}, {20, 20, 1e300}, {UINT32_MAX, 2, 1}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        moep_planner_config config = planner_config(limits[i].span, limits[i].scenarios);
        moep_planner_config read = {.struct_size = sizeof read};
        config.risk = limits[i].risk;
        moep_planner *planner = make_planner_of(LAYERS, EXPERTS, &config, NULL);
        assert_int_equal(moep_planner_config_read(planner, &read), MOEP_OK);
        assert_memory_equal(&config, &read, sizeof config);
        assert_int_equal(info_of_planner(planner).history, limits[i].scenarios);
        moep_planner_destroy(planner);
    }
}

static void what_cannot_be_made_or_read_is_refused(void **state)
{
    (void)state;
    moep_planner_config config = planner_config(100, 10);
    moep_runtime bad = {.struct_size = sizeof bad, .reserved = 1};
    moep_info info = {.struct_size = sizeof info};
    moep_planner *real = make_small(), *planner = real;
    assert_int_equal(moep_planner_config_init(NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_create(0, 3, &config, NULL, &planner), MOEP_ERROR_INVALID_ARGUMENT);
    assert_null(planner);
    assert_int_equal(moep_planner_create(3, 0, &config, NULL, &planner), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_create(2, 3, NULL, NULL, &planner), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_create(2, 3, &config, &bad, &planner), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_create(2, 3, &config, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_create(SIZE_MAX / 2, SIZE_MAX / 2, &config, NULL, &planner),
                     MOEP_ERROR_OUT_OF_MEMORY);
    assert_int_equal(moep_planner_create(1, SIZE_MAX / 4, &config, NULL, &planner), MOEP_ERROR_OUT_OF_MEMORY);
    assert_int_equal(moep_planner_info(NULL, &info), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_info(real, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_config_read(NULL, &config), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_config_read(real, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    moep_planner_destroy(real);
    moep_planner_destroy(NULL);
}

/* ---- steps in ---------------------------------------------------------------------------------------------------- */

static void one_call_of_many_steps_equals_many_calls(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 72);
    for (size_t batch = 1; batch <= STEPS; batch += 6) {
        moep_planner *whole = make_small(), *parts = make_small();
        assert_int_equal(moep_planner_push(whole, STEPS, counts, MOEP_INT64), MOEP_OK);
        for (size_t step = 0; step < STEPS; step += batch) {
            size_t steps = batch < STEPS - step ? batch : STEPS - step;
            assert_int_equal(moep_planner_push_at(parts, step, steps, counts + step * SERIES, MOEP_INT64), MOEP_OK);
        }
        assert_same(whole, parts);
        moep_planner_destroy(whole);
        moep_planner_destroy(parts);
    }
    free(counts);
}

static void a_refused_call_records_none_of_its_steps(void **state)
{
    (void)state;
    const double bad[2 * SERIES] = {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, -5, 6};
    moep_planner *planner = make_small();
    assert_int_equal(moep_planner_push(planner, 1, bad, MOEP_FLOAT64), MOEP_OK);
    struct saved before = saved(planner);
    assert_int_equal(moep_planner_push(planner, 2, bad, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("step 1 of the call, layer 1, expert 1: count is negative");
    assert_int_equal(moep_planner_push_at(planner, 0, 1, bad, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("step 0 was pushed before");
    assert_int_equal(moep_planner_push(planner, 1, NULL, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_push(planner, 1, bad, 6), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_push_at(planner, UINT64_MAX, 1, bad, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_push(NULL, 1, bad, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_push_at(NULL, 9, 1, bad, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_planner_push_at(planner, 9, 0, NULL, MOEP_FLOAT64), MOEP_OK);
    struct saved after = saved(planner);
    assert_memory_equal(before.at, after.at, before.size);
    moep_planner_destroy(planner);
}

/* Skipped numbers are no steps: which ones are kept depends on pushes alone. */
static void a_gap_is_counted_and_changes_no_sample(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 73);
    moep_planner *straight = make_small(), *gaps = make_small();
    for (size_t step = 0; step < STEPS; step++) {
        assert_int_equal(moep_planner_push(straight, 1, counts + step * SERIES, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_planner_push_at(gaps, 500 + 3 * step, 1, counts + step * SERIES, MOEP_INT64), MOEP_OK);
    }
    moep_info info = info_of_planner(gaps);
    assert_int_equal(info.gaps, 2 * (STEPS - 1));
    assert_int_equal(info.next_step, 500 + 3 * (STEPS - 1) + 1);
    struct saved of_straight = saved(straight), of_gaps = saved(gaps);
    size_t samples = SERIES * (4 * 12 + 4 * 20 + 8);
    assert_memory_equal(of_gaps.at + of_gaps.size - samples, of_straight.at + of_gaps.size - samples, samples);
    moep_planner_destroy(gaps);
    moep_planner_destroy(straight);
    free(counts);
}

static void info_says_what_it_is_and_has_seen(void **state)
{
    (void)state;
    const int32_t counts[2 * SERIES] = {1, 2, 3, 0, 0, 0, 4, 5, 6, 7, 8, 9};
    moep_planner *planner = make_small();
    moep_info info = info_of_planner(planner);
    assert_true(info.method == -1 && info.steps == 0 && info.next_step == 0 && info.fitted_step == UINT64_MAX);
    assert_true(info.layers == LAYERS && info.experts == EXPERTS && info.history == 12 && info.min_steps == 1);
    assert_int_equal(moep_planner_push(planner, 2, counts, MOEP_INT32), MOEP_OK);
    info = info_of_planner(planner);
    assert_true(info.steps == 2 && info.next_step == 2 && info.empty_layers == 1 && info.gaps == 0);
    moep_planner_destroy(planner);
}

int main(void)
{
    const struct CMUnitTest planner[] = {
        cmocka_unit_test(the_defaults_are_what_the_header_says),
        cmocka_unit_test(a_field_out_of_range_is_named),
        cmocka_unit_test(a_configuration_is_kept_up_to_its_limits),
        cmocka_unit_test(what_cannot_be_made_or_read_is_refused),
        cmocka_unit_test(one_call_of_many_steps_equals_many_calls),
        cmocka_unit_test(a_refused_call_records_none_of_its_steps),
        cmocka_unit_test(a_gap_is_counted_and_changes_no_sample),
        cmocka_unit_test(info_says_what_it_is_and_has_seen),
    };
    return cmocka_run_group_tests(planner, NULL, NULL);
}
