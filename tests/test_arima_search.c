/* SPDX-License-Identifier: BSD-3-Clause */
/* The starts of searches for the best likelihood, and how the searches continue. */
#include "arima_estimates.h"

/* ---- starts ------------------------------------------------------------------------------------------------------ */

/* Cosines of different frequencies. */
static const double cosines[MP_ARIMA_PEAKS] = {0.9, 0.2, -0.3, -0.8};

static struct arima_coefficients arma11_of(unsigned p, unsigned q, double theta)
{
    return (struct arima_coefficients){{p > 0 ? 0.5 : 0}, {q > 0 ? theta : 0}};
}

static struct arima_coefficients start(unsigned k, unsigned p, unsigned q, double theta)
{
    struct arima_coefficients regressed = {{0}, {0}};
    for (unsigned i = 0; i < MP_ARIMA_ORDER; i++) {
        regressed.phi[i] = i < p ? 0.2 / (i + 1) : 0;
        regressed.theta[i] = i < q ? -0.3 / (i + 1) : 0;
    }
    return mp_arima_start(k, p, q, regressed, arma11_of(p, q, theta), cosines);
}

/* 1 + b B + c B^2 */
struct factor {
    double b, c;
};

enum { MOST_FACTORS = 4 };

static struct factor real_root(double root)
{
    return (struct factor){-root, 0};
}

static struct factor pair_at(double cosine, double modulus)
{
    return (struct factor){-2 * modulus * cosine, modulus * modulus};
}

/* The coefficients of a product of factors, without the first, which is 1. */
static void product_of(const struct factor *factors, double *a)
{
    double product[2 * MOST_FACTORS + 1] = {1};
    for (size_t i = 0; i < MOST_FACTORS; i++)
        for (size_t k = 2 * MOST_FACTORS; k > 0; k--)
            product[k] += factors[i].b * product[k - 1] + (k > 1 ? factors[i].c * product[k - 2] : 0);
    memcpy(a, product + 1, MP_ARIMA_ORDER * sizeof *a);
}

static void check_product(unsigned k, unsigned p, unsigned q, double theta, const struct factor *phi,
                          const struct factor *thetas)
{
    double of_phi[MP_ARIMA_ORDER], of_theta[MP_ARIMA_ORDER];
    struct arima_coefficients c = start(k, p, q, theta);
    product_of(phi, of_phi);
    product_of(thetas, of_theta);
    for (size_t i = 0; i < MP_ARIMA_ORDER; i++) {
        assert_near(c.phi[i], -of_phi[i], 1e-12);
        assert_near(c.theta[i], of_theta[i], 1e-12);
    }
}

/* ARMA(1, 1) has the phi 0.5 and the theta 0.3 or -0.3. Factors that nearly cancel lie at a peak, or are real where
 * none has room: in place of one of ARMA(1, 1)'s, if there is only one. */
static void structured_starts_are_arma11_times_factors(void **state)
{
    (void)state;
    const struct factor ar = real_root(0.5), ma = real_root(0.3), other_ma = real_root(-0.3);
    const struct {
        unsigned k, p, q;
        struct factor phi[MOST_FACTORS], theta[MOST_FACTORS];
    } expected[] = {
        {1, 2, 2, {ar, real_root(0.97)}, {ma, real_root(0.985)}},
        {2, 2, 2, {ar, real_root(-0.97)}, {ma, real_root(-0.985)}},
        {7, 2, 2, {ar, real_root(0.985)}, {ma, real_root(0.97)}},
        {1, 3, 3, {ar, pair_at(0.9, 0.97)}, {ma, pair_at(0.9, 0.985)}},
        {4, 3, 3, {ar, pair_at(-0.3, 0.97)}, {ma, pair_at(-0.3, 0.985)}},
        {2, 4, 4, {ar, pair_at(0.2, 0.97), real_root(-0.97)}, {ma, pair_at(0.2, 0.985), real_root(-0.985)}},
        {1, 5, 5, {ar, pair_at(0.9, 0.985), pair_at(0.2, 0.985)}, {ma, pair_at(0.9, 0.97), pair_at(0.2, 0.97)}},
        {1, 2, 1, {ar, real_root(0.6)}, {ma}},
        {2, 2, 1, {ar, real_root(-0.6)}, {ma}},
        {4, 2, 1, {ar, real_root(0.97)}, {real_root(0.985)}},
        {5, 2, 1, {ar, real_root(-0.97)}, {real_root(-0.985)}},
        {7, 2, 1, {ar, real_root(0.6)}, {ma}},
        {1, 1, 2, {ar}, {ma, real_root(0.9)}},
        {4, 1, 2, {real_root(0.97)}, {ma, real_root(0.985)}},
        {5, 1, 2, {real_root(-0.97)}, {ma, real_root(-0.985)}},
        {4, 4, 2, {ar, real_root(0.97), real_root(0.6), real_root(-0.6)}, {ma, real_root(0.985)}},
        {4, 2, 4, {ar, real_root(0.97)}, {ma, real_root(0.985), real_root(0.9), real_root(-0.9)}},
        {5, 1, 4, {real_root(-0.97)}, {ma, real_root(-0.985), real_root(-0.9)}},
        {1,
         5,
         4,
         {ar, pair_at(0.9, 0.97), real_root(0.97), real_root(0.6)},
         {ma, pair_at(0.9, 0.985), real_root(0.985)}},
        {1, 0, 2, {{0, 0}}, {ma, real_root(0.9)}},
        {2, 0, 2, {{0, 0}}, {ma, real_root(-0.9)}},
        {1, 2, 0, {ar, real_root(0.6)}, {{0, 0}}},
        {2, 2, 0, {ar, real_root(-0.6)}, {{0, 0}}},
    };
    const struct factor none[MOST_FACTORS] = {{0, 0}}, same_side[MOST_FACTORS] = {other_ma, real_root(-0.9)},
                        both_sides[MOST_FACTORS] = {other_ma, real_root(0.9)};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        check_product(expected[i].k, expected[i].p, expected[i].q, -0.3, expected[i].phi, expected[i].theta);
    check_product(1, 0, 2, 0.3, none, same_side);
    check_product(2, 0, 2, 0.3, none, both_sides);
}

/* The number of different starts: an autoregression has three, and starts repeat if the only factors that nearly cancel
 * are real. */
static unsigned starts_that_differ(unsigned p, unsigned q)
{
    unsigned least = p < q ? p : q;
    return q == 0 ? 3 : least == 1 && p + q > 2 ? 7 : least == 2 && p + q < 6 ? 4 : 30;
}

/* A start that repeats another is wasted work. */
static void no_two_starts_of_an_order_are_the_same(void **state)
{
    (void)state;
    for (unsigned p = 0; p <= 6; p++)
        for (unsigned q = 0; q <= 6; q++) {
            struct arima_coefficients c[30];
            for (unsigned k = 0; k < starts_that_differ(p, q) && p + q > 1; k++) {
                c[k] = start(k, p, q, -0.3);
                for (unsigned i = 0; i < k; i++)
                    if (memcmp(&c[i], &c[k], sizeof c[k]) == 0)
                        fail_msg("(%u, %u): starts %u and %u", p, q, i, k);
            }
        }
}

static void every_start_is_admissible_and_of_its_order(void **state)
{
    (void)state;
    for (unsigned p = 0; p <= MP_ARIMA_ORDER; p++)
        for (unsigned q = 0; q <= MP_ARIMA_ORDER; q++)
            for (unsigned k = 0; k < 30; k++) {
                struct arima_coefficients c = start(k, p, q, 0.3);
                for (unsigned i = 0; i < MP_ARIMA_ORDER; i++) {
                    assert_true(i < p || c.phi[i] == 0);
                    assert_true(i < q || c.theta[i] == 0);
                    c.phi[i] = -c.phi[i];
                }
                assert_true(mp_arima_roots_inside(c.phi, p) && mp_arima_roots_inside(c.theta, q));
            }
}

/* ---- after a start ----------------------------------------------------------------------------------------------- */

enum { SERIES = 40, STEPS = 150, MANY_STARTS = 30 };

/* A candidate fit of ARMA(1, 1). */
static struct arima_candidate optimise(const double *series, unsigned iterations, double phi, double theta)
{
    struct arima_candidate fit = {.series = series, .p = 1, .q = 1, .iterations = iterations, .tolerance = 1e-6};
    struct own_scratch own;
    make_own_scratch(&own, STEPS);
    fit.at.phi[0] = phi;
    fit.at.theta[0] = theta;
    mp_arima_optimise(mp_arima_kernel(0), &own.scratch.workspace, 1, &fit, 1);
    free_own_scratch(&own);
    return fit;
}

static void a_start_without_a_likelihood_gives_way_to_zeros(void **state)
{
    (void)state;
    double series[STEPS];
    uint64_t seed = 3;
    for (size_t t = 0; t < STEPS; t++)
        series[t] = (t > 0 ? 0.6 * series[t - 1] : 0) + 0.8 * normal(&seed);
    for (unsigned iterations = 1; iterations <= 61; iterations += 60) {
        struct arima_candidate zeros = optimise(series, iterations, 0, 0),
                               outside = optimise(series, iterations, 1.5, 0.2);
        assert_memory_equal(&outside.at, &zeros.at, sizeof zeros.at);
        assert_true(outside.objective == zeros.objective && isfinite(zeros.objective));
        assert_int_equal(outside.evaluations, zeros.evaluations + 1);
    }
    struct arima_candidate outside = optimise(series, 0, 1.5, 0.2); /* evaluates the likelihood alone */
    assert_true(outside.objective == MP_ARIMA_INADMISSIBLE && outside.at.phi[0] == 1.5 && outside.at.theta[0] == 0.2);
    assert_int_equal(outside.evaluations, 1);
    struct arima_candidate inside = optimise(series, 0, 0.5, 0.2);
    assert_true(isfinite(inside.objective) && inside.at.phi[0] == 0.5 && inside.at.theta[0] == 0.2);
    assert_int_equal(inside.evaluations, 1);
}

/* Many starts find optima that the first alone does not; a warm start stays at them. */
static void a_warm_start_keeps_an_optimum_that_is_hard_to_find(void **state)
{
    (void)state;
    struct arima_order orders[SERIES];
    struct arima_estimate many[SERIES], one[SERIES], warm[SERIES];
    double *values = shares(SERIES, STEPS);
    struct columns columns = {values, STEPS};
    struct arima_request request = make_request(&columns, SERIES, orders);
    size_t hard = 0;
    for (size_t s = 0; s < SERIES; s++)
        orders[s] = (struct arima_order){3, 1, 3, false};
    memset(many, 0, sizeof many);
    memset(one, 0, sizeof one);
    request.starts = MANY_STARTS;
    assert_int_equal(mp_arima_estimate(&request, many), MOEP_OK);
    request.starts = 1;
    assert_int_equal(mp_arima_estimate(&request, one), MOEP_OK);
    memcpy(warm, many, sizeof warm);
    for (size_t s = 0; s < SERIES; s++)
        warm[s].done = false;
    request.warm = true;
    assert_int_equal(mp_arima_estimate(&request, warm), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++) {
        hard += one[s].loglik < many[s].loglik - 0.1;
        assert_true(warm[s].loglik >= many[s].loglik - 1e-6);
    }
    assert_true(hard > SERIES / 4);
    free(values);
}

int main(void)
{
    const struct CMUnitTest arima_search[] = {
        cmocka_unit_test(structured_starts_are_arma11_times_factors),
        cmocka_unit_test(no_two_starts_of_an_order_are_the_same),
        cmocka_unit_test(every_start_is_admissible_and_of_its_order),
        cmocka_unit_test(a_start_without_a_likelihood_gives_way_to_zeros),
        cmocka_unit_test(a_warm_start_keeps_an_optimum_that_is_hard_to_find),
    };
    return cmocka_run_group_tests(arima_search, NULL, NULL);
}
