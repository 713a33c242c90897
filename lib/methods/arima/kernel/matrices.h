/* SPDX-License-Identifier: BSD-3-Clause */
/* Included into likelihood_kernel.c, which is compiled once per vector width.
 *
 * Matrices of at most m x m, one in every lane: products and Cholesky factors. */
#ifndef MP_METHODS_ARIMA_KERNEL_MATRICES_H
#define MP_METHODS_ARIMA_KERNEL_MATRICES_H

#include "methods/arima/kernel/passes.h"

INLINE void copy(vector (*restrict to)[M], vector (*from)[M], const int order)
{
    for (int i = 0; i < order; i++)
        for (int j = 0; j < order; j++)
            to[i][j] = from[i][j];
}

/* c = a b; c may be neither a nor b. */
INLINE void multiply(vector (*restrict c)[M], vector (*a)[M], vector (*b)[M], const int order)
{
    for (int i = 0; i < order; i++) {
        vector row[M];
        clear(row, order);
        for (int k = 0; k < order; k++) {
            vector x = a[i][k];
            for (int j = 0; j < order; j++)
                row[j] += x * b[k][j];
        }
        for (int j = 0; j < order; j++)
            c[i][j] = row[j];
    }
}

/* c = a' b */
INLINE void multiply_transposed(vector (*restrict c)[M], vector (*a)[M], vector (*b)[M], const int order)
{
    for (int i = 0; i < order; i++) {
        vector row[M];
        clear(row, order);
        for (int k = 0; k < order; k++) {
            vector x = a[k][i];
            for (int j = 0; j < order; j++)
                row[j] += x * b[k][j];
        }
        for (int j = 0; j < order; j++)
            c[i][j] = row[j];
    }
}

/* c += a b', which is symmetric: its lower triangle, mirrored */
INLINE void add_symmetric(vector (*c)[M], vector (*a)[M], vector (*b)[M], const int order)
{
    for (int i = 0; i < order; i++)
        for (int j = 0; j <= i; j++) {
            vector x = c[i][j];
            for (int k = 0; k < order; k++)
                x += a[i][k] * b[j][k];
            c[i][j] = c[j][i] = x;
        }
}

/* Cholesky, c = l l', where c may be singular. If the rest of a diagonal element is below 1e-14 of the trace, it is
 * rounding error, and the column of l becomes 0. */
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

/* K root, on and below the diagonal of root alone. */
INLINE void multiply_root(vector (*product)[M], vector (*k)[M], vector (*root)[M], const int order)
{
    for (int i = 0; i < order; i++)
        for (int j = 0; j < order; j++) {
            product[i][j] = splat(0);
            for (int l = j; l < order; l++)
                product[i][j] += k[i][l] * root[l][j];
        }
}

/* The lower triangle of I + root' K root. */
INLINE void identity_plus(vector (*f)[M], vector (*root)[M], vector (*k_root)[M], const int order)
{
    for (int i = 0; i < order; i++)
        for (int j = 0; j <= i; j++) {
            f[i][j] = splat(i == j ? 1 : 0);
            for (int l = i; l < order; l++)
                f[i][j] += root[l][i] * k_root[l][j];
        }
}

/* Cholesky, in place; returns the lanes where it exists. */
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
