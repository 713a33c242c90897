/* SPDX-License-Identifier: BSD-3-Clause */
#define MP_LANE_BYTES 16 /* the narrowest; test_lstm_kernels.c shows that all widths give the same bytes */
#include "support.h"

#include "support/activation.h"

#include <float.h>
#include <stdio.h>

#ifdef MP_REAL_DOUBLE
enum { DIGITS = DBL_MANT_DIG, LEAST = DBL_MIN_EXP };
#else
enum { DIGITS = FLT_MANT_DIG, LEAST = FLT_MIN_EXP };
#endif

static long double exact_logistic(long double x)
{
    return 1 / (1 + expl(-x));
}

/* The unit in the last place of a real number as large as x, or of the least normal one if x is smaller. */
static long double unit(long double x)
{
    int exponent;
    frexpl(x, &exponent);
    return ldexpl(1, (exponent < LEAST ? LEAST : exponent) - DIGITS);
}

/* The largest error over steps from..to, in units of the last place. */
static double worst(vector (*f)(vector), long double (*exact)(long double), double from, double to, int steps)
{
    double largest = 0;
    for (int i = 0; i <= steps; i++) {
        real x = (real)(from + (to - from) * i / steps);
        long double want = exact((long double)x), error = fabsl((long double)f(splat(x))[0] - want) / unit(want);
        largest = fmax(largest, (double)error);
    }
    return largest;
}

static vector our_logistic(vector x)
{
    return logistic(x);
}

static vector our_tangent(vector x)
{
    return hyperbolic_tangent(x);
}

static void the_logistic_function_is_right_to_4_units_in_the_last_place(void **state)
{
    (void)state;
    const double ranges[] = {1e-30, 1e-3, 0.5, 2, 20, 86};
    for (int i = 0; i < 6; i++)
        assert_true(worst(our_logistic, exact_logistic, -ranges[i], ranges[i], 20011) <= 4);
}

static void the_hyperbolic_tangent_is_right_to_4_units_in_the_last_place(void **state)
{
    (void)state;
    const double ranges[] = {1e-30, 1e-3, 0.1, 0.5, 1, 3, 10, 100};
    for (int i = 0; i < 8; i++)
        assert_true(worst(our_tangent, tanhl, -ranges[i], ranges[i], 20011) <= 4);
}

static void far_out_both_are_at_their_limits(void **state)
{
    (void)state;
    const real far[] = {(real)100, (real)1e10, (real)3e38, (real)INFINITY};
    for (int i = 0; i < 4; i++) {
        assert_true(hyperbolic_tangent(splat(far[i]))[0] == 1 && hyperbolic_tangent(splat(-far[i]))[0] == -1);
        assert_true(logistic(splat(far[i]))[0] == 1);
        assert_true(logistic(splat(-far[i]))[0] > 0 && logistic(splat(-far[i]))[0] < (real)1e-37);
    }
    assert_true(hyperbolic_tangent(splat(0))[0] == 0 && logistic(splat(0))[0] == (real)0.5);
}

static void nan_stays_nan(void **state)
{
    (void)state;
    assert_true(isnan(logistic(splat((real)NAN))[0]) && isnan(hyperbolic_tangent(splat((real)NAN))[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_logistic_function_is_right_to_4_units_in_the_last_place),
        cmocka_unit_test(the_hyperbolic_tangent_is_right_to_4_units_in_the_last_place),
        cmocka_unit_test(far_out_both_are_at_their_limits),
        cmocka_unit_test(nan_stays_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
