/* SPDX-License-Identifier: BSD-3-Clause */
/* The weights that the library ships. tests/bench/lstm_weights.c makes them from the traces in examples/data. */
#ifndef MP_METHODS_LSTM_PRETRAINED_WEIGHTS_H
#define MP_METHODS_LSTM_PRETRAINED_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

/* A weight is a multiple of this. */
#define MP_LSTM_PRETRAINED_UNIT (1.0 / 4096)

enum { MP_LSTM_PRETRAINED_NETWORKS = 2 };

struct lstm_pretrained {
    uint32_t layers, hidden; /* without layers the number of hidden units has no meaning */
    size_t parameters;
    const int16_t *values; /* [parameters], in the order of parameters.h */
};

/* The default network, and its head alone. */
extern const struct lstm_pretrained mp_lstm_pretrained[MP_LSTM_PRETRAINED_NETWORKS];

#endif
