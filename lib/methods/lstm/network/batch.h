/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a batch of series forward and, in training, backward through the network: tile by tile, on as many threads as
 * the plan has workers.
 *
 * bytes: forecasts are the same for any batch, tile and number of workers; a gradient, for any number of workers
 * (groups, workspace.h); threads: workers draw groups from a counter; allocates: nothing. */
#ifndef MP_METHODS_LSTM_NETWORK_BATCH_H
#define MP_METHODS_LSTM_NETWORK_BATCH_H

#include "methods/lstm/network/workspace.h"

/* The top layer's states of one tile, as a head reads them: of the last step, or of every step where the plan says
 * so. */
struct lstm_view {
    size_t group;        /* < MP_LSTM_GROUPS: two calls with the same one never overlap, and come in a fixed order */
    size_t worker;       /* < the plan's, and < MP_LSTM_GROUPS: two calls with the same one never overlap */
    size_t first, count; /* series of the batch */
    size_t steps;        /* 1, or the batch's */
    const real *hidden;  /* series r at step t: hidden + t * step_stride + r * row_stride; NULL without layers */
    size_t step_stride, row_stride;
    real *d_output; /* not NULL: the head writes the gradient of the loss by every number of `hidden` */
    size_t d_step_stride, d_row_stride;
    real *d_head; /* and adds its parameters' gradient here */
};

struct lstm_batch {
    size_t steps, series; /* steps <= the plan's */
    const real *inputs;   /* [steps][series][inputs] */
    void (*head)(void *user, const struct lstm_view *view);
    void *user;

    /* For tests alone, which compare them with PyTorch's numbers; NULL: states start at 0, and results are not stored.
     * [layers][series][hidden] each. */
    const real *hidden, *cell;
    real *last_hidden, *last_cell;
    real *d_hidden, *d_cell;
    real *d_inputs; /* [steps][series][inputs], in a plan with input_gradients */
};

/* Forecasts with packed weights (workspace.h). The head sees every series once. */
void mp_lstm_forward(struct lstm_work *work, const struct lstm_batch *batch);

/* Runs forward, then computes the gradient by all parameters; the head adds up its own part. The plan must be for
 * training. */
void mp_lstm_gradient(struct lstm_work *work, const struct lstm_batch *batch, real *gradient);

#endif
