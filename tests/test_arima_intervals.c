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

/* What a single step may bring is wider than what the mean of many may, and of a walk the wider the farther ahead. */
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

/* Of a walk, about: the half-width grows with the root of the time, whatever rows the time is cut into. */
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

int main(void)
{
    const struct CMUnitTest arima_intervals[] = {
        cmocka_unit_test(quantiles_rise_with_the_probability_and_enclose_the_forecast),
        cmocka_unit_test(single_steps_scatter_more_than_their_mean),
        cmocka_unit_test(rows_of_any_stride_are_about_their_own_steps),
    };
    return cmocka_run_group_tests(arima_intervals, NULL, NULL);
}
