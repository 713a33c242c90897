/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "series/simplex.h"

#include <float.h>

enum { EXPERTS = 4 };

static void assert_becomes(double a, double b, double c, double d, const double *expected)
{
    double shares[EXPERTS] = {a, b, c, d};
    mp_simplex(shares, EXPERTS);
    for (size_t e = 0; e < EXPERTS; e++) {
        assert_near(shares[e], expected[e], 1e-16);
        assert_false(signbit(shares[e]));
    }
}

static void shares_are_scaled_to_sum_to_1(void **state)
{
    (void)state;
    assert_becomes(1, 2, 3, 4, (const double[]){0.1, 0.2, 0.3, 0.4});
    assert_becomes(1e-300, 0, 1e-300, 0, (const double[]){0.5, 0, 0.5, 0});
}

static void negative_shares_and_nan_become_zero(void **state)
{
    (void)state;
    assert_becomes(-1, 1, -0.0, 3, (const double[]){0, 0.25, 0, 0.75});
    assert_becomes(NAN, 1, -INFINITY, 1, (const double[]){0, 0.5, 0, 0.5});
}

static void without_shares_or_a_sum_every_expert_gets_the_same(void **state)
{
    (void)state;
    const double uniform[] = {0.25, 0.25, 0.25, 0.25};
    assert_becomes(0, 0, 0, 0, uniform);
    assert_becomes(-1, -2, NAN, 0, uniform);
    assert_becomes(INFINITY, 1, 1, 1, uniform);
    assert_becomes(DBL_MAX, DBL_MAX, 0, 0, uniform);
    assert_becomes(5e-324, 5e-324, 5e-324, 0, uniform); /* too small to be scaled */
}

/* The sum in long double, and compensated (Kahan) because long double may have no more digits than double. */
static double careful_sum(const double *shares, size_t n)
{
    long double sum = 0, lost = 0;
    for (size_t e = 0; e < n; e++) {
        long double term = (long double)shares[e] - lost, next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    return (double)sum;
}

static void a_million_shares_sum_to_1(void **state)
{
    (void)state;
    enum { N = 1 << 20 };
    double *shares = malloc(N * sizeof *shares);
    uint64_t seed = 4;
    for (size_t e = 0; e < N; e++)
        shares[e] = (double)(random_number(&seed) >> 11);
    mp_simplex(shares, N);
    assert_near(careful_sum(shares, N), 1, 1e-13);
    for (size_t e = 0; e < N; e++)
        shares[e] = e == 0 ? 1e8 : 1 + (double)(e % 3); /* one expert outweighs the rest of the sum */
    mp_simplex(shares, N);
    assert_near(careful_sum(shares, N), 1, 1e-13);
    for (size_t e = 0; e < N; e++)
        shares[e] = e == 0 ? 0x1p53 : 1; /* to which a plain sum could not add any of the others */
    mp_simplex(shares, N);
    assert_near(careful_sum(shares, N), 1, 1e-13);
    free(shares);
}

int main(void)
{
    const struct CMUnitTest simplex[] = {
        cmocka_unit_test(shares_are_scaled_to_sum_to_1),
        cmocka_unit_test(negative_shares_and_nan_become_zero),
        cmocka_unit_test(without_shares_or_a_sum_every_expert_gets_the_same),
        cmocka_unit_test(a_million_shares_sum_to_1),
    };
    return cmocka_run_group_tests(simplex, NULL, NULL);
}
