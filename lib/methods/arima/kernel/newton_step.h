/* SPDX-License-Identifier: BSD-3-Clause */
/* The step from a point to the next: a damped solution, and what the gradients on the way tell of the curvature. */
#ifndef MP_METHODS_ARIMA_KERNEL_NEWTON_STEP_H
#define MP_METHODS_ARIMA_KERNEL_NEWTON_STEP_H

#include "methods/arima/kernel/passes.h"

#include <stdbool.h>

/* The lower triangle of a symmetric matrix, row behind row: half the stack. */
enum { TRIANGLE = M * (2 * M + 1) };

static inline vector *row_of(vector *triangle, int i)
{
    return triangle + i * (i + 1) / 2;
}

/* The damped matrix; a parameter that is not active does not move. */
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

/* Cholesky, in place; the lanes where that works. */
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

static void solve_vector(const struct arima_point *point, const struct arima_secant *secant,
                         const struct arima_lanes *active, int count, vector damping, double *augmented,
                         struct arima_lanes *step, int at)
{
    vector triangle[TRIANGLE], x[2 * M], use = *(const vector *)augmented;
    damped_matrix(point, secant, active, count, damping, use, triangle, at);
    mask definite = factorise(triangle, count);
    vector still = choose(definite, use, splat(0));
    bool same = true;
    for (int l = 0; l < WIDTH; l++)
        same &= still[l] == use[l];
    if (!same) {
        *(vector *)augmented = still;
        damped_matrix(point, secant, active, count, damping, still, triangle, at);
        factorise(triangle, count);
    }
    for (int i = 0; i < count; i++) {
        const vector *a = row_of(triangle, i);
        x[i] = -get(&active[i], at) * get(&point->gradient[i], at);
        for (int k = 0; k < i; k++)
            x[i] -= a[k] * x[k];
        x[i] /= a[i];
    }
    for (int i = count - 1; i >= 0; i--) {
        for (int k = i + 1; k < count; k++)
            x[i] -= row_of(triangle, k)[i] * x[k];
        x[i] /= row_of(triangle, i)[i];
        put(&step[i], at, x[i]);
    }
}

static void solve(const struct arima_point *point, const struct arima_secant *secant, const struct arima_lanes *active,
                  unsigned order, const double *damping, double *augmented, struct arima_lanes *step)
{
    for (int at = 0; at < MP_LANES; at += WIDTH)
        solve_vector(point, secant, active, (int)(2 * order), *(const vector *)(damping + at), augmented + at, step,
                     at);
}

/* Of the symmetric matrix of which the lower triangle is given, row i times x. */
INLINE vector row_times(struct arima_lanes (*matrix)[MP_ARIMA_PARAMETERS], int i, const vector *x, int count, int at)
{
    vector sum = splat(0);
    for (int j = 0; j < count; j++)
        sum += x[j] * get(j <= i ? &matrix[i][j] : &matrix[j][i], at);
    return sum;
}

/* Dennis, Gay and Welsch (1981): the least change of the sized secant that satisfies the condition. */
static void update_secant_vector(const struct arima_point *before, const struct arima_point *next,
                                 const struct arima_lanes *active, int count, vector taken, struct arima_secant *secant,
                                 int at)
{
    vector step[2 * M], change[2 * M], lack[2 * M], of_secant[2 * M];
    vector curvature = splat(0), extra = splat(0), wanted = splat(0), along = splat(0), lengths[2] = {0};
    for (int i = 0; i < count; i++) {
        step[i] = get(&next->parameters[i], at) - get(&before->parameters[i], at);
        change[i] = get(&active[i], at) * (get(&next->gradient[i], at) - get(&before->gradient[i], at));
    }
    for (int i = 0; i < count; i++) {
        vector on = get(&active[i], at);
        curvature +=
            step[i] * row_times((struct arima_lanes(*)[MP_ARIMA_PARAMETERS])before->hessian, i, step, count, at);
        of_secant[i] = on * row_times(secant->matrix, i, step, count, at);
        lack[i] =
            change[i] - on * row_times((struct arima_lanes(*)[MP_ARIMA_PARAMETERS])next->hessian, i, step, count, at);
        extra += step[i] * of_secant[i];
        wanted += step[i] * lack[i];
        along += step[i] * change[i];
        lengths[0] += step[i] * step[i];
        lengths[1] += change[i] * change[i];
    }
    put(&secant->hessian_curvature, at, curvature);
    put(&secant->secant_curvature, at, extra);
    /* A step that the gradient hardly changed along teaches nothing. */
    mask update = (taken > splat(0)) & (along * along > 1e-16 * lengths[0] * lengths[1]) & (along > splat(0));
    vector size = choose(absolute(wanted) < absolute(extra),
                         absolute(wanted / choose(extra == splat(0), splat(1), extra)), splat(1));
    vector inverse = 1 / choose(update, along, splat(1)), rest = splat(0);
    for (int i = 0; i < count; i++) {
        lack[i] -= size * of_secant[i];
        rest += step[i] * lack[i];
    }
    for (int i = 0; i < count; i++)
        for (int j = 0; j <= i; j++) {
            vector old = get(&secant->matrix[i][j], at);
            vector x = size * old + (lack[i] * change[j] + change[i] * lack[j]) * inverse -
                       rest * inverse * inverse * change[i] * change[j];
            put(&secant->matrix[i][j], at, choose(update & is_finite(x), x, old));
        }
}

static void update_secant(const struct arima_point *before, const struct arima_point *next,
                          const struct arima_lanes *active, unsigned order, const double *taken,
                          struct arima_secant *secant)
{
    for (int at = 0; at < MP_LANES; at += WIDTH)
        update_secant_vector(before, next, active, (int)(2 * order), *(const vector *)(taken + at), secant, at);
}

#endif
