/* SPDX-License-Identifier: BSD-3-Clause */
/* An LSTM's arithmetic between its matrix products, unit by unit: one kernel per direction and vector width.
 *
 * Forward, from z = [h | x] W + b, whose columns are four gates of `units` numbers each. c and h are of the step
 * before, c' and h' of this one, and s(z) = 1 / (1 + exp(-z)):
 *
 *     i = s(z_i)     f = s(z_f)     g = tanh(z_g)     o = s(z_o)
 *     c' = f c + i g                h' = o tanh(c')
 *
 * Backward, with dh the loss's gradient by h' and dc its gradient by c' through the steps after this one:
 *
 *     dh = d_hidden + d_output      dc' = dc + dh o (1 - tanh(c')^2),  where tanh(c') = h' / o
 *     dz_i = dc' g i (1 - i)        dz_f = dc' c f (1 - f)
 *     dz_g = dc' i (1 - g^2)        dz_o = dh h' (1 - o)
 *     d_cell = dc' f                d_bias += dz
 *
 * S. Hochreiter, J. Schmidhuber, Long short-term memory, 1997; the forget gate f: F. Gers, J. Schmidhuber, F. Cummins,
 * 2000. Gates stand in PyTorch's order.
 *
 * bytes: the same for every width. */
#ifndef MP_METHODS_LSTM_NETWORK_CELL_KERNEL_H
#define MP_METHODS_LSTM_NETWORK_CELL_KERNEL_H

#include "support/vectors.h"

/* One layer at one step for a tile of series: matrices of `rows` rows, `units` wide (a multiple of MP_ROW). */
struct lstm_cells {
    size_t rows, units;
    real *gates; /* i | f | g | o */
    size_t gates_stride;
    const real *cell_before; /* c; its rows follow one another, as in cell and d_cell */
    real *cell;              /* c' */
    real *hidden;            /* h' */
    size_t hidden_stride;
    real *next_input; /* a copy of hidden for the next layer's x; NULL: none */
    size_t next_input_stride;

    /* backward: gradients of the loss */
    const real *d_hidden; /* by h', through the next step */
    size_t d_hidden_stride;
    const real *d_output; /* by h', through the next layer or the head; NULL: none */
    size_t d_output_stride;
    real *d_cell; /* in: dc; out: the same for the step before */
    real *d_bias; /* [4 * units], added to */
};

/* Forward turns z into i, f, g, o in `gates`, and fills `cell` and `hidden`. Backward turns i, f, g, o into dz. */
#define MP_LSTM_CELL_KERNELS(bytes)                                     \
    void mp_lstm_cells_forward_##bytes(const struct lstm_cells *cells); \
    void mp_lstm_cells_backward_##bytes(const struct lstm_cells *cells)

MP_LSTM_CELL_KERNELS(16);
MP_LSTM_CELL_KERNELS(32);
MP_LSTM_CELL_KERNELS(64);

#endif
