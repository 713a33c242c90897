/* SPDX-License-Identifier: BSD-3-Clause */
/* The weights that the library ships, made by tests/bench/lstm_weights.c from the traces in examples/data. */
#ifndef MP_METHODS_LSTM_PRETRAINED_WEIGHTS_H
#define MP_METHODS_LSTM_PRETRAINED_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

/* Numbers are whole multiples of 2^-12. */
struct lstm_pretrained {
    uint32_t layers, hidden;
    size_t parameters, quantiles;
    const int16_t *values; /* [parameters], in the order of lstm_layout.h, then [quantiles] of the residuals */
};

extern const struct lstm_pretrained mp_lstm_pretrained;

#endif
