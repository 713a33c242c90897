/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/head_kernel.h"

#include "support/activation.h"

enum { W = MP_LSTM_WINDOWS, ROW = MP_LSTM_OUTPUT_ROW };

INLINE vector exponential(vector x)
{
    struct power e;
    powers_of(1, &x, &e);
    return fused(e.scale, e.excess, e.scale);
}

INLINE vector within_one(vector x)
{
    x = choose(x > splat(1), splat(1), x);
    return choose(x < splat(-1), splat(-1), x);
}

void MP_WIDE(mp_lstm_tangents)(size_t n, real *numbers)
{
    for (size_t i = 0; i < n; i += WIDTH)
        store(numbers + i, hyperbolic_tangent(load(numbers + i)));
}

void MP_WIDE(mp_lstm_tangents_back)(size_t n, const real *tangents, real *d)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        vector t = load(tangents + i);
        store(d + i, load(d + i) * fused(-t, t, splat(1)));
    }
}

/* The windows' weights in the place of their gates. */
INLINE void soft_maximum(real *gates)
{
    vector y[W], largest = load(gates), sum = splat(0);
    struct power e[W];
    for (int w = 1; w < W; w++) {
        vector gate = load(gates + w * ROW);
        largest = choose(gate > largest, gate, largest);
    }
    for (int w = 0; w < W; w++)
        y[w] = load(gates + w * ROW) - largest;
    powers_of(W, y, e);
    for (int w = 0; w < W; w++) {
        y[w] = fused(e[w].scale, e[w].excess, e[w].scale);
        sum += y[w];
    }
    for (int w = 0; w < W; w++)
        store(gates + w * ROW, y[w] / sum);
}

INLINE vector mixture(const real *weights, const real *means)
{
    vector sum = splat(0);
    for (int w = 0; w < W; w++)
        sum = fused(load(weights + w * ROW), splat(means[w]), sum);
    return sum;
}

void MP_WIDE(mp_lstm_mix)(size_t rows, real *numbers, const real *means, real *forecasts)
{
    for (size_t r = 0; r < rows; r++, numbers += MP_LSTM_HEAD_ROW, means += W, forecasts += ROW)
        for (size_t b = 0; b < ROW; b += WIDTH) {
            soft_maximum(numbers + b);
            vector factor = exponential(within_one(load(numbers + W * ROW + b)));
            store(forecasts + b, mixture(numbers + b, means) * factor);
        }
}

void MP_WIDE(mp_lstm_mix_back)(size_t rows, real *numbers, const real *means, const real *d_forecasts)
{
    for (size_t r = 0; r < rows; r++, numbers += MP_LSTM_HEAD_ROW, means += W, d_forecasts += ROW)
        for (size_t b = 0; b < ROW; b += WIDTH) {
            vector residual = load(numbers + W * ROW + b), mixed = mixture(numbers + b, means);
            vector d = load(d_forecasts + b) * exponential(within_one(residual)), zero = splat(0);
            for (int w = 0; w < W; w++)
                store(numbers + w * ROW + b, d * load(numbers + w * ROW + b) * (splat(means[w]) - mixed));
            vector d_residual = choose(residual > splat(1), zero, choose(residual < splat(-1), zero, d * mixed));
            store(numbers + W * ROW + b, d_residual);
        }
}
