/* SPDX-License-Identifier: BSD-3-Clause */
/* Intervals of the LSTM, whatever it has learned and whatever the loads. */
#include "lstm.h"

/* Loads that swap between two levels every other step. */
static double *swapping(size_t steps)
{
    double *counts = malloc(steps * SERIES * sizeof *counts);
    assert_non_null(counts);
    for (size_t t = 0; t < steps; t++)
        for (size_t s = 0; s < SERIES; s++)
            counts[t * SERIES + s] = (t / 2 + s) % 2 ? 900 : 100;
    return counts;
}

/* Before and after fit, in both forms, for loads that swap and for loads that wander. */
static void a_forecast_is_within_its_own_quantiles_whatever_was_learned(void **state)
{
    (void)state;
    for (int i = 0; i < 7; i++) {
        double *counts = i & 1 && !(i & 4) ? swapping(STEPS) : wandering(STEPS, LAYERS, EXPERTS, 0.02, 10);
        moep_predictor_config config = config_of(1, i & 2 ? 16 : 3);
        config.lstm_scope = i & 4 ? MOEP_LSTM_JOINT : MOEP_LSTM_SHARED;
        moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
        if (!(i & 4))
            check_quantiles(predictor, 1000, 1000);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        check_quantiles(predictor, 1000, 1000);
        check_quantiles(predictor, 60, 1);
        check_quantiles(predictor, 2500, 70);
        moep_predictor_destroy(predictor);
        free(counts);
    }
}

enum { WIDE = 32, PAST = 2500, AHEAD = 1000 }; /* experts of one layer, steps */

/* The number of experts whose mean load of the next steps lies within the quantiles of 10 % and 90 %. */
static size_t within_interval(const moep_predictor_config *config, double drift, uint64_t seed)
{
    const double ends[2] = {0.1, 0.9};
    double *counts = wandering(PAST + AHEAD, 1, WIDE, drift, seed), rows[2][WIDE], means[WIDE] = {0};
    moep_predictor *predictor = NULL;
    size_t within = 0;
    assert_int_equal(moep_predictor_create(1, WIDE, config, NULL, &predictor), MOEP_OK);
    assert_int_equal(moep_predictor_push(predictor, PAST, counts, MOEP_FLOAT64), MOEP_OK);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, AHEAD, AHEAD, ends, 2, rows[0], 2 * WIDE), MOEP_OK);
    for (size_t t = PAST; t < PAST + AHEAD; t++) {
        double total = 0;
        for (size_t e = 0; e < WIDE; e++)
            total += counts[t * WIDE + e];
        for (size_t e = 0; e < WIDE; e++)
            means[e] += counts[t * WIDE + e] / total / AHEAD;
    }
    for (size_t e = 0; e < WIDE; e++)
        within += means[e] >= rows[0][e] && means[e] <= rows[1][e];
    moep_predictor_destroy(predictor);
    free(counts);
    return within;
}

/* Constant loads, and slow and fast random walks, with shipped and with untrained weights. The errors on other runs
 * would be far too large for the one, and too small for the other. */
static void intervals_follow_the_errors_of_the_runs_own_past(void **state)
{
    (void)state;
    enum { RUNS = 20 };
    const double drifts[] = {0, 0.002, 0.02};
    for (size_t i = 0; i < 6; i++) {
        moep_predictor_config config = config_of(1, i % 2 ? 16 : 15);
        size_t within = 0;
        for (uint64_t run = 0; run < RUNS; run++)
            within += within_interval(&config, drifts[i / 2], 100 + run);
        assert_in_range(within, RUNS * WIDE * 60 / 100, RUNS * WIDE * 95 / 100);
    }
}

int main(void)
{
    const struct CMUnitTest lstm_intervals[] = {
        cmocka_unit_test(a_forecast_is_within_its_own_quantiles_whatever_was_learned),
        cmocka_unit_test(intervals_follow_the_errors_of_the_runs_own_past),
    };
    return cmocka_run_group_tests(lstm_intervals, NULL, NULL);
}
