/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts of a layer from the means of windows alone. */
#include "lstm_run.h"

#include "methods/lstm/means_forecast.h"
#include "methods/lstm/network/head_kernel.h"
#include "methods/lstm/network/shared_net.h"
#include "predictor/predictor.h"
#include "series/simplex.h"

enum { LAYERS = 2, MOST_ROWS = 60, WINDOWS = MP_LSTM_WINDOWS, ROW = MP_LSTM_OUTPUT_ROW, CANARY = 0x5a };

/* The head is computed in other pieces here, which OpenBLAS may round in another way. */
static double tolerance(void)
{
    return mp_gemm_here().openblas ? 1e-6 : 0;
}

static moep_predictor *gate(size_t experts)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_config_init(&config, MOEP_LSTM), MOEP_OK);
    config.lstm_layers = 0;
    assert_int_equal(moep_predictor_create(LAYERS, experts, &config, NULL, &predictor), MOEP_OK);
    return predictor;
}

/* Loads that differ, with noise about them: none of them jumps. */
static void push_steady(moep_predictor *predictor, size_t steps, size_t experts)
{
    uint64_t seed = 1;
    double *counts = malloc(LAYERS * experts * sizeof *counts);
    assert_non_null(counts);
    for (size_t step = 0; step < steps; step++) {
        for (size_t s = 0; s < LAYERS * experts; s++)
            counts[s] = floor(1000 * (double)(1 + s % 7) * (0.8 + 0.4 * fraction(&seed)));
        assert_int_equal(moep_predictor_push(predictor, 1, counts, MOEP_FLOAT64), MOEP_OK);
    }
    free(counts);
}

/* Memory that begins at a cache line, and a line of canaries behind it. */
static unsigned char *lines(size_t size)
{
    unsigned char *memory = aligned_alloc(MP_CACHE_LINE, mp_whole_lines(size, 1) + MP_CACHE_LINE);
    assert_non_null(memory);
    memset(memory, CANARY, mp_whole_lines(size, 1) + MP_CACHE_LINE);
    return memory;
}

/* ---- the same forecasts ------------------------------------------------------------------------------------------ */

/* means[windows][experts] of a layer of the history. */
static double *means_of(const moep_predictor *predictor, const struct means_forecast *by, size_t layer, size_t experts)
{
    struct panel panel = mp_history_panel(&predictor->history);
    double *means = calloc(by->windows * experts, sizeof *means);
    assert_non_null(means);
    for (size_t w = 0; w < by->windows; w++) {
        size_t steps = by->steps[w] < panel.steps ? by->steps[w] : panel.steps;
        for (size_t e = 0; e < experts; e++) {
            for (size_t step = panel.steps - steps; step < panel.steps; step++)
                means[w * experts + e] += (double)mp_panel_row(&panel, step)[layer * experts + e];
            means[w * experts + e] /= (double)steps;
        }
    }
    return means;
}

/* Every layer alone, in the place that it has among all. */
static void forecast_by_means(const moep_predictor *predictor, size_t experts, size_t horizon, size_t stride,
                              double *rows)
{
    const struct means_forecast *by = predictor->method->means_forecast;
    unsigned char *scratch = lines(by->scratch_size(experts));
    for (size_t layer = 0; layer < LAYERS; layer++) {
        double *means = means_of(predictor, by, layer, experts), *at = rows + layer * experts;
        struct window_means known = {means, experts, (double)predictor->history.next_step};
        by->forecast(&predictor->config, predictor->model, &known, horizon, stride, scratch, at, LAYERS * experts);
        for (size_t row = 0; row < mp_forecast_rows(horizon, stride); row++)
            mp_simplex(at + row * LAYERS * experts, experts);
        free(means);
    }
    free(scratch);
}

static void check_forecast(const moep_predictor *predictor, size_t experts, size_t horizon, size_t stride)
{
    size_t n = mp_forecast_rows(horizon, stride) * LAYERS * experts;
    double *expected = malloc(n * sizeof *expected), *found = malloc(n * sizeof *found);
    assert_true(expected && found && n <= MOST_ROWS * LAYERS * experts);
    assert_int_equal(moep_predictor_predict(predictor, horizon, stride, expected, n), MOEP_OK);
    forecast_by_means(predictor, experts, horizon, stride, found);
    for (size_t i = 0; i < n; i++)
        assert_near(found[i], expected[i], tolerance() * expected[i]);
    free(found);
    free(expected);
}

/* With one expert, with few, and with more than go through the network at once; in young runs and in old ones. */
static void forecasts_from_means_are_those_from_the_steps(void **state)
{
    (void)state;
    const size_t all_experts[] = {1, 3, 24, 61}, steps[] = {100, 430, 2600};
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 3; j++) {
            moep_predictor *predictor = gate(all_experts[i]);
            push_steady(predictor, steps[j], all_experts[i]);
            check_forecast(predictor, all_experts[i], 1, 1);
            check_forecast(predictor, all_experts[i], 50, 50);
            check_forecast(predictor, all_experts[i], 1000, 1000);
            check_forecast(predictor, all_experts[i], 1010, 130);
            check_forecast(predictor, all_experts[i], 2000, 2000);
            check_forecast(predictor, all_experts[i], 2700, 45);
            moep_predictor_destroy(predictor);
        }
}

/* ---- one call ---------------------------------------------------------------------------------------------------- */

enum { EXPERTS = 30, GAP = 5 };

static void forecast_of(const moep_predictor *predictor, const double *means, void *scratch, double *rows)
{
    struct window_means known = {means, EXPERTS, 700};
    predictor->method->means_forecast->forecast(&predictor->config, predictor->model, &known, 1000, 500, scratch, rows,
                                                EXPERTS + GAP);
}

/* Canaries are left behind the scratch and between rows, and what the scratch held before does not matter. */
static void a_forecast_writes_to_its_rows_and_scratch_alone(void **state)
{
    (void)state;
    moep_predictor *predictor = gate(EXPERTS);
    size_t size = predictor->method->means_forecast->scratch_size(EXPERTS);
    unsigned char *scratch = lines(size), *model = malloc(predictor->model_size);
    double means[WINDOWS * EXPERTS], rows[2][EXPERTS + GAP] = {{0}}, again[2][EXPERTS + GAP] = {{0}};
    for (size_t i = 0; i < WINDOWS * EXPERTS; i++)
        means[i] = (1 + (double)(i * 17 % 19)) / (10 * EXPERTS);
    assert_non_null(model);
    memcpy(model, predictor->model, predictor->model_size);
    forecast_of(predictor, means, scratch, rows[0]);
    forecast_of(predictor, means, scratch, again[0]);
    assert_memory_equal(rows, again, sizeof rows);
    assert_memory_equal(model, predictor->model, predictor->model_size);
    for (size_t row = 0; row < 2; row++) {
        double sum = 0;
        for (size_t e = 0; e < EXPERTS; e++) {
            assert_true(rows[row][e] > 0);
            sum += rows[row][e];
        }
        assert_near(sum, 1, 1e-12);
        for (size_t e = EXPERTS; e < EXPERTS + GAP; e++)
            assert_true(rows[row][e] == 0);
    }
    for (size_t i = 0; i < MP_CACHE_LINE; i++)
        assert_int_equal(scratch[mp_whole_lines(size, 1) + i], CANARY);
    free(model);
    free(scratch);
    moep_predictor_destroy(predictor);
}

static void a_layer_without_load_is_forecast_to_have_none(void **state)
{
    (void)state;
    moep_predictor *predictor = gate(EXPERTS);
    unsigned char *scratch = lines(predictor->method->means_forecast->scratch_size(EXPERTS));
    double means[WINDOWS * EXPERTS] = {0}, rows[2][EXPERTS + GAP];
    forecast_of(predictor, means, scratch, rows[0]);
    for (size_t row = 0; row < 2; row++)
        for (size_t e = 0; e < EXPERTS; e++)
            assert_true(rows[row][e] == 0);
    free(scratch);
    moep_predictor_destroy(predictor);
}

/* Each width computes no more spans than it must, so the others are not compared. */
static void all_vector_widths_give_the_same_bytes(void **state)
{
    (void)state;
    enum { COUNT = 13, SPANS = 20 };
    static real features[COUNT * MP_LSTM_FEATURES], means[COUNT * WINDOWS], forecasts[3][COUNT * ROW];
    static real hidden[COUNT * MP_LSTM_HEAD_HIDDEN], outputs[COUNT * MP_LSTM_HEAD_ROW];
    struct lstm_head_scratch scratch = {.hidden = hidden, .outputs = outputs};
    struct lstm_shape shape = mp_lstm_shared_net_shape(0, 16);
    real *parameters = reals(mp_lstm_parameters(&shape));
    uint64_t seed = 3;
    for (size_t i = 0; i < mp_lstm_parameters(&shape); i++)
        parameters[i] = (real)(fraction(&seed) - 0.5);
    for (size_t i = 0; i < COUNT * MP_LSTM_FEATURES; i++)
        features[i] = (real)(2 * fraction(&seed) - 1);
    for (size_t i = 0; i < COUNT * WINDOWS; i++)
        means[i] = (real)fraction(&seed);
    for (int i = 0, bytes = 16; bytes <= mp_vector_bytes(); i++, bytes *= 2) {
        struct lstm_head_rows rows = {COUNT, SPANS, features, means, forecasts[i]};
        mp_lstm_shared_net_head((struct gemm){.bytes = bytes}, parameters, &rows, &scratch);
        for (size_t r = 0; r < COUNT; r++)
            assert_memory_equal(forecasts[i] + r * ROW, forecasts[0] + r * ROW, SPANS * sizeof(real));
    }
    free(parameters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forecasts_from_means_are_those_from_the_steps),
        cmocka_unit_test(a_forecast_writes_to_its_rows_and_scratch_alone),
        cmocka_unit_test(a_layer_without_load_is_forecast_to_have_none),
        cmocka_unit_test(all_vector_widths_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
