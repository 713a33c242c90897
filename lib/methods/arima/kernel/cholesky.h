/* SPDX-License-Identifier: BSD-3-Clause */
/* Included into likelihood_kernel.c, which is compiled once per vector width.
 *
 * Cholesky factors of the small matrices of a vector of lanes: A = L L', L a lower triangle, column after column. */
#ifndef MP_METHODS_ARIMA_KERNEL_CHOLESKY_H
#define MP_METHODS_ARIMA_KERNEL_CHOLESKY_H

#include "methods/arima/kernel/passes.h"

/* The factor of a C that may be singular: a column becomes 0 if what is left of its diagonal is below 1e-14 of the
 * trace, because that is rounding errors. */
INLINE void root_of(vector (*l)[M], vector (*c)[M], const int order)
{
    vector trace = splat(0);
    for (int i = 0; i < order; i++) {
        trace += c[i][i];
        clear(l[i], order);
    }
    for (int j = 0; j < order; j++) {
        vector d = c[j][j];
        for (int k = 0; k < j; k++)
            d -= l[j][k] * l[j][k];
        mask some = d > 1e-14 * trace;
        vector root = square_root(choose(some, d, splat(1))), inverse = choose(some, 1 / root, splat(0));
        l[j][j] = choose(some, root, splat(0));
        for (int i = j + 1; i < order; i++) {
            vector x = c[i][j];
            for (int k = 0; k < j; k++)
                x -= l[i][k] * l[j][k];
            l[i][j] = x * inverse;
        }
    }
}

/* In place, and the determinant of the matrix; returns the lanes where it is positive definite. */
INLINE mask factorise_sum(vector (*f)[M], vector *determinant, const int order)
{
    mask definite = splat(0) == splat(0);
    *determinant = splat(1);
    for (int j = 0; j < order; j++) {
        vector d = f[j][j];
        for (int k = 0; k < j; k++)
            d -= f[j][k] * f[j][k];
        definite &= d > splat(0);
        d = choose(d > splat(0), d, splat(1));
        *determinant *= d;
        f[j][j] = square_root(d);
        vector inverse = 1 / f[j][j];
        for (int i = j + 1; i < order; i++) {
            for (int k = 0; k < j; k++)
                f[i][j] -= f[i][k] * f[j][k];
            f[i][j] *= inverse;
        }
    }
    return definite;
}

/* x = inverse(l) x */
INLINE void forward_substitute(vector (*l)[M], vector *x, const int order)
{
    for (int i = 0; i < order; i++) {
        for (int k = 0; k < i; k++)
            x[i] -= l[i][k] * x[k];
        x[i] /= l[i][i];
    }
}

/* x = inverse(l') x */
INLINE void back_substitute(vector (*l)[M], vector *x, const int order)
{
    for (int i = order - 1; i >= 0; i--) {
        for (int k = i + 1; k < order; k++)
            x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
    }
}

#endif
