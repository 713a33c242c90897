/* SPDX-License-Identifier: BSD-3-Clause */
/* The objective is minus the log-likelihood. So the inverse of its second derivatives H is the asymptotic covariance of
 * the coefficients; here H is the Gauss-Newton matrix. With Cholesky's H = L L',
 *
 *     inv(H) = inv(L)' inv(L),   standard_error(e)^2 = inv(H)(e, e) = |column e of inv(L)|^2.
 *
 * Column e of inv(L) is the solution x of L x = (0 .. 1 .. 0)', 1 in place e; it begins with e zeros. */
#include "methods/arima/standard_errors.h"

#include <math.h>

typedef double square_matrix[MP_ARIMA_PARAMETERS][MP_ARIMA_PARAMETERS];

/* The index of the i-th of the p + q coefficients among the point's parameters: phi first, theta from `dimension`
 * on. */
static unsigned parameter_index(const struct arima_candidate *candidate, unsigned dimension, unsigned i)
{
    return i < candidate->p ? i : dimension + i - candidate->p;
}

/* Copies the lower triangle of H of the n coefficients. */
static void load_hessian(const struct arima_point *point, unsigned dimension, size_t l,
                         const struct arima_candidate *candidate, unsigned n, square_matrix a)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j <= i; j++) {
            unsigned row = parameter_index(candidate, dimension, i), column = parameter_index(candidate, dimension, j);
            a[i][j] = point->hessian[row][column].lane[l];
        }
}

/* Replaces H by L. If a pivot is not positive, its diagonal and the column below it become 0, and the variance infinite.
 * The factorisation of newton_step.h would replace the pivot by a small number. */
static void factorise(square_matrix a, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j <= i; j++) {
            for (unsigned k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            if (i == j)
                a[i][i] = a[i][i] > 0 ? sqrt(a[i][i]) : 0;
            else
                a[i][j] = a[j][j] > 0 ? a[i][j] / a[j][j] : 0;
        }
}

/* |column e of inv(L)|^2; infinite if a pivot from e on is 0. */
static double variance_of(square_matrix l, unsigned n, unsigned e)
{
    double x[MP_ARIMA_PARAMETERS], sum = 0;
    for (unsigned i = e; i < n; i++) {
        x[i] = i == e;
        for (unsigned k = e; k < i; k++)
            x[i] -= l[i][k] * x[k];
        x[i] = l[i][i] > 0 ? x[i] / l[i][i] : INFINITY;
        sum += x[i] * x[i];
    }
    return sum;
}

void mp_arima_standard_errors(const struct arima_point *point, unsigned dimension, size_t l,
                              struct arima_candidate *candidate)
{
    square_matrix factor;
    unsigned n = candidate->p + candidate->q;
    load_hessian(point, dimension, l, candidate, n, factor);
    factorise(factor, n);
    for (unsigned e = 0; e < n; e++)
        candidate->standard_error[e] = sqrt(variance_of(factor, n, e));
}
