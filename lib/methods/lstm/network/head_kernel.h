/* SPDX-License-Identifier: BSD-3-Clause */
/* From a head's outputs to forecasts and back, one kernel of each per vector width.
 *
 * For each output span ahead the head has a gate g_k for each window k, and a residual r. With m_k the window's mean:
 *
 *     w_k = exp(g_k) / sum over j of exp(g_j)     softmax
 *     f   = m exp(r),  m = sum over k of w_k m_k  the gated mean, times a factor; r is clipped to -1 .. 1
 *
 * Since dw_j / dg_k = w_j ((j = k) - w_k), the gradient by a gate needs no sum over windows: with D = df exp(r),
 *
 *     dg_k = D w_k (m_k - m)                      dr = D m, or 0 where r is clipped
 *
 * Bytes: the same for every width. */
#ifndef MP_METHODS_LSTM_NETWORK_HEAD_KERNEL_H
#define MP_METHODS_LSTM_NETWORK_HEAD_KERNEL_H

#include "methods/lstm/features/examples.h"

/* A series' outputs of the head: MP_LSTM_OUTPUT_ROW gates of the first window, of the next ones, then the residuals. */
enum { MP_LSTM_HEAD_ROW = (MP_LSTM_WINDOWS + 1) * MP_LSTM_OUTPUT_ROW };

#define MP_LSTM_HEAD_KERNELS(bytes)                                                                  \
    /* x becomes tanh(x); d, the gradient by tanh(x), becomes that by x: d (1 - tanh(x)^2) */        \
    void mp_lstm_tanh_##bytes(size_t n, real *x);                                                    \
    void mp_lstm_tanh_backward_##bytes(size_t n, const real *tanh_x, real *d);                       \
    /* outputs: in: gates and residuals, out: softmax weights and residuals */                       \
    void mp_lstm_gated_mean_##bytes(size_t rows, real *outputs, const real *means, real *forecasts); \
    /* outputs: in: what mp_lstm_gated_mean left, out: the gradient by gates and residuals */        \
    void mp_lstm_gated_mean_backward_##bytes(size_t rows, real *outputs, const real *means, const real *d_forecasts)

MP_LSTM_HEAD_KERNELS(16);
MP_LSTM_HEAD_KERNELS(32);
MP_LSTM_HEAD_KERNELS(64);

#endif
