/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a tile of series forward through all steps of the layers, and backward.
 *
 * Forward, for each step and layer, one row per series (workspace.h has the shapes, cell_kernel.h the gates):
 *
 *     z = [h | x] W + b                   [tile x 4 units] = [tile x rows] [rows x 4 units]
 *     h', c' = cells(z, c)                h' goes into the next step's [h | x], and into the next layer's of this step
 *
 * Backward, from the last step and the top layer on:
 *
 *     dz from dh + d_output and dc    in the place of the gates; dh and dc come from the step after
 *     d[h | x] = dz W'                left part: dh of the step before; right part: d_output of the layer below
 *     db += column sums of dz         both of PyTorch's biases get it
 *     dW += [h | x]' dz               over the rows of several steps at once
 *
 * bytes: a series' forward pass does not depend on its tile. A gradient's additions have a fixed order: rows of a tile,
 * then steps from the last to the first; threads: a tile writes only to its worker and to the gradient that it gets;
 * allocates: nothing. */
#ifndef MP_METHODS_LSTM_NETWORK_TILE_H
#define MP_METHODS_LSTM_NETWORK_TILE_H

#include "methods/lstm/network/batch.h"

struct lstm_tile {
    const struct lstm_work *work;
    const struct lstm_worker *worker;
    const struct lstm_batch *batch;
    size_t first, count; /* series of the batch; count is at most MP_LSTM_TILE_ROWS */
};

void mp_lstm_tile_forward(const struct lstm_tile *tile);

/* Begins with worker->d_output; adds to the gradient. */
void mp_lstm_tile_backward(const struct lstm_tile *tile, real *gradient);

/* The top layer's states after a step; without training, only those of the last step exist. */
const real *mp_lstm_tile_top(const struct lstm_tile *tile, size_t step);

#endif
