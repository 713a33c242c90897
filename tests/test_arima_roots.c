/* SPDX-License-Identifier: BSD-3-Clause */
/* Inverse roots of polynomials that are products of known factors. */
#include "support.h"

#include "methods/arima/roots.h"

enum { MOST = MP_ARIMA_MOST_ROOTS, SAMPLES = 400 };

static double fraction(uint64_t *seed)
{
    return (double)(random_number(seed) >> 11) * 0x1p-53;
}

/* Pairs of roots, and one real root if n is odd, of moduli `from` to `to`. Different angles keep them apart. */
static void draw_roots(struct arima_root *roots, unsigned n, double from, double to, uint64_t *seed)
{
    for (unsigned i = 0; i + 1 < n; i += 2) {
        double modulus = from + (to - from) * fraction(seed);
        double angle = acos(-1) * (i + 0.3 + 1.4 * fraction(seed)) / (n + 1);
        roots[i] = (struct arima_root){modulus * cos(angle), modulus * sin(angle)};
        roots[i + 1] = (struct arima_root){roots[i].re, -roots[i].im};
    }
    if (n % 2 == 1)
        roots[n - 1] = (struct arima_root){from + (to - from) * fraction(seed), 0};
}

static double modulus_of(struct arima_root root)
{
    return hypot(root.re, root.im);
}

/* The product of z^2 - 2 re z + modulus^2 over the pairs, and of z - re for the real root. */
static void multiply(const struct arima_root *roots, unsigned n, double *a)
{
    double c[MOST + 1] = {1};
    for (unsigned i = 0; i < n; i += i + 1 < n ? 2 : 1) {
        bool pair = i + 1 < n;
        double one = pair ? -2 * roots[i].re : -roots[i].re, two = pair ? pow(modulus_of(roots[i]), 2) : 0;
        for (unsigned k = MOST; k > 0; k--)
            c[k] += one * c[k - 1] + (k > 1 ? two * c[k - 2] : 0);
    }
    memcpy(a, c + 1, n * sizeof *a);
}

static void assert_same_polynomial(const double *a, const double *expected, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_near(a[i], expected[i], 1e-9);
}

static double largest_of(const struct arima_root *roots, unsigned n)
{
    double largest = 0;
    for (unsigned i = 0; i < n; i++)
        largest = fmax(largest, modulus_of(roots[i]));
    return largest;
}

static void roots_are_found_and_make_their_polynomial(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned sample = 0; sample < SAMPLES; sample++) {
        unsigned n = 1 + sample % MOST, missing = 0;
        struct arima_root roots[MOST], found[MOST];
        double a[MOST], again[MOST];
        draw_roots(roots, n, 0.3, 1.5, &seed);
        multiply(roots, n, a);
        mp_arima_polynomial(roots, n, again);
        assert_same_polynomial(again, a, n);
        mp_arima_roots(a, n, found);
        for (unsigned i = 0; i < n; i++) {
            double nearest = INFINITY;
            for (unsigned k = 0; k < n; k++)
                nearest = fmin(nearest, hypot(found[k].re - roots[i].re, found[k].im - roots[i].im));
            missing += !(nearest < 1e-6);
        }
        assert_int_equal(missing, 0);
    }
}

static void multiple_roots_are_finite(void **state)
{
    (void)state;
    const struct arima_root same[MOST] = {{0.5, 0}, {0.5, 0}, {0.5, 0}, {0.5, 0},
                                          {0.5, 0}, {0.5, 0}, {0.5, 0}, {0.5, 0}};
    for (unsigned n = 1; n <= MOST; n++) {
        struct arima_root found[MOST];
        double a[MOST] = {0};
        mp_arima_roots(a, n, found);
        for (unsigned i = 0; i < n; i++)
            assert_near(modulus_of(found[i]), 0, 0.01);
        mp_arima_polynomial(same, n, a);
        mp_arima_roots(a, n, found);
        for (unsigned i = 0; i < n; i++)
            assert_near(hypot(found[i].re - 0.5, found[i].im), 0, 0.05);
    }
}

static void a_polynomial_is_inside_if_all_of_its_roots_are(void **state)
{
    (void)state;
    uint64_t seed = 2;
    size_t inside = 0;
    for (unsigned sample = 0; sample < SAMPLES; sample++) {
        unsigned n = 1 + sample % MOST;
        struct arima_root roots[MOST];
        double a[MOST];
        draw_roots(roots, n, 0.5, sample % 3 ? 1.05 : 1.5, &seed);
        multiply(roots, n, a);
        if (fabs(largest_of(roots, n) - 1) < 1e-6)
            continue;
        assert_true(mp_arima_roots_inside(a, n) == (largest_of(roots, n) < 1));
        inside += mp_arima_roots_inside(a, n);
    }
    assert_true(inside > SAMPLES / 4 && inside < 3 * SAMPLES / 4);
    /* A constant has no root outside; the circle itself is not inside. */
    const double one[] = {1}, minus_one[] = {-1}, real[] = {0.5, -0.5}, pair[] = {0, 1}, none[] = {NAN};
    assert_true(mp_arima_roots_inside(one, 0));
    assert_false(mp_arima_roots_inside(one, 1) || mp_arima_roots_inside(minus_one, 1));
    assert_false(mp_arima_roots_inside(real, 2) || mp_arima_roots_inside(pair, 2));
    assert_false(mp_arima_roots_inside(none, 1));
}

/* Each root outside becomes 1 / its conjugate, and the factor is the product of their squared moduli. */
static void mirrored_roots_are_inside_and_the_others_stay(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (unsigned sample = 0; sample < SAMPLES; sample++) {
        unsigned n = 1 + sample % MOST;
        struct arima_root roots[MOST];
        double a[MOST], expected[MOST], factor = 1;
        draw_roots(roots, n, 0.6, 1.4, &seed);
        multiply(roots, n, a);
        for (unsigned i = 0; i < n; i++) {
            double squared = pow(modulus_of(roots[i]), 2);
            if (squared > 1) {
                factor *= squared;
                roots[i].re /= squared;
                roots[i].im /= squared;
            }
        }
        multiply(roots, n, expected);
        assert_near(mp_arima_reflect(a, n), factor, 1e-9 * factor);
        assert_same_polynomial(a, expected, n);
    }
}

static void set_moduli(struct arima_root *roots, unsigned n, double above, double to)
{
    for (unsigned i = 0; i < n; i++) {
        double modulus = modulus_of(roots[i]);
        if (modulus > above) {
            roots[i].re *= to / modulus;
            roots[i].im *= to / modulus;
        }
    }
}

static void large_roots_are_scaled_to_the_circle_or_to_a_limit(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (unsigned sample = 0; sample < SAMPLES; sample++) {
        unsigned n = 1 + sample % MOST;
        struct arima_root roots[MOST], on[MOST], limited[MOST];
        double a[MOST], b[MOST], expected[MOST];
        draw_roots(roots, n, 0.7, 1.1, &seed);
        multiply(roots, n, a);
        memcpy(b, a, sizeof b);
        memcpy(on, roots, sizeof on);
        memcpy(limited, roots, sizeof limited);
        set_moduli(on, n, 0.95, 1);
        set_moduli(limited, n, 0.9, 0.9);
        assert_true(mp_arima_snap_roots(a, n, 0.95) == (largest_of(roots, n) > 0.95));
        multiply(on, n, expected);
        assert_same_polynomial(a, expected, n);
        mp_arima_limit_roots(b, n, 0.9);
        multiply(limited, n, expected);
        assert_same_polynomial(b, expected, n);
    }
}

static void to_shrink_is_to_multiply_every_root(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (unsigned n = 1; n <= MOST; n++) {
        struct arima_root roots[MOST];
        double a[MOST], expected[MOST];
        draw_roots(roots, n, 0.5, 1.5, &seed);
        multiply(roots, n, a);
        for (unsigned i = 0; i < n; i++) {
            roots[i].re *= 0.8;
            roots[i].im *= 0.8;
        }
        multiply(roots, n, expected);
        mp_arima_shrink(a, n, 0.8);
        assert_same_polynomial(a, expected, n);
    }
}

int main(void)
{
    const struct CMUnitTest arima_roots[] = {
        cmocka_unit_test(roots_are_found_and_make_their_polynomial),
        cmocka_unit_test(multiple_roots_are_finite),
        cmocka_unit_test(a_polynomial_is_inside_if_all_of_its_roots_are),
        cmocka_unit_test(mirrored_roots_are_inside_and_the_others_stay),
        cmocka_unit_test(large_roots_are_scaled_to_the_circle_or_to_a_limit),
        cmocka_unit_test(to_shrink_is_to_multiply_every_root),
    };
    return cmocka_run_group_tests(arima_roots, NULL, NULL);
}
