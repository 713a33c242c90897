/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "series/intake.h"

#include <float.h>
#include <stdio.h>

enum { MOST = 70 };

static const moep_dtype all_dtypes[] = {MOEP_INT32, MOEP_INT64, MOEP_UINT32, MOEP_UINT64, MOEP_FLOAT32, MOEP_FLOAT64};

#define for_each_dtype(dtype)                                              \
    for (size_t d_ = 0; d_ < sizeof all_dtypes / sizeof *all_dtypes; d_++) \
        for (moep_dtype dtype = all_dtypes[d_], once_ = 1; once_; once_ = 0)

/* Small whole numbers, which every dtype can hold. */
static void store(void *counts, moep_dtype dtype, size_t i, double value)
{
    switch (dtype) {
    case MOEP_INT32: ((int32_t *)counts)[i] = (int32_t)value; break;
    case MOEP_INT64: ((int64_t *)counts)[i] = (int64_t)value; break;
    case MOEP_UINT32: ((uint32_t *)counts)[i] = (uint32_t)value; break;
    case MOEP_UINT64: ((uint64_t *)counts)[i] = (uint64_t)value; break;
    case MOEP_FLOAT32: ((float *)counts)[i] = (float)value; break;
    default: ((double *)counts)[i] = value; break;
    }
}

static void shares_are_counts_over_their_total_for_any_dtype_and_number(void **state)
{
    (void)state;
    for_each_dtype(dtype)
    {
        for (size_t n = 1; n <= MOST; n++) {
            uint64_t counts[MOST], seed = n;
            double total = 0, exact[MOST], expected[MOST];
            float shares[MOST];
            for (size_t i = 0; i < n; i++) {
                expected[i] = (double)(1 + random_number(&seed) % 100000);
                store(counts, dtype, i, expected[i]);
                total += expected[i];
            }
            assert_int_equal(mp_intake_check(counts, dtype, 1, 1, n), MOEP_OK);
            assert_true(mp_intake_shares(counts, dtype, n, shares) == total);
            assert_true(mp_intake_exact_shares(counts, dtype, n, exact) == total);
            for (size_t i = 0; i < n; i++) {
                assert_near(exact[i], expected[i] / total, 0x1p-51 * expected[i] / total);
                assert_near((double)shares[i], expected[i] / total, 0x1p-24 * expected[i] / total);
            }
        }
    }
}

static void counts_near_the_largest_integers_do_not_overflow(void **state)
{
    (void)state;
    enum { N = 4096 };
    uint64_t *counts = malloc(N * sizeof *counts);
    float *shares = malloc(N * sizeof *shares);
    for (size_t i = 0; i < N; i++)
        counts[i] = UINT64_MAX - i;
    assert_near(mp_intake_shares(counts, MOEP_UINT64, N, shares), 0x1p76, 0x1p24);
    for (size_t i = 0; i < N; i++)
        assert_true(shares[i] == 1.0f / N);
    for (size_t i = 0; i < N; i++)
        counts[i] = INT64_MAX;
    assert_true(mp_intake_shares(counts, MOEP_INT64, N, shares) == 0x1p75);
    free(counts);
    free(shares);
}

static void totals_are_rounded_once(void **state)
{
    (void)state;
    /* 2^53 + 1 + 2 + 4 is representable, but a sum that rounds after each addition is not exact. */
    uint64_t counts[] = {UINT64_C(1) << 53, 1, 2, 4, 1};
    float shares[5];
    assert_true(mp_intake_shares(counts, MOEP_UINT64, 5, shares) == 9007199254741000.0);
}

static void scaling_by_a_power_of_two_changes_no_byte(void **state)
{
    (void)state;
    uint64_t counts[MOST], scaled[MOST], seed = 5;
    double reals[MOST], scaled_reals[MOST];
    float shares[MOST], scaled_shares[MOST];
    for (size_t i = 0; i < MOST; i++) {
        counts[i] = random_number(&seed) % 1000003;
        reals[i] = (double)counts[i] / 3;
    }
    for (unsigned shift = 1; shift <= 44; shift++) {
        for (size_t i = 0; i < MOST; i++) {
            scaled[i] = counts[i] << shift;
            scaled_reals[i] = ldexp(reals[i], 44 * (int)shift - 980); /* totals up to 2^979 */
        }
        mp_intake_shares(counts, MOEP_UINT64, MOST, shares);
        mp_intake_shares(scaled, MOEP_UINT64, MOST, scaled_shares);
        assert_memory_equal(shares, scaled_shares, sizeof shares);
        mp_intake_shares(reals, MOEP_FLOAT64, MOST, shares);
        mp_intake_shares(scaled_reals, MOEP_FLOAT64, MOST, scaled_shares);
        assert_memory_equal(shares, scaled_shares, sizeof shares);
    }
}

static void shares_keep_their_digits_to_the_largest_total(void **state)
{
    (void)state;
    double counts[3] = {1, 2, 4}, scaled[3], shares[3], scaled_shares[3];
    mp_intake_exact_shares(counts, MOEP_FLOAT64, 3, shares);
    for (int exponent = -1074; exponent <= 1021; exponent++) {
        for (size_t i = 0; i < 3; i++)
            scaled[i] = ldexp(counts[i], exponent);
        mp_intake_exact_shares(scaled, MOEP_FLOAT64, 3, scaled_shares);
        assert_memory_equal(shares, scaled_shares, sizeof shares);
    }
}

static void the_largest_and_smallest_doubles_have_shares(void **state)
{
    (void)state;
    const float largest_floats[] = {FLT_MAX, FLT_MAX, 0, 2 * FLT_MIN};
    double largest_doubles[] = {DBL_MAX, DBL_MAX, 0, 1};
    assert_int_equal(mp_intake_check(largest_floats, MOEP_FLOAT32, 1, 1, 4), MOEP_OK);
    assert_int_equal(mp_intake_check(largest_doubles, MOEP_FLOAT64, 1, 1, 4), MOEP_OK);
    const double large[] = {1.7e308, 1.7e308, 1.7e308, 1.7e308}, small[] = {5e-324, 5e-324, 1e-323, 0};
    double shares[4];
    assert_true(mp_intake_exact_shares(large, MOEP_FLOAT64, 4, shares) > 1e308);
    assert_near(shares[3], 0.25, 1e-15);
    assert_true(mp_intake_exact_shares(small, MOEP_FLOAT64, 4, shares) > 0);
    assert_near(shares[0], 0.25, 1e-15);
    assert_near(shares[2], 0.5, 1e-15);
    assert_true(shares[3] == 0);
}

static void a_layer_without_tokens_has_no_shares(void **state)
{
    (void)state;
    for_each_dtype(dtype)
    {
        uint64_t counts[MOST] = {0};
        float shares[MOST] = {7};
        assert_true(mp_intake_shares(counts, dtype, MOST, shares) == 0);
        assert_true(shares[0] == 7);
    }
}

static void a_negative_zero_is_a_zero(void **state)
{
    (void)state;
    const float counts[] = {-0.0f, 1};
    float shares[2];
    assert_int_equal(mp_intake_check(counts, MOEP_FLOAT32, 1, 1, 2), MOEP_OK);
    mp_intake_shares(counts, MOEP_FLOAT32, 2, shares);
    assert_false(signbit(shares[0]));
}

/* Counts [2][3][5], one of which is bad. */
static void assert_refused(moep_dtype dtype, double value, const char *fault)
{
    for (size_t bad = 0; bad < 30; bad++) {
        uint64_t counts[30] = {0};
        char place[64];
        store(counts, dtype, bad, value);
        assert_int_equal(mp_intake_check(counts, dtype, 2, 3, 5), MOEP_ERROR_INVALID_ARGUMENT);
        snprintf(place, sizeof place, "step %zu of the call, layer %zu, expert %zu", bad / 15, bad / 5 % 3, bad % 5);
        assert_says(place);
        assert_says(fault);
    }
}

static bool are_tokens(moep_dtype dtype, double value, size_t at, size_t n)
{
    float floats[MOST];
    double doubles[MOST];
    for (size_t i = 0; i < n; i++)
        floats[i] = (float)(doubles[i] = i == at ? value : (double)(3 * i));
    return mp_intake_are_tokens(dtype == MOEP_FLOAT32 ? (void *)floats : (void *)doubles, dtype, n);
}

static void counts_are_tokens_if_they_are_whole_and_exact(void **state)
{
    (void)state;
    const struct {
        double value;
        bool as_float, as_double;
    } cases[] = {{0, true, true},
                 {-0.0, true, true},
                 {1, true, true},
                 {0.5, false, false},
                 {1.5, false, false},
                 {0x1p-149, false, false},
                 {0x1.fffffep22, false, false}, /* 2^23 - 1/2 */
                 {0x1.000002p23, true, true},
                 {0x1p24 - 1, true, true},
                 {0x1p24, false, true},
                 {0x1p51 + 0.5, false, false},
                 {0x1p52 - 0.5, false, false},
                 {0x1p52 + 1, false, true},
                 {0x1p53 - 1, false, true},
                 {0x1p53, false, false},
                 {FLT_MAX, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t n = 1; n <= MOST; n += 23)
            for (size_t at = 0; at<n; at += n> 1 ? n - 1 : 1) {
                assert_int_equal(are_tokens(MOEP_FLOAT32, cases[i].value, at, n), cases[i].as_float);
                assert_int_equal(are_tokens(MOEP_FLOAT64, cases[i].value, at, n), cases[i].as_double);
            }
    const int64_t largest[] = {INT64_MAX, 0};
    assert_true(mp_intake_are_tokens(largest, MOEP_INT64, 2));
    assert_true(mp_intake_are_tokens(largest, MOEP_UINT32, 4));
}

static void a_bad_count_is_named(void **state)
{
    (void)state;
    assert_refused(MOEP_INT32, -1, "negative");
    assert_refused(MOEP_INT64, -1, "negative");
    assert_refused(MOEP_INT64, -0x1p63, "negative");
    assert_refused(MOEP_FLOAT32, -1, "negative");
    assert_refused(MOEP_FLOAT64, -5e-324, "negative");
    assert_refused(MOEP_FLOAT32, NAN, "not a number");
    assert_refused(MOEP_FLOAT64, NAN, "not a number");
    assert_refused(MOEP_FLOAT32, INFINITY, "infinite");
    assert_refused(MOEP_FLOAT64, -INFINITY, "infinite");
}

static void impossible_arrays_are_refused(void **state)
{
    (void)state;
    uint64_t counts[4] = {0};
    assert_int_equal(mp_intake_check(counts, 6, 1, 1, 4), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("dtype 6");
    assert_int_equal(mp_intake_check(counts, -1, 1, 1, 4), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(mp_intake_check(NULL, MOEP_INT32, 1, 1, 4), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(mp_intake_check(counts, MOEP_INT32, UINT64_MAX, 1, 4), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(mp_intake_check(counts, MOEP_INT32, UINT64_MAX / 16, 1, 4), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(mp_intake_check(NULL, MOEP_INT32, 0, 1, 4), MOEP_OK);
}

int main(void)
{
    const struct CMUnitTest intake[] = {
        cmocka_unit_test(shares_are_counts_over_their_total_for_any_dtype_and_number),
        cmocka_unit_test(counts_near_the_largest_integers_do_not_overflow),
        cmocka_unit_test(totals_are_rounded_once),
        cmocka_unit_test(scaling_by_a_power_of_two_changes_no_byte),
        cmocka_unit_test(shares_keep_their_digits_to_the_largest_total),
        cmocka_unit_test(the_largest_and_smallest_doubles_have_shares),
        cmocka_unit_test(a_layer_without_tokens_has_no_shares),
        cmocka_unit_test(a_negative_zero_is_a_zero),
        cmocka_unit_test(counts_are_tokens_if_they_are_whole_and_exact),
        cmocka_unit_test(a_bad_count_is_named),
        cmocka_unit_test(impossible_arrays_are_refused),
    };
    return cmocka_run_group_tests(intake, NULL, NULL);
}
