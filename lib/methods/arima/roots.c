/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/roots.h"

#include <math.h>
#include <string.h>

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

/* 0 where b is. */
static struct arima_root quotient(struct arima_root a, struct arima_root b)
{
    double modulus = squared_modulus(b);
    if (!(modulus > 0))
        return (struct arima_root){0, 0};
    struct arima_root c = product(a, (struct arima_root){b.re, -b.im});
    return (struct arima_root){c.re / modulus, c.im / modulus};
}

/* The polynomial over its derivative at z. */
static struct arima_root newton_step(const double *a, unsigned n, struct arima_root z)
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

static double improve(const double *a, unsigned n, struct arima_root *roots, unsigned k)
{
    struct arima_root step = newton_step(a, n, roots[k]), repulsion = {0, 0};
    for (unsigned j = 0; j < n; j++) {
        if (j == k)
            continue;
        struct arima_root apart = {roots[k].re - roots[j].re, roots[k].im - roots[j].im};
        struct arima_root push = quotient((struct arima_root){1, 0}, apart);
        repulsion.re += push.re;
        repulsion.im += push.im;
    }
    struct arima_root drag = product(step, repulsion);
    step = quotient(step, (struct arima_root){1 - drag.re, -drag.im});
    roots[k].re -= step.re;
    roots[k].im -= step.im;
    return squared_modulus(step);
}

void mp_arima_roots(const double *a, unsigned n, struct arima_root *roots)
{
    enum { ITERATIONS = 200 };
    struct arima_root z = {1, 0};
    for (unsigned k = 0; k < n; k++) {
        z = product(z, (struct arima_root){0.4, 0.9}); /* no two alike, none real */
        roots[k] = z;
    }
    double moved = 1;
    for (int i = 0; i < ITERATIONS && moved > 1e-30; i++) {
        moved = 0;
        for (unsigned k = 0; k < n; k++)
            moved = fmax(moved, improve(a, n, roots, k));
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

/* Those of a modulus above `above` get the modulus `to`; whether there were any. */
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
