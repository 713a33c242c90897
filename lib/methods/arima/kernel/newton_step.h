/* SPDX-License-Identifier: BSD-3-Clause */
/* Included into likelihood_kernel.c, which is compiled once per vector width.
 *
 * The step from a point to the next, and the secant matrix S. The model of the objective is that of NL2SOL: the
 * Gauss-Newton matrix H alone, or augmented, H + S. See Dennis, Gay and Welsch, "An adaptive nonlinear least-squares
 * algorithm", ACM Transactions on Mathematical Software 7, 1981.
 *
 * Let s be the accepted step, y the change of the gradient and H the matrix at the next point. The new S satisfies
 *   S s = y# = y - H s,   so that (H + S) s = y.
 * NL2SOL computes another y#, from its residuals' derivatives. Here S must also hold the second derivatives of the
 * log-determinant. The update is the least change, in the norm that y weights, of the sized matrix:
 *   tau = min(1, |s'y#| / |s'S s|),   z = y# - tau S s,
 *   S <- tau S + (z y' + y z') / (s'y) - (s'z) y y' / (s'y)^2. */
#ifndef MP_METHODS_ARIMA_KERNEL_NEWTON_STEP_H
#define MP_METHODS_ARIMA_KERNEL_NEWTON_STEP_H

#include "methods/arima/kernel/passes.h"

#include <stdbool.h>

/* The lower triangle of a symmetric matrix, row after row: it takes half the stack. */
enum { TRIANGLE = M * (2 * M + 1) };

static inline vector *row_of(vector *triangle, int i)
{
    return triangle + i * (i + 1) / 2;
}

/* H + augmented S + damping diag(H). A parameter that is not active has the row and column of the identity, so that its
 * step is 0. 1e-12 keeps a diagonal of zeros positive. */
static void damped_matrix(const struct arima_point *point, const struct arima_secant *secant,
                          const struct arima_lanes *active, int count, vector damping, vector augmented,
                          vector *triangle, int at)
{
    for (int i = 0; i < count; i++) {
        vector on = get(&active[i], at), *a = row_of(triangle, i);
        for (int j = 0; j <= i; j++)
            a[j] = on * get(&active[j], at) *
                   (get(&point->hessian[i][j], at) + augmented * get(&secant->matrix[i][j], at));
        a[i] = choose(on > splat(0), a[i] + damping * get(&point->hessian[i][i], at) + 1e-12, splat(1));
    }
}

/* Cholesky, in place; returns the lanes where the matrix is positive definite. A pivot below 1e-14 of the diagonal
 * element that it came from is rounding error; 1e-300 keeps the pivot of a zero element positive. matrices.h has two
 * other Cholesky factorisations: this one has up to 2 m rows, and replaces small pivots, because a step must exist. */
static mask factorise(vector *triangle, int count)
{
    mask definite = splat(0) == splat(0);
    for (int j = 0; j < count; j++) {
        vector *b = row_of(triangle, j), least = 1e-14 * absolute(b[j]) + 1e-300;
        for (int k = 0; k < j; k++)
            b[j] -= b[k] * b[k];
        definite &= b[j] > least;
        b[j] = square_root(choose(b[j] > least, b[j], least));
        vector inverse = 1 / b[j];
        for (int i = j + 1; i < count; i++) {
            vector *a = row_of(triangle, i);
            for (int k = 0; k < j; k++)
                a[j] -= a[k] * b[k];
            a[j] *= inverse;
        }
    }
    return definite;
}

/* Solves L L' x = b, L the triangle; x holds b before and the solution afterwards. */
static void substitute(vector *triangle, vector *x, int count)
{
    for (int i = 0; i < count; i++) {
        const vector *a = row_of(triangle, i);
        for (int k = 0; k < i; k++)
            x[i] -= a[k] * x[k];
        x[i] /= a[i];
    }
    for (int i = count - 1; i >= 0; i--) {
        for (int k = i + 1; k < count; k++)
            x[i] -= row_of(triangle, k)[i] * x[k];
        x[i] /= row_of(triangle, i)[i];
    }
}

static void solve_vector(const struct arima_point *point, const struct arima_secant *secant,
                         const struct arima_lanes *active, int count, vector damping, double *augmented,
                         struct arima_lanes *step, int at)
{
    vector triangle[TRIANGLE], x[2 * M], wanted = *(const vector *)augmented;
    damped_matrix(point, secant, active, count, damping, wanted, triangle, at);
    vector kept = choose(factorise(triangle, count), wanted, splat(0));
    bool unchanged = true;
    for (int l = 0; l < WIDTH; l++)
        unchanged &= kept[l] == wanted[l];
    if (!unchanged) {
        *(vector *)augmented = kept;
        damped_matrix(point, secant, active, count, damping, kept, triangle, at);
        factorise(triangle, count);
    }
    for (int i = 0; i < count; i++)
        x[i] = -get(&active[i], at) * get(&point->gradient[i], at);
    substitute(triangle, x, count);
    for (int i = 0; i < count; i++)
        set(&step[i], at, x[i]);
}

static void solve(const struct arima_point *point, const struct arima_secant *secant, const struct arima_lanes *active,
                  unsigned dimension, const double *damping, double *augmented, struct arima_lanes *step)
{
    for (int at = 0; at < MP_LANES; at += WIDTH)
        solve_vector(point, secant, active, (int)(2 * dimension), *(const vector *)(damping + at), augmented + at, step,
                     at);
}

/* Row i of a symmetric matrix times x. `matrix` is one array of its rows, of which only the lower triangle is read. */
INLINE vector row_times(const struct arima_lanes *matrix, int i, const vector *x, int count, int at)
{
    vector sum = splat(0);
    for (int j = 0; j < count; j++)
        sum += x[j] * get(&matrix[j <= i ? i * MP_ARIMA_PARAMETERS + j : j * MP_ARIMA_PARAMETERS + i], at);
    return sum;
}

INLINE vector dot(const vector *x, const vector *y, int count)
{
    vector sum = splat(0);
    for (int i = 0; i < count; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Sets S to tau S + (z y' + y z') / sy - sz y y' / sy^2 in the lanes of `update`. */
static void change_least(struct arima_secant *secant, const vector *z, const vector *y, vector tau, vector sy,
                         mask update, vector sz, int count, int at)
{
    vector inverse = 1 / choose(update, sy, splat(1));
    for (int i = 0; i < count; i++)
        for (int j = 0; j <= i; j++) {
            vector old = get(&secant->matrix[i][j], at);
            vector x = tau * old + (z[i] * y[j] + y[i] * z[j]) * inverse - sz * inverse * inverse * y[i] * y[j];
            set(&secant->matrix[i][j], at, choose(update & is_finite(x), x, old));
        }
}

/* Skips the update where the cosine of the angle between s and y is negative or below 1e-8, the root of the rounding
 * error. There s'y is mostly rounding error, and the update would divide by it. */
static void update_secant_vector(const struct arima_point *before, const struct arima_point *next,
                                 const struct arima_lanes *active, int count, vector accepted,
                                 struct arima_secant *secant, int at)
{
    vector s[2 * M], y[2 * M], z[2 * M], secant_s[2 * M], hessian_curvature = splat(0);
    for (int i = 0; i < count; i++) {
        s[i] = get(&next->parameters[i], at) - get(&before->parameters[i], at);
        y[i] = get(&active[i], at) * (get(&next->gradient[i], at) - get(&before->gradient[i], at));
    }
    for (int i = 0; i < count; i++) {
        vector on = get(&active[i], at);
        hessian_curvature += s[i] * row_times(*before->hessian, i, s, count, at);
        secant_s[i] = on * row_times(*secant->matrix, i, s, count, at);
        z[i] = y[i] - on * row_times(*next->hessian, i, s, count, at); /* y# */
    }
    vector secant_curvature = dot(s, secant_s, count), s_sharp = dot(s, z, count);
    vector sy = dot(s, y, count);
    set(&secant->hessian_curvature, at, hessian_curvature);
    set(&secant->secant_curvature, at, secant_curvature);
    mask update = (accepted > splat(0)) & (sy * sy > 1e-16 * dot(s, s, count) * dot(y, y, count)) & (sy > splat(0));
    vector divisor = choose(secant_curvature == splat(0), splat(1), secant_curvature);
    vector tau = choose(absolute(s_sharp) < absolute(secant_curvature), absolute(s_sharp / divisor), splat(1));
    for (int i = 0; i < count; i++)
        z[i] -= tau * secant_s[i];
    change_least(secant, z, y, tau, sy, update, dot(s, z, count), count, at);
}

static void update_secant(const struct arima_point *before, const struct arima_point *next,
                          const struct arima_lanes *active, unsigned dimension, const double *accepted,
                          struct arima_secant *secant)
{
    for (int at = 0; at < MP_LANES; at += WIDTH)
        update_secant_vector(before, next, active, (int)(2 * dimension), *(const vector *)(accepted + at), secant, at);
}

#endif
