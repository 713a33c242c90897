/* SPDX-License-Identifier: BSD-3-Clause */
/* Difficult series: the estimates are finite and usable, whatever the series. */
#include "arima_estimates.h"

#include "methods/arima/forecast.h"

enum { NASTY_STEPS = 240 };

static const char *const nasty_names[] = {
    "constant",   "zeros",       "alternating",     "line",        "line with noise",
    "sine",       "one outlier", "jump at the end", "first only",  "mostly zero counts",
    "two values", "step",        "growth",          "near zero",   "subnormal",
    "huge",       "offset",      "quantised",       "square wave", "ramp and drop",
    "one change",
};
enum { NASTY = sizeof nasty_names / sizeof *nasty_names };

static double nasty(size_t which, size_t t, size_t steps, uint64_t *seed)
{
    double x = (double)t, noise = normal(seed);
    switch (which) {
    case 0: return 0.1;
    case 1: return 0;
    case 2: return t % 2 == 0 ? 1 : -1;
    case 3: return 0.25 * x + 3;
    case 4: return x + 1e-6 * noise;
    case 5: return sin(0.3 * x);
    case 6: return t == steps / 2 ? 1000 : noise;
    case 7: return t == steps - 1 ? 1e6 : 1 + 1e-3 * noise;
    case 8: return t == 0;
    case 9: return noise > 2 ? 1 : 0;
    case 10: return noise > 0;
    case 11: return t < steps / 2 ? 1 : 2;
    case 12: return pow(1.05, x);
    case 13: return 1e-12 * (1 + 1e-3 * noise);
    case 14: return 4.9406564584124654e-324 * floor(1000 * (2 + noise));
    case 15: return 1e290 * noise;
    case 16: return 1e9 + noise;
    case 17: return floor(noise * 2) / 4;
    case 18: return t / 12 % 2 == 0;
    case 19: return (double)(t % 50);
    default: return t == steps - 2;
    }
}

static bool all_finite(const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static void assert_usable(const struct arima_estimate *e, const double *series, size_t steps, const char *name)
{
    struct arima_forecast_state at;
    double mean[40], error[40], scratch[1000];
    double *values = malloc(steps * sizeof *values);
    struct own_scratch own;
    make_own_scratch(&own, steps);
    if (!all_finite(e->phi, 8) || !all_finite(e->theta, 8) || !isfinite(e->mean) || !isfinite(e->sigma2) ||
        isnan(e->loglik) || isnan(e->aicc))
        fail_msg("%s (%u,%u,%u): estimate not finite", name, e->order.p, e->order.d, e->order.q);
    memcpy(values, series, steps * sizeof *values);
    mp_arima_forecast_states(e, values, 1, steps, 1, &own.scratch, &at, NULL);
    mp_arima_forecast(&at, 1000, 25, mean, error, 1, scratch);
    if (!all_finite(mean, 40) || !all_finite(error, 40))
        fail_msg("%s (%u,%u,%u): forecast not finite", name, e->order.p, e->order.d, e->order.q);
    free(values);
    free_own_scratch(&own);
}

static void no_series_fails(void **state)
{
    (void)state;
    static const struct arima_order orders[] = {
        {5, 1, 5, false}, {5, 0, 5, true}, {1, 1, 1, false}, {2, 2, 2, false}, {8, 0, 8, false}, {0, 0, 3, true},
    };
    static const size_t lengths[] = {1, 2, 5, 8, 12, 25, NASTY_STEPS};
    double series[NASTY_STEPS];
    for (size_t which = 0; which < NASTY; which++)
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
            for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
                uint64_t seed = which + 1;
                for (size_t t = 0; t < lengths[l]; t++)
                    series[t] = nasty(which, t, lengths[l], &seed);
                struct arima_estimate e = estimate_one(series, lengths[l], orders[o], 2);
                assert_usable(&e, series, lengths[l], nasty_names[which]);
                if (e.sigma2 > 1e-20 && which != 4 && which != 7) /* not fitted to rounding errors */
                    assert_coherent(&e, series, lengths[l], 1e-5);
            }
}

static void a_fallback_says_what_it_is(void **state)
{
    (void)state;
    double series[200] = {0}, n = 0;
    struct arima_estimate e = estimate_one(series, 200, (struct arima_order){5, 1, 5, false}, 2);
    assert_int_equal(e.fallback, MP_ARIMA_MEAN);
    assert_true(e.order.p == 0 && e.order.q == 0 && e.order.d == 1 && e.sigma2 == 0 && isinf(e.loglik));
    for (size_t t = 0; t < 200; t++)
        series[t] = 0.125;
    e = estimate_one(series, 200, (struct arima_order){5, 0, 5, true}, 2);
    assert_true(e.fallback == MP_ARIMA_MEAN && e.order.mean && e.mean == 0.125 && e.order.p + e.order.q == 0);
    series[7] = NAN;
    e = estimate_one(series, 200, (struct arima_order){5, 1, 5, false}, 2);
    assert_true(e.fallback == MP_ARIMA_MEAN && isfinite(e.mean));
    share(series, 200, 1);
    e = estimate_one(series, 12, (struct arima_order){5, 1, 5, false}, 2);
    assert_true(e.fallback == MP_ARIMA_SMALLER_ORDER && e.order.p == 1 && e.order.q == 1 && e.order.d == 1);
    e = estimate_one(series, 36, (struct arima_order){5, 1, 5, false}, 2);
    assert_true(e.fallback == MP_ARIMA_AS_REQUESTED && e.order.p == 5 && e.order.q == 5);
    e = estimate_one(series, 200, (struct arima_order){0, 0, 0, true}, 2); /* the mean was requested */
    assert_true(e.fallback == MP_ARIMA_AS_REQUESTED);
    for (size_t t = 0; t < 200; t++)
        n += series[t] / 200;
    assert_near(e.mean, n, 1e-15);
}

int main(void)
{
    const struct CMUnitTest arima_degenerate[] = {
        cmocka_unit_test(no_series_fails),
        cmocka_unit_test(a_fallback_says_what_it_is),
    };
    return cmocka_run_group_tests(arima_degenerate, NULL, NULL);
}
