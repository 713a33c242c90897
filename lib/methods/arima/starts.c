/* SPDX-License-Identifier: BSD-3-Clause */
/* The starts of a search, in order: by regression, structured, and drawn by a seed. All are admissible.
 *
 * bytes: a start depends on its arguments alone. threads: none. allocates: nothing. */
#include "methods/arima/starts.h"

#include "methods/arima/roots.h"

#include <string.h>

/* ---- admissible coefficients ------------------------------------------------------------------------------------- */

/* A start is admissible if its inverse roots times MARGIN are inside the unit circle. On the circle the likelihood
 * does not exist for phi, and has no slope across it for theta. Other coefficients shrink by SHRINK until they are
 * admissible. 200 times are enough for any root up to 28,000; coefficients with larger ones become 0. DAMPING moves the
 * coefficients of a regression away from the boundary.
 *
 * Measured as in search.c: margins of 1.0005 and 1.02 lose 0.06 and 0.14; shrinking by 0.8 loses 0.09, by 0.99 it
 * loses 0.01. With one start, damping by 0.55 or 0.85 loses 0.13 or 0.10. */
static const double MARGIN = 1.005, SHRINK = 0.95, DAMPING = 0.7;
enum { SHRINKS = 200 };

static void shrink_polynomial(double *a, unsigned n)
{
    for (int i = 0; i < SHRINKS; i++) {
        double wider[MP_ARIMA_ORDER];
        memcpy(wider, a, n * sizeof *a);
        mp_arima_shrink(wider, n, MARGIN);
        if (mp_arima_roots_inside(wider, n))
            return;
        mp_arima_shrink(a, n, SHRINK);
    }
    memset(a, 0, n * sizeof *a);
}

/* phi(B) = 1 - phi(1) B - ..: as coefficients of a polynomial they have the other sign. */
static void negate_phi(struct arima_coefficients *c)
{
    for (int i = 0; i < MP_ARIMA_ORDER; i++)
        c->phi[i] = -c->phi[i];
}

static void shrink_to_admissible(struct arima_coefficients *c)
{
    negate_phi(c);
    shrink_polynomial(c->phi, MP_ARIMA_ORDER);
    negate_phi(c);
    shrink_polynomial(c->theta, MP_ARIMA_ORDER);
}

struct arima_coefficients mp_arima_damped_start(struct arima_coefficients c)
{
    for (int i = 0; i < MP_ARIMA_ORDER; i++) {
        c.phi[i] *= DAMPING;
        c.theta[i] *= DAMPING;
    }
    shrink_to_admissible(&c);
    return c;
}

/* ---- kinds of starts --------------------------------------------------------------------------------------------- */

/* REGRESSED: Hannan and Rissanen's coefficients. DAMPED: the same, damped. STRUCTURED: ARMA(1, 1) times factors of phi
 * and theta that nearly cancel, at two peaks, with inverse roots of the given moduli. DRAWN: drawn from all admissible
 * coefficients by a seed, the same for every series. */
enum kind { DAMPED, STRUCTURED, DRAWN, REGRESSED };

/* Each is the start that gained most likelihood when it was added to those before, over 704 series of ARIMA(5, 1, 5).
 * The series were simulated walks and autoregressions with noise, and the shares of two training runs. `arima_bench`
 * (tests/bench/arima.c) shows how far any number of starts stays below the best known. */
static const struct start_spec {
    enum kind kind;
    unsigned char peaks[2];
    double phi_root, theta_root;
    uint64_t seed;
} LARGE_ORDERS[] = {
    {.kind = DAMPED},
    {.kind = STRUCTURED, .peaks = {0, 1}, .phi_root = 0.985, .theta_root = 0.97},
    {.kind = DRAWN, .seed = 90},
    {.kind = DRAWN, .seed = 57},
    {.kind = STRUCTURED, .peaks = {0, 2}, .phi_root = 0.95, .theta_root = 0.999},
    {.kind = REGRESSED},
    {.kind = DRAWN, .seed = 49},
    {.kind = STRUCTURED, .peaks = {1, 3}, .phi_root = 0.95, .theta_root = 0.999},
    {.kind = DRAWN, .seed = 80},
    {.kind = DRAWN, .seed = 82},
    {.kind = STRUCTURED, .peaks = {0, 1}, .phi_root = 0.95, .theta_root = 0.999},
    {.kind = DRAWN, .seed = 83},
    {.kind = DRAWN, .seed = 45},
    {.kind = STRUCTURED, .peaks = {0, 3}, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = DRAWN, .seed = 37},
    {.kind = STRUCTURED, .peaks = {1, 2}, .phi_root = 0.997, .theta_root = 0.97},
};

/* The starts if p or q is below 5. There is room for one pair of factors at most: structured starts use the peaks one
 * by one. */
static const struct start_spec SMALL_ORDERS[] = {
    {.kind = DAMPED},
    {.kind = STRUCTURED, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = STRUCTURED, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = REGRESSED},
    {.kind = STRUCTURED, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = STRUCTURED, .phi_root = 0.97, .theta_root = 0.985},
    {.kind = DRAWN, .seed = 90},
    {.kind = STRUCTURED, .phi_root = 0.985, .theta_root = 0.97},
    {.kind = STRUCTURED, .phi_root = 0.985, .theta_root = 0.97},
};
enum { LARGE = sizeof LARGE_ORDERS / sizeof *LARGE_ORDERS, SMALL = sizeof SMALL_ORDERS / sizeof *SMALL_ORDERS };

/* Draws a polynomial with all inverse roots inside, by the step-up recursion: a(i) + r a(k - i), then r itself as a(k).
 * The reflection coefficients r are drawn evenly from -0.98 .. 0.98; a larger |r| would be shrunk. The generator is
 * Knuth's 64-bit linear congruential one. */
static void draw_polynomial(double *a, unsigned n, uint64_t *seed)
{
    for (unsigned k = 0; k < n; k++) {
        double before[MP_ARIMA_ORDER];
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double r = 1.96 * ((double)(*seed >> 11) / 9007199254740992.0) - 0.98;
        memcpy(before, a, k * sizeof *a);
        for (unsigned i = 0; i < k; i++)
            a[i] = before[i] + r * before[k - 1 - i];
        a[k] = r;
    }
}

static struct arima_coefficients drawn(unsigned p, unsigned q, uint64_t seed)
{
    struct arima_coefficients c = {{0}, {0}};
    draw_polynomial(c.phi, p, &seed);
    draw_polynomial(c.theta, q, &seed);
    negate_phi(&c);
    shrink_to_admissible(&c);
    return c;
}

/* ---- structured starts ------------------------------------------------------------------------------------------- */

/* phi(B) and theta(B) as polynomials 1 + a(1) B + .., with their degrees p and q so far. */
struct factored {
    double phi[MP_ARIMA_ORDER], theta[MP_ARIMA_ORDER];
    unsigned p, q;
};

/* Multiplies a(B) by 1 + b B + c B^2, and updates its degree. */
static void multiply(double *a, unsigned *degree, double b, double c)
{
    unsigned more = c != 0 ? 2 : 1;
    for (unsigned i = *degree + more; i > 0; i--) {
        double own = i <= *degree ? a[i - 1] : 0;
        double one = i == 1 ? 1 : i - 1 <= *degree ? a[i - 2] : 0;
        double two = i == 2 ? 1 : i > 2 && i - 2 <= *degree ? a[i - 3] : 0;
        a[i - 1] = own + b * one + c * two;
    }
    *degree += more;
}

static void multiply_pair(double *a, unsigned *degree, double modulus, double cosine)
{
    multiply(a, degree, -2 * modulus * cosine, modulus * modulus);
}

static void multiply_real(double *a, unsigned *degree, double root)
{
    multiply(a, degree, -root, 0);
}

/* Starts of ARMA(1, 1) itself: phi and theta nearly cancel at a positive or a negative root. The theta of the first is
 * near -1, as that of a stationary series after differencing. A search does not find it from far away. */
static const struct arima_coefficients CANCELLING[] = {
    {{0.85}, {-0.99}},
    {{0.97}, {-0.985}},
    {{-0.9}, {0.97}},
};
enum { CANCELLING_STARTS = sizeof CANCELLING / sizeof *CANCELLING };

/* Inverse roots of the real factors that fill up the other degrees. Measured as in search.c: with 0.3 in place of 0.6
 * (3, 1, 1) loses 0.01 and takes 26 % less work, with 0.8 it loses 0.08. EXTRA_MA_ROOT is not the best: 0.5 would gain
 * 0.34 for (1, 1, 3) and take 37 % less work. */
static const double EXTRA_AR_ROOT = 0.6, EXTRA_MA_ROOT = 0.9;

/* Begins with ARMA(1, 1), as far as p and q allow. If only one pair of factors has room, every other two starts
 * have a cancelling pair there. Then ARMA(1, 1) loses the factor of the shorter polynomial. */
static struct factored begin_factors(unsigned p, unsigned q, struct arima_coefficients arma11, unsigned number)
{
    struct factored f = {.p = p > 0, .q = q > 0};
    bool one_pair = (p < q ? p : q) == 1 && p + q > 2;
    negate_phi(&arma11);
    memcpy(f.phi, arma11.phi, sizeof f.phi);
    memcpy(f.theta, arma11.theta, sizeof f.theta);
    if (one_pair && number % 4 > 1) {
        f.p = p > q;
        f.q = q > p;
        f.phi[0] = f.p ? f.phi[0] : 0;
        f.theta[0] = f.q ? f.theta[0] : 0;
    }
    return f;
}

/* Multiplies by up to two pairs of factors at peaks, then a real one, until the shorter polynomial is full. */
static void multiply_cancelling(struct factored *f, unsigned shorter, const struct start_spec *spec,
                                const double *cosines, unsigned number, double sign)
{
    for (unsigned pair = 0; f->p + 2 <= shorter && pair < 2; pair++) {
        double cosine = cosines[shorter < 5 ? number % MP_ARIMA_PEAKS : spec->peaks[pair]];
        multiply_pair(f->phi, &f->p, spec->phi_root, cosine);
        multiply_pair(f->theta, &f->q, spec->theta_root, cosine);
    }
    if (shorter > 0 && (f->p < shorter || f->q < shorter)) {
        multiply_real(f->phi, &f->p, sign * spec->phi_root);
        multiply_real(f->theta, &f->q, sign * spec->theta_root);
    }
}

/* Multiplies by real factors until the degree is n. Their roots have the sign `sign` or, with both_sides, alternating
 * signs. Returns the next sign. */
static double multiply_extra(double *a, unsigned *degree, unsigned n, double root, double sign, bool both_sides)
{
    while (*degree < n) {
        multiply_real(a, degree, sign * root);
        sign = both_sides ? -sign : sign;
    }
    return sign;
}

/* ARMA(1, 1) times factors. `number` counts the structured starts, and makes those different that use no peak. */
static struct arima_coefficients structured(unsigned p, unsigned q, struct arima_coefficients arma11,
                                            const double *cosines, const struct start_spec *spec, unsigned number)
{
    unsigned shorter = p < q ? p : q, most = shorter + 2;
    bool both_sides = number / 2 % 2 != 0;
    double sign = number % 2 == 0 ? 1 : -1;
    if (p == 1 && q == 1 && number < CANCELLING_STARTS)
        return CANCELLING[number];
    if (number >= 2 && (p == 0 || (p == 1 && q == 1)))
        return drawn(p, q, number);
    if (p == 0 && arma11.theta[0] > 0)
        sign = -sign; /* first on the side of the root of ARMA(1, 1), then on the other */
    struct factored f = begin_factors(p, q, arma11, number);
    multiply_cancelling(&f, shorter, spec, cosines, number, sign);
    sign = multiply_extra(f.phi, &f.p, p < most ? p : most, EXTRA_AR_ROOT, sign, both_sides);
    multiply_extra(f.theta, &f.q, q < most ? q : most, EXTRA_MA_ROOT, sign, both_sides);
    struct arima_coefficients c;
    memcpy(c.phi, f.phi, sizeof c.phi);
    memcpy(c.theta, f.theta, sizeof c.theta);
    negate_phi(&c);
    shrink_to_admissible(&c);
    return c;
}

/* ---- the k-th start ---------------------------------------------------------------------------------------------- */

static unsigned structured_before(const struct start_spec *specs, unsigned k)
{
    unsigned number = 0;
    for (unsigned i = 0; i < k; i++)
        number += specs[i].kind == STRUCTURED;
    return number;
}

/* All starts beyond the list are drawn. */
struct arima_coefficients mp_arima_start(unsigned k, unsigned p, unsigned q, struct arima_coefficients regressed,
                                         struct arima_coefficients arma11, const double *cosines)
{
    bool large = p >= 5 && q >= 5;
    const struct start_spec *specs = large ? LARGE_ORDERS : SMALL_ORDERS;
    if (k >= (large ? LARGE : SMALL))
        return drawn(p, q, k);
    switch (specs[k].kind) {
    case DAMPED: return mp_arima_damped_start(regressed);
    case REGRESSED: shrink_to_admissible(&regressed); return regressed;
    case STRUCTURED: return structured(p, q, arma11, cosines, &specs[k], structured_before(specs, k));
    case DRAWN: break;
    }
    return drawn(p, q, specs[k].seed);
}
