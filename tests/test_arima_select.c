/* SPDX-License-Identifier: BSD-3-Clause */
/* Order selection: unit-root tests, seasons, orders by AICc, and the vote of a layer. */
#include "arima_estimates.h"
#include "golden.h"

#include "methods/arima/fit.h"
#include "methods/arima/order_selection.h"
#include "methods/arima/season.h"
#include "methods/arima/unit_root_tests.h"

static enum arima_trend trend_of(const struct golden *golden)
{
    return strcmp(golden->kind, "none") == 0    ? MP_ARIMA_NO_CONSTANT
           : strcmp(golden->kind, "level") == 0 ? MP_ARIMA_LEVEL
                                                : MP_ARIMA_TREND;
}

static void test_statistics_are_those_of_R(void **state)
{
    (void)state;
    struct golden golden;
    size_t kpss = 0, adf = 0, probabilities = 0;
    golden_open(&golden);
    while (golden_next(&golden)) {
        struct arima_test test;
        if (golden_is(&golden, "kpss"))
            test = mp_arima_kpss(golden.series, golden.n, trend_of(&golden), golden.lag);
        else if (golden_is(&golden, "adf"))
            test = mp_arima_adf(golden.series, golden.n, trend_of(&golden), golden.lag);
        else
            continue;
        kpss += golden_is(&golden, "kpss");
        adf += golden_is(&golden, "adf");
        assert_near(test.statistic, golden.statistic, 1e-8 * fabs(golden.statistic));
        if (isnan(golden.probability))
            continue;
        assert_near(test.probability, golden.probability, 1e-6);
        probabilities++;
    }
    assert_int_equal(kpss, 180);
    assert_int_equal(adf, 180);
    assert_true(probabilities > 80);
}

/* ---- synthetic series -------------------------------------------------------------------------------------------- */

/* Uniform, with mean 0. */
static double noise(uint64_t *seed)
{
    return (double)(random_number(seed) >> 11) / 9007199254740992.0 - 0.5;
}

/* An autoregression of order 1; phi = 1: a random walk. */
static void autoregression(double *values, size_t n, double phi, uint64_t seed)
{
    double x = 0;
    for (size_t t = 0; t < n; t++)
        values[t] = x = phi * x + noise(&seed);
}

static void probabilities_end_with_their_tables(void **state)
{
    (void)state;
    double values[400];
    uint64_t seed = 4;
    autoregression(values, 400, 1, 1);
    assert_near(mp_arima_kpss(values, 400, MP_ARIMA_LEVEL, 0).probability, 0.01, 0);
    autoregression(values, 400, 0, 1);
    assert_near(mp_arima_kpss(values, 400, MP_ARIMA_LEVEL, 4).probability, 0.1, 0);
    for (unsigned trend = 0; trend < 3; trend++)
        assert_near(mp_arima_adf(values, 400, (enum arima_trend)trend, 2).probability, 0.01, 0);
    for (size_t t = 0; t < 400; t++)
        values[t] = pow(1.05, (double)t) * (1 + 1e-3 * noise(&seed));
    assert_near(mp_arima_adf(values, 400, MP_ARIMA_LEVEL, 0).probability, 0.99, 0);
}

static void series_without_noise_give_no_test(void **state)
{
    (void)state;
    double constant[50], zero[50] = {0}, line[50], tiny[50], scaled[50];
    uint64_t seed = 2;
    for (size_t t = 0; t < 50; t++) {
        constant[t] = 0.1;
        line[t] = (double)t;
        tiny[t] = noise(&seed);
        scaled[t] = tiny[t] * 1e-200;
    }
    const double *const cases[] = {constant, zero};
    for (size_t i = 0; i < 2; i++) {
        assert_true(mp_arima_kpss(cases[i], 50, MP_ARIMA_LEVEL, 3).probability == 1);
        assert_true(mp_arima_kpss(cases[i], 50, MP_ARIMA_TREND, 3).probability == 1);
        assert_true(mp_arima_adf(cases[i], 50, MP_ARIMA_LEVEL, 3).probability == 1);
        assert_int_equal(mp_arima_differences(cases[i], 50), 0);
    }
    for (size_t n = 0; n < 8; n++) {
        assert_true(isfinite(mp_arima_kpss(tiny, n, MP_ARIMA_TREND, 3).statistic));
        assert_true(mp_arima_adf(tiny, n, MP_ARIMA_TREND, 3).probability == 1);
    }
    assert_true(isfinite(mp_arima_adf(line, 50, MP_ARIMA_TREND, 2).statistic));
    double large = mp_arima_adf(tiny, 50, MP_ARIMA_LEVEL, 3).statistic;
    assert_near(mp_arima_adf(scaled, 50, MP_ARIMA_LEVEL, 3).statistic, large, 1e-9 * fabs(large));
    large = mp_arima_kpss(tiny, 50, MP_ARIMA_LEVEL, 3).statistic;
    assert_near(mp_arima_kpss(scaled, 50, MP_ARIMA_LEVEL, 3).statistic, large, 1e-9 * large);
}

/* Rounding of a constant is not noise, and numbers near infinity give no statistic. */
static void rounding_and_overflow_are_no_noise(void **state)
{
    (void)state;
    double rounded[60], noisy[60], huge[4] = {0, 1.79e308, -1.79e308, -0.4e308};
    uint64_t seed = 3;
    for (size_t t = 0; t < 60; t++) {
        double off = noise(&seed);
        rounded[t] = 0.1 + 0x1p-56 * floor(4 * off);
        noisy[t] = 0.1 + 1e-11 * off;
    }
    for (unsigned trend = MP_ARIMA_LEVEL; trend <= MP_ARIMA_TREND; trend++) {
        struct arima_test test = mp_arima_kpss(rounded, 60, (enum arima_trend)trend, 2);
        assert_true(test.statistic == 0 && test.probability == 1);
        test = mp_arima_kpss(huge, 4, (enum arima_trend)trend, 1);
        assert_true(test.statistic == 0 && test.probability == 1);
        assert_true(mp_arima_kpss(noisy, 60, (enum arima_trend)trend, 2).statistic > 0);
    }
    rounded[30] = INFINITY;
    assert_true(mp_arima_kpss(rounded, 60, MP_ARIMA_LEVEL, 2).probability == 1);
    rounded[30] = NAN;
    assert_true(mp_arima_kpss(rounded, 60, MP_ARIMA_LEVEL, 2).probability == 1);
}

/* 100 series of each kind; KPSS alone would call most of the persistent ones integrated. */
static void walks_are_differenced_and_persistent_series_are_not(void **state)
{
    (void)state;
    double values[1000];
    size_t walks = 0, persistent = 0, rejected = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        autoregression(values, 1000, 1, seed);
        walks += mp_arima_differences(values, 1000);
        autoregression(values, 1000, 0.97, seed);
        persistent += mp_arima_differences(values, 1000);
        rejected += mp_arima_kpss(values, 1000, MP_ARIMA_LEVEL, mp_arima_test_lags(1000)).probability < 0.05;
    }
    assert_true(walks >= 80);
    assert_true(persistent <= 5);
    assert_true(rejected >= 50);
}

static void select_series(const double *values, size_t series, size_t steps, struct arima_order_config wanted,
                          size_t threads, struct arima_choice *choices)
{
    struct columns columns = {values, steps};
    struct arima_request request = make_request(&columns, series, NULL);
    request.starts = 2;
    request.threads = threads;
    assert_int_equal(mp_arima_select_orders(&request, wanted, choices), MOEP_OK);
}

static void a_season_is_found_and_persistence_is_none(void **state)
{
    (void)state;
    enum { SERIES = 40, STEPS = 600 };
    double *values = malloc(SERIES * STEPS * sizeof *values);
    struct arima_choice choices[SERIES];
    for (size_t s = 0; s < SERIES; s++) {
        size_t period = 7 + s;
        autoregression(values + s * STEPS, STEPS, s < 20 ? 0.5 : 0.9, s + 1);
        for (size_t t = 0; t < STEPS && s < 20; t++)
            values[s * STEPS + t] += 0.4 * (t % period < period / 2 ? 1 : -1);
    }
    select_series(values, SERIES, STEPS, (struct arima_order_config){1, 0, 0, true}, 1, choices);
    for (size_t s = 0; s < 20; s++)
        assert_int_equal(choices[s].period, 7 + s);
    for (size_t s = 20; s < SERIES; s++)
        assert_int_equal(choices[s].period, 0);
    free(values);
}

/* At auto.arima's d the AICc found is no worse than R's, which for d > 0 is inexact by up to 0.01. */
static void no_order_of_auto_arima_is_better(void **state)
{
    (void)state;
    struct golden golden;
    size_t compared = 0;
    golden_open(&golden);
    while (golden_next(&golden)) {
        if (!golden_is(&golden, "auto"))
            continue;
        struct arima_choice choice;
        struct arima_order_config wanted = {MOEP_SELECT, (int)golden.d, MOEP_SELECT, golden.mean != 0};
        struct columns columns = {golden.series, golden.n};
        struct arima_request request = make_request(&columns, 1, NULL);
        request.starts = 5;
        assert_int_equal(mp_arima_select_orders(&request, wanted, &choice), MOEP_OK);
        assert_int_equal(choice.order.d, golden.d);
        assert_true(choice.aicc < golden.aicc + 0.02);
        compared++;
    }
    assert_true(compared > 10);
}

/* Mixed series get the same choices in one call on any number of threads and alone. */
static void a_choice_depends_on_nothing_but_the_series(void **state)
{
    (void)state;
    enum { SERIES = 150, STEPS = 120 };
    static const struct arima_order_config everything = {MOEP_SELECT, MOEP_SELECT, MOEP_SELECT, true};
    double *values = calloc(SERIES * STEPS, sizeof *values);
    struct arima_choice alone, one[SERIES], several[SERIES];
    for (size_t s = 0; s < SERIES; s++)
        if (s % 7 != 3) /* the others are 0 throughout */
            autoregression(values + s * STEPS, STEPS, (double)(s % 5) / 4, s + 1);
    memset(one, 0, sizeof one);
    memset(several, 0, sizeof several);
    select_series(values, SERIES, STEPS, everything, 1, one);
    select_series(values, SERIES, STEPS, everything, 3, several);
    for (size_t s = 0; s < SERIES; s++) {
        assert_true(one[s].aicc == several[s].aicc && one[s].orders_tried == several[s].orders_tried);
        assert_memory_equal(&one[s].order, &several[s].order, 3 * sizeof(unsigned));
        if (s % 7 == 3)
            assert_true(one[s].order.p + one[s].order.d + one[s].order.q == 0 && one[s].orders_tried == 0);
        if (s % 10 > 0)
            continue;
        select_series(values + s * STEPS, 1, STEPS, everything, 1, &alone);
        assert_true(one[s].aicc == alone.aicc && one[s].period == alone.period);
    }
    free(values);
}

static void fixed_parts_of_an_order_stay(void **state)
{
    (void)state;
    double values[200];
    struct arima_choice choice;
    autoregression(values, 200, 0.8, 9);
    for (int p = 0; p <= MP_ARIMA_ORDER; p++)
        for (int d = 0; d <= 2; d++) {
            select_series(values, 1, 200, (struct arima_order_config){p, d, MOEP_SELECT, true}, 1, &choice);
            assert_int_equal(choice.order.p, p);
            assert_int_equal(choice.order.d, d);
            assert_int_equal(choice.order.mean, d == 0);
            assert_true(choice.order.q <= MP_ARIMA_SELECT_MOST && choice.orders_tried >= 1);
        }
    select_series(values, 1, 200, (struct arima_order_config){MOEP_SELECT, 0, 7, false}, 1, &choice);
    assert_int_equal(choice.order.q, 7);
    select_series(values, 1, 12, (struct arima_order_config){MOEP_SELECT, 1, MOEP_SELECT, false}, 1, &choice);
    assert_true(choice.order.p + choice.order.q <= 2);
}

static void *refuse(void *user, size_t size)
{
    (void)size;
    ++*(int *)user;
    return NULL;
}

static int32_t stop(void *user, double fraction)
{
    (void)user;
    (void)fraction;
    return 1;
}

static void refused_memory_and_a_stop_are_reported(void **state)
{
    (void)state;
    double values[100];
    struct arima_choice choice;
    struct columns columns = {values, 100};
    struct arima_request request = make_request(&columns, 1, NULL);
    int requests = 0;
    struct memory memory = {refuse, mp_default_release, &requests};
    autoregression(values, 100, 0.5, 1);
    request.starts = 2;
    request.memory = &memory;
    assert_int_equal(mp_arima_select_orders(&request, (struct arima_order_config){1, 0, 1, true}, &choice),
                     MOEP_ERROR_OUT_OF_MEMORY);
    assert_int_equal(requests, 1);
    request.memory = &plain_memory;
    request.progress = stop;
    assert_int_equal(mp_arima_select_orders(&request, (struct arima_order_config){1, 0, 1, true}, &choice),
                     MOEP_ERROR_CANCELLED);
}

static void a_layer_votes(void **state)
{
    (void)state;
    const struct arima_choice choices[] = {
        {.order = {1, 1, 1, false}}, {.order = {0, 0, 3, true}},  {.order = {2, 1, 0, false}},
        {.order = {2, 1, 0, false}}, {.order = {0, 0, 3, true}},  {.order = {0, 0, 3, true}},
        {.order = {1, 1, 1, false}}, {.order = {5, 1, 5, false}},
    };
    struct arima_order order =
        mp_arima_vote(choices, 8); /* d = 1, 5 to 3; (1, 1) as often as (2, 0), and smaller in p */
    assert_true(order.p == 1 && order.d == 1 && order.q == 1 && !order.mean);
    order = mp_arima_vote(choices, 2); /* as many of each d: the smaller */
    assert_true(order.p == 0 && order.d == 0 && order.q == 3 && order.mean);
    order = mp_arima_vote(choices, 0);
    assert_true(order.p == 0 && order.d == 0 && order.q == 0);
}

/* A layer can choose any order, the largest too; a constant series has no vote beside others. */
static void the_order_that_most_have_wins_whatever_it_is(void **state)
{
    (void)state;
    struct arima_choice choices[5];
    for (unsigned p = 0; p <= MP_ARIMA_ORDER; p++)
        for (unsigned q = 0; q <= MP_ARIMA_ORDER; q++) {
            for (unsigned i = 0; i < 5; i++) {
                bool constant = i >= 2;
                choices[i] = (struct arima_choice){.orders_tried = constant ? 0 : 1};
                choices[i].order = (struct arima_order){constant ? 0 : p, constant ? 0 : 1, constant ? 0 : q, false};
            }
            struct arima_order order = mp_arima_vote(choices, 5);
            assert_true(order.p == p && order.d == 1 && order.q == q);
        }
}

int main(void)
{
    const struct CMUnitTest arima_select[] = {
        cmocka_unit_test(test_statistics_are_those_of_R),
        cmocka_unit_test(probabilities_end_with_their_tables),
        cmocka_unit_test(series_without_noise_give_no_test),
        cmocka_unit_test(rounding_and_overflow_are_no_noise),
        cmocka_unit_test(walks_are_differenced_and_persistent_series_are_not),
        cmocka_unit_test(a_season_is_found_and_persistence_is_none),
        cmocka_unit_test(no_order_of_auto_arima_is_better),
        cmocka_unit_test(a_choice_depends_on_nothing_but_the_series),
        cmocka_unit_test(fixed_parts_of_an_order_stay),
        cmocka_unit_test(refused_memory_and_a_stop_are_reported),
        cmocka_unit_test(a_layer_votes),
        cmocka_unit_test(the_order_that_most_have_wins_whatever_it_is),
    };
    return cmocka_run_group_tests(arima_select, NULL, NULL);
}
