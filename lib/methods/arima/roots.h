/* SPDX-License-Identifier: BSD-3-Clause */
/* The inverse roots of 1 + a(1) B + ... + a(n) B^n are the z with z^n + a(1) z^(n-1) + ... + a(n) = 0. A model is
 * stationary if all those of a = -phi are inside the unit circle, invertible if all those of a = theta are. */
#ifndef MP_METHODS_ARIMA_ROOTS_H
#define MP_METHODS_ARIMA_ROOTS_H

#include <stdbool.h>

enum { MP_ARIMA_MOST_ROOTS = 8 };

struct arima_root {
    double re, im;
};

/* Returns whether all inverse roots are inside the unit circle, without computing them. */
bool mp_arima_roots_inside(const double *a, unsigned n);

/* Computes all n inverse roots. */
void mp_arima_roots(const double *a, unsigned n, struct arima_root *roots);

/* Computes the coefficients from the inverse roots. Complex roots must come in conjugate pairs. */
void mp_arima_polynomial(const struct arima_root *roots, unsigned n, double *a);

/* Replaces every inverse root z outside the unit circle by its mirror image 1 / conj(z), and returns the product of
 * their |z|^2. If the variance of e is multiplied by that factor, the spectrum of theta(B) e stays the same, and so
 * does the likelihood. */
double mp_arima_reflect(double *a, unsigned n);

/* Moves the inverse roots of a modulus above `near` onto the unit circle; false if there are none. */
bool mp_arima_snap_roots(double *a, unsigned n, double near);

/* Scales the inverse roots of a modulus above the limit to it. */
void mp_arima_limit_roots(double *a, unsigned n, double limit);

/* Multiplies a(i) by factor^i, which scales every inverse root by the factor. */
void mp_arima_shrink(double *a, unsigned n, double factor);

#endif
