/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "series/error.h"

static void errors_are_ratios_to_the_actual_load(void **state)
{
    (void)state;
    /* Layer 0 by hand: 1/2, 1/3, 1/6 of 0.2, 0.3, 0.6 and 0.1 of the least load, 0.025. */
    const double actual[2][4] = {{0.2, 0.3, 0.5, 0}, {0, 0, 1, 0}};
    const double forecast[2][4] = {{0.1, 0.4, 0.4, 0.1}, {0, 0, 1, 0}};
    double error[2], paper_error[2];
    uint64_t left_out[2];
    assert_int_equal(moep_forecast_error(2, 4, forecast[0], actual[0], error, paper_error, left_out), MOEP_OK);
    assert_near(error[0], (0.1 / 0.2 + 0.1 / 0.3 + 0.1 / 0.5 + 0.1 / 0.025) / 4, 1e-15);
    assert_near(paper_error[0], (0.1 / 0.2 + 0.1 / 0.3 + 0.1 / 0.5) / 3, 1e-15);
    assert_int_equal(left_out[0], 1);
    assert_true(error[1] == 0 && paper_error[1] == 0);
    assert_int_equal(left_out[1], 3);
}

static void each_result_may_be_left_out(void **state)
{
    (void)state;
    const double actual[] = {0.25, 0.75}, forecast[] = {0.5, 0.5};
    double error = 0, paper_error = 0;
    uint64_t left_out = 9;
    assert_int_equal(moep_forecast_error(1, 2, forecast, actual, NULL, NULL, NULL), MOEP_OK);
    assert_int_equal(moep_forecast_error(1, 2, forecast, actual, &error, NULL, NULL), MOEP_OK);
    assert_int_equal(moep_forecast_error(1, 2, forecast, actual, NULL, &paper_error, NULL), MOEP_OK);
    assert_int_equal(moep_forecast_error(1, 2, forecast, actual, NULL, NULL, &left_out), MOEP_OK);
    assert_near(error, (1 + 1.0 / 3) / 2, 1e-15);
    assert_true(paper_error == error && left_out == 0);
}

static void without_any_load_there_is_no_paper_error(void **state)
{
    (void)state;
    const double actual[] = {0, 0}, forecast[] = {0.5, 0.5};
    double error, paper_error;
    uint64_t left_out;
    assert_int_equal(moep_forecast_error(1, 2, forecast, actual, &error, &paper_error, &left_out), MOEP_OK);
    assert_near(error, 10, 1e-14);
    assert_true(isnan(paper_error));
    assert_int_equal(left_out, 2);
}

static void bad_loads_are_named_and_nothing_is_written(void **state)
{
    (void)state;
    const double bad_actual[] = {-1e-9, NAN, INFINITY}, bad_forecast[] = {NAN, INFINITY, -INFINITY};
    double loads[2][2] = {{0.5, 0.5}, {0.5, 0.5}}, good[2][2] = {{0.5, 0.5}, {0.5, 0.5}}, error[2] = {7, 7};
    for (size_t i = 0; i < 3; i++) {
        loads[1][0] = bad_actual[i];
        assert_int_equal(moep_forecast_error(2, 2, good[0], loads[0], error, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
        assert_says("layer 1, expert 0: the actual load");
        loads[1][0] = bad_forecast[i];
        assert_int_equal(moep_forecast_error(2, 2, loads[0], good[0], error, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
        assert_says("layer 1, expert 0: the forecast");
    }
    assert_int_equal(moep_forecast_error(0, 2, good[0], good[0], error, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_forecast_error(2, 0, good[0], good[0], error, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_forecast_error(2, 2, NULL, good[0], error, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_forecast_error(2, 2, good[0], NULL, error, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_forecast_error(SIZE_MAX / 4 + 1, 4, good[0], good[0], error, NULL, NULL),
                     MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("no array");
    assert_int_equal(moep_forecast_error(SIZE_MAX / 8, 1, good[0], good[0], error, NULL, NULL),
                     MOEP_ERROR_INVALID_ARGUMENT);
    assert_true(error[0] == 7 && error[1] == 7);
}

static void total_variation_is_the_load_forecast_elsewhere(void **state)
{
    (void)state;
    assert_near(mp_total_variation((const double[]){0.5, 0.3, 0.2}, (const double[]){0.2, 0.3, 0.5}, 3), 0.3, 1e-15);
}

static void a_share_of_one_has_no_sampling_error(void **state)
{
    (void)state;
    assert_true(mp_sampling_error((const double[]){1 + 0x1p-52}, 1, 1000) == 0); /* as rounding may leave it */
}

static void a_load_below_a_tenth_of_the_mean_counts_as_that_tenth(void **state)
{
    (void)state;
    const double shares[] = {1, 0}, least[] = {1, 0.05};
    assert_true(mp_sampling_error(shares, 2, 1000) == mp_sampling_error(least, 2, 1000));
    assert_near(mp_sampling_error(shares, 2, 1000), 0.79788456080286536 * sqrt(0.95 / (0.05 * 1000)) / 2, 1e-15);
    assert_near(mp_error((const double[]){0.99, 0.01}, shares, 2), (0.01 + 0.01 / 0.05) / 2, 1e-15);
}

/* The mean error of simulated multinomial samples is mp_sampling_error. */
static void sampling_error_is_what_sampling_leaves(void **state)
{
    (void)state;
    enum { EXPERTS = 8, TOKENS = 4000, TRIALS = 2000 };
    double shares[EXPERTS], sum = 0;
    uint64_t seed = 11;
    for (size_t e = 0; e < EXPERTS; e++)
        shares[e] = (double)(e + 1) / 36;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        double sampled[EXPERTS] = {0};
        for (size_t token = 0; token < TOKENS; token++) {
            size_t ticket = random_number(&seed) % 36, e = 0;
            for (size_t last = 1; ticket >= last; last += ++e + 1)
                ;
            sampled[e] += 1.0 / TOKENS;
        }
        for (size_t e = 0; e < EXPERTS; e++)
            sum += fabs(sampled[e] - shares[e]) / shares[e] / EXPERTS / TRIALS;
    }
    assert_near(mp_sampling_error(shares, EXPERTS, TOKENS) / sum, 1, 0.02);
}

int main(void)
{
    const struct CMUnitTest error[] = {
        cmocka_unit_test(errors_are_ratios_to_the_actual_load),
        cmocka_unit_test(each_result_may_be_left_out),
        cmocka_unit_test(without_any_load_there_is_no_paper_error),
        cmocka_unit_test(bad_loads_are_named_and_nothing_is_written),
        cmocka_unit_test(total_variation_is_the_load_forecast_elsewhere),
        cmocka_unit_test(a_share_of_one_has_no_sampling_error),
        cmocka_unit_test(a_load_below_a_tenth_of_the_mean_counts_as_that_tenth),
        cmocka_unit_test(sampling_error_is_what_sampling_leaves),
    };
    return cmocka_run_group_tests(error, NULL, NULL);
}
