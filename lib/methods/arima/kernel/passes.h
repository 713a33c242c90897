/* SPDX-License-Identifier: BSD-3-Clause */
/* Included into likelihood_kernel.c and start_kernel.c, each compiled once per vector width.
 *
 * The passes over the observations: all that costs time in proportion to their number. The letters are those of
 * likelihood.h. A pass works on `count` vectors of lanes at once, because one alone would wait for its own recursion.
 * `dimension` and `count` are constants to the compiler, so past values and sums stay in registers.
 *
 * bytes: every sum is over t in ascending order, in H'e descending; CHUNK decides only where H c is cut to 0. */
#ifndef MP_METHODS_ARIMA_KERNEL_PASSES_H
#define MP_METHODS_ARIMA_KERNEL_PASSES_H

#include "methods/arima/kernel/likelihood.h"

/* M is the largest state dimension. With TOGETHER vectors one recursion runs while the other waits for its last
 * result. CHUNK observations of u, e and v of both take 24 KB, of the 32 KB that a first-level cache has. */
enum { M = MP_ARIMA_ORDER, TOGETHER = 2, CHUNK = 64 };

/* One vector of lanes: its columns, its coefficients, and the results of the passes. Products are summed over t. */
struct lane_vector {
    const double *series;       /* w */
    double *filtered_series;    /* u */
    double *residuals;          /* e */
    double *filtered_residuals; /* v */
    vector phi[M], theta[M];
    vector c[M];
    vector he[M];                /* H'e */
    vector squares;              /* r(t) r(t) */
    vector ru[M], rv[M];         /* r(t) u(t - i), r(t) v(t - i), i = 1 .. m */
    vector uu[M], vv[M];         /* u(t) u(t - l), v(t) v(t - l), l = 0 .. m-1, without the last t */
    vector vu[2 * M - 1];        /* [m-1+l]: v(t) u(t - l), l = -(m-1) .. m-1, without the last t */
    vector last_u[M], last_v[M]; /* the last m, the latest first */
};

INLINE vector load(const double *column, size_t t)
{
    return *(const vector *)(column + t * MP_LANE_COLUMN);
}

INLINE void store(double *column, size_t t, vector x)
{
    *(vector *)(column + t * MP_LANE_COLUMN) = x;
}

INLINE void clear(vector *values, int count)
{
    for (int i = 0; i < count; i++)
        values[i] = splat(0);
}

/* past[0] becomes x, past[1] the former past[0], and so on. */
INLINE void shift_in(vector *past, vector x, const int dimension)
{
    for (int i = dimension - 1; i > 0; i--)
        past[i] = past[i - 1];
    past[0] = x;
}

/* x - coefficients . past. The latest past value comes last: only its product has to wait for the step before. */
INLINE vector filter(vector x, const vector *coefficients, const vector *past, const int dimension)
{
    for (int i = dimension - 1; i >= 0; i--)
        x -= coefficients[i] * past[i];
    return x;
}

/* u = w / theta(B), e = phi(B) u */
INLINE void residual_pass(struct lane_vector *vectors, size_t n, const int dimension, const int count)
{
    vector past[TOGETHER][M], phi[TOGETHER][M], theta[TOGETHER][M];
    for (int s = 0; s < count; s++)
        for (int i = 0; i < dimension; i++) {
            past[s][i] = splat(0);
            phi[s][i] = vectors[s].phi[i];
            theta[s][i] = vectors[s].theta[i];
        }
    for (size_t t = 0; t < n; t++)
        for (int s = 0; s < count; s++) {
            vector u = filter(load(vectors[s].series, t), theta[s], past[s], dimension);
            store(vectors[s].residuals, t, filter(u, phi[s], past[s], dimension));
            store(vectors[s].filtered_series, t, u);
            shift_in(past[s], u, dimension);
        }
}

/* H'e: the first m values of e / theta(F), F the forward shift. */
INLINE void backward_pass(struct lane_vector *vectors, size_t n, const int dimension, const int count)
{
    vector later[TOGETHER][M], theta[TOGETHER][M];
    for (int s = 0; s < count; s++)
        for (int i = 0; i < dimension; i++) {
            later[s][i] = splat(0);
            theta[s][i] = vectors[s].theta[i];
        }
    for (size_t t = n; t-- > 0;)
        for (int s = 0; s < count; s++)
            shift_in(later[s], filter(load(vectors[s].residuals, t), theta[s], later[s], dimension), dimension);
    for (int s = 0; s < count; s++)
        for (int i = 0; i < dimension; i++)
            vectors[s].he[i] = later[s][i];
}

/* The past values of H c, u and v between two chunks. */
struct carry {
    vector hc[M], u[M], v[M];
};

/* H c decays. Between chunks its values below 1e-100 become 0, before they become denormal and slow. */
INLINE void flush_to_zero(vector *x, const int dimension)
{
    for (int i = 0; i < dimension; i++)
        x[i] = (vector)((mask)x[i] & (absolute(x[i]) > splat(1e-100)));
}

/* r = e - H c, v = r / theta(B); r'r, and the products of r with the lags of u and v. */
INLINE void smoothing_pass(struct lane_vector *vectors, struct carry *carries, size_t from, size_t to,
                           const int dimension, const int count)
{
    vector hc[TOGETHER][M], u[TOGETHER][M], v[TOGETHER][M], theta[TOGETHER][M];
    vector ru[TOGETHER][M], rv[TOGETHER][M], squares[TOGETHER];
    for (int s = 0; s < count; s++) {
        for (int i = 0; i < dimension; i++) {
            hc[s][i] = carries[s].hc[i];
            u[s][i] = carries[s].u[i];
            v[s][i] = carries[s].v[i];
            theta[s][i] = vectors[s].theta[i];
            ru[s][i] = vectors[s].ru[i];
            rv[s][i] = vectors[s].rv[i];
        }
        squares[s] = vectors[s].squares;
    }
    for (size_t t = from; t < to; t++)
        for (int s = 0; s < count; s++) {
            vector c = t < (size_t)dimension ? vectors[s].c[t] : splat(0);
            c = filter(c, theta[s], hc[s], dimension);
            vector r = load(vectors[s].residuals, t) - c;
            vector next_v = filter(r, theta[s], v[s], dimension);
            for (int i = 0; i < dimension; i++) {
                ru[s][i] += r * u[s][i];
                rv[s][i] += r * v[s][i];
            }
            squares[s] += r * r;
            store(vectors[s].filtered_residuals, t, next_v);
            shift_in(hc[s], c, dimension);
            shift_in(u[s], load(vectors[s].filtered_series, t), dimension);
            shift_in(v[s], next_v, dimension);
        }
    for (int s = 0; s < count; s++) {
        for (int i = 0; i < dimension; i++) {
            carries[s].hc[i] = hc[s][i];
            carries[s].u[i] = u[s][i];
            carries[s].v[i] = v[s][i];
            vectors[s].ru[i] = ru[s][i];
            vectors[s].rv[i] = rv[s][i];
        }
        vectors[s].squares = squares[s];
    }
}

/* The products of u and v at all pairs of lags. */
INLINE void lag_pass(struct lane_vector *lanes, const struct carry *carry, size_t from, size_t to, const int dimension)
{
    vector u[M], v[M], uu[M], vv[M], vu[2 * M - 1];
    for (int i = 0; i < dimension; i++) {
        u[i] = carry->u[i];
        v[i] = carry->v[i];
        uu[i] = lanes->uu[i];
        vv[i] = lanes->vv[i];
    }
    for (int i = 0; i < 2 * dimension - 1; i++)
        vu[i] = lanes->vu[i];
    for (size_t t = from; t < to; t++) {
        shift_in(u, load(lanes->filtered_series, t), dimension);
        shift_in(v, load(lanes->filtered_residuals, t), dimension);
        for (int i = 0; i < dimension; i++) {
            uu[i] += u[0] * u[i];
            vv[i] += v[0] * v[i];
            vu[dimension - 1 + i] += v[0] * u[i];
        }
        for (int i = 1; i < dimension; i++)
            vu[dimension - 1 - i] += u[0] * v[i];
    }
    for (int i = 0; i < dimension; i++) {
        lanes->uu[i] = uu[i];
        lanes->vv[i] = vv[i];
    }
    for (int i = 0; i < 2 * dimension - 1; i++)
        lanes->vu[i] = vu[i];
}

INLINE void clear_products(struct lane_vector *lanes, const int dimension)
{
    lanes->squares = splat(0);
    clear(lanes->ru, dimension);
    clear(lanes->rv, dimension);
    clear(lanes->uu, dimension);
    clear(lanes->vv, dimension);
    clear(lanes->vu, 2 * dimension - 1);
}

/* Both passes, chunk by chunk: a chunk stays in the first-level cache between them. The last observation enters no
 * product of two past values. */
INLINE void product_passes(struct lane_vector *vectors, size_t n, const int dimension, const int count)
{
    struct carry carries[TOGETHER] = {0}, before[TOGETHER];
    for (int s = 0; s < count; s++)
        clear_products(&vectors[s], dimension);
    for (size_t from = 0; from < n; from += CHUNK) {
        size_t to = n - from < CHUNK ? n : from + CHUNK;
        for (int s = 0; s < count; s++) {
            flush_to_zero(carries[s].hc, dimension);
            before[s] = carries[s];
        }
        smoothing_pass(vectors, carries, from, to, dimension, count);
        for (int s = 0; s < count; s++)
            lag_pass(&vectors[s], &before[s], from, to < n ? to : n - 1, dimension);
    }
    for (int s = 0; s < count; s++)
        for (int i = 0; i < dimension; i++) {
            vectors[s].last_u[i] = carries[s].u[i];
            vectors[s].last_v[i] = carries[s].v[i];
        }
}

INLINE void set(struct arima_lanes *lanes, int at, vector x)
{
    *(vector *)(lanes->lane + at) = x;
}

INLINE vector get(const struct arima_lanes *lanes, int at)
{
    return *(const vector *)(lanes->lane + at);
}

/* Stores scale J'J, where the columns of J are u at lags 1 .. m, then v at lags 1 .. m. J'J has four m x m parts. Along
 * a diagonal of a part, the product at lags i + 1 and k + 1 is that at lags i and k without the last term. */
INLINE void gauss_newton(const struct lane_vector *lanes, vector scale, struct arima_point *point, int at,
                         const int dimension)
{
    const vector *u = lanes->last_u, *v = lanes->last_v;
    for (int d = 0; d < dimension; d++) {
        vector uu = lanes->uu[d], vv = lanes->vv[d];
        vector uv = lanes->vu[dimension - 1 - d], vu = lanes->vu[dimension - 1 + d];
        for (int i = 0; i + d < dimension; i++) {
            int k = i + d;
            if (i > 0) {
                uu -= u[i] * u[k];
                vv -= v[i] * v[k];
                uv -= u[i] * v[k];
                vu -= u[k] * v[i];
            }
            set(&point->hessian[i][k], at, scale * uu);
            set(&point->hessian[k][i], at, scale * uu);
            set(&point->hessian[dimension + i][dimension + k], at, scale * vv);
            set(&point->hessian[dimension + k][dimension + i], at, scale * vv);
            set(&point->hessian[i][dimension + k], at, scale * uv);
            set(&point->hessian[dimension + k][i], at, scale * uv);
            set(&point->hessian[k][dimension + i], at, scale * vu);
            set(&point->hessian[dimension + i][k], at, scale * vu);
        }
    }
}

#endif
