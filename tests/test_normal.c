/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares quantiles of the normal distribution with the error function of the C library. */
#include "support.h"

#include "support/normal.h"

static double probability_below(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

/* Down to the smallest probabilities; steps of 5 % reach every piece of the approximation. */
static void a_quantile_is_exceeded_as_often_as_it_says(void **state)
{
    (void)state;
    for (double p = 0.5; p > 1e-300; p *= 0.95) {
        double x = mp_normal_quantile(p);
        assert_near(probability_below(x) / p, 1, 1e-12);
        if (p < 1e-6) /* 1 - p has lost digits of p */
            continue;
        assert_near(probability_below(-mp_normal_quantile(1 - p)) / p, 1, 1e-9);
    }
    assert_true(mp_normal_quantile(0.5) == 0);
}

static void quantiles_rise_and_are_the_same_on_both_sides(void **state)
{
    (void)state;
    double before = -INFINITY;
    for (int i = 1; i < 4096; i++) {
        double x = mp_normal_quantile(i / 4096.0);
        assert_true(x > before && x == -mp_normal_quantile(1 - i / 4096.0));
        before = x;
    }
}

int main(void)
{
    const struct CMUnitTest normal[] = {
        cmocka_unit_test(a_quantile_is_exceeded_as_often_as_it_says),
        cmocka_unit_test(quantiles_rise_and_are_the_same_on_both_sides),
    };
    return cmocka_run_group_tests(normal, NULL, NULL);
}
