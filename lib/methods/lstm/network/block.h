/* SPDX-License-Identifier: BSD-3-Clause */
/* One block of series, through all steps and back. */
#ifndef MP_METHODS_LSTM_NETWORK_BLOCK_H
#define MP_METHODS_LSTM_NETWORK_BLOCK_H

#include "methods/lstm/network/batch.h"

struct lstm_block {
    const struct lstm_work *work;
    const struct lstm_worker *worker;
    const struct lstm_batch *batch;
    size_t first, count; /* at most MP_LSTM_BLOCK */
};

void mp_lstm_block_forward(const struct lstm_block *block);

/* From worker->d_output; adds to the gradient. */
void mp_lstm_block_backward(const struct lstm_block *block, real *gradient);

/* Where the top layer's state after a step is; without training only the last one's is kept. */
const real *mp_lstm_block_top(const struct lstm_block *block, size_t step);

#endif
