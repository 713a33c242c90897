/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles of ARIMA forecasts. */
#include "arima.h"

static void quantiles_rise_with_the_probability_and_enclose_the_forecast(void **state)
{
    (void)state;
    enum { N = 5, ROWS = 4, HORIZON = 100, STRIDE = 30 };
    const double probabilities[N] = {0.001, 0.1, 0.5, 0.9, 0.999};
    double *counts = autoregressions(0.7, 10);
    for (uint32_t scale = MOEP_ARIMA_SHARES; scale <= MOEP_ARIMA_LOG_RATIOS; scale++)
        for (uint32_t bucket = 1; bucket <= 20; bucket += 19) {
            static double rows[N][ROWS][SERIES], centre[ROWS][SERIES];
            moep_predictor_config config = config_of(1, 1, 1, bucket);
            config.arima_scale = scale;
            moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
            assert_int_equal(moep_predictor_predict_quantiles(predictor, HORIZON, STRIDE, probabilities, N, rows[0][0],
                                                              N * ROWS * SERIES),
                             MOEP_ERROR_NOT_FITTED);
            assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
            assert_int_equal(moep_predictor_predict_quantiles(predictor, HORIZON, STRIDE, probabilities, N, rows[0][0],
                                                              N * ROWS * SERIES),
                             MOEP_OK);
            assert_int_equal(moep_predictor_predict(predictor, HORIZON, STRIDE, centre[0], ROWS * SERIES), MOEP_OK);
            for (size_t row = 0; row < ROWS; row++)
                for (size_t s = 0; s < SERIES; s++) {
                    for (size_t i = 0; i + 1 < N; i++)
                        assert_true(rows[i][row][s] < rows[i + 1][row][s] || rows[i][row][s] == 0 ||
                                    rows[i + 1][row][s] == 1);
                    assert_true(rows[0][row][s] >= 0 && rows[N - 1][row][s] <= 1);
                    assert_near(rows[2][row][s], centre[row][s], 1e-12);
                }
            moep_predictor_destroy(predictor);
        }
    free(counts);
}

/* A single step's interval is wider than that of a mean of many, and a walk's grows with the horizon. */
static void single_steps_scatter_more_than_their_mean(void **state)
{
    (void)state;
    const double probability = 0.9;
    double *counts = autoregressions(0.3, 11);
    for (uint32_t bucket = 1; bucket <= 10; bucket += 9) {
        static double steps[60][SERIES], of_steps[60][SERIES], mean[SERIES], of_mean[SERIES];
        moep_predictor_config config = config_of(1, 0, 0, bucket);
        moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        moep_predictor_predict_quantiles(predictor, 60, 1, &probability, 1, steps[0], 60 * SERIES);
        moep_predictor_predict(predictor, 60, 1, of_steps[0], 60 * SERIES);
        moep_predictor_predict_quantiles(predictor, 60, 60, &probability, 1, mean, SERIES);
        moep_predictor_predict(predictor, 60, 60, of_mean, SERIES);
        for (size_t s = 0; s < SERIES; s++) {
            double single = steps[40][s] - of_steps[40][s];
            assert_true(single > 2 * (mean[s] - of_mean[s]));
            if (s % EXPERTS < EXPERTS - 1) /* uniform noise of 0.01, about: 0.0029 x 1.28 x 1.05 */
                assert_near(single, 0.0039, 0.0015);
        }
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

/* A walk's half-width grows about as the square root of the horizon, however long the rows are. */
static void rows_of_any_stride_are_about_their_own_steps(void **state)
{
    (void)state;
    enum { HORIZON = 300, MOST_ROWS = 60 };
    static double wide[MOST_ROWS][SERIES], centre[MOST_ROWS][SERIES];
    const double probability = 0.9;
    double *counts = autoregressions(1, 13);
    moep_predictor_config config = config_of(0, 1, 0, 5);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    double expected = 0;
    for (size_t stride = 5; stride <= 13; stride++) {
        size_t rows = moep_forecast_rows(HORIZON, stride);
        moep_predictor_predict_quantiles(predictor, HORIZON, stride, &probability, 1, wide[0], MOST_ROWS * SERIES);
        moep_predictor_predict(predictor, HORIZON, stride, centre[0], MOST_ROWS * SERIES);
        double last = wide[rows - 1][0] - centre[rows - 1][0];
        expected = stride == 5 ? last : expected;
        assert_near(last / expected, 1, 0.05);
    }
    moep_predictor_destroy(predictor);
    free(counts);
}

/* The model's standard error of the next step is sigma; calibration makes it no smaller. */
static void the_next_steps_interval_is_never_narrower_than_the_models(void **state)
{
    (void)state;
    const int32_t orders[][3] = {{0, 1, 0}, {1, 1, 0}, {2, 1, 0}, {2, 1, 2}, {1, 0, 0}, {2, 2, 1}};
    const double ends[] = {0.025, 0.975};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        double *counts = autoregressions(0.2, 30 + i);
        double quantiles[2][SERIES];
        moep_predictor_config config = config_of(orders[i][0], orders[i][1], orders[i][2], 1);
        config.arima_root_limit = 1;
        moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        assert_int_equal(moep_predictor_predict_quantiles(predictor, 1, 1, ends, 2, quantiles[0], 2 * SERIES), MOEP_OK);
        for (size_t s = 0; s < SERIES; s++)
            assert_true((quantiles[1][s] - quantiles[0][s]) / 2 > 1.9599 * sqrt(model_of(predictor, s).sigma2));
        moep_predictor_destroy(predictor);
        free(counts);
    }
}

/* With fewer observations than a fit needs there are no intervals, even for a model fitted before. */
static void a_restarted_history_has_no_intervals_yet(void **state)
{
    (void)state;
    const double probability = 0.9;
    double *counts = autoregressions(0.5, 41), rows[SERIES];
    moep_predictor_config config = config_of(1, 1, 1, 5);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(moep_predictor_reset(predictor), MOEP_OK);
    assert_int_equal(moep_predictor_push(predictor, 39, counts, MOEP_FLOAT64), MOEP_OK);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, 10, 10, &probability, 1, rows, SERIES),
                     MOEP_ERROR_TOO_FEW_STEPS);
    assert_says("arima has intervals from 40 on");
    assert_int_equal(moep_predictor_predict(predictor, 10, 10, rows, SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_push(predictor, 1, counts, MOEP_FLOAT64), MOEP_OK);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, 10, 10, &probability, 1, rows, SERIES), MOEP_OK);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* In the next step the interval of 95 % is 1.529 times as wide as that of 80 %, as a normal one; far ahead it is
 * wider, as Student's t. */
static void tails_are_heavier_the_farther_ahead(void **state)
{
    (void)state;
    const double probabilities[] = {0.5, 0.9, 0.975};
    double *counts = autoregressions(0.7, 40), near[3][SERIES], far[3][SERIES];
    moep_predictor_config config = config_of(1, 0, 1, 1);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    moep_predictor_predict_quantiles(predictor, 1, 1, probabilities, 3, near[0], 3 * SERIES);
    moep_predictor_predict_quantiles(predictor, STEPS, STEPS, probabilities, 3, far[0], 3 * SERIES);
    for (size_t s = 0; s < SERIES; s++) {
        assert_near((near[2][s] - near[0][s]) / (near[1][s] - near[0][s]), 1.529, 0.005);
        assert_near((far[2][s] - far[0][s]) / (far[1][s] - far[0][s]), 1.68, 0.02);
    }
    moep_predictor_destroy(predictor);
    free(counts);
}

/* Levels that walk, with noise of a tenth of the load. */
static double *loads_of(size_t layers, size_t experts, size_t steps, double walk, uint64_t seed)
{
    double *counts = malloc(steps * layers * experts * sizeof *counts),
           *level = calloc(layers * experts, sizeof *level);
    for (size_t step = 0; step < steps; step++)
        for (size_t s = 0; s < layers * experts; s++) {
            level[s] += walk * noise(&seed);
            counts[step * layers * experts + s] = 1000 * exp(level[s]) * (1 + 0.35 * noise(&seed));
        }
    free(level);
    return counts;
}

/* The fraction of a layer's loads whose mean over the horizon lies within the interval of 80 %. */
static double covered(const moep_predictor *predictor, const double *after, size_t series, size_t horizon)
{
    const double ends[] = {0.1, 0.9};
    double *quantiles = malloc(2 * series * sizeof *quantiles), within = 0;
    assert_int_equal(moep_predictor_predict_quantiles(predictor, horizon, horizon, ends, 2, quantiles, 2 * series),
                     MOEP_OK);
    for (size_t s = 0; s < series; s++) {
        double came = 0;
        for (size_t step = 0; step < horizon; step++) {
            double total = 0;
            for (size_t other = 0; other < series; other++)
                total += after[step * series + other];
            came += after[step * series + s] / total / (double)horizon;
        }
        within += quantiles[s] <= came && came <= quantiles[series + s];
    }
    free(quantiles);
    return within / (double)series;
}

/* Wrong models too: a walk for noise, a mean for walks. With 400 series two standard deviations of the coverage are 4
 * %; few errors within 200 observations are 64 long. */
static void intervals_have_their_nominal_coverage(void **state)
{
    (void)state;
    enum { MANY = 400, HISTORY = 1000, AHEAD = 320 };
    const struct {
        int32_t p, d, q;
        double walk;
    } loads[] = {{0, 1, 0, 0}, {0, 1, 0, 0.01}, {2, 1, 2, 0.01}, {1, 0, 0, 0}, {1, 0, 0, 0.004}};
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        double *counts = loads_of(1, MANY, HISTORY + AHEAD, loads[i].walk, 50 + i);
        moep_predictor_config config = config_of(loads[i].p, loads[i].d, loads[i].q, 5);
        config.history = HISTORY;
        moep_predictor *predictor = NULL;
        assert_int_equal(moep_predictor_create(1, MANY, &config, NULL, &predictor), MOEP_OK);
        assert_int_equal(moep_predictor_push(predictor, HISTORY, counts, MOEP_FLOAT64), MOEP_OK);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        const double *after = counts + HISTORY * MANY;
        assert_near(covered(predictor, after, MANY, 1), 0.8, 0.05);
        assert_near(covered(predictor, after, MANY, 20), 0.8, 0.06);
        assert_near(covered(predictor, after, MANY, AHEAD), 0.8, 0.1);
        moep_predictor_destroy(predictor);
        free(counts);
    }
}

/* The first layer is noise, the second walks. */
static void a_layers_intervals_do_not_depend_on_the_other_layers(void **state)
{
    (void)state;
    enum { ONE = 8, HISTORY = 400 };
    const double probabilities[] = {0.05, 0.95};
    double *of_both = malloc(HISTORY * 2 * ONE * sizeof *of_both), both[2][2][ONE], alone[2][ONE];
    double *counts[] = {loads_of(1, ONE, HISTORY, 0, 60), loads_of(1, ONE, HISTORY, 0.02, 61)};
    for (size_t step = 0; step < HISTORY; step++)
        for (size_t layer = 0; layer < 2; layer++)
            memcpy(of_both + (step * 2 + layer) * ONE, counts[layer] + step * ONE, ONE * sizeof **counts);
    moep_predictor_config config = config_of(0, 1, 1, 1);
    for (size_t layers = 1; layers <= 2; layers++) {
        moep_predictor *predictor = NULL;
        assert_int_equal(moep_predictor_create(layers, ONE, &config, NULL, &predictor), MOEP_OK);
        moep_predictor_push(predictor, HISTORY, layers == 1 ? counts[1] : of_both, MOEP_FLOAT64);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        assert_int_equal(moep_predictor_predict_quantiles(predictor, 100, 100, probabilities, 2,
                                                          layers == 1 ? alone[0] : both[0][0], 2 * layers * ONE),
                         MOEP_OK);
        moep_predictor_destroy(predictor);
    }
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(both[i][1], alone[i], sizeof alone[i]);
    free(of_both);
    free(counts[0]);
    free(counts[1]);
}

int main(void)
{
    const struct CMUnitTest arima_intervals[] = {
        cmocka_unit_test(quantiles_rise_with_the_probability_and_enclose_the_forecast),
        cmocka_unit_test(single_steps_scatter_more_than_their_mean),
        cmocka_unit_test(rows_of_any_stride_are_about_their_own_steps),
        cmocka_unit_test(the_next_steps_interval_is_never_narrower_than_the_models),
        cmocka_unit_test(a_restarted_history_has_no_intervals_yet),
        cmocka_unit_test(tails_are_heavier_the_farther_ahead),
        cmocka_unit_test(intervals_have_their_nominal_coverage),
        cmocka_unit_test(a_layers_intervals_do_not_depend_on_the_other_layers),
    };
    return cmocka_run_group_tests(arima_intervals, NULL, NULL);
}
