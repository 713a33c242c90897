/* SPDX-License-Identifier: BSD-3-Clause */
/* Included into likelihood_kernel.c, which is compiled once per vector width.
 *
 * Matrices of at most m x m, one in every lane: products and Cholesky factors.
 *
 * The two Cholesky factorisations treat a pivot that is not positive differently. C may be singular: root_of takes the
 * pivot for 0. I + root' K root is at least I, so only lost digits make a pivot negative: factorise_sum reports those
 * lanes. */
#ifndef MP_METHODS_ARIMA_KERNEL_MATRICES_H
#define MP_METHODS_ARIMA_KERNEL_MATRICES_H

#include "methods/arima/kernel/passes.h"

INLINE void copy(vector (*restrict to)[M], vector (*from)[M], const int dimension)
{
    for (int i = 0; i < dimension; i++)
        for (int j = 0; j < dimension; j++)
            to[i][j] = from[i][j];
}

/* c = a b; c may be neither a nor b. */
INLINE void multiply(vector (*restrict c)[M], vector (*a)[M], vector (*b)[M], const int dimension)
{
    for (int i = 0; i < dimension; i++) {
        vector row[M];
        clear(row, dimension);
        for (int k = 0; k < dimension; k++) {
            vector x = a[i][k];
            for (int j = 0; j < dimension; j++)
                row[j] += x * b[k][j];
        }
        for (int j = 0; j < dimension; j++)
            c[i][j] = row[j];
    }
}

/* c = a' b */
INLINE void multiply_transposed(vector (*restrict c)[M], vector (*a)[M], vector (*b)[M], const int dimension)
{
    for (int i = 0; i < dimension; i++) {
        vector row[M];
        clear(row, dimension);
        for (int k = 0; k < dimension; k++) {
            vector x = a[k][i];
            for (int j = 0; j < dimension; j++)
                row[j] += x * b[k][j];
        }
        for (int j = 0; j < dimension; j++)
            c[i][j] = row[j];
    }
}

/* c += a b', which must be symmetric: computes the lower triangle and mirrors it */
INLINE void add_symmetric(vector (*c)[M], vector (*a)[M], vector (*b)[M], const int dimension)
{
    for (int i = 0; i < dimension; i++)
        for (int j = 0; j <= i; j++) {
            vector x = c[i][j];
            for (int k = 0; k < dimension; k++)
                x += a[i][k] * b[j][k];
            c[i][j] = c[j][i] = x;
        }
}

/* Cholesky, c = l l', where c may be singular. A pivot below 1e-14 of the trace is rounding error: the column of l
 * becomes 0. */
INLINE void root_of(vector (*l)[M], vector (*c)[M], const int dimension)
{
    vector trace = splat(0);
    for (int i = 0; i < dimension; i++) {
        trace += c[i][i];
        clear(l[i], dimension);
    }
    for (int j = 0; j < dimension; j++) {
        vector d = c[j][j];
        for (int k = 0; k < j; k++)
            d -= l[j][k] * l[j][k];
        mask some = d > 1e-14 * trace;
        vector root = square_root(choose(some, d, splat(1))), inverse = choose(some, 1 / root, splat(0));
        l[j][j] = choose(some, root, splat(0));
        for (int i = j + 1; i < dimension; i++) {
            vector x = c[i][j];
            for (int k = 0; k < j; k++)
                x -= l[i][k] * l[j][k];
            l[i][j] = x * inverse;
        }
    }
}

/* product = K root; root is lower triangular. */
INLINE void multiply_root(vector (*product)[M], vector (*k)[M], vector (*root)[M], const int dimension)
{
    for (int i = 0; i < dimension; i++)
        for (int j = 0; j < dimension; j++) {
            product[i][j] = splat(0);
            for (int l = j; l < dimension; l++)
                product[i][j] += k[i][l] * root[l][j];
        }
}

/* f = I + root' K root, its lower triangle. */
INLINE void identity_plus(vector (*f)[M], vector (*root)[M], vector (*k_root)[M], const int dimension)
{
    for (int i = 0; i < dimension; i++)
        for (int j = 0; j <= i; j++) {
            f[i][j] = splat(i == j ? 1 : 0);
            for (int l = i; l < dimension; l++)
                f[i][j] += root[l][i] * k_root[l][j];
        }
}

/* Cholesky, in place; returns the lanes where it exists. */
INLINE mask factorise_sum(vector (*f)[M], vector *determinant, const int dimension)
{
    mask definite = splat(0) == splat(0);
    *determinant = splat(1);
    for (int j = 0; j < dimension; j++) {
        vector d = f[j][j];
        for (int k = 0; k < j; k++)
            d -= f[j][k] * f[j][k];
        definite &= d > splat(0);
        d = choose(d > splat(0), d, splat(1));
        *determinant *= d;
        f[j][j] = square_root(d);
        vector inverse = 1 / f[j][j];
        for (int i = j + 1; i < dimension; i++) {
            for (int k = 0; k < j; k++)
                f[i][j] -= f[i][k] * f[j][k];
            f[i][j] *= inverse;
        }
    }
    return definite;
}

/* x = inverse(l) x */
INLINE void forward_substitute(vector (*l)[M], vector *x, const int dimension)
{
    for (int i = 0; i < dimension; i++) {
        for (int k = 0; k < i; k++)
            x[i] -= l[i][k] * x[k];
        x[i] /= l[i][i];
    }
}

/* x = inverse(l') x */
INLINE void back_substitute(vector (*l)[M], vector *x, const int dimension)
{
    for (int i = dimension - 1; i >= 0; i--) {
        for (int k = i + 1; k < dimension; k++)
            x[i] -= l[k][i] * x[k];
        x[i] /= l[i][i];
    }
}

#endif
