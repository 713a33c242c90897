/* SPDX-License-Identifier: BSD-3-Clause */
/* Regressions and periodograms for starting values, lane by lane. Compiled once per vector width.
 *
 * bytes: any change to the order of operations in a lane changes results. threads: none. allocates: nothing. */
#include "methods/arima/kernel/passes.h"

#include <math.h>

enum { LAGS = MP_ARIMA_MOST_LAGS };

/* sums[i] = the sum over t of x(t) y(t - first - i), i = 0 .. M-1. */
INLINE void lag_products(const double *x, const double *y, size_t n, size_t first, vector *sums)
{
    clear(sums, M);
    size_t t = first;
    for (; t < n && t < first + M - 1; t++)
        for (size_t i = 0; i <= t - first; i++)
            sums[i] += load(x, t) * load(y, t - first - i);
    vector sum[M];
    for (int i = 0; i < M; i++)
        sum[i] = sums[i];
    for (; t < n; t++) {
        vector now = load(x, t);
        for (int i = 0; i < M; i++)
            sum[i] += now * load(y, t - first - (size_t)i);
    }
    for (int i = 0; i < M; i++)
        sums[i] = sum[i];
}

/* Computes a(1) .. a(lags) of the autoregression with the autocovariances r, by Levinson's recursion. Once the variance
 * of the residuals is 1e-10 of the series' or less, further coefficients are 0: they would be rounding errors. */
INLINE void levinson(const vector *r, unsigned lags, vector *a)
{
    vector variance = r[0], before[LAGS + 1];
    for (unsigned k = 1; k <= lags; k++) {
        vector sum = r[k];
        for (unsigned i = 1; i < k; i++)
            sum -= a[i] * r[k - i];
        mask positive = variance > 1e-10 * r[0];
        vector reflection = choose(positive, sum / choose(positive, variance, splat(1)), splat(0));
        for (unsigned i = 1; i < k; i++)
            before[i] = a[i];
        for (unsigned i = 1; i < k; i++)
            a[i] -= reflection * before[k - i];
        a[k] = reflection;
        variance *= 1 - reflection * reflection;
    }
}

/* Stores the residuals of that autoregression in the column of v. */
INLINE void long_residuals(const struct lane_vector *lanes, size_t n, const vector *a, unsigned lags)
{
    for (size_t t = 0; t < n; t++) {
        vector e = load(lanes->series, t);
        for (unsigned i = 1; i <= lags && i <= t; i++)
            e -= a[i] * load(lanes->series, t - i);
        store(lanes->filtered_residuals, t, e);
    }
}

/* Stores the normal equations of w on the lags of w, in place of u, and on those of the residuals, in place of v. */
INLINE void regress_vector(struct lane_vector *lanes, size_t n, unsigned lags, struct arima_point *point, int at,
                           const int dimension)
{
    vector r[LAGS + M + 1], a[LAGS + 1], sums[M];
    for (unsigned first = 0; first <= lags || first <= (unsigned)dimension; first += M)
        lag_products(lanes->series, lanes->series, n, first, r + first);
    levinson(r, lags, a);
    long_residuals(lanes, n, a, lags);
    lag_products(lanes->series, lanes->filtered_residuals, n, 1, sums);
    for (int i = 0; i < dimension; i++) {
        set(&point->gradient[i], at, -r[1 + i]);
        set(&point->gradient[dimension + i], at, -sums[i]);
        lanes->last_u[i] = load(lanes->series, n - 1 - (size_t)i);
        lanes->last_v[i] = load(lanes->filtered_residuals, n - 1 - (size_t)i);
    }
    const struct carry carry = {0};
    clear_products(lanes, dimension);
    lag_pass(lanes, &carry, 0, n - 1, dimension);
    gauss_newton(lanes, splat(1), point, at, dimension);
}

#define REGRESS(dimension)                                                                                             \
    static void regress_##dimension(const struct arima_workspace *workspace, unsigned lags, struct arima_point *point) \
    {                                                                                                                  \
        for (int at = 0; at < MP_LANES; at += WIDTH) {                                                                 \
            struct lane_vector lanes;                                                                                  \
            lanes.series = mp_arima_lane(workspace, workspace->series, (size_t)at);                                    \
            lanes.filtered_series = mp_arima_lane(workspace, workspace->series, (size_t)at);                           \
            lanes.filtered_residuals = mp_arima_lane(workspace, workspace->filtered_residuals, (size_t)at);            \
            regress_vector(&lanes, workspace->n, lags, point, at, dimension);                                          \
        }                                                                                                              \
    }
REGRESS(1)
REGRESS(2)
REGRESS(3)
REGRESS(4)
REGRESS(5)
REGRESS(6)
REGRESS(7)
REGRESS(8)

static void regress(const struct arima_workspace *workspace, unsigned dimension, unsigned lags,
                    struct arima_point *point)
{
    static void (*const regressions[M])(const struct arima_workspace *, unsigned, struct arima_point *) = {
        regress_1, regress_2, regress_3, regress_4, regress_5, regress_6, regress_7, regress_8,
    };
    regressions[dimension - 1](workspace, lags, point);
}

/* twiddles[2k] and [2k+1] are the cosine and sine of 2 pi k / size, k < size / 2. Each is the product of the rotations
 * for the bits of k; halving the right angle gives these. We do not call cos and sin: C libraries differ in their last
 * digit. */
static void make_twiddles(double *twiddles, size_t size)
{
    double c = 0, s = 1; /* a quarter turn */
    twiddles[0] = 1;
    twiddles[1] = 0;
    for (size_t bit = size / 4; bit > 0; bit /= 2) {
        for (size_t k = 0; k < size / 2; k += 2 * bit) {
            double re = twiddles[2 * k], im = twiddles[2 * k + 1];
            twiddles[2 * (k + bit)] = re * c - im * s;
            twiddles[2 * (k + bit) + 1] = re * s + im * c;
        }
        double half = sqrt(0.5 * (1 + c));
        s = s / (2 * half);
        c = half;
    }
}

/* Returns the bits of k in reverse order. */
INLINE size_t reversed(size_t k, size_t size)
{
    size_t r = 0;
    for (; size > 1; size >>= 1, k >>= 1)
        r = r << 1 | (k & 1);
    return r;
}

/* Cooley and Tukey's transform: radix 2, decimation in time, in place. */
INLINE void transform(double *re, double *im, size_t size, const double *twiddles)
{
    for (size_t half = 1; half < size; half *= 2)
        for (size_t k = 0; k < half; k++) {
            const double *turn = twiddles + 2 * k * (size / 2 / half);
            vector c = splat(turn[0]), s = splat(turn[1]);
            for (size_t a = k; a < size; a += 2 * half) {
                size_t b = a + half;
                vector x = load(re, b), y = load(im, b), p = load(re, a), q = load(im, a);
                vector u = c * x + s * y, v = c * y - s * x;
                store(re, a, p + u);
                store(im, a, q + v);
                store(re, b, p - u);
                store(im, b, q - v);
            }
        }
}

static void periodogram(const struct arima_workspace *workspace, size_t size, double *twiddles)
{
    make_twiddles(twiddles, size);
    for (size_t at = 0; at < MP_LANES; at += WIDTH) {
        const double *x = mp_arima_lane(workspace, workspace->residuals, at);
        double *re = mp_arima_lane(workspace, workspace->filtered_series, at);
        double *im = mp_arima_lane(workspace, workspace->filtered_residuals, at);
        for (size_t k = 0; k < size; k++) {
            size_t t = reversed(k, size);
            store(re, k, t < workspace->n ? load(x, t) : splat(0));
            store(im, k, splat(0));
        }
        transform(re, im, size, twiddles);
        for (size_t k = 0; k < size / 2; k++)
            store(re, k, load(re, k) * load(re, k) + load(im, k) * load(im, k));
    }
}

#define PASTE(a, b) a##b
#define TABLE(bytes) PASTE(mp_arima_start_kernel_, bytes)
extern const struct arima_start_kernel TABLE(MP_LANE_BYTES);
const struct arima_start_kernel TABLE(MP_LANE_BYTES) = {.regress = regress, .periodogram = periodogram};
