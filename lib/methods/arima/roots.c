/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/roots.h"

#include <math.h>
#include <string.h>

/* The step-down recursion (Levinson, Durbin). r = a(k) is the k-th reflection coefficient, and the polynomial of
 * degree k - 1 below it has the coefficients (a(i) - r a(k - i)) / (1 - r^2). All roots are inside if and only if all
 * |r| < 1. */
bool mp_arima_roots_inside(const double *a, unsigned n)
{
    double c[MP_ARIMA_MOST_ROOTS], lower[MP_ARIMA_MOST_ROOTS];
    memcpy(c, a, n * sizeof *c);
    for (unsigned k = n; k-- > 0;) {
        double r = c[k];
        if (!(fabs(r) < 1))
            return false;
        for (unsigned i = 0; i < k; i++)
            lower[i] = (c[i] - r * c[k - 1 - i]) / (1 - r * r);
        memcpy(c, lower, k * sizeof *c);
    }
    return true;
}

static struct arima_root product(struct arima_root a, struct arima_root b)
{
    return (struct arima_root){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static double squared_modulus(struct arima_root a)
{
    return a.re * a.re + a.im * a.im;
}

/* a / b; 0 if b is 0. */
static struct arima_root quotient(struct arima_root a, struct arima_root b)
{
    double modulus = squared_modulus(b);
    if (!(modulus > 0))
        return (struct arima_root){0, 0};
    struct arima_root c = product(a, (struct arima_root){b.re, -b.im});
    return (struct arima_root){c.re / modulus, c.im / modulus};
}

/* f(z) / f'(z) of the polynomial f, by Horner's scheme. */
static struct arima_root newton_quotient(const double *a, unsigned n, struct arima_root z)
{
    struct arima_root value = {1, 0}, slope = {0, 0};
    for (unsigned i = 0; i < n; i++) {
        slope = product(slope, z);
        slope.re += value.re;
        slope.im += value.im;
        value = product(value, z);
        value.re += a[i];
    }
    return quotient(value, slope);
}

/* One root's step of the Aberth-Ehrlich iteration (Aberth 1973): Newton's on f(z) / product over j != k of (z - z(j)),
 * which keeps approximations from meeting in one root,
 *
 *     z(k) -= newton / (1 - newton x sum over j != k of 1 / (z(k) - z(j))),   newton = f(z(k)) / f'(z(k)).
 *
 * Returns the step's squared modulus. */
static double aberth_step(const double *a, unsigned n, struct arima_root *roots, unsigned k)
{
    struct arima_root newton = newton_quotient(a, n, roots[k]), sum = {0, 0};
    for (unsigned j = 0; j < n; j++) {
        if (j == k)
            continue;
        struct arima_root difference = {roots[k].re - roots[j].re, roots[k].im - roots[j].im};
        struct arima_root inverse = quotient((struct arima_root){1, 0}, difference);
        sum.re += inverse.re;
        sum.im += inverse.im;
    }
    struct arima_root correction = product(newton, sum);
    struct arima_root step = quotient(newton, (struct arima_root){1 - correction.re, -correction.im});
    roots[k].re -= step.re;
    roots[k].im -= step.im;
    return squared_modulus(step);
}

/* Simple roots converge cubically in a few iterations. Multiple roots converge linearly; ITERATIONS bounds their time.
 * A step of 1e-15 is the last digit of a root near the unit circle. */
enum { ITERATIONS = 200 };
static const double SQUARED_STEP = 1e-30;

/* Begins at the powers of 0.4 + 0.9 i, the usual starting points: no two are equal or conjugate, and none is real. */
void mp_arima_roots(const double *a, unsigned n, struct arima_root *roots)
{
    struct arima_root z = {1, 0};
    for (unsigned k = 0; k < n; k++) {
        z = product(z, (struct arima_root){0.4, 0.9});
        roots[k] = z;
    }
    double largest = 1;
    for (int i = 0; i < ITERATIONS && largest > SQUARED_STEP; i++) {
        largest = 0;
        for (unsigned k = 0; k < n; k++)
            largest = fmax(largest, aberth_step(a, n, roots, k));
    }
}

void mp_arima_polynomial(const struct arima_root *roots, unsigned n, double *a)
{
    struct arima_root c[MP_ARIMA_MOST_ROOTS + 1] = {{1, 0}};
    for (unsigned k = 0; k < n; k++)
        for (unsigned i = k + 1; i > 0; i--) {
            struct arima_root x = product(roots[k], c[i - 1]);
            c[i].re -= x.re;
            c[i].im -= x.im;
        }
    for (unsigned i = 0; i < n; i++)
        a[i] = c[i + 1].re;
}

double mp_arima_reflect(double *a, unsigned n)
{
    struct arima_root roots[MP_ARIMA_MOST_ROOTS];
    double factor = 1;
    if (mp_arima_roots_inside(a, n))
        return 1;
    mp_arima_roots(a, n, roots);
    for (unsigned k = 0; k < n; k++) {
        double modulus = squared_modulus(roots[k]);
        if (modulus <= 1)
            continue;
        factor *= modulus;
        roots[k].re /= modulus;
        roots[k].im /= modulus;
    }
    mp_arima_polynomial(roots, n, a);
    return factor;
}

/* Sets the moduli above `above` to `to`; returns whether there were any. */
static bool set_moduli(double *a, unsigned n, double above, double to)
{
    struct arima_root roots[MP_ARIMA_MOST_ROOTS];
    bool any = false;
    mp_arima_roots(a, n, roots);
    for (unsigned k = 0; k < n; k++) {
        double modulus = sqrt(squared_modulus(roots[k]));
        if (!(modulus > above))
            continue;
        any = true;
        roots[k].re *= to / modulus;
        roots[k].im *= to / modulus;
    }
    if (any)
        mp_arima_polynomial(roots, n, a);
    return any;
}

bool mp_arima_snap_roots(double *a, unsigned n, double near)
{
    return set_moduli(a, n, near, 1);
}

void mp_arima_limit_roots(double *a, unsigned n, double limit)
{
    set_moduli(a, n, limit, limit);
}

void mp_arima_shrink(double *a, unsigned n, double factor)
{
    double power = 1;
    for (unsigned i = 0; i < n; i++)
        a[i] *= power *= factor;
}
