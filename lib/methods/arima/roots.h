/* SPDX-License-Identifier: BSD-3-Clause */
/* The inverse roots of 1 + a(1) B + ... + a(n) B^n: the z with z^n + a(1) z^(n-1) + ... + a(n) = 0. Inside the unit
 * circle: stationary (a = -phi) or invertible (a = theta). */
#ifndef MP_METHODS_ARIMA_ROOTS_H
#define MP_METHODS_ARIMA_ROOTS_H

#include <stdbool.h>

enum { MP_ARIMA_MOST_ROOTS = 8 };

struct arima_root {
    double re, im;
};

/* All inverse roots are inside the unit circle, by the step-down recursion. */
bool mp_arima_roots_inside(const double *a, unsigned n);

/* By the Aberth-Ehrlich iteration. */
void mp_arima_roots(const double *a, unsigned n, struct arima_root *roots);

/* Coefficients from roots that come in conjugate pairs. */
void mp_arima_polynomial(const struct arima_root *roots, unsigned n, double *a);

/* Inverse roots outside the unit circle are mirrored into it, which leaves the likelihood of theta as it is: the
 * variance takes up the factor, which is returned. */
double mp_arima_reflect(double *a, unsigned n);

/* Inverse roots of a modulus above `near` are moved onto the unit circle; false: there are none. */
bool mp_arima_snap_roots(double *a, unsigned n, double near);

/* Inverse roots of a modulus above the limit are drawn in to it. */
void mp_arima_limit_roots(double *a, unsigned n, double limit);

/* a(i) x factor^i: every inverse root times the factor. */
void mp_arima_shrink(double *a, unsigned n, double factor);

#endif
