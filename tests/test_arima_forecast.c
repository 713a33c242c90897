/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts, their standard errors, and the states from which they begin. */
#include "arima_scratch.h"
#include "golden.h"

#include "methods/arima/forecast.h"
#include "methods/arima/roots.h"

static struct arima_forecast_state state_of(struct arima_estimate estimate, const double *series, size_t n,
                                            double root_limit)
{
    struct arima_forecast_state state;
    double *values = malloc(n * sizeof *values);
    struct own_scratch own;
    make_own_scratch(&own, n);
    memcpy(values, series, n * sizeof *values);
    mp_arima_forecast_states(&estimate, values, 1, n, root_limit, &own.scratch, &state, NULL);
    free(values);
    free_own_scratch(&own);
    return state;
}

static struct arima_estimate golden_estimate(const struct golden *golden)
{
    struct arima_estimate estimate = {.order = {golden->p, golden->d, golden->q, golden->mean != 0}};
    memcpy(estimate.phi, golden->coefficients, golden->p * sizeof *estimate.phi);
    memcpy(estimate.theta, golden->coefficients + golden->p, golden->q * sizeof *estimate.theta);
    estimate.mean = golden->mean ? golden->coefficients[golden->p + golden->q] : 0;
    estimate.sigma2 = golden->sigma2;
    return estimate;
}

/* R's filter forgets its start as powers of theta's largest root. Until it has, its standard errors are not those of
 * psi-weights. */
static bool has_forgotten(const struct golden *golden)
{
    struct arima_root roots[MP_ARIMA_ORDER];
    double largest = 0;
    mp_arima_roots(golden->coefficients + golden->p, golden->q, roots);
    for (unsigned i = 0; i < golden->q; i++)
        largest = fmax(largest, hypot(roots[i].re, roots[i].im));
    return pow(largest, 2 * ((double)golden->n - golden->d)) < 1e-6;
}

static void forecasts_and_errors_are_those_of_R(void **state)
{
    (void)state;
    struct golden golden;
    size_t means = 0, errors = 0;
    double scratch[1000], mean[1000], error[1000];
    golden_open(&golden);
    while (golden_next(&golden)) {
        if (!golden_is(&golden, "forecast"))
            continue;
        struct arima_forecast_state at = state_of(golden_estimate(&golden), golden.series, golden.n, 1);
        at.sigma2 = golden.sigma2;
        mp_arima_forecast(&at, 1000, 1, mean, error, 1, scratch);
        bool forgotten = has_forgotten(&golden);
        for (size_t i = 0; i < golden.steps; i++) {
            const double *theirs = golden.step[i];
            size_t k = (size_t)theirs[0] - 1;
            if (forgotten || golden.d < 2) { /* R's diffuse start shows in its means at d = 2 */
                assert_near(mean[k], theirs[1], 1e-6 * fabs(theirs[1]));
                means++;
            }
            if (forgotten) {
                assert_near(error[k], theirs[2], 1e-6 * theirs[2]);
                errors++;
            }
        }
    }
    assert_true(means > 3000 && errors > 2500);
}

/* One estimate for every d, with roots near the unit circle but inside. */
static struct arima_estimate sample(unsigned d)
{
    return (struct arima_estimate){
        .order = {2, d, 2, d == 0},
        .phi = {1.2, -0.5},
        .theta = {0.4, 0.3},
        .mean = d == 0 ? 3 : 0,
        .sigma2 = 2,
    };
}

static void random_walk(double *series, size_t n)
{
    uint64_t seed = 3;
    for (size_t t = 0; t < n; t++)
        series[t] = (t > 0 ? series[t - 1] : 5) + (double)(random_number(&seed) >> 11) / 9007199254740992.0 - 0.5;
}

/* The variance of a row's mean from the covariances of all its steps. */
static double error_of_mean(const double *psi, size_t first, size_t last, double sigma2)
{
    double sum = 0;
    for (size_t a = first; a < last; a++)
        for (size_t b = first; b < last; b++)
            for (size_t i = 0; i <= a && i <= b; i++)
                sum += psi[a - i] * psi[b - i];
    return sqrt(sigma2 * sum) / (double)(last - first);
}

static void rows_are_means_of_steps_with_the_standard_error_of_the_mean(void **state)
{
    (void)state;
    enum { STEPS = 50, HORIZON = 47 };
    double series[STEPS], path[HORIZON], mean[HORIZON], error[HORIZON], scratch[HORIZON];
    random_walk(series, STEPS);
    for (unsigned d = 0; d <= 2; d++) {
        struct arima_forecast_state at = state_of(sample(d), series, STEPS, 1);
        double psi[HORIZON] = {0}, w[HORIZON] = {1, 1.2 + 0.4, 1.2 * 1.6 - 0.5 + 0.3};
        for (size_t k = 3; k < HORIZON; k++)
            w[k] = 1.2 * w[k - 1] - 0.5 * w[k - 2];
        memcpy(psi, w, sizeof psi);
        for (unsigned i = 0; i < d; i++)
            for (size_t k = 1; k < HORIZON; k++)
                psi[k] += psi[k - 1];
        mp_arima_forecast(&at, HORIZON, 1, path, error, 1, scratch);
        for (size_t stride = 1; stride <= HORIZON + 3; stride++) {
            mp_arima_forecast(&at, HORIZON, stride, mean, error, 1, scratch);
            for (size_t first = 0, row = 0; first < HORIZON; first += stride, row++) {
                size_t last = first + stride < HORIZON ? first + stride : HORIZON;
                double sum = 0;
                for (size_t k = first; k < last; k++)
                    sum += path[k];
                assert_near(mean[row], sum / (double)(last - first), 1e-12 * fabs(mean[row]));
                assert_near(error[row], error_of_mean(psi, first, last, at.sigma2), 1e-10 * error[row]);
            }
        }
    }
}

static void rows_may_have_gaps_between_them_and_standard_errors_be_omitted(void **state)
{
    (void)state;
    double series[50], mean[10], error[10], scratch[20], spread[30], spread_error[30], only[10];
    random_walk(series, 50);
    struct arima_forecast_state at = state_of(sample(1), series, 50, 1);
    mp_arima_forecast(&at, 20, 2, mean, error, 1, scratch);
    mp_arima_forecast(&at, 20, 2, spread, spread_error, 3, scratch);
    mp_arima_forecast(&at, 20, 2, only, NULL, 1, NULL);
    for (size_t i = 0; i < 10; i++) {
        assert_true(spread[3 * i] == mean[i] && spread_error[3 * i] == error[i]);
        assert_true(only[i] == mean[i]);
    }
    mp_arima_forecast(&at, 0, 2, NULL, NULL, 1, NULL);
    mp_arima_forecast(&at, 2, 0, NULL, NULL, 1, NULL);
}

/* Without coefficients the forecast is the mean, the last value or the last line. */
static void differences_are_summed_again(void **state)
{
    (void)state;
    double series[20], mean[100], error[100], scratch[100];
    for (size_t t = 0; t < 20; t++)
        series[t] = 3 + 0.5 * (double)t;
    for (unsigned d = 0; d <= 2; d++) {
        struct arima_estimate estimate = {.order = {0, d, 0, d == 0}, .mean = d == 0 ? 7 : 0, .sigma2 = 4};
        struct arima_forecast_state at = state_of(estimate, series, 20, 1);
        mp_arima_forecast(&at, 100, 1, mean, error, 1, scratch);
        for (size_t k = 1; k <= 100; k++) {
            double h = (double)k;
            assert_near(mean[k - 1], d == 0 ? 7 : d == 1 ? 12.5 : 12.5 + 0.5 * h, 1e-12);
            double squares = d == 0 ? 1 : d == 1 ? h : h * (h + 1) * (2 * h + 1) / 6;
            assert_near(error[k - 1], 2 * sqrt(squares), 1e-12 * error[k - 1]);
        }
    }
}

static void a_limit_changes_only_the_roots_above_it(void **state)
{
    (void)state;
    double series[200], mean[1000], error[1000], scratch[1000], free_error[1000];
    random_walk(series, 200);
    struct arima_estimate estimate = {.order = {1, 0, 1, true}, .phi = {0.999}, .theta = {-0.5}, .sigma2 = 1};
    struct arima_forecast_state at = state_of(estimate, series, 200, 1), limited = state_of(estimate, series, 200, 0.9);
    assert_near(limited.phi[0], 0.9, 1e-12);
    assert_near(limited.theta[0], -0.5, 1e-12);
    mp_arima_forecast(&at, 1000, 1, mean, free_error, 1, scratch);
    mp_arima_forecast(&limited, 1000, 1, mean, error, 1, scratch);
    assert_true(error[999] * error[999] < 1.05 * limited.sigma2 * (1 + 0.16 / (1 - 0.81)));
    assert_true(limited.sigma2 > at.sigma2); /* the limited model fits less well, so its variance is larger */
    struct arima_estimate pair = {.order = {2, 1, 2, false}, .phi = {0, -0.9}, .theta = {0, 1}, .sigma2 = 1};
    limited = state_of(pair, series, 200, 0.9);
    assert_near(limited.theta[1], 0.81, 1e-12);
    assert_near(limited.phi[1], -0.81, 1e-12);
}

/* A series in a batch gets the state that it gets alone, whatever its neighbours' orders. */
static void a_batch_of_different_orders_is_as_each_alone(void **state)
{
    (void)state;
    enum { SERIES = 40, STEPS = 60 };
    struct arima_estimate estimates[SERIES];
    struct arima_forecast_state batch[SERIES];
    double *values = malloc(SERIES * STEPS * sizeof *values), series[STEPS];
    struct own_scratch own;
    make_own_scratch(&own, STEPS);
    random_walk(series, STEPS);
    for (size_t s = 0; s < SERIES; s++) {
        estimates[s] = sample((unsigned)s % 3);
        estimates[s].order.q = (unsigned)s / 3 % 3;
        memset(estimates[s].theta + estimates[s].order.q, 0, (8 - estimates[s].order.q) * sizeof(double));
        for (size_t t = 0; t < STEPS; t++)
            values[s * STEPS + t] = series[t] * (double)(s + 1);
    }
    double *copy = malloc(SERIES * STEPS * sizeof *copy);
    memcpy(copy, values, SERIES * STEPS * sizeof *copy);
    mp_arima_forecast_states(estimates, values, SERIES, STEPS, 1, &own.scratch, batch, NULL);
    for (size_t s = 0; s < SERIES; s++) {
        struct arima_forecast_state alone = state_of(estimates[s], copy + s * STEPS, STEPS, 1);
        assert_memory_equal(alone.e, batch[s].e, sizeof alone.e);
        assert_memory_equal(alone.w, batch[s].w, sizeof alone.w);
        assert_true(alone.sigma2 == batch[s].sigma2);
    }
    free(copy);
    free(values);
    free_own_scratch(&own);
}

int main(void)
{
    const struct CMUnitTest arima_forecast[] = {
        cmocka_unit_test(forecasts_and_errors_are_those_of_R),
        cmocka_unit_test(rows_are_means_of_steps_with_the_standard_error_of_the_mean),
        cmocka_unit_test(rows_may_have_gaps_between_them_and_standard_errors_be_omitted),
        cmocka_unit_test(differences_are_summed_again),
        cmocka_unit_test(a_limit_changes_only_the_roots_above_it),
        cmocka_unit_test(a_batch_of_different_orders_is_as_each_alone),
    };
    return cmocka_run_group_tests(arima_forecast, NULL, NULL);
}
