/* SPDX-License-Identifier: BSD-3-Clause */
/* The public interface, tested on the shared library: create and destroy, misuse, memory. */
#define _DEFAULT_SOURCE
#include "support.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { LAYERS = 3, EXPERTS = 4, SERIES = LAYERS * EXPERTS };

/* ---- names and versions ------------------------------------------------------------------------------------------ */

static void the_library_is_of_the_headers_version(void **state)
{
    (void)state;
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", MOEP_VERSION_MAJOR, MOEP_VERSION_MINOR, MOEP_VERSION_PATCH);
    assert_string_equal(moep_version(), text);
    assert_string_equal(moep_version(), PROJECT_VERSION);
    assert_int_equal(moep_version_number(), MOEP_VERSION_MAJOR << 16 | MOEP_VERSION_MINOR << 8 | MOEP_VERSION_PATCH);
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    for (moep_status status = MOEP_ERROR_UNSUPPORTED; status <= MOEP_OK; status++)
        for (moep_status other = MOEP_ERROR_UNSUPPORTED - 1; other < status; other++)
            assert_string_not_equal(moep_status_string(status), moep_status_string(other));
    assert_string_equal(moep_status_string(MOEP_ERROR_UNSUPPORTED - 1), "unknown status");
    assert_string_equal(moep_status_string(1), "unknown status");
    assert_string_equal(moep_status_string(MOEP_ERROR_TOO_FEW_STEPS), "too few steps");
}

static void method_names_end_with_null(void **state)
{
    (void)state;
    assert_string_equal(moep_method_name(MOEP_SW_AVG), "sw_avg");
    moep_method method = 0;
    while (moep_method_name(method))
        method++;
    assert_true(method >= 1);
    assert_null(moep_method_name(-1));
    assert_null(moep_method_name(INT32_MAX));
}

static void *fail_in_another_thread(void *text)
{
    assert_string_equal(moep_last_error(), "");
    moep_predictor_reset(NULL);
    moep_predictor_config_init(NULL, 4711);
    strcpy(text, moep_last_error());
    return NULL;
}

static void the_last_error_is_each_threads_own(void **state)
{
    (void)state;
    char text[256];
    pthread_t thread;
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 5, NULL);
    assert_int_equal(moep_predictor_fit(NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("predictor is NULL");
    assert_int_equal(pthread_create(&thread, NULL, fail_in_another_thread, text), 0);
    pthread_join(thread, NULL);
    assert_non_null(strstr(text, "4711"));
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(moep_predictor_reset(predictor), MOEP_OK);
    assert_says("predictor is NULL"); /* a success does not clear it */
    moep_predictor_destroy(predictor);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void a_predictor_knows_what_it_was_made_with_and_has_seen(void **state)
{
    (void)state;
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    moep_info info = info_of(predictor);
    assert_int_equal(info.method, MOEP_SW_AVG);
    assert_int_equal(info.layers, LAYERS);
    assert_int_equal(info.experts, EXPERTS);
    assert_int_equal(info.history, 20);
    assert_int_equal(info.steps + info.next_step + info.empty_layers + info.gaps + info.reserved, 0);
    assert_int_equal(info.min_steps, 1);
    assert_true(info.fitted_step == UINT64_MAX);

    int64_t *counts = random_counts(30, LAYERS, EXPERTS, 1);
    memset(counts + SERIES, 0, EXPERTS * sizeof *counts);
    assert_int_equal(moep_predictor_push(predictor, 25, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_push_at(predictor, 40, 5, counts, MOEP_INT64), MOEP_OK);
    info = info_of(predictor);
    assert_int_equal(info.steps, 30);
    assert_int_equal(info.next_step, 45);
    assert_int_equal(info.gaps, 15);
    assert_int_equal(info.empty_layers, 2);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_true(info_of(predictor).fitted_step == UINT64_MAX);

    assert_int_equal(moep_predictor_reset(predictor), MOEP_OK);
    info = info_of(predictor);
    assert_int_equal(info.steps + info.next_step + info.empty_layers + info.gaps, 0);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void after_reset_a_predictor_is_as_new(void **state)
{
    (void)state;
    int64_t *counts = random_counts(60, LAYERS, EXPERTS, 2);
    memset(counts + 30 * SERIES, 0, SERIES * sizeof *counts); /* an empty first step after the reset */
    moep_predictor *fresh = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    moep_predictor *reset = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    assert_int_equal(moep_predictor_push(reset, 30, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_reset(reset), MOEP_OK);
    for (size_t steps = 30; steps < 60; steps += 5) {
        double expected[SERIES], shares[SERIES];
        assert_int_equal(moep_predictor_push(fresh, 5, counts + steps * SERIES, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_predictor_push(reset, 5, counts + steps * SERIES, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_predictor_predict(fresh, 10, 10, expected, SERIES), MOEP_OK);
        assert_int_equal(moep_predictor_predict(reset, 10, 10, shares, SERIES), MOEP_OK);
        assert_memory_equal(expected, shares, sizeof shares);
    }
    moep_predictor_destroy(reset);
    moep_predictor_destroy(fresh);
    free(counts);
}

static void forecast_rows_are_horizon_over_stride_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(moep_forecast_rows(1000, 1000), 1);
    assert_int_equal(moep_forecast_rows(1000, 1), 1000);
    assert_int_equal(moep_forecast_rows(1001, 1000), 2);
    assert_int_equal(moep_forecast_rows(5, 1000), 1);
    assert_int_equal(moep_forecast_rows(0, 1), 0);
    assert_int_equal(moep_forecast_rows(1, 0), 0);
    assert_true(moep_forecast_rows(SIZE_MAX, 1) == SIZE_MAX);
    assert_int_equal(moep_forecast_rows(SIZE_MAX, SIZE_MAX), 1);
}

static void a_longer_history_changes_no_forecast_of_sw_avg(void **state)
{
    (void)state;
    int64_t *counts = random_counts(90, LAYERS, EXPERTS, 3);
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor_config_init(&config, MOEP_SW_AVG);
    config.sw_avg_window = 20;
    double expected[SERIES], shares[SERIES];
    for (config.history = 20; config.history < 120; config.history += 33) {
        moep_predictor *predictor = NULL;
        assert_int_equal(moep_predictor_create(LAYERS, EXPERTS, &config, NULL, &predictor), MOEP_OK);
        assert_int_equal(moep_predictor_push(predictor, 90, counts, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_predictor_predict(predictor, 10, 10, shares, SERIES), MOEP_OK);
        if (config.history == 20)
            memcpy(expected, shares, sizeof shares);
        assert_memory_equal(expected, shares, sizeof shares);
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

static void scaling_all_counts_by_three_changes_sw_avg_by_rounding_alone(void **state)
{
    (void)state;
    int64_t *counts = random_counts(50, LAYERS, EXPERTS, 8), *scaled = random_counts(50, LAYERS, EXPERTS, 8);
    for (size_t i = 0; i < 50 * SERIES; i++)
        scaled[i] *= 3;
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    double shares[SERIES], scaled_shares[SERIES];
    assert_int_equal(moep_predictor_push(predictor, 50, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 40, 40, shares, SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_push(predictor, 50, scaled, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 40, 40, scaled_shares, SERIES), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        assert_near(scaled_shares[s], shares[s], 0x1p-22 * shares[s]);
    moep_predictor_destroy(predictor);
    free(scaled);
    free(counts);
}

/* ---- misuse ------------------------------------------------------------------------------------------------------ */

static void null_is_refused_everywhere(void **state)
{
    (void)state;
    double shares[SERIES];
    moep_info info = {.struct_size = sizeof info};
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_config_init(NULL, MOEP_SW_AVG), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_config_init(&config, MOEP_SW_AVG), MOEP_OK);
    assert_int_equal(moep_predictor_create(1, 1, NULL, NULL, &predictor), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_create(1, 1, &config, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_push(NULL, 1, shares, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_push_at(NULL, 0, 1, shares, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_reset(NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_fit(NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_predict(NULL, 1, 1, shares, SERIES), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_info(NULL, &info), MOEP_ERROR_INVALID_ARGUMENT);
    moep_predictor_destroy(NULL);

    predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 5, NULL);
    assert_int_equal(moep_predictor_push(predictor, 1, NULL, MOEP_INT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("counts is NULL");
    assert_int_equal(moep_predictor_predict(predictor, 1, 1, NULL, SERIES), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_info(predictor, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    moep_predictor_destroy(predictor);
}

static void a_bad_configuration_is_refused(void **state)
{
    (void)state;
    moep_predictor_config config = {.struct_size = sizeof config}, good;
    moep_predictor *predictor = (moep_predictor *)&config;
    assert_int_equal(moep_predictor_config_init(&config, 1000), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_config_init(&config, -1), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_config_init(&config, MOEP_SW_AVG), MOEP_OK);
    assert_int_equal(config.sw_avg_window, 200);
    assert_int_equal(config.history, 0);
    good = config;

#define refuses(layers, experts, expected, words)                                                      \
    do {                                                                                               \
        assert_int_equal(moep_predictor_create(layers, experts, &config, NULL, &predictor), expected); \
        assert_null(predictor);                                                                        \
        assert_says(words);                                                                            \
        config = good;                                                                                 \
    } while (0)
    refuses(0, 4, MOEP_ERROR_INVALID_ARGUMENT, "0 layers");
    refuses(4, 0, MOEP_ERROR_INVALID_ARGUMENT, "0 experts");
    refuses(SIZE_MAX, 4, MOEP_ERROR_OUT_OF_MEMORY, "history");
    refuses(SIZE_MAX / 4, 1, MOEP_ERROR_OUT_OF_MEMORY, "history");
    config.method = 99;
    refuses(1, 1, MOEP_ERROR_INVALID_ARGUMENT, "method 99");
    config.sw_avg_window = 0;
    refuses(1, 1, MOEP_ERROR_INVALID_ARGUMENT, "sw_avg_window");
    config.history = 199;
    refuses(1, 1, MOEP_ERROR_INVALID_ARGUMENT, "history = 199");
    config.struct_size = 0;
    refuses(1, 1, MOEP_ERROR_INVALID_ARGUMENT, "set it to sizeof(moep_predictor_config)");
    config.struct_size = 8;
    refuses(1, 1, MOEP_ERROR_INVALID_ARGUMENT, "struct_size is 8");
    config.struct_size = 20; /* would split a field */
    refuses(1, 1, MOEP_ERROR_INVALID_ARGUMENT, "struct_size is 20");
    config.struct_size = sizeof config + 8;
    refuses(1, 1, MOEP_ERROR_INCOMPATIBLE, "or use a newer library");
    config.struct_size = sizeof config;
    config.fit_budget = -1;
    config.sw_avg_window = 200;
    refuses(1, 1, MOEP_ERROR_INVALID_ARGUMENT, "fit_budget");
    config.fit_budget = NAN;
    refuses(1, 1, MOEP_ERROR_INVALID_ARGUMENT, "fit_budget");
    config.reserved = 1;
    refuses(1, 1, MOEP_ERROR_INVALID_ARGUMENT, "reserved");
    config.history = UINT64_MAX;
    refuses(1, 1, MOEP_ERROR_OUT_OF_MEMORY, "history");
#undef refuses
}

static void a_bad_runtime_is_refused(void **state)
{
    (void)state;
    struct test_memory memory = {0};
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_runtime runtime = runtime_on(&memory);
    moep_predictor *predictor = NULL;
    moep_predictor_config_init(&config, MOEP_SW_AVG);
    runtime.release = NULL;
    assert_int_equal(moep_predictor_create(1, 1, &config, &runtime, &predictor), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("allocate and release");
    runtime = runtime_on(&memory);
    runtime.reserved = 1;
    assert_int_equal(moep_predictor_create(1, 1, &config, &runtime, &predictor), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("reserved");
    runtime.struct_size = 0;
    assert_int_equal(moep_predictor_create(1, 1, &config, &runtime, &predictor), MOEP_ERROR_INVALID_ARGUMENT);
    runtime.struct_size = sizeof runtime + 8;
    assert_int_equal(moep_predictor_create(1, 1, &config, &runtime, &predictor), MOEP_ERROR_INCOMPATIBLE);
    assert_int_equal(memory.requests, 0);
}

static void an_impossible_forecast_leaves_the_array_unchanged(void **state)
{
    (void)state;
    double shares[2 * SERIES], untouched[2 * SERIES];
    int64_t *counts = random_counts(3, LAYERS, EXPERTS, 4);
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 5, NULL);
    memset(shares, 0x7f, sizeof shares);
    memcpy(untouched, shares, sizeof shares);
    assert_int_equal(moep_predictor_predict(predictor, 10, 5, shares, 2 * SERIES), MOEP_ERROR_TOO_FEW_STEPS);
    assert_int_equal(moep_predictor_push(predictor, 3, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 0, 5, shares, 2 * SERIES), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_predict(predictor, 5, 0, shares, 2 * SERIES), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_predict(predictor, 10, 5, shares, 2 * SERIES - 1), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("2 rows of 3 x 4 take 24");
    assert_int_equal(moep_predictor_predict(predictor, SIZE_MAX, 1, shares, 24), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_predict(predictor, SIZE_MAX, SIZE_MAX, shares, 24), MOEP_ERROR_OUT_OF_MEMORY);
    assert_memory_equal(shares, untouched, sizeof shares);
    assert_int_equal(moep_predictor_predict(predictor, 10, 5, shares, 2 * SERIES), MOEP_OK);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* 350 steps: several blocks of AUTO, with its network's forecasts. */
static void push_takes_no_memory(void **state)
{
    (void)state;
    int64_t *counts = random_counts(50, LAYERS, EXPERTS, 5);
    for (moep_method method = 0; moep_method_name(method); method++) {
        struct test_memory memory = {0};
        moep_runtime runtime = runtime_on(&memory);
        moep_predictor *predictor = make_predictor(method, LAYERS, EXPERTS, 20, &runtime);
        size_t requests = memory.requests;
        assert_true(requests > 0);
        for (size_t step = 0; step < 300; step++)
            assert_int_equal(moep_predictor_push(predictor, 1, counts + step % 50 * SERIES, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_predictor_push(predictor, 50, counts, MOEP_INT64), MOEP_OK);
        assert_int_equal(memory.requests, requests);
        moep_predictor_destroy(predictor);
        assert_int_equal(memory.live_blocks, 0);
        assert_int_equal(memory.live_bytes, 0);
    }
    free(counts);
}

static long page_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

/* Memory of which no page has been touched yet. */
static void *allocate_fresh(void *user, size_t size)
{
    (void)user;
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return block == MAP_FAILED ? NULL : block;
}

static void release_fresh(void *user, void *pointer, size_t size)
{
    (void)user;
    munmap(pointer, size);
}

static void push_causes_no_page_faults(void **state)
{
    (void)state;
    enum { WIDE = 4096, STEPS = 400 }; /* a ring of 1,600 pages, a state of AUTO of hundreds */
    moep_runtime runtime = {.struct_size = sizeof runtime, .allocate = allocate_fresh, .release = release_fresh};
    int64_t *counts = random_counts(1, 1, WIDE, 9);
    for (moep_method method = 0; moep_method_name(method); method++) {
        moep_predictor *predictor = make_predictor(method, 1, WIDE, STEPS, &runtime);
        long before = page_faults();
        for (size_t step = 0; step < STEPS; step++)
            assert_int_equal(moep_predictor_push(predictor, 1, counts, MOEP_INT64), MOEP_OK);
        if (!THREAD_SANITIZER)                         /* it has pages of its own for each of ours */
            assert_true(page_faults() - before < 200); /* those of the code, and of the kernel's other work */
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

static void a_long_forecast_of_a_large_model_takes_little_scratch(void **state)
{
    (void)state;
    enum { WIDE_LAYERS = 58, WIDE = 256, N = WIDE_LAYERS * WIDE };
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    int64_t *counts = random_counts(5, WIDE_LAYERS, WIDE, 6);
    double *shares = malloc(N * sizeof *shares);
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, WIDE_LAYERS, WIDE, 10, &runtime);
    assert_int_equal(moep_predictor_push(predictor, 5, counts, MOEP_INT64), MOEP_OK);
    size_t held = memory.live_bytes;
    assert_int_equal(moep_predictor_predict(predictor, 2000, 2000, shares, N), MOEP_OK);
    assert_true(memory.peak_bytes - held < 100000);
    moep_predictor_destroy(predictor);
    free(shares);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest predictor[] = {
        cmocka_unit_test(the_library_is_of_the_headers_version),
        cmocka_unit_test(every_status_has_a_name),
        cmocka_unit_test(method_names_end_with_null),
        cmocka_unit_test(the_last_error_is_each_threads_own),
        cmocka_unit_test(a_predictor_knows_what_it_was_made_with_and_has_seen),
        cmocka_unit_test(after_reset_a_predictor_is_as_new),
        cmocka_unit_test(forecast_rows_are_horizon_over_stride_rounded_up),
        cmocka_unit_test(a_longer_history_changes_no_forecast_of_sw_avg),
        cmocka_unit_test(scaling_all_counts_by_three_changes_sw_avg_by_rounding_alone),
        cmocka_unit_test(null_is_refused_everywhere),
        cmocka_unit_test(a_bad_configuration_is_refused),
        cmocka_unit_test(a_bad_runtime_is_refused),
        cmocka_unit_test(an_impossible_forecast_leaves_the_array_unchanged),
        cmocka_unit_test(push_takes_no_memory),
        cmocka_unit_test(push_causes_no_page_faults),
        cmocka_unit_test(a_long_forecast_of_a_large_model_takes_little_scratch),
    };
    return cmocka_run_group_tests(predictor, NULL, NULL);
}
