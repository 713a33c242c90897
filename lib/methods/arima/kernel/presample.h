/* SPDX-License-Identifier: BSD-3-Clause */
/* Included into likelihood_kernel.c, which is compiled once per vector width.
 *
 * C, the covariance of the pre-sample effects c(1) .. c(m) (likelihood.h) in units of Var(a), and its adjoint, which
 * turns the derivatives of a function by C into those by phi and theta.
 *
 * Let y = (w(0), w(-1), ...), x = (a(0), a(-1), ...), and c = P y + T x with the Hankel matrices P = [phi(t+k)] and
 * T = [theta(t+k)]. Their rows are t = 1 .. m and their columns k = 0 .. m-1; they are 0 where t + k > m. G = Cov(y) is
 * Toeplitz in the autocovariances. X = Cov(y, x) is upper triangular Toeplitz in the psi-weights. So
 *   C = P Y + T Z = P G P' + P X T' + T X' P' + T T',   Y = Cov(y, c) = G P' + X T',   Z = Cov(x, c) = X' P' + T'.
 *
 * Let B, symmetric, be the derivatives of f by C: df = trace(B dC). With p = B P and t = B T, the derivatives of f are
 *   by P: 2 B Y',   by T: 2 B Z',   by G: P' B P = P' p,   by X: 2 P' B T = 2 P' t.
 * Each of their elements is a derivative by the coefficient, autocovariance or psi-weight that stands there. */
#ifndef MP_METHODS_ARIMA_KERNEL_PRESAMPLE_H
#define MP_METHODS_ARIMA_KERNEL_PRESAMPLE_H

#include "methods/arima/kernel/passes.h"

/* A point is not admissible if a partial autocorrelation r is larger. G has a factor 1 / (1 - r^2) for each: nearer to
 * 1, C has too few correct digits. */
static const double LARGEST_PARTIAL = 0.99999;

/* Returns the lanes where all partial autocorrelations, by the step-down recursion, are well inside -1 .. 1. */
INLINE mask is_stationary(const vector *phi, const int dimension)
{
    vector a[M], b[M];
    mask yes = splat(0) == splat(0);
    for (int i = 0; i < dimension; i++)
        a[i] = phi[i];
    for (int k = dimension - 1; k >= 0; k--) {
        vector r = a[k], scale = 1 / (1 - r * r);
        yes &= absolute(r) < splat(LARGEST_PARTIAL);
        for (int i = 0; i < k; i++)
            b[i] = (a[i] + r * a[k - 1 - i]) * scale;
        for (int i = 0; i < k; i++)
            a[i] = b[i];
    }
    return yes;
}

struct presample {
    vector psi[M + 1], autocovariance[M + 1];
    vector equations[M + 1][M + 1];   /* of the autocovariances, factored L U; the unit diagonal of L is left out */
    vector y[M][M], z[M][M], c[M][M]; /* Y, Z, C */
};

/* theta(j), where theta(0) = 1. */
INLINE vector theta_at(const vector *theta, int j)
{
    return j == 0 ? splat(1) : theta[j - 1];
}

/* psi(k) = theta(k) + phi(1) psi(k-1) + ... + phi(k) psi(0), psi(0) = 1: w(t) is the sum of psi(k) a(t-k). */
INLINE void psi_weights(struct presample *presample, const vector *phi, const vector *theta, const int dimension)
{
    vector *psi = presample->psi;
    psi[0] = splat(1);
    for (int k = 1; k <= dimension; k++) {
        psi[k] = theta[k - 1];
        for (int i = 1; i <= k; i++)
            psi[k] += phi[i - 1] * psi[k - i];
    }
}

/* g(k) - phi(1) g(|k-1|) - ... = sum over j >= k of theta(j) psi(j-k), k = 0 .. m. */
INLINE void autocovariances(struct presample *presample, const vector *phi, const vector *theta, const int dimension)
{
    vector(*a)[M + 1] = presample->equations, *g = presample->autocovariance;
    for (int k = 0; k <= dimension; k++) {
        clear(a[k], dimension + 1);
        g[k] = splat(0);
        for (int j = k; j <= dimension; j++)
            g[k] += theta_at(theta, j) * presample->psi[j - k];
    }
    for (int k = 0; k <= dimension; k++) {
        a[k][k] += splat(1);
        for (int i = 1; i <= dimension; i++)
            a[k][i < k ? k - i : i - k] -= phi[i - 1];
    }
    for (int k = 0; k < dimension; k++) {
        vector inverse = 1 / a[k][k];
        for (int i = k + 1; i <= dimension; i++) {
            vector factor = a[i][k] * inverse;
            a[i][k] = factor;
            for (int j = k + 1; j <= dimension; j++)
                a[i][j] -= factor * a[k][j];
            g[i] -= factor * g[k];
        }
    }
    for (int k = dimension; k >= 0; k--) {
        for (int j = k + 1; j <= dimension; j++)
            g[k] -= a[k][j] * g[j];
        g[k] /= a[k][k];
    }
}

/* Y and Z. */
INLINE void cross_covariances(struct presample *presample, const vector *phi, const vector *theta, const int dimension)
{
    const vector *psi = presample->psi, *g = presample->autocovariance;
    for (int k = 0; k < dimension; k++)
        for (int t = 0; t < dimension; t++) {
            vector y = splat(0), z = t + k < dimension ? theta[t + k] : splat(0);
            for (int l = 0; l < dimension - t; l++) {
                y += g[l < k ? k - l : l - k] * phi[t + l];
                if (l >= k)
                    y += psi[l - k] * theta[t + l];
                if (l <= k)
                    z += psi[k - l] * phi[t + l];
            }
            presample->y[k][t] = y;
            presample->z[k][t] = z;
        }
}

INLINE void presample_covariance(struct presample *presample, const vector *phi, const vector *theta,
                                 const int dimension)
{
    psi_weights(presample, phi, theta, dimension);
    autocovariances(presample, phi, theta, dimension);
    cross_covariances(presample, phi, theta, dimension);
    for (int t = 0; t < dimension; t++)
        for (int s = 0; s <= t; s++) {
            vector c = splat(0);
            for (int k = 0; k < dimension - t; k++)
                c += phi[t + k] * presample->y[k][s] + theta[t + k] * presample->z[k][s];
            presample->c[t][s] = presample->c[s][t] = c;
        }
}

/* Adds the derivatives by P and T. */
INLINE void effects_adjoint(const struct presample *presample, vector (*b)[M], vector *by_phi, vector *by_theta,
                            const int dimension)
{
    for (int s = 0; s < dimension; s++)
        for (int k = 0; k < dimension - s; k++) {
            vector by_y = splat(0), by_z = splat(0);
            for (int r = 0; r < dimension; r++) {
                by_y += b[s][r] * presample->y[k][r];
                by_z += b[s][r] * presample->z[k][r];
            }
            by_phi[s + k] += 2 * by_y;
            by_theta[s + k] += 2 * by_z;
        }
}

/* Adds the derivatives by G and X. */
INLINE void covariances_adjoint(vector (*work)[M][M], const vector *phi, const vector *theta, vector (*b)[M],
                                vector *by_g, vector *by_psi, const int dimension)
{
    vector(*p)[M] = work[0], (*t)[M] = work[1];
    for (int k = 0; k < dimension; k++)
        for (int s = 0; s < dimension; s++) {
            p[s][k] = t[s][k] = splat(0);
            for (int r = 0; r < dimension - k; r++) {
                p[s][k] += b[s][r] * phi[r + k];
                t[s][k] += b[s][r] * theta[r + k];
            }
        }
    for (int k = 0; k < dimension; k++)
        for (int l = 0; l < dimension; l++) {
            vector by_gkl = splat(0), by_xkl = splat(0);
            for (int s = 0; s < dimension - k; s++) {
                by_gkl += phi[s + k] * p[s][l];
                by_xkl += phi[s + k] * t[s][l];
            }
            by_g[l < k ? k - l : l - k] += by_gkl;
            if (l >= k)
                by_psi[l - k] += 2 * by_xkl;
        }
}

/* The equations are A g = h. The derivatives by h, inverse(A') by_g, replace by_g; those by A are then -by_g g'. */
INLINE void autocovariances_adjoint(const struct presample *presample, const vector *theta, vector *by_g,
                                    vector *by_psi, vector *by_phi, vector *by_theta, const int dimension)
{
    const vector(*a)[M + 1] = presample->equations, *g = presample->autocovariance, *psi = presample->psi;
    for (int k = 0; k <= dimension; k++) {
        for (int j = 0; j < k; j++)
            by_g[k] -= a[j][k] * by_g[j];
        by_g[k] /= a[k][k];
    }
    for (int k = dimension - 1; k >= 0; k--)
        for (int i = k + 1; i <= dimension; i++)
            by_g[k] -= a[i][k] * by_g[i];
    for (int k = 0; k <= dimension; k++) {
        for (int i = 1; i <= dimension; i++)
            by_phi[i - 1] += by_g[k] * g[i < k ? k - i : i - k];
        for (int j = k; j <= dimension; j++) {
            if (j > 0)
                by_theta[j - 1] += by_g[k] * psi[j - k];
            by_psi[j - k] += by_g[k] * theta_at(theta, j);
        }
    }
}

INLINE void psi_weights_adjoint(const struct presample *presample, const vector *phi, vector *by_psi, vector *by_phi,
                                vector *by_theta, const int dimension)
{
    for (int k = dimension; k > 0; k--) {
        by_theta[k - 1] += by_psi[k];
        for (int i = 1; i <= k; i++) {
            by_phi[i - 1] += by_psi[k] * presample->psi[k - i];
            by_psi[k - i] += by_psi[k] * phi[i - 1];
        }
    }
}

/* Adds to by_phi and by_theta the derivatives of the function whose derivatives by C are by_c, symmetric. */
INLINE void presample_adjoint(const struct presample *presample, vector (*work)[M][M], const vector *phi,
                              const vector *theta, vector (*by_c)[M], vector *by_phi, vector *by_theta,
                              const int dimension)
{
    vector by_g[M + 1], by_psi[M + 1];
    clear(by_g, dimension + 1);
    clear(by_psi, dimension + 1);
    effects_adjoint(presample, by_c, by_phi, by_theta, dimension);
    covariances_adjoint(work, phi, theta, by_c, by_g, by_psi, dimension);
    autocovariances_adjoint(presample, theta, by_g, by_psi, by_phi, by_theta, dimension);
    psi_weights_adjoint(presample, phi, by_psi, by_phi, by_theta, dimension);
}

#endif
