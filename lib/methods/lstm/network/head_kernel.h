/* SPDX-License-Identifier: BSD-3-Clause */
/* From the head's numbers to forecasts and back, one kernel of each per vector width. */
#ifndef MP_METHODS_LSTM_NETWORK_HEAD_KERNEL_H
#define MP_METHODS_LSTM_NETWORK_HEAD_KERNEL_H

#include "methods/lstm/features/examples.h"

/* A row of the head's numbers: the window's gates, one row of outputs after another, and the residual's. */
enum { MP_LSTM_HEAD_ROW = (MP_LSTM_WINDOWS + 1) * MP_LSTM_OUTPUT_ROW };

#define MP_LSTM_HEAD_KERNELS(bytes)                                                                                    \
    /* n numbers become their hyperbolic tangents; the gradient by these that by the numbers */                        \
    void mp_lstm_tangents_##bytes(size_t n, real *numbers);                                                            \
    void mp_lstm_tangents_back_##bytes(size_t n, const real *tangents, real *d);                                       \
    /* forecast = sum of softmax(gates) x mean of the window, times exp(residual within -1 .. 1). numbers: in: gates \
     * and residual, out: the windows' weights and the residual */ \
    void mp_lstm_mix_##bytes(size_t rows, real *numbers, const real *means, real *forecasts);                          \
    /* numbers: in: what mp_lstm_mix left, out: the gradient by what it got */                                         \
    void mp_lstm_mix_back_##bytes(size_t rows, real *numbers, const real *means, const real *d_forecasts)

MP_LSTM_HEAD_KERNELS(16);
MP_LSTM_HEAD_KERNELS(32);
MP_LSTM_HEAD_KERNELS(64);

#endif
