/* SPDX-License-Identifier: BSD-3-Clause */
/* The LSTM's forecasts and quantiles. */
#include "lstm.h"

/* ---- when, and by which weights ---------------------------------------------------------------------------------- */

static void forecasts_begin_at_step_100(void **state)
{
    (void)state;
    double *counts = wandering(100, LAYERS, EXPERTS, 0.02, 1), rows[SERIES], half = 0.5;
    for (uint32_t hidden = 15; hidden <= 16; hidden++) {
        moep_predictor_config config = config_of(1, hidden);
        moep_predictor *predictor = make_and_push(&config, NULL, counts, 99);
        assert_int_equal(info_of(predictor).min_steps, 100);
        assert_int_equal(moep_predictor_predict(predictor, 10, 10, rows, SERIES), MOEP_ERROR_TOO_FEW_STEPS);
        assert_says("99 steps pushed, lstm forecasts from 100 on");
        assert_int_equal(moep_predictor_predict_quantiles(predictor, 10, 10, &half, 1, rows, SERIES),
                         MOEP_ERROR_TOO_FEW_STEPS);
        assert_int_equal(moep_predictor_push(predictor, 1, counts + 99 * SERIES, MOEP_FLOAT64), MOEP_OK);
        assert_int_equal(moep_predictor_predict(predictor, 10, 10, rows, SERIES), MOEP_OK);
        assert_int_equal(moep_predictor_predict_quantiles(predictor, 10, 10, &half, 1, rows, SERIES), MOEP_OK);
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

static void weights_are_shipped_for_the_default_network_and_for_those_without_layers(void **state)
{
    (void)state;
    for (uint32_t layers = 0; layers <= 4; layers++)
        for (uint32_t hidden = 15; hidden <= 17; hidden++) {
            moep_predictor_config config = config_of(layers, hidden);
            moep_predictor *predictor = make(&config, NULL);
            moep_lstm_training training = training_of(predictor);
            bool shipped = layers == 0 || (layers == 1 && hidden == 16);
            assert_int_equal(training.weights, shipped ? MOEP_LSTM_PRETRAINED : MOEP_LSTM_UNTRAINED);
            assert_true(training.rounds == 0 && training.updates == 0 && training.length == 0);
            assert_true(isnan(training.loss) && isnan(training.untrained_loss));
            assert_true(info_of(predictor).fitted_step == UINT64_MAX);
            moep_predictor_destroy(predictor);
        }
}

/* The average of the means of the last 20, 100, 500 and 2,000 shares, or of all where there are fewer. */
static void an_untrained_network_forecasts_the_mean_of_four_windows(void **state)
{
    (void)state;
    const size_t windows[] = {20, 100, 500, 2000}, lengths[] = {100, 350, 1999, 2001, STEPS};
    double *counts = wandering(STEPS, LAYERS, EXPERTS, 0.02, 2), rows[4 * SERIES];
    for (size_t i = 0; i < 5; i++) {
        moep_predictor_config config = config_of(1 + (uint32_t)i % 4, 7);
        moep_predictor *predictor = make_and_push(&config, NULL, counts, lengths[i]);
        assert_int_equal(moep_predictor_predict(predictor, 2400, 600, rows, 4 * SERIES), MOEP_OK);
        for (size_t s = 0; s < SERIES; s++) {
            double expected = 0;
            for (size_t w = 0; w < 4; w++) {
                size_t window = windows[w] < lengths[i] ? windows[w] : lengths[i];
                for (size_t step = lengths[i] - window; step < lengths[i]; step++) {
                    const double *layer = counts + step * SERIES + s / EXPERTS * EXPERTS;
                    expected +=
                        counts[step * SERIES + s] / (layer[0] + layer[1] + layer[2] + layer[3]) / (double)window / 4;
                }
            }
            for (size_t row = 0; row < 4; row++)
                assert_near(rows[row * SERIES + s], expected, 1e-6 * expected);
        }
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static void rows_of_any_stride_are_means_of_the_steps(void **state)
{
    (void)state;
    enum { HORIZON = 2610 };
    const size_t strides[] = {2, 7, 49, 50, 51, 130, 1000, 2000, 2500, HORIZON, 9999};
    double *counts = wandering(STEPS, LAYERS, EXPERTS, 0.02, 3);
    double *steps = malloc(sizeof(double[HORIZON][SERIES])), *rows = malloc(sizeof(double[HORIZON][SERIES]));
    moep_predictor_config config = config_of(1, 16);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_predict(predictor, HORIZON, 1, steps, HORIZON * SERIES), MOEP_OK);
    assert_memory_not_equal(steps, steps + 1000 * SERIES, sizeof(double[SERIES]));
    for (size_t i = 0; i < sizeof strides / sizeof *strides; i++) {
        assert_int_equal(moep_predictor_predict(predictor, HORIZON, strides[i], rows, HORIZON * SERIES), MOEP_OK);
        for (size_t r = 0; r < moep_forecast_rows(HORIZON, strides[i]); r++)
            for (size_t s = 0; s < SERIES; s++) {
                size_t end = HORIZON - r * strides[i] < strides[i] ? HORIZON : (r + 1) * strides[i];
                double sum = 0;
                for (size_t step = r * strides[i]; step < end; step++)
                    sum += steps[step * SERIES + s];
                assert_near(rows[r * SERIES + s], sum / (double)(end - r * strides[i]), 1e-12);
            }
    }
    moep_predictor_destroy(predictor);
    free(rows);
    free(steps);
    free(counts);
}

static void after_2000_steps_the_last_span_is_repeated(void **state)
{
    (void)state;
    double *counts = wandering(STEPS, LAYERS, EXPERTS, 0.02, 4), rows[50][SERIES], far[SERIES];
    moep_predictor_config config = config_of(1, 16);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_predict(predictor, 2500, 50, rows[0], 50 * SERIES), MOEP_OK);
    for (size_t row = 1; row < 50; row++)
        if (row < 40)
            assert_memory_not_equal(rows[row], rows[row - 1], sizeof rows[0]);
        else
            assert_memory_equal(rows[row], rows[39], sizeof rows[0]);
    assert_int_equal(moep_predictor_predict(predictor, SIZE_MAX, SIZE_MAX, far, SERIES), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        assert_near(far[s], rows[39][s], 1e-12);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* Forecasts and quantiles in one array. */
static void everything(const moep_predictor *predictor, double *rows)
{
    assert_int_equal(moep_predictor_predict(predictor, 1000, 100, rows, 10 * SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, 1000, 100, probabilities, PROBABILITIES,
                                                      rows + 10 * SERIES, 10 * SERIES * PROBABILITIES),
                     MOEP_OK);
}

enum { EVERYTHING = 10 * SERIES * (1 + PROBABILITIES) };

static void the_scale_of_counts_and_the_places_of_experts_do_not_matter(void **state)
{
    (void)state;
    const size_t place[EXPERTS] = {2, 0, 3, 1};
    static double rows[EVERYTHING], scaled_rows[EVERYTHING], moved_rows[EVERYTHING];
    double *counts = wandering(STEPS, LAYERS, EXPERTS, 0.02, 5), *scaled = malloc(sizeof(double[STEPS][SERIES])),
           *moved = malloc(sizeof(double[STEPS][SERIES]));
    for (size_t i = 0; i < STEPS * SERIES; i++) {
        scaled[i] = ldexp(counts[i], 200);
        moved[i / EXPERTS * EXPERTS + place[i % EXPERTS]] = counts[i];
    }
    moep_predictor_config config = config_of(1, 16);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS),
                   *of_scaled = make_and_push(&config, NULL, scaled, STEPS),
                   *of_moved = make_and_push(&config, NULL, moved, STEPS);
    everything(predictor, rows);
    everything(of_scaled, scaled_rows);
    everything(of_moved, moved_rows);
    assert_memory_equal(rows, scaled_rows, sizeof rows);
    for (size_t i = 0; i < EVERYTHING; i++)
        assert_near(moved_rows[i / EXPERTS * EXPERTS + place[i % EXPERTS]], rows[i], 1e-6);
    moep_predictor_destroy(of_moved);
    moep_predictor_destroy(of_scaled);
    moep_predictor_destroy(predictor);
    free(moved);
    free(scaled);
    free(counts);
}

/* ---- quantiles --------------------------------------------------------------------------------------------------- */

enum { WANDERING, CONSTANT, DEAD, DYING, SPIKES, MOSTLY_ZERO, KINDS };

static double difficult(int kind, size_t t, double usual)
{
    switch (kind) {
    case CONSTANT: return 1000;
    case DEAD: return 0;
    case DYING: return t < 2400 ? usual : 0;
    case SPIKES: return t % 97 == 0 ? 1e12 : usual;
    case MOSTLY_ZERO: return t % 50 == 3 ? 5 : 0;
    default: return usual;
    }
}

static void quantiles_never_cross_and_enclose_the_forecast_whatever_the_load(void **state)
{
    (void)state;
    const size_t lengths[] = {100, 777, STEPS};
    double *counts = wandering(STEPS, LAYERS, EXPERTS, 0.02, 6), *usual = wandering(STEPS, LAYERS, EXPERTS, 0.02, 6);
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < 6; i++) {
            for (size_t t = 0; t < STEPS; t++)
                for (size_t s = 0; s < SERIES; s += 1 + (kind == CONSTANT ? 0 : s % 2))
                    counts[t * SERIES + s] = difficult(kind, t, usual[t * SERIES + s]);
            moep_predictor_config config = config_of(1, i % 2 ? 16 : 15);
            size_t steps = lengths[i / 2];
            moep_predictor *predictor = make_and_push(&config, NULL, counts + (STEPS - steps) * SERIES, steps);
            check_quantiles(predictor, 60, 1);
            check_quantiles(predictor, 2500, 50);
            check_quantiles(predictor, 1000, 1000);
            check_quantiles(predictor, 7, 1000000);
            moep_predictor_destroy(predictor);
        }
    free(usual);
    free(counts);
}

/* For white noise about a constant load, a single step is within the quantiles of 5 % and 95 % in nine of ten cases. No
 * training is needed: the past shows the noise. */
static void single_steps_are_within_their_quantiles_as_often_as_stated(void **state)
{
    (void)state;
    const double ends[2] = {0.05, 0.95};
    enum { PAST = 2000, AHEAD = 500 };
    static double rows[2][AHEAD][SERIES];
    double *counts = wandering(STEPS, LAYERS, EXPERTS, 0, 7);
    moep_predictor_config config = config_of(1, 15);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, PAST);
    size_t within = 0;
    assert_int_equal(
        moep_predictor_predict_quantiles(predictor, AHEAD, 1, ends, 2, rows[0][0], (size_t)2 * AHEAD * SERIES),
        MOEP_OK);
    for (size_t step = 0; step < AHEAD; step++)
        for (size_t s = 0; s < SERIES; s++) {
            const double *row = counts + (PAST + step) * SERIES, *layer = row + s / EXPERTS * EXPERTS;
            double share = row[s] / (layer[0] + layer[1] + layer[2] + layer[3]);
            within += share >= rows[0][step][s] && share <= rows[1][step][s];
        }
    assert_near((double)within / (AHEAD * SERIES), 0.9, 0.04);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* With the shipped weights, the interval of the last output span is wider than that of the next one. */
static void the_farther_ahead_the_wider_are_quantiles(void **state)
{
    (void)state;
    const double ends[2] = {0.05, 0.95};
    static double rows[2][40][SERIES];
    double *counts = wandering(STEPS, LAYERS, EXPERTS, 0.02, 9);
    moep_predictor_config config = config_of(1, 16);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(
        moep_predictor_predict_quantiles(predictor, 2000, 50, ends, 2, rows[0][0], (size_t)2 * 40 * SERIES), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++) {
        double next = rows[1][0][s] - rows[0][0][s];
        assert_true(next > 0 && rows[1][39][s] - rows[0][39][s] > 1.2 * next);
    }
    moep_predictor_destroy(predictor);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest lstm[] = {
        cmocka_unit_test(forecasts_begin_at_step_100),
        cmocka_unit_test(weights_are_shipped_for_the_default_network_and_for_those_without_layers),
        cmocka_unit_test(an_untrained_network_forecasts_the_mean_of_four_windows),
        cmocka_unit_test(rows_of_any_stride_are_means_of_the_steps),
        cmocka_unit_test(after_2000_steps_the_last_span_is_repeated),
        cmocka_unit_test(the_scale_of_counts_and_the_places_of_experts_do_not_matter),
        cmocka_unit_test(quantiles_never_cross_and_enclose_the_forecast_whatever_the_load),
        cmocka_unit_test(single_steps_are_within_their_quantiles_as_often_as_stated),
        cmocka_unit_test(the_farther_ahead_the_wider_are_quantiles),
    };
    return cmocka_run_group_tests(lstm, NULL, NULL);
}
