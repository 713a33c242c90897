/* SPDX-License-Identifier: BSD-3-Clause */
/* From a head's outputs to forecasts and back, one kernel per direction and vector width.
 *
 * For each output span ahead the head has a logit l_k for each window k, and a residual r. With m_k the window's mean:
 *
 *     w_k = exp(l_k) / sum over j of exp(l_j)     softmax
 *     f   = m exp(r),  m = sum over k of w_k m_k  a mixture of windows, times a factor; r is clipped to -1 .. 1
 *
 * Since dw_j / dl_k = w_j ((j = k) - w_k), the gradient by a logit needs no sum over windows: with D = df exp(r),
 *
 *     dl_k = D w_k (m_k - m)                      dr = D m, or 0 where r is clipped
 *
 * bytes: the same for every width. */
#ifndef MP_METHODS_LSTM_NETWORK_HEAD_KERNEL_H
#define MP_METHODS_LSTM_NETWORK_HEAD_KERNEL_H

#include "methods/lstm/features/examples.h"

/* A series' outputs of the head: MP_LSTM_OUTPUT_ROW logits of each window, then as many residuals. */
enum { MP_LSTM_HEAD_ROW = (MP_LSTM_WINDOWS + 1) * MP_LSTM_OUTPUT_ROW };

#define MP_LSTM_HEAD_KERNELS(bytes)                                                                               \
    /* x becomes tanh(x); d, the gradient by tanh(x), becomes that by x: d (1 - tanh(x)^2) */                     \
    void mp_lstm_tanh_##bytes(size_t n, real *x);                                                                 \
    void mp_lstm_tanh_backward_##bytes(size_t n, const real *tanh_x, real *d);                                    \
    /* outputs: in: logits and residuals, out: softmax weights and residuals. Only the first `spans`, in whole  \
     * vectors, of each row are read and written. */ \
    void mp_lstm_mixture_##bytes(size_t rows, size_t spans, real *outputs, const real *means, real *forecasts);   \
    /* outputs: in: as mp_lstm_mixture left all of them, out: the gradient by logits and residuals */             \
    void mp_lstm_mixture_backward_##bytes(size_t rows, real *outputs, const real *means, const real *d_forecasts)

MP_LSTM_HEAD_KERNELS(16);
MP_LSTM_HEAD_KERNELS(32);
MP_LSTM_HEAD_KERNELS(64);

#endif
