/* SPDX-License-Identifier: BSD-3-Clause */
/* How far drifts grow: random walks, linear trends, loads that come back. */
#include "support.h"

#include "detector/growth.h"

static moep_detector_config config_of(double exponent, uint64_t horizon)
{
    moep_detector_config config = detector_config(exponent);
    config.horizon = horizon;
    return config;
}

/* (W + S) / (2 W) is 4 over 700 steps. */
static void a_trend_grows_with_twice_the_exponent_of_a_drift_up_to_a_linear_ones(void **state)
{
    (void)state;
    const struct {
        double exponent, drift, trend;
    } cases[] = {{0, 1, 1},     {0.25, 2, 4}, {0.5, 4, 16},
                 {0.75, 8, 16}, {1, 16, 16},  {MOEP_LEARN, pow(4, 0.6), pow(4, 1.2)}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        moep_detector_config config = config_of(cases[i].exponent, 700);
        struct growth growth = mp_growth(&config);
        assert_true(growth.drift == (double)(float)cases[i].drift);
        assert_true(growth.trend == (double)(float)cases[i].trend);
        assert_true(mp_growth_to(&config, 700) == growth.drift);
        assert_true(mp_growth_to(&config, 100) == 1);
        assert_true(mp_growth_to(&config, 300) == (double)(float)sqrt(cases[i].drift));
    }
}

/* (W + S) / (2 W) is 16 over 3,100 steps, and a linear trend's growth 256. */
static void a_trend_grows_at_most_four_times_as_far(void **state)
{
    (void)state;
    moep_detector_config config = config_of(0.5, 3100);
    struct growth growth = mp_growth(&config);
    assert_true(growth.drift == 16 && growth.trend == 64);
}

int main(void)
{
    const struct CMUnitTest growth[] = {
        cmocka_unit_test(a_trend_grows_with_twice_the_exponent_of_a_drift_up_to_a_linear_ones),
        cmocka_unit_test(a_trend_grows_at_most_four_times_as_far),
    };
    return cmocka_run_group_tests(growth, NULL, NULL);
}
