/* SPDX-License-Identifier: BSD-3-Clause */
/* Included into likelihood_kernel.c, which is compiled once per vector width.
 *
 * K = H'H, the products of the impulse responses h of 1 / theta(B) over n observations, and its adjoint.
 *
 * The states x(k) = (h(k), h(k-1), ..., h(k-m+1))' follow x(k) = F x(k-1) from x(0) = (1, 0, ...)', F the companion
 * matrix with first row -theta. K is the sum of x(k) x(k)' over k < n. Let K(k) be the sum of the first k and A = F^k.
 * We begin with K(1) = x(0) x(0)'. Each further binary digit of n is a doubling, followed by a step if it is 1:
 *   doubling:   K(2k) = K + A K A',   F^(2k) = A A
 *   step:       K(k+1) = K + d d',    F^(k+1) = F A,   d = A x(0), the first column of A
 * These are about 2 log2(n) products of m x m matrices instead of n steps. Every term adds to the diagonal. So no
 * digits are lost, however near the unit circle a root of theta lies.
 *
 * Let by_k, symmetric, and by_a be the derivatives of a function by the new K and the new power. Those by the old are
 *   doubling:   by_k + A' by_k A,   by_a A' + A' by_a + 2 by_k A K
 *   step:       by_k,               F' by_a, and 2 by_k d in column 0: the new K sees no other column of A.
 * Only the first row of F varies, and it is -theta. The derivatives by F are by_a A' for a step. The first power, A = F
 * at k = 1, adds by_a itself. */
#ifndef MP_METHODS_ARIMA_KERNEL_IMPULSE_GRAM_H
#define MP_METHODS_ARIMA_KERNEL_IMPULSE_GRAM_H

#include "methods/arima/kernel/matrices.h"

/* K and A before a doubling, and the power after it if a step follows. */
struct doubling {
    vector k[M][M], a[M][M], doubled[M][M];
};

INLINE void companion(vector (*f)[M], const vector *theta, const int dimension)
{
    for (int j = 0; j < dimension; j++) {
        f[0][j] = -theta[j];
        for (int i = 1; i < dimension; i++)
            f[i][j] = splat(i == j + 1 ? 1 : 0);
    }
}

/* K(k+1) and F A, from the power A before the step. */
INLINE void step(vector (*k)[M], vector (*next)[M], vector (*a)[M], const vector *theta, const int dimension)
{
    for (int i = 0; i < dimension; i++)
        for (int j = 0; j < dimension; j++)
            k[i][j] += a[i][0] * a[j][0];
    for (int j = 0; j < dimension; j++) {
        next[0][j] = splat(0);
        for (int i = 0; i < dimension; i++)
            next[0][j] -= theta[i] * a[i][j];
        for (int i = 1; i < dimension; i++)
            next[i][j] = a[i - 1][j];
    }
}

/* Computes K, and keeps the doublings for the adjoint. */
INLINE void impulse_products(vector (*k)[M], struct doubling *doubling, vector (*work)[M][M], const vector *theta,
                             size_t n, const int dimension)
{
    vector(*a)[M] = work[0], (*next)[M] = work[1];
    companion(a, theta, dimension);
    for (int i = 0; i < dimension; i++)
        clear(k[i], dimension);
    k[0][0] = splat(1);
    for (int bit = mp_arima_doublings(n) - 1; bit >= 0; bit--, doubling++) {
        copy(doubling->k, k, dimension);
        copy(doubling->a, a, dimension);
        multiply(next, a, k, dimension);
        add_symmetric(k, next, a, dimension);
        multiply(next, a, a, dimension);
        copy(a, next, dimension);
        if (n >> bit & 1) {
            copy(doubling->doubled, a, dimension);
            step(k, a, doubling->doubled, theta, dimension);
        }
    }
}

/* Before the step, the power was D = doubling->doubled. Replaces by_a, the derivatives by F D, by those by D. Adds
 * those by the first row of F to by_theta. */
INLINE void step_adjoint(const struct doubling *doubling, const vector *theta, vector (*by_k)[M], vector (*by_a)[M],
                         vector *by_theta, const int dimension)
{
    vector by_d[M][M];
    for (int j = 0; j < dimension; j++)
        for (int i = 0; i < dimension; i++) {
            by_theta[i] -= by_a[0][j] * doubling->doubled[i][j];
            by_d[i][j] = i + 1 < dimension ? by_a[i + 1][j] : splat(0);
            by_d[i][j] -= theta[i] * by_a[0][j];
        }
    for (int i = 0; i < dimension; i++) {
        for (int j = 0; j < dimension; j++)
            by_d[i][0] += 2 * by_k[i][j] * doubling->doubled[j][0];
        for (int j = 0; j < dimension; j++)
            by_a[i][j] = by_d[i][j];
    }
}

/* Replaces by_a and by_k by the derivatives by the power and the sum before the doubling. */
INLINE void doubling_adjoint(struct doubling *doubling, vector (*by_k)[M], vector (*by_a)[M], vector (*work)[M][M],
                             const int dimension)
{
    vector(*half)[M] = work[0], (*product)[M] = work[1], (*by_square)[M] = work[2];
    multiply_transposed(by_square, doubling->a, by_a, dimension);
    for (int i = 0; i < dimension; i++)
        for (int j = 0; j < dimension; j++)
            for (int k = 0; k < dimension; k++)
                by_square[i][j] += by_a[i][k] * doubling->a[j][k];
    multiply(half, by_k, doubling->a, dimension);
    multiply(product, half, doubling->k, dimension);
    for (int i = 0; i < dimension; i++)
        for (int j = 0; j < dimension; j++)
            by_a[i][j] = by_square[i][j] + 2 * product[i][j];
    for (int i = 0; i < dimension; i++)
        for (int j = 0; j <= i; j++) {
            for (int k = 0; k < dimension; k++)
                by_k[i][j] += doubling->a[k][i] * half[k][j];
            by_k[j][i] = by_k[i][j];
        }
}

/* Adds to by_theta. by_k, symmetric, holds the derivatives of a function by K, and is overwritten. */
INLINE void impulse_adjoint(vector (*by_k)[M], struct doubling *doubling, vector (*work)[M][M], const vector *theta,
                            vector *by_theta, size_t n, const int dimension)
{
    vector(*by_a)[M] = work[0];
    int doublings = mp_arima_doublings(n);
    for (int i = 0; i < dimension; i++)
        clear(by_a[i], dimension);
    doubling += doublings;
    for (int bit = 0; bit < doublings; bit++) {
        doubling--;
        if (n >> bit & 1)
            step_adjoint(doubling, theta, by_k, by_a, by_theta, dimension);
        doubling_adjoint(doubling, by_k, by_a, work + 1, dimension);
    }
    for (int j = 0; j < dimension; j++)
        by_theta[j] -= by_a[0][j];
}

#endif
