/* SPDX-License-Identifier: BSD-3-Clause */
/* Laws that hold for every method in the table. Each side of a law is fitted by itself. */
#include "support.h"

#include <stdio.h>

enum { STEPS = 300, LAYERS = 3, EXPERTS = 8, SERIES = LAYERS * EXPERTS, HORIZON = 40, STRIDE = 7, ROWS = 6 };

static moep_method method; /* the method under test */

static int choose_method(void **state)
{
    method = *(const moep_method *)*state;
    return 0;
}

typedef double forecast[ROWS][SERIES];

/* Loads that drift and scatter as real ones do, the same for every dtype. */
static int64_t *drifting_counts(uint64_t seed)
{
    int64_t *counts = malloc(STEPS * SERIES * sizeof *counts);
    double load[SERIES];
    for (size_t s = 0; s < SERIES; s++)
        load[s] = 100 + (double)(random_number(&seed) % 2000);
    for (size_t step = 0; step < STEPS; step++) {
        for (size_t s = 0; s < SERIES; s++) {
            load[s] *= 0.98 + 0.04 * (double)(random_number(&seed) >> 40) / (1 << 24);
            counts[step * SERIES + s] =
                (int64_t)(load[s] * (0.9 + 0.2 * (double)(random_number(&seed) >> 40) / (1 << 24)));
        }
    }
    return counts;
}

static moep_predictor *predictor_of(const void *counts, moep_dtype dtype, size_t group, const moep_runtime *runtime)
{
    moep_predictor *predictor = make_predictor(method, LAYERS, EXPERTS, 0, runtime);
    size_t size = moep_dtype_size(dtype);
    for (size_t step = 0; step < STEPS; step += group) {
        size_t steps = STEPS - step < group ? STEPS - step : group;
        const char *part = (const char *)counts + step * SERIES * size;
        assert_int_equal(moep_predictor_push(predictor, steps, part, dtype), MOEP_OK);
    }
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    return predictor;
}

static void forecast_of(const void *counts, moep_dtype dtype, size_t group, const moep_runtime *runtime, forecast rows)
{
    moep_predictor *predictor = predictor_of(counts, dtype, group, runtime);
    assert_int_equal(moep_predictor_predict(predictor, HORIZON, STRIDE, rows[0], ROWS * SERIES), MOEP_OK);
    moep_predictor_destroy(predictor);
}

static void assert_proportions(const double *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t e = 0; e < EXPERTS; e++) {
            assert_true(isfinite(rows[i * EXPERTS + e]) && rows[i * EXPERTS + e] >= 0);
            sum += rows[i * EXPERTS + e];
        }
        assert_near(sum, 1, 1e-12);
    }
}

static void rows_are_proportions_at_any_time_and_horizon(void **state)
{
    (void)state;
    enum { MOST_ROWS = 100 };
    const size_t horizons[] = {1, 2, 40, 1000, 100000}, strides[] = {1, 1, 7, 100, 100000};
    double *rows = malloc(MOST_ROWS * SERIES * sizeof *rows);
    int64_t *counts = drifting_counts(1);
    moep_predictor *predictor = make_predictor(method, LAYERS, EXPERTS, 0, NULL);
    for (size_t step = 0; step < STEPS; step++) {
        assert_int_equal(moep_predictor_push(predictor, 1, counts + step * SERIES, MOEP_INT64), MOEP_OK);
        moep_info info = info_of(predictor);
        if (step % 37 != 0 || info.steps < info.min_steps)
            continue;
        moep_status fitted = moep_predictor_fit(predictor); /* or as long as it cannot, not */
        assert_true(fitted == MOEP_OK || fitted == MOEP_ERROR_TOO_FEW_STEPS);
        for (size_t i = 0; i < 5; i++) {
            size_t n = moep_forecast_rows(horizons[i], strides[i]);
            assert_int_equal(moep_predictor_predict(predictor, horizons[i], strides[i], rows, MOST_ROWS * SERIES),
                             MOEP_OK);
            assert_proportions(rows, n * LAYERS);
        }
    }
    moep_predictor_destroy(predictor);
    free(counts);
    free(rows);
}

/* Dead experts, experts with everything, layers without tokens, single spikes. */
static void rows_of_extreme_loads_are_proportions(void **state)
{
    (void)state;
    uint64_t *counts = calloc(STEPS * SERIES, sizeof *counts);
    for (size_t step = 0; step < STEPS; step++) {
        counts[step * SERIES] = UINT64_MAX;
        counts[step * SERIES + EXPERTS + step % EXPERTS] = step % 3;
        counts[step * SERIES + 2 * EXPERTS] = 1;
        counts[step * SERIES + 2 * EXPERTS + 1] = step == 150 ? UINT64_MAX : 0;
    }
    forecast rows;
    forecast_of(counts, MOEP_UINT64, STEPS, NULL, rows);
    assert_proportions(rows[0], ROWS * LAYERS);
    free(counts);
}

static void permuting_the_experts_permutes_the_forecast(void **state)
{
    (void)state;
    const size_t place[EXPERTS] = {3, 7, 0, 6, 1, 5, 2, 4};
    int64_t *counts = drifting_counts(2), *permuted = malloc(STEPS * SERIES * sizeof *permuted);
    for (size_t i = 0; i < STEPS * LAYERS; i++)
        for (size_t e = 0; e < EXPERTS; e++)
            permuted[i * EXPERTS + place[e]] = counts[i * EXPERTS + e];
    forecast rows, permuted_rows;
    forecast_of(counts, MOEP_INT64, STEPS, NULL, rows);
    forecast_of(permuted, MOEP_INT64, STEPS, NULL, permuted_rows);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t layer = 0; layer < LAYERS; layer++)
            for (size_t e = 0; e < EXPERTS; e++)
                assert_near(permuted_rows[row][layer * EXPERTS + place[e]], rows[row][layer * EXPERTS + e],
                            method == MOEP_LSTM ? 1e-6 : 1e-12);
    free(permuted);
    free(counts);
}

static void scaling_all_counts_by_a_power_of_two_changes_no_byte(void **state)
{
    (void)state;
    int64_t *counts = drifting_counts(3), *scaled = malloc(STEPS * SERIES * sizeof *scaled);
    for (size_t i = 0; i < STEPS * SERIES; i++)
        scaled[i] = counts[i] << 40;
    forecast rows, scaled_rows;
    forecast_of(counts, MOEP_INT64, STEPS, NULL, rows);
    forecast_of(scaled, MOEP_INT64, STEPS, NULL, scaled_rows);
    assert_memory_equal(rows, scaled_rows, sizeof rows);
    free(scaled);
    free(counts);
}

static void assert_constant(const moep_predictor *predictor, const int64_t *counts)
{
    forecast rows;
    assert_int_equal(moep_predictor_predict(predictor, HORIZON, STRIDE, rows[0], ROWS * SERIES), MOEP_OK);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        double total = 0;
        for (size_t e = 0; e < EXPERTS; e++)
            total += (double)counts[layer * EXPERTS + e];
        for (size_t row = 0; row < ROWS; row++)
            for (size_t e = 0; e < EXPERTS; e++) {
                double share = (double)counts[layer * EXPERTS + e] / total;
                assert_near(rows[row][layer * EXPERTS + e], share, 0x1p-23 * share);
            }
    }
}

/* A trained LSTM may forecast that large loads shrink, so the law holds for untrained ones only. */
static void forecast_of_a_constant_load_is_that_load(void **state)
{
    (void)state;
    int64_t *counts = malloc(STEPS * SERIES * sizeof *counts);
    for (size_t i = 0; i < STEPS * SERIES; i++)
        counts[i] = 10 + (int64_t)(i % SERIES * (i % SERIES));
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_config_init(&config, method), MOEP_OK);
    config.lstm_hidden--; /* no weights are shipped for that number */
    assert_int_equal(moep_predictor_create(LAYERS, EXPERTS, &config, NULL, &predictor), MOEP_OK);
    assert_int_equal(moep_predictor_push(predictor, STEPS, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_constant(predictor, counts);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void equal_experts_stay_equal(void **state)
{
    (void)state;
    int64_t *counts = malloc(STEPS * SERIES * sizeof *counts);
    for (size_t i = 0; i < STEPS * SERIES; i++)
        counts[i] = 1000 + (int64_t)(i / EXPERTS % 3);
    moep_predictor *predictor = predictor_of(counts, MOEP_INT64, STEPS, NULL);
    assert_constant(predictor, counts);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void any_grouping_of_steps_into_calls_gives_the_same_bytes(void **state)
{
    (void)state;
    int64_t *counts = drifting_counts(5);
    forecast rows, grouped;
    forecast_of(counts, MOEP_INT64, STEPS, NULL, rows);
    for (size_t group = 1; group < STEPS; group = 3 * group + 1) {
        forecast_of(counts, MOEP_INT64, group, NULL, grouped);
        assert_memory_equal(rows, grouped, sizeof rows);
    }
    free(counts);
}

static void any_number_of_threads_gives_the_same_bytes(void **state)
{
    (void)state;
    int64_t *counts = drifting_counts(6);
    forecast rows, threaded;
    forecast_of(counts, MOEP_INT64, STEPS, NULL, rows);
    for (uint32_t threads = 1; threads <= 5; threads++) {
        moep_runtime runtime = {.struct_size = sizeof runtime, .threads = threads};
        forecast_of(counts, MOEP_INT64, STEPS, &runtime, threaded);
        assert_memory_equal(rows, threaded, sizeof rows);
    }
    free(counts);
}

static void the_dtype_changes_no_byte(void **state)
{
    (void)state;
    int64_t *counts = drifting_counts(7);
    uint64_t *unsigned_counts = malloc(STEPS * SERIES * sizeof *unsigned_counts);
    int32_t *short_counts = malloc(STEPS * SERIES * sizeof *short_counts);
    uint32_t *short_unsigned = malloc(STEPS * SERIES * sizeof *short_unsigned);
    float *floats = malloc(STEPS * SERIES * sizeof *floats);
    double *doubles = malloc(STEPS * SERIES * sizeof *doubles);
    for (size_t i = 0; i < STEPS * SERIES; i++) {
        unsigned_counts[i] = (uint64_t)counts[i];
        short_counts[i] = (int32_t)counts[i];
        short_unsigned[i] = (uint32_t)counts[i];
        floats[i] = (float)counts[i];
        doubles[i] = (double)counts[i];
    }
    const void *const arrays[] = {
        [MOEP_INT32] = short_counts,     [MOEP_INT64] = counts,   [MOEP_UINT32] = short_unsigned,
        [MOEP_UINT64] = unsigned_counts, [MOEP_FLOAT32] = floats, [MOEP_FLOAT64] = doubles};
    forecast rows, other;
    forecast_of(counts, MOEP_INT64, STEPS, NULL, rows);
    for (moep_dtype dtype = 0; dtype <= MOEP_FLOAT64; dtype++) {
        forecast_of(arrays[dtype], dtype, STEPS, NULL, other);
        assert_memory_equal(rows, other, sizeof rows);
    }
    free(doubles);
    free(floats);
    free(short_unsigned);
    free(short_counts);
    free(unsigned_counts);
    free(counts);
}

static void a_forecast_changes_nothing(void **state)
{
    (void)state;
    int64_t *counts = drifting_counts(8);
    forecast rows, again;
    moep_predictor *predictor = predictor_of(counts, MOEP_INT64, STEPS, NULL);
    moep_info before = info_of(predictor);
    assert_int_equal(moep_predictor_predict(predictor, HORIZON, STRIDE, rows[0], ROWS * SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, HORIZON, STRIDE, again[0], ROWS * SERIES), MOEP_OK);
    moep_info after = info_of(predictor);
    assert_memory_equal(rows, again, sizeof rows);
    assert_memory_equal(&before, &after, sizeof before);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void a_row_is_the_mean_of_the_steps_it_covers(void **state)
{
    (void)state;
    int64_t *counts = drifting_counts(9);
    static double path[HORIZON][SERIES];
    forecast rows;
    moep_predictor *predictor = predictor_of(counts, MOEP_INT64, STEPS, NULL);
    assert_int_equal(moep_predictor_predict(predictor, HORIZON, STRIDE, rows[0], ROWS * SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, HORIZON, 1, path[0], HORIZON * SERIES), MOEP_OK);
    for (size_t row = 0; row < ROWS; row++) {
        size_t first = row * STRIDE, end = first + STRIDE < HORIZON ? first + STRIDE : HORIZON;
        for (size_t s = 0; s < SERIES; s++) {
            double sum = 0;
            for (size_t step = first; step < end; step++)
                sum += path[step][s];
            assert_near(rows[row][s], sum / (double)(end - first), 1e-12);
        }
    }
    moep_predictor_destroy(predictor);
    free(counts);
}

/* ---- alone and among others -------------------------------------------------------------------------------------- */

enum { WIDE = 60 };

static moep_status answer(const moep_predictor *predictor, bool quantiles, double *rows, size_t capacity)
{
    static const double probabilities[] = {0.1, 0.9};
    return quantiles ? moep_predictor_predict_quantiles(predictor, HORIZON, STRIDE, probabilities, 2, rows, capacity)
                     : moep_predictor_predict(predictor, HORIZON, STRIDE, rows, capacity);
}

static void assert_alike(const moep_predictor *wide, size_t layers, moep_predictor *const alone[LAYERS], bool quantiles)
{
    enum { MOST = 2 * ROWS * EXPERTS };
    static double rows[MOST * WIDE], own[LAYERS][MOST];
    moep_status status = answer(wide, quantiles, rows, MOST * WIDE);
    for (size_t l = 0; l < LAYERS; l++)
        assert_int_equal(answer(alone[l], quantiles, own[l], MOST), status);
    for (size_t row = 0; status == MOEP_OK && row < (quantiles ? 2 : 1) * ROWS; row++)
        for (size_t l = 0; l < layers; l++)
            assert_memory_equal(rows + (row * layers + l) * EXPERTS, own[l % LAYERS] + row * EXPERTS,
                                EXPERTS * sizeof *rows);
}

/* Pushes the step to `layers` layers, which repeat three, and to each of the three alone. There is one long gap. */
static void push_alike(moep_predictor *wide, size_t layers, moep_predictor *const alone[LAYERS], const int64_t *counts,
                       size_t step)
{
    static int64_t repeated[WIDE * EXPERTS];
    uint64_t number = step < 170 ? step : step + 500;
    for (size_t i = 0; i < layers * EXPERTS; i++)
        repeated[i] = counts[step * SERIES + i % SERIES];
    assert_int_equal(moep_predictor_push_at(wide, number, 1, repeated, MOEP_INT64), MOEP_OK);
    for (size_t l = 0; l < LAYERS; l++)
        assert_int_equal(moep_predictor_push_at(alone[l], number, 1, counts + step * SERIES + l * EXPERTS, MOEP_INT64),
                         MOEP_OK);
}

static void fit_alike(moep_predictor *wide, moep_predictor *const alone[LAYERS])
{
    moep_status status = moep_predictor_fit(wide);
    for (size_t l = 0; l < LAYERS; l++)
        assert_int_equal(moep_predictor_fit(alone[l]), status);
}

/* Of methods whose model is one for all layers, before a fit. */
static void a_layer_alone_is_forecast_as_among_others(void **state)
{
    (void)state;
    int64_t *counts = drifting_counts(11);
    for (size_t layers = LAYERS; layers <= (method == MOEP_AUTO ? WIDE : LAYERS); layers *= WIDE / LAYERS) {
        moep_predictor *wide = make_predictor(method, layers, EXPERTS, 0, NULL), *alone[LAYERS];
        for (size_t l = 0; l < LAYERS; l++)
            alone[l] = make_predictor(method, 1, EXPERTS, 0, NULL);
        for (size_t step = 0; step < STEPS; step++) {
            push_alike(wide, layers, alone, counts, step);
            if (step % 70 == 0)
                fit_alike(wide, alone);
            if (step % 7 == 0) {
                assert_alike(wide, layers, alone, false);
                assert_alike(wide, layers, alone, true);
            }
        }
        for (size_t l = 0; l < LAYERS; l++)
            moep_predictor_destroy(alone[l]);
        moep_predictor_destroy(wide);
    }
    free(counts);
}

/* ---- every build ------------------------------------------------------------------------------------------------- */

enum { MOST_METHODS = 16 };

/* Hashes of forecasts and scores by method, made by libmoepredict 0.1.0, gcc 12, x86-64. They must be the same for
 * every compiler, vector width and processor, or ranks would disagree. A method without one has 0, and fails. */
static const uint64_t bytes_of_every_build[MOST_METHODS] = {[MOEP_SW_AVG] = UINT64_C(0x43051f1c1afb8fa1),
                                                            [MOEP_ARIMA] = UINT64_C(0xccf0e94743a43ef4),
                                                            [MOEP_LSTM] = UINT64_C(0x77758f169e90314d),
                                                            [MOEP_AUTO] = UINT64_C(0x06dd7676eb2b3e83)};

static void every_build_gives_the_same_bytes(void **state)
{
    (void)state;
    int64_t *counts = drifting_counts(10);
    double *reals = malloc(STEPS * SERIES * sizeof *reals);
    for (size_t i = 0; i < STEPS * SERIES; i++)
        reals[i] = (double)counts[i] / 7;
    forecast rows;
    double errors[2][4][LAYERS];
    forecast_of(reals, MOEP_FLOAT64, STEPS, NULL, rows);
    uint64_t hash = hash_of(HASH_START, rows, sizeof rows);
    forecast_of(counts, MOEP_INT64, STEPS, NULL, rows);
    hash = hash_of(hash, rows, sizeof rows);

    moep_predictor *prototype = make_predictor(method, LAYERS, EXPERTS, 0, NULL);
    moep_trace trace = {sizeof trace, counts, MOEP_INT64, 0, STEPS, LAYERS, EXPERTS};
    moep_backtest_config config = {.struct_size = sizeof config, .first = 200, .every = 40, .horizon = 60, .stride = 7};
    moep_backtest_result result = {.struct_size = sizeof result,
                                   .error = errors[0][0],
                                   .error_of_mean = errors[0][2],
                                   .floor = errors[1][0],
                                   .floor_of_mean = errors[1][2]};
    assert_int_equal(moep_backtest_origins(STEPS, &config), 2);
    assert_int_equal(moep_backtest(prototype, &trace, &config, NULL, &result), MOEP_OK);
    hash = hash_of(hash, errors, sizeof errors);
    if (hash != bytes_of_every_build[method])
        fail_msg("the hash is 0x%016llx", (unsigned long long)hash);
    moep_predictor_destroy(prototype);
    free(reals);
    free(counts);
}

#define LAW(law)  \
    {             \
#law, law \
    }

static const struct {
    const char *name;
    void (*test)(void **state);
} laws[] = {
    LAW(rows_are_proportions_at_any_time_and_horizon),
    LAW(rows_of_extreme_loads_are_proportions),
    LAW(permuting_the_experts_permutes_the_forecast),
    LAW(scaling_all_counts_by_a_power_of_two_changes_no_byte),
    LAW(forecast_of_a_constant_load_is_that_load),
    LAW(equal_experts_stay_equal),
    LAW(any_grouping_of_steps_into_calls_gives_the_same_bytes),
    LAW(any_number_of_threads_gives_the_same_bytes),
    LAW(the_dtype_changes_no_byte),
    LAW(a_forecast_changes_nothing),
    LAW(a_row_is_the_mean_of_the_steps_it_covers),
    LAW(a_layer_alone_is_forecast_as_among_others),
    LAW(every_build_gives_the_same_bytes),
};

int main(void)
{
    enum { LAWS = sizeof laws / sizeof *laws };
    static struct CMUnitTest tests[MOST_METHODS * LAWS];
    static char names[MOST_METHODS * LAWS][128];
    static moep_method methods[MOST_METHODS];
    size_t n = 0;
    if (moep_method_name(MOST_METHODS))
        return EXIT_FAILURE; /* there is no room for all methods */
    for (moep_method m = 0; moep_method_name(m); m++) {
        methods[m] = m;
        for (size_t law = 0; law < LAWS; law++, n++) {
            snprintf(names[n], sizeof names[n], "%s: %s", moep_method_name(m), laws[law].name);
            tests[n] = (struct CMUnitTest){names[n], laws[law].test, choose_method, NULL, &methods[m]};
        }
    }
    /* The macro cmocka_run_group_tests calls this function, but takes only arrays of constant size. */
    return _cmocka_run_group_tests("laws", tests, n, NULL, NULL);
}
