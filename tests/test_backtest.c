/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "toy.h"

enum { STEPS = 400, LAYERS = 2, EXPERTS = 5, SERIES = LAYERS * EXPERTS, MOST = 64 * LAYERS };

struct results {
    double error[MOST], error_of_mean[MOST], paper_error[MOST], total_variation[MOST], floor[MOST], floor_of_mean[MOST];
    uint64_t left_out[MOST];
};

static const moep_backtest_config usual = {
    .struct_size = sizeof usual, .first = 50, .every = 30, .horizon = 100, .stride = 100};

static moep_trace trace_of(const void *counts, moep_dtype dtype)
{
    return (moep_trace){.struct_size = sizeof(moep_trace),
                        .counts = counts,
                        .dtype = dtype,
                        .steps = STEPS,
                        .layers = LAYERS,
                        .experts = EXPERTS};
}

static moep_status run_with(const moep_predictor *prototype, const moep_trace *trace,
                            const moep_backtest_config *config, const moep_runtime *runtime, struct results *results)
{
    moep_backtest_result result = {sizeof result,          results->error,           results->error_of_mean,
                                   results->paper_error,   results->total_variation, results->floor,
                                   results->floor_of_mean, results->left_out};
    memset(results, 0x7f, sizeof *results);
    return moep_backtest(prototype, trace, config, runtime, &result);
}

static void run(const moep_predictor *prototype, const void *counts, moep_dtype dtype,
                const moep_backtest_config *config, struct results *results)
{
    moep_trace trace = trace_of(counts, dtype);
    assert_int_equal(run_with(prototype, &trace, config, NULL, results), MOEP_OK);
}

/* ---- origins ----------------------------------------------------------------------------------------------------- */

static void origins_are_those_whose_horizon_is_in_the_trace(void **state)
{
    (void)state;
    moep_backtest_config config = usual;
    size_t expected = 0;
    for (uint64_t origin = config.first; origin + config.horizon <= STEPS; origin += config.every)
        expected++;
    assert_int_equal(moep_backtest_origins(STEPS, &config), expected);
    assert_int_equal(moep_backtest_origins(150, &config), 1);
    assert_int_equal(moep_backtest_origins(149, &config), 0);
    assert_int_equal(moep_backtest_origins(0, &config), 0);
    config.first = 0;
    assert_int_equal(moep_backtest_origins(config.horizon, &config), 1);
    assert_int_equal(moep_backtest_origins(config.horizon - 1, &config), 0);
    config.first = UINT64_MAX;
    assert_int_equal(moep_backtest_origins(UINT64_MAX, &config), 0);
    config.every = 0;
    assert_int_equal(moep_backtest_origins(STEPS, &config), 0);
    assert_int_equal(moep_backtest_origins(STEPS, NULL), 0);
}

/* ---- scores ------------------------------------------------------------------------------------------------------ */

static void scores_are_those_of_a_hand_written_replay(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 21);
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    moep_backtest_config config = usual;
    config.stride = 30; /* rows of 30, 30, 30 and 10 steps */
    struct results results;
    run(prototype, counts, MOEP_INT64, &config, &results);

    moep_predictor *replayed = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    size_t origins = moep_backtest_origins(STEPS, &config);
    for (size_t i = 0; i < origins; i++) {
        size_t origin = config.first + i * config.every, pushed = i ? origin - config.every : 0;
        double rows[4][LAYERS][EXPERTS], error[LAYERS] = {0}, paper[LAYERS] = {0};
        assert_int_equal(moep_predictor_push(replayed, origin - pushed, counts + pushed * SERIES, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_predictor_predict(replayed, 100, 30, rows[0][0], 4 * SERIES), MOEP_OK);
        for (size_t step = 0; step < 100; step++) {
            double actual[LAYERS][EXPERTS], step_error[LAYERS], step_paper[LAYERS];
            for (size_t layer = 0; layer < LAYERS; layer++) {
                const int64_t *c = counts + (origin + step) * SERIES + layer * EXPERTS;
                double total = (double)(c[0] + c[1] + c[2] + c[3] + c[4]);
                for (size_t e = 0; e < EXPERTS; e++)
                    actual[layer][e] = (double)c[e] / total;
            }
            moep_forecast_error(LAYERS, EXPERTS, rows[step / 30][0], actual[0], step_error, step_paper, NULL);
            for (size_t layer = 0; layer < LAYERS; layer++) {
                error[layer] += step_error[layer] / 100;
                paper[layer] += step_paper[layer] / 100;
            }
        }
        for (size_t layer = 0; layer < LAYERS; layer++) {
            assert_near(results.error[i * LAYERS + layer], error[layer], 1e-12);
            assert_near(results.paper_error[i * LAYERS + layer], paper[layer], 1e-12 * paper[layer]);
        }
    }
    moep_predictor_destroy(replayed);
    moep_predictor_destroy(prototype);
    free(counts);
}

/* Layer 0 alternates between two loads; layer 1 is constant. */
static void scores_of_an_alternating_load_are_those_by_hand(void **state)
{
    (void)state;
    int32_t counts[STEPS][LAYERS][EXPERTS];
    for (size_t step = 0; step < STEPS; step++) {
        int32_t a = step % 2 ? 3000 : 1000;
        const int32_t rows[LAYERS][EXPERTS] = {{a, 4000 - a, 2000, 2000, 2000}, {1000, 1000, 1000, 1000, 6000}};
        memcpy(counts[step], rows, sizeof rows);
    }
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 1, NULL);
    struct results results;
    run(prototype, counts, MOEP_INT32, &usual, &results); /* the last value at origin 50 is step 49's: 3, 1 */
    assert_near(results.error[0], 0.5 * (2 + 2.0 / 3) / 5, 1e-7);
    assert_near(results.error_of_mean[0], (0.5 + 0.5) / 5, 1e-7);
    assert_near(results.total_variation[0], 0.1, 1e-7);
    assert_near(results.floor[0], (1 + 1.0 / 3) / 5, 1e-12);
    assert_near(results.floor_of_mean[0], sqrt(2 / 3.14159265358979323846) * sqrt(0.8 / (0.2 * 1e4 * 100)), 1e-12);
    assert_near(results.error[1], 0, 1e-6);
    assert_near(results.floor[1], 0, 1e-12);
    moep_predictor_destroy(prototype);
}

static void steps_without_tokens_are_not_scored(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 22);
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    moep_backtest_config config = usual;
    config.every = STEPS; /* one origin */
    struct results plain, with_holes;
    run(prototype, counts, MOEP_INT64, &config, &plain);

    /* Layer 0 loses its tokens in the second half of the horizon: as a horizon half as long. */
    for (size_t step = 100; step < 150; step++)
        memset(counts + step * SERIES, 0, EXPERTS * sizeof *counts);
    run(prototype, counts, MOEP_INT64, &config, &with_holes);
    config.horizon = 50;
    struct results half;
    run(prototype, counts, MOEP_INT64, &config, &half);
    assert_near(with_holes.error_of_mean[0], half.error_of_mean[0], 0.05 * half.error_of_mean[0]);
    assert_near(with_holes.floor[0], half.floor[0], 1e-12);
    assert_near(with_holes.floor_of_mean[0], half.floor_of_mean[0], 1e-12);
    assert_true(with_holes.error[1] == plain.error[1]);

    for (size_t step = 50; step < 100; step++)
        memset(counts + step * SERIES, 0, EXPERTS * sizeof *counts);
    config.horizon = 100;
    run(prototype, counts, MOEP_INT64, &config, &with_holes);
    assert_true(isnan(with_holes.error[0]) && isnan(with_holes.error_of_mean[0]) && isnan(with_holes.paper_error[0]));
    assert_true(isnan(with_holes.total_variation[0]) && isnan(with_holes.floor[0]) &&
                isnan(with_holes.floor_of_mean[0]));
    assert_int_equal(with_holes.left_out[0], 0);
    moep_predictor_destroy(prototype);
    free(counts);
}

static void dead_experts_are_left_out_of_the_paper_error(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 23);
    for (size_t step = 0; step < STEPS; step++)
        for (size_t e = 0; e < EXPERTS; e++)
            counts[step * SERIES + e] = e < 2 ? 0 : counts[step * SERIES + e] + 5000;
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    struct results results;
    run(prototype, counts, MOEP_INT64, &usual, &results);
    assert_int_equal(results.left_out[0], 200);
    assert_near(results.paper_error[0] * 3, results.error[0] * 5, 1e-12);
    moep_predictor_destroy(prototype);
    free(counts);
}

static void fractional_counts_have_a_floor_of_mean_only_with_given_tokens(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 24);
    double *reals = malloc(STEPS * SERIES * sizeof *reals);
    for (size_t i = 0; i < STEPS * SERIES; i++)
        reals[i] = (double)counts[i] / 4;
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    moep_backtest_config config = usual;
    struct results whole, fractional;
    run(prototype, counts, MOEP_INT64, &config, &whole);
    double tokens = 0; /* of layer 0 over the first horizon; the floor is inversely proportional to their root */
    for (size_t step = 50; step < 150; step++)
        for (size_t e = 0; e < EXPERTS; e++)
            tokens += (double)counts[step * SERIES + e];
    double expected = whole.floor_of_mean[0] * sqrt(tokens / (100 * 10000));
    config.assignments = 10000;
    run(prototype, counts, MOEP_INT64, &config, &whole);
    assert_near(whole.floor_of_mean[0], expected, 1e-12);
    run(prototype, reals, MOEP_FLOAT64, &config, &fractional);
    assert_memory_equal(&whole, &fractional, sizeof whole);
    config.assignments = 0;
    run(prototype, reals, MOEP_FLOAT64, &config, &fractional);
    assert_true(isnan(fractional.floor_of_mean[0]));
    assert_true(fractional.floor[0] == whole.floor[0]);
    for (size_t i = 0; i < STEPS * SERIES; i++)
        reals[i] *= 4; /* whole ones are tokens in any dtype */
    run(prototype, counts, MOEP_INT64, &config, &whole);
    run(prototype, reals, MOEP_FLOAT64, &config, &fractional);
    assert_memory_equal(&whole, &fractional, sizeof whole);
    moep_predictor_destroy(prototype);
    free(reals);
    free(counts);
}

static void an_origin_too_early_to_forecast_is_nan(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 25);
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    moep_backtest_config config = usual;
    config.first = 0;
    struct results results;
    run(prototype, counts, MOEP_INT64, &config, &results);
    assert_true(isnan(results.error[0]) && isnan(results.floor[0]) && results.left_out[0] == 0);
    assert_false(isnan(results.error[LAYERS]));
    moep_predictor_destroy(prototype);
    free(counts);
}

static void one_expert_is_forecast_without_error(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, 1, 1, 33);
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, 1, 1, 20, NULL);
    moep_trace trace = trace_of(counts, MOEP_INT64);
    trace.layers = trace.experts = 1;
    struct results results;
    assert_int_equal(run_with(prototype, &trace, &usual, NULL, &results), MOEP_OK);
    assert_near(results.error[0] + results.error_of_mean[0] + results.floor[0], 0, 1e-12);
    assert_near(results.floor_of_mean[0], 0, 1e-9);
    moep_predictor_destroy(prototype);
    free(counts);
}

static void a_given_runtime_replaces_the_prototypes(void **state)
{
    (void)state;
    struct test_memory memory = {0};
    moep_runtime counting = runtime_on(&memory), plain = {.struct_size = sizeof plain};
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 34);
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, &counting);
    moep_trace trace = trace_of(counts, MOEP_INT64);
    struct results results;
    size_t requests = memory.requests;
    assert_int_equal(run_with(prototype, &trace, &usual, &plain, &results), MOEP_OK);
    assert_int_equal(memory.requests, requests);
    assert_int_equal(run_with(prototype, &trace, &usual, NULL, &results), MOEP_OK);
    assert_true(memory.requests > requests);
    moep_predictor_destroy(prototype);
    assert_int_equal(memory.live_bytes, 0);
    free(counts);
}

static void the_prototypes_own_history_is_ignored(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 26);
    moep_predictor *fresh = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    moep_predictor *used = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    assert_int_equal(moep_predictor_push_at(used, 1000, 33, counts + 99 * SERIES, MOEP_INT64), MOEP_OK);
    struct results of_fresh, of_used;
    run(fresh, counts, MOEP_INT64, &usual, &of_fresh);
    run(used, counts, MOEP_INT64, &usual, &of_used);
    assert_memory_equal(&of_fresh, &of_used, sizeof of_fresh);
    assert_int_equal(info_of(used).next_step, 1033);
    moep_predictor_destroy(used);
    moep_predictor_destroy(fresh);
    free(counts);
}

static void a_forecast_does_not_see_steps_after_its_origin(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 27);
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    struct results before, after;
    run(prototype, counts, MOEP_INT64, &usual, &before);
    for (size_t step = 150; step < STEPS; step++) /* past the first origin's horizon */
        counts[step * SERIES] += 5000;
    run(prototype, counts, MOEP_INT64, &usual, &after);
    assert_memory_equal(before.error, after.error, LAYERS * sizeof *before.error);
    assert_memory_not_equal(before.error, after.error, 5 * LAYERS * sizeof *before.error);
    moep_predictor_destroy(prototype);
    free(counts);
}

/* ---- results and progress ---------------------------------------------------------------------------------------- */

static void each_result_array_may_be_left_out(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 28);
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    moep_trace trace = trace_of(counts, MOEP_INT64);
    double floors[MOST];
    moep_backtest_result result = {.struct_size = sizeof result};
    struct results all;
    assert_int_equal(moep_backtest(prototype, &trace, &usual, NULL, &result), MOEP_OK);
    result.floor = floors;
    assert_int_equal(moep_backtest(prototype, &trace, &usual, NULL, &result), MOEP_OK);
    run(prototype, counts, MOEP_INT64, &usual, &all);
    assert_memory_equal(floors, all.floor, moep_backtest_origins(STEPS, &usual) * LAYERS * sizeof *floors);
    moep_predictor_destroy(prototype);
    free(counts);
}

struct listener {
    size_t calls, cancel_at;
    double last;
};

static int32_t listen(void *user, double fraction)
{
    struct listener *listener = user;
    assert_true(fraction > listener->last && fraction <= 1);
    listener->last = fraction;
    return ++listener->calls == listener->cancel_at;
}

static void progress_is_reported_and_can_cancel(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 29);
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    moep_trace trace = trace_of(counts, MOEP_INT64);
    size_t origins = moep_backtest_origins(STEPS, &usual);
    struct results results, untouched;
    memset(&untouched, 0x7f, sizeof untouched);
    for (size_t cancel_at = 0; cancel_at <= origins; cancel_at++) {
        struct listener listener = {.cancel_at = cancel_at};
        struct test_memory memory = {0};
        moep_runtime runtime = runtime_on(&memory);
        runtime.progress = listen;
        runtime.progress_user = &listener;
        moep_status status = run_with(prototype, &trace, &usual, &runtime, &results);
        assert_int_equal(status, cancel_at ? MOEP_ERROR_CANCELLED : MOEP_OK);
        assert_int_equal(listener.calls, cancel_at ? cancel_at : origins);
        assert_int_equal(memory.live_bytes, 0);
        if (cancel_at)
            assert_memory_equal(&results, &untouched, sizeof results);
        else
            assert_true(listener.last == 1);
    }
    moep_predictor_destroy(prototype);
    free(counts);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

static void every_error_has_a_message_and_leaves_the_arrays_unchanged(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 30);
    moep_predictor *prototype = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 20, NULL);
    struct results results, untouched;
    memset(&untouched, 0x7f, sizeof untouched);

#define refuses(expected, words, change)                                                  \
    do {                                                                                  \
        moep_trace trace = trace_of(counts, MOEP_INT64);                                  \
        moep_backtest_config config = usual;                                              \
        change;                                                                           \
        assert_int_equal(run_with(prototype, &trace, &config, NULL, &results), expected); \
        assert_says(words);                                                               \
        assert_memory_equal(&results, &untouched, sizeof results);                        \
    } while (0)
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "trace has 3 layers", trace.layers = 3);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "of 4 experts", trace.experts = 4);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "counts is NULL", trace.counts = NULL);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "dtype", trace.dtype = 17);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "reserved", trace.reserved = 1);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "no array", trace.steps = UINT64_MAX);
    refuses(MOEP_ERROR_TOO_FEW_STEPS, "no origin", trace.steps = 149);
    refuses(MOEP_ERROR_TOO_FEW_STEPS, "no origin", trace.steps = 0);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "every", config.every = 0);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "horizon", config.horizon = 0);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "stride", config.stride = 0);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "assignments", config.assignments = -1);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "assignments", config.assignments = NAN);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "assignments", config.assignments = INFINITY);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "struct_size", config.struct_size = 0);
    refuses(MOEP_ERROR_INCOMPATIBLE, "struct_size", config.struct_size = sizeof config + 8);
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "struct_size", trace.struct_size = 0);
    refuses(MOEP_ERROR_INCOMPATIBLE, "struct_size", trace.struct_size = sizeof trace + 8);
    counts[STEPS * SERIES - 1] = -5;
    refuses(MOEP_ERROR_INVALID_ARGUMENT, "step 399 of the call, layer 1, expert 4: count is negative", (void)0);
#undef refuses

    moep_trace trace = trace_of(counts, MOEP_INT64);
    moep_backtest_result result = {.struct_size = sizeof result};
    assert_int_equal(moep_backtest(NULL, &trace, &usual, NULL, &result), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_backtest(prototype, NULL, &usual, NULL, &result), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_backtest(prototype, &trace, NULL, NULL, &result), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_backtest(prototype, &trace, &usual, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    result.struct_size = sizeof result + 8;
    assert_int_equal(moep_backtest(prototype, &trace, &usual, NULL, &result), MOEP_ERROR_INCOMPATIBLE);
    moep_predictor_destroy(prototype);
    free(counts);
}

/* ---- methods that are fitted ------------------------------------------------------------------------------------- */

static void a_backtest_fits_as_often_as_its_config_says(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 32);
    moep_predictor *prototype = make_toy(LAYERS, EXPERTS, NULL);
    moep_backtest_config config = usual;
    struct results once, often;
    config.first = 5; /* too early for a fit; 11 more origins: 35, 65, ... */
    config.every = 27;
    size_t origins = moep_backtest_origins(STEPS, &config);
    assert_int_equal(origins, 11);
    run(prototype, counts, MOEP_INT64, &config, &once);
    assert_int_equal(toy_fits, 1);
    assert_true(isnan(once.error[0]) && isnan(once.floor[0]));
    assert_false(isnan(once.error[LAYERS]));
    assert_true(info_of(prototype).fitted_step == UINT64_MAX);

    toy_fits = 0;
    config.refit_every = 3; /* at origins 1, 4, 7, 10 */
    run(prototype, counts, MOEP_INT64, &config, &often);
    assert_int_equal(toy_fits, 4);
    assert_memory_equal(once.error, often.error, 4 * LAYERS * sizeof *once.error);
    assert_memory_not_equal(once.error, often.error, origins * LAYERS * sizeof *once.error);

    /* A fitted prototype's model is used without another fit. */
    assert_int_equal(moep_predictor_push(prototype, 12, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_fit(prototype), MOEP_OK);
    toy_fits = 0;
    config.refit_every = 0;
    run(prototype, counts, MOEP_INT64, &config, &once);
    assert_int_equal(toy_fits, 0);
    assert_false(isnan(once.error[0]));

    moep_trace trace = trace_of(counts, MOEP_INT64);
    config.refit_every = 1;
    toy_fault = MOEP_ERROR_NUMERIC;
    assert_int_equal(run_with(prototype, &trace, &config, NULL, &once), MOEP_ERROR_NUMERIC);
    moep_predictor_destroy(prototype);
    free(counts);
}

static void a_method_that_needs_no_fit_is_fitted_only_on_request(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 33);
    moep_predictor *prototype = make_toy(LAYERS, EXPERTS, NULL);
    moep_backtest_config config = usual;
    struct results results;
    toy_forecasts = true;
    run(prototype, counts, MOEP_INT64, &config, &results);
    assert_int_equal(toy_fits, 0);
    config.refit_every = 1;
    run(prototype, counts, MOEP_INT64, &config, &results);
    assert_int_equal(toy_fits, moep_backtest_origins(STEPS, &config));
    moep_predictor_destroy(prototype);
    free(counts);
}

/* The listener requires a larger fraction each time. */
static void progress_of_fits_is_reported_too(void **state)
{
    (void)state;
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 34);
    moep_predictor *prototype = make_toy(LAYERS, EXPERTS, NULL);
    moep_trace trace = trace_of(counts, MOEP_INT64);
    moep_backtest_config config = usual;
    struct listener listener = {0};
    moep_runtime runtime = {.struct_size = sizeof runtime, .progress = listen, .progress_user = &listener};
    struct results results;
    toy_reports = true;
    config.refit_every = 1;
    assert_int_equal(run_with(prototype, &trace, &config, &runtime, &results), MOEP_OK);
    assert_true(listener.last == 1);
    assert_int_equal(listener.calls, 2 * moep_backtest_origins(STEPS, &config));
    listener = (struct listener){.cancel_at = 3}; /* in the second fit */
    assert_int_equal(run_with(prototype, &trace, &config, &runtime, &results), MOEP_ERROR_CANCELLED);
    moep_predictor_destroy(prototype);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest backtest[] = {
        cmocka_unit_test(origins_are_those_whose_horizon_is_in_the_trace),
        cmocka_unit_test(scores_are_those_of_a_hand_written_replay),
        cmocka_unit_test(scores_of_an_alternating_load_are_those_by_hand),
        cmocka_unit_test(steps_without_tokens_are_not_scored),
        cmocka_unit_test(dead_experts_are_left_out_of_the_paper_error),
        cmocka_unit_test(fractional_counts_have_a_floor_of_mean_only_with_given_tokens),
        cmocka_unit_test(an_origin_too_early_to_forecast_is_nan),
        cmocka_unit_test(one_expert_is_forecast_without_error),
        cmocka_unit_test(a_given_runtime_replaces_the_prototypes),
        cmocka_unit_test(the_prototypes_own_history_is_ignored),
        cmocka_unit_test(a_forecast_does_not_see_steps_after_its_origin),
        cmocka_unit_test(each_result_array_may_be_left_out),
        cmocka_unit_test(progress_is_reported_and_can_cancel),
        cmocka_unit_test(every_error_has_a_message_and_leaves_the_arrays_unchanged),
        cmocka_unit_test(a_backtest_fits_as_often_as_its_config_says),
        cmocka_unit_test(a_method_that_needs_no_fit_is_fitted_only_on_request),
        cmocka_unit_test(progress_of_fits_is_reported_too),
    };
    return cmocka_run_group_tests(backtest, NULL, NULL);
}
