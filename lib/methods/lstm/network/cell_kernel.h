/* SPDX-License-Identifier: BSD-3-Clause */
/* What an LSTM does number by number between its matrix products, one kernel of each per vector width. */
#ifndef MP_METHODS_LSTM_NETWORK_CELL_KERNEL_H
#define MP_METHODS_LSTM_NETWORK_CELL_KERNEL_H

#include "support/vectors.h"

/* One layer at one step for a block of series: matrices of `rows` rows, `units` wide (a multiple of MP_ROW). */
struct lstm_cells {
    size_t rows, units;
    real *gates; /* i, f, g, o side by side */
    size_t gates_stride;
    const real *cell_before;
    real *cell; /* rows follow one another, as in cell_before and d_cell */
    real *hidden;
    size_t hidden_stride;
    real *above; /* a copy of hidden for the next layer's input; NULL: none */
    size_t above_stride;

    /* backward: gradients of the loss */
    const real *d_hidden; /* by the next step */
    size_t d_hidden_stride;
    const real *d_output; /* by the next layer, or the head; NULL: none */
    size_t d_output_stride;
    real *d_cell; /* in: by the next step; out: by this one */
    real *d_bias; /* [4 * units], added to */
};

/* One step of Adam on n numbers, a multiple of MP_ROW. */
struct lstm_update {
    real scale;                   /* of the gradient */
    real first_gain, second_gain; /* 1 - beta of the moments */
    real rate, unbias, epsilon;   /* parameter -= rate first / (unbias sqrt(second) + epsilon) */
};

#define MP_LSTM_KERNELS(bytes)                                                                                 \
    /* gates: in: sums, out: the gates; with them the cell and the hidden state */                             \
    void mp_lstm_forward_##bytes(const struct lstm_cells *cells);                                              \
    /* gates: in: the gates, out: the gradient by their sums */                                                \
    void mp_lstm_backward_##bytes(const struct lstm_cells *cells);                                             \
    void mp_lstm_update_##bytes(const struct lstm_update *update, size_t n, const real *gradient, real *first, \
                                real *second, real *parameters)

MP_LSTM_KERNELS(16);
MP_LSTM_KERNELS(32);
MP_LSTM_KERNELS(64);

#endif
