/* SPDX-License-Identifier: BSD-3-Clause */
/* The passes over the observations: all that costs time in proportion to their number. Every pass works on `strands`
 * vectors of lanes at once, because one vector alone would wait for its own recursion; with `order` and `strands`
 * constant, its windows of past values and its sums stay in registers. */
#ifndef MP_METHODS_ARIMA_KERNEL_PASSES_H
#define MP_METHODS_ARIMA_KERNEL_PASSES_H

#include "methods/arima/kernel/likelihood.h"

enum { M = MP_ARIMA_ORDER, STRANDS = 2, CHUNK = 64 };

/* One vector of lanes: its columns, its coefficients, what the passes find. */
struct strand {
    const double *series;
    double *filtered, *residuals, *twice;
    vector phi[M], theta[M];
    vector presample[M];                    /* c */
    vector projection[M];                   /* H'e */
    vector squares;                         /* sum of squares of e - H c */
    vector with_filtered[M];                /* residuals x filtered at lags 1 .. m */
    vector with_twice[M];                   /* residuals x twice at lags 1 .. m */
    vector filtered_lags[M];                /* filtered x filtered at lags 0 .. m-1, of all but the last observation */
    vector twice_lags[M];                   /* twice x twice */
    vector cross_lags[2 * M - 1];           /* [m-1+l]: twice(t) x filtered(t-l), l = -(m-1) .. m-1 */
    vector last_filtered[M], last_twice[M]; /* at observations n-1, n-2, .. */
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

/* past[0] becomes x, past[1] what past[0] was, ... */
INLINE void shift_in(vector *past, vector x, const int order)
{
    for (int i = order - 1; i > 0; i--)
        past[i] = past[i - 1];
    past[0] = x;
}

/* x less the coefficients times what is past, the latest last: only that one has to wait for the step before. */
INLINE vector filter(vector x, const vector *coefficients, const vector *past, const int order)
{
    for (int i = order - 1; i >= 0; i--)
        x -= coefficients[i] * past[i];
    return x;
}

/* u = w / theta(B), and the residuals phi(B) u, given zeros before the first observation. */
INLINE void residual_pass(struct strand *strands, size_t n, const int order, const int count)
{
    vector past[STRANDS][M], phi[STRANDS][M], theta[STRANDS][M];
    for (int s = 0; s < count; s++)
        for (int i = 0; i < order; i++) {
            past[s][i] = splat(0);
            phi[s][i] = strands[s].phi[i];
            theta[s][i] = strands[s].theta[i];
        }
    for (size_t t = 0; t < n; t++)
        for (int s = 0; s < count; s++) {
            vector u = filter(load(strands[s].series, t), theta[s], past[s], order);
            store(strands[s].residuals, t, filter(u, phi[s], past[s], order));
            store(strands[s].filtered, t, u);
            shift_in(past[s], u, order);
        }
}

/* H'e: the residuals through 1 / theta(F), F the forward shift, at the first m observations. */
INLINE void backward_pass(struct strand *strands, size_t n, const int order, const int count)
{
    vector later[STRANDS][M], theta[STRANDS][M];
    for (int s = 0; s < count; s++)
        for (int i = 0; i < order; i++) {
            later[s][i] = splat(0);
            theta[s][i] = strands[s].theta[i];
        }
    for (size_t t = n; t-- > 0;)
        for (int s = 0; s < count; s++)
            shift_in(later[s], filter(load(strands[s].residuals, t), theta[s], later[s], order), order);
    for (int s = 0; s < count; s++)
        for (int i = 0; i < order; i++)
            strands[s].projection[i] = later[s][i];
}

/* What passes from one chunk of observations to the next. */
struct carry {
    vector effect[M], filtered[M], twice[M];
};

/* H c decays. What is left of it is cut to 0 between chunks, before it reaches numbers so small that processors become
 * slow. */
INLINE void cut_small(vector *x, const int order)
{
    for (int i = 0; i < order; i++)
        x[i] = (vector)((mask)x[i] & (absolute(x[i]) > splat(1e-100)));
}

/* e - H c; it over theta(B); its products with the lags of both filtered series. */
INLINE void smoothing_pass(struct strand *strands, struct carry *carries, size_t from, size_t to, const int order,
                           const int count)
{
    vector effect[STRANDS][M], filtered[STRANDS][M], twice[STRANDS][M], theta[STRANDS][M];
    vector with_filtered[STRANDS][M], with_twice[STRANDS][M], squares[STRANDS];
    for (int s = 0; s < count; s++) {
        for (int i = 0; i < order; i++) {
            effect[s][i] = carries[s].effect[i];
            filtered[s][i] = carries[s].filtered[i];
            twice[s][i] = carries[s].twice[i];
            theta[s][i] = strands[s].theta[i];
            with_filtered[s][i] = strands[s].with_filtered[i];
            with_twice[s][i] = strands[s].with_twice[i];
        }
        squares[s] = strands[s].squares;
    }
    for (size_t t = from; t < to; t++)
        for (int s = 0; s < count; s++) {
            vector c = t < (size_t)order ? strands[s].presample[t] : splat(0);
            c = filter(c, theta[s], effect[s], order);
            vector e = load(strands[s].residuals, t) - c;
            vector v = filter(e, theta[s], twice[s], order);
            for (int i = 0; i < order; i++) {
                with_filtered[s][i] += e * filtered[s][i];
                with_twice[s][i] += e * twice[s][i];
            }
            squares[s] += e * e;
            store(strands[s].twice, t, v);
            shift_in(effect[s], c, order);
            shift_in(filtered[s], load(strands[s].filtered, t), order);
            shift_in(twice[s], v, order);
        }
    for (int s = 0; s < count; s++) {
        for (int i = 0; i < order; i++) {
            carries[s].effect[i] = effect[s][i];
            carries[s].filtered[i] = filtered[s][i];
            carries[s].twice[i] = twice[s][i];
            strands[s].with_filtered[i] = with_filtered[s][i];
            strands[s].with_twice[i] = with_twice[s][i];
        }
        strands[s].squares = squares[s];
    }
}

/* Products of the filtered series at all pairs of lags. */
INLINE void lag_pass(struct strand *strand, const struct carry *carry, size_t from, size_t to, const int order)
{
    vector u[M], v[M], uu[M], vv[M], uv[2 * M - 1];
    for (int i = 0; i < order; i++) {
        u[i] = carry->filtered[i];
        v[i] = carry->twice[i];
        uu[i] = strand->filtered_lags[i];
        vv[i] = strand->twice_lags[i];
    }
    for (int i = 0; i < 2 * order - 1; i++)
        uv[i] = strand->cross_lags[i];
    for (size_t t = from; t < to; t++) {
        shift_in(u, load(strand->filtered, t), order);
        shift_in(v, load(strand->twice, t), order);
        for (int i = 0; i < order; i++) {
            uu[i] += u[0] * u[i];
            vv[i] += v[0] * v[i];
            uv[order - 1 + i] += v[0] * u[i];
        }
        for (int i = 1; i < order; i++)
            uv[order - 1 - i] += u[0] * v[i];
    }
    for (int i = 0; i < order; i++) {
        strand->filtered_lags[i] = uu[i];
        strand->twice_lags[i] = vv[i];
    }
    for (int i = 0; i < 2 * order - 1; i++)
        strand->cross_lags[i] = uv[i];
}

INLINE void clear_products(struct strand *strand, const int order)
{
    strand->squares = splat(0);
    clear(strand->with_filtered, order);
    clear(strand->with_twice, order);
    clear(strand->filtered_lags, order);
    clear(strand->twice_lags, order);
    clear(strand->cross_lags, 2 * order - 1);
}

/* Both passes, by chunks that stay in the first-level cache between them. The last observation enters no product of
 * lags 1 and more. */
INLINE void product_passes(struct strand *strands, size_t n, const int order, const int count)
{
    struct carry carries[STRANDS] = {0}, before[STRANDS];
    for (int s = 0; s < count; s++)
        clear_products(&strands[s], order);
    for (size_t from = 0; from < n; from += CHUNK) {
        size_t to = n - from < CHUNK ? n : from + CHUNK;
        for (int s = 0; s < count; s++) {
            cut_small(carries[s].effect, order);
            before[s] = carries[s];
        }
        smoothing_pass(strands, carries, from, to, order, count);
        for (int s = 0; s < count; s++)
            lag_pass(&strands[s], &before[s], from, to < n ? to : n - 1, order);
    }
    for (int s = 0; s < count; s++)
        for (int i = 0; i < order; i++) {
            strands[s].last_filtered[i] = carries[s].filtered[i];
            strands[s].last_twice[i] = carries[s].twice[i];
        }
}

INLINE void put(struct arima_lanes *lanes, int at, vector x)
{
    *(vector *)(lanes->lane + at) = x;
}

INLINE vector get(const struct arima_lanes *lanes, int at)
{
    return *(const vector *)(lanes->lane + at);
}

/* scale J'J, J the filtered series at lags 1 .. m, then the twice filtered. Along a diagonal the products differ by the
 * last observations only. */
INLINE void gauss_newton(const struct strand *strand, vector scale, struct arima_point *point, int at, const int order)
{
    const vector *u = strand->last_filtered, *v = strand->last_twice;
    for (int d = 0; d < order; d++) {
        vector uu = strand->filtered_lags[d], vv = strand->twice_lags[d];
        vector uv = strand->cross_lags[order - 1 - d], vu = strand->cross_lags[order - 1 + d];
        for (int i = 0; i + d < order; i++) {
            int k = i + d;
            if (i > 0) {
                uu -= u[i] * u[k];
                vv -= v[i] * v[k];
                uv -= u[i] * v[k];
                vu -= u[k] * v[i];
            }
            put(&point->hessian[i][k], at, scale * uu);
            put(&point->hessian[k][i], at, scale * uu);
            put(&point->hessian[order + i][order + k], at, scale * vv);
            put(&point->hessian[order + k][order + i], at, scale * vv);
            put(&point->hessian[i][order + k], at, scale * uv);
            put(&point->hessian[order + k][i], at, scale * uv);
            put(&point->hessian[k][order + i], at, scale * vu);
            put(&point->hessian[order + i][k], at, scale * vu);
        }
    }
}

#endif
