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

INLINE vector clipped(vector x)
{
    x = choose(x > splat(1), splat(1), x);
    return choose(x < splat(-1), splat(-1), x);
}

void MP_WIDE(mp_lstm_tanh)(size_t n, real *x)
{
    for (size_t i = 0; i < n; i += WIDTH)
        store(x + i, hyperbolic_tangent(load(x + i)));
}

void MP_WIDE(mp_lstm_tanh_backward)(size_t n, const real *tanh_x, real *d)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        vector t = load(tanh_x + i);
        store(d + i, load(d + i) * fused(-t, t, splat(1)));
    }
}

/* Stores the weights in the place of the logits. The largest logit is subtracted first, so that none overflows. */
INLINE void softmax(real *logits)
{
    vector y[W], largest = load(logits), sum = splat(0);
    struct power e[W];
    for (int w = 1; w < W; w++) {
        vector logit = load(logits + w * ROW);
        largest = choose(logit > largest, logit, largest);
    }
    for (int w = 0; w < W; w++)
        y[w] = load(logits + w * ROW) - largest;
    powers_of(W, y, e);
    for (int w = 0; w < W; w++) {
        y[w] = fused(e[w].scale, e[w].excess, e[w].scale);
        sum += y[w];
    }
    for (int w = 0; w < W; w++)
        store(logits + w * ROW, y[w] / sum);
}

INLINE vector mixture(const real *weights, const real *means)
{
    vector sum = splat(0);
    for (int w = 0; w < W; w++)
        sum = fused(load(weights + w * ROW), splat(means[w]), sum);
    return sum;
}

void MP_WIDE(mp_lstm_mixture)(size_t rows, size_t spans, real *outputs, const real *means, real *forecasts)
{
    for (size_t r = 0; r < rows; r++, outputs += MP_LSTM_HEAD_ROW, means += W, forecasts += ROW)
        for (size_t b = 0; b < spans; b += WIDTH) {
            softmax(outputs + b);
            vector factor = exponential(clipped(load(outputs + W * ROW + b)));
            store(forecasts + b, mixture(outputs + b, means) * factor);
        }
}

void MP_WIDE(mp_lstm_mixture_backward)(size_t rows, real *outputs, const real *means, const real *d_forecasts)
{
    for (size_t r = 0; r < rows; r++, outputs += MP_LSTM_HEAD_ROW, means += W, d_forecasts += ROW)
        for (size_t b = 0; b < ROW; b += WIDTH) {
            vector residual = load(outputs + W * ROW + b), mean = mixture(outputs + b, means);
            vector d = load(d_forecasts + b) * exponential(clipped(residual)), zero = splat(0);
            for (int w = 0; w < W; w++)
                store(outputs + w * ROW + b, d * load(outputs + w * ROW + b) * (splat(means[w]) - mean));
            vector d_residual = choose(residual > splat(1), zero, choose(residual < splat(-1), zero, d * mean));
            store(outputs + W * ROW + b, d_residual);
        }
}
