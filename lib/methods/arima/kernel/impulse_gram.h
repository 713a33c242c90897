/* SPDX-License-Identifier: BSD-3-Clause */
/* K = H'H, the products of the impulse responses of 1 / theta(B) over n observations, and its adjoint.
 *
 * The states x(k) = (h(k), h(k-1), ..., h(k-m+1))' follow x(k) = F x(k-1) from x(0) = (1, 0, ...)', F the companion
 * matrix whose first row is -theta; K = x(0) x(0)' + ... + x(n-1) x(n-1)'. With K(k) the sum of the first k,
 *   K(2k) = K(k) + A K(k) A',  K(k+1) = K(k) + A x(0) x(0)' A',  A = F^k:
 * about 2 log2(n) small matrix products instead of n steps; only sums of squares on the diagonal, so that no digits are
 * lost however near the unit circle a root lies. */
#ifndef MP_METHODS_ARIMA_KERNEL_IMPULSE_GRAM_H
#define MP_METHODS_ARIMA_KERNEL_IMPULSE_GRAM_H

#include "methods/arima/kernel/passes.h"

/* Before each doubling: K and A; after it, if a step follows: A. */
struct doubling {
    vector k[M][M], a[M][M], doubled[M][M];
};

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

/* c += a b', the lower triangle of a symmetric result, mirrored. */
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

INLINE void companion(vector (*f)[M], const vector *theta, const int order)
{
    for (int j = 0; j < order; j++) {
        f[0][j] = -theta[j];
        for (int i = 1; i < order; i++)
            f[i][j] = splat(i == j + 1 ? 1 : 0);
    }
}

INLINE void impulse_products(vector (*k)[M], struct doubling *doubling, vector (*work)[M][M], const vector *theta,
                             size_t n, const int order)
{
    vector(*a)[M] = work[0], (*next)[M] = work[1];
    companion(a, theta, order);
    for (int i = 0; i < order; i++)
        clear(k[i], order);
    k[0][0] = splat(1);
    for (int bit = mp_arima_doublings(n) - 1; bit >= 0; bit--, doubling++) {
        for (int i = 0; i < order; i++)
            for (int j = 0; j < order; j++) {
                doubling->k[i][j] = k[i][j];
                doubling->a[i][j] = a[i][j];
            }
        multiply(next, a, k, order);
        add_symmetric(k, next, a, order);
        multiply(next, a, a, order);
        for (int i = 0; i < order; i++)
            for (int j = 0; j < order; j++)
                a[i][j] = next[i][j];
        if (!(n >> bit & 1))
            continue;
        for (int i = 0; i < order; i++)
            for (int j = 0; j < order; j++)
                doubling->doubled[i][j] = a[i][j];
        for (int i = 0; i < order; i++)
            for (int j = 0; j < order; j++)
                k[i][j] += doubling->doubled[i][0] * doubling->doubled[j][0];
        for (int j = 0; j < order; j++) {
            a[0][j] = splat(0);
            for (int i = 0; i < order; i++)
                a[0][j] -= theta[i] * doubling->doubled[i][j];
            for (int i = 1; i < order; i++)
                a[i][j] = doubling->doubled[i - 1][j];
        }
    }
}

/* by_a, the derivatives by A after a step A = F D, become those by D; adds those by F's first row to by_theta. */
INLINE void step_adjoint(const struct doubling *doubling, const vector *theta, vector (*by_k)[M], vector (*by_a)[M],
                         vector *by_theta, const int order)
{
    vector by_d[M][M];
    for (int j = 0; j < order; j++)
        for (int i = 0; i < order; i++) {
            by_theta[i] -= by_a[0][j] * doubling->doubled[i][j];
            by_d[i][j] = i + 1 < order ? by_a[i + 1][j] : splat(0);
            by_d[i][j] -= theta[i] * by_a[0][j];
        }
    for (int i = 0; i < order; i++) {
        for (int j = 0; j < order; j++)
            by_d[i][0] += 2 * by_k[i][j] * doubling->doubled[j][0];
        for (int j = 0; j < order; j++)
            by_a[i][j] = by_d[i][j];
    }
}

/* Adds to by_theta. by_k, symmetric, the derivatives of a function by K, is used up. */
INLINE void impulse_adjoint(vector (*by_k)[M], struct doubling *doubling, vector (*work)[M][M], const vector *theta,
                            vector *by_theta, size_t n, const int order)
{
    vector(*by_a)[M] = work[0], (*half)[M] = work[1], (*product)[M] = work[2], (*by_square)[M] = work[3];
    int doublings = mp_arima_doublings(n);
    for (int i = 0; i < order; i++)
        clear(by_a[i], order);
    doubling += doublings;
    for (int bit = 0; bit < doublings; bit++) {
        doubling--;
        if (n >> bit & 1)
            step_adjoint(doubling, theta, by_k, by_a, by_theta, order);
        /* of A A: by_a A' + A' by_a; of K + A K A': 2 by_k A K, and by_k + A' by_k A */
        multiply_transposed(by_square, doubling->a, by_a, order);
        for (int i = 0; i < order; i++)
            for (int j = 0; j < order; j++)
                for (int k = 0; k < order; k++)
                    by_square[i][j] += by_a[i][k] * doubling->a[j][k];
        multiply(half, by_k, doubling->a, order);
        multiply(product, half, doubling->k, order);
        for (int i = 0; i < order; i++)
            for (int j = 0; j < order; j++)
                by_a[i][j] = by_square[i][j] + 2 * product[i][j];
        for (int i = 0; i < order; i++)
            for (int j = 0; j <= i; j++) {
                for (int k = 0; k < order; k++)
                    by_k[i][j] += doubling->a[k][i] * half[k][j];
                by_k[j][i] = by_k[i][j];
            }
    }
    for (int j = 0; j < order; j++)
        by_theta[j] -= by_a[0][j];
}

#endif
