/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared network: recurrent layers over a series' blocks, and a head that chooses between its windows.
 *
 *     inputs -> LSTM -> last state ─┐
 *     features ─────────────────────┴─> x -> 32 tanh -> for each of 40 spans ahead: a logit per window, a residual
 *     forecast of a span = sum over the windows of softmax(logits) x window mean, times exp(residual)
 *
 * The head, one row per series (head_kernel.h has the mixture and its gradient):
 *
 *     x = [h | features]     [tile x (units + 16)]   one feature is always 1, so W1 needs no bias
 *     a = tanh(x W1)         [tile x 32]
 *     y = a W2 + b           [tile x 5 * 48]
 *     f = mixture of y    [tile x 48]
 *
 * and back, from df, the gradient of the loss (loss.h) averaged over the batch:
 *
 *     dy from df             db += column sums of dy     dW2 += a' dy     da = dy W2'
 *     dt = da (1 - a^2)      dW1 += x' dt                dx = dt W1', whose left part is dh
 *
 * W2 and b begin at zero, so an untrained network is the plain mean of the four windows' means. Without recurrent
 * layers the head sees the features alone. */
#ifndef MP_METHODS_LSTM_NETWORK_SHARED_NET_H
#define MP_METHODS_LSTM_NETWORK_SHARED_NET_H

#include "methods/lstm/features/examples.h"
#include "methods/lstm/network/batch.h"
#include "support/random.h"

/* The shipped weights' validation loss is 0.0352, 0.0348 and 0.0360 with 16, 32 and 64 (tests/bench/run.sh
 * lstm_weights). */
enum { MP_LSTM_HEAD_HIDDEN = 32 };

/* A worker's memory for the head of one tile. */
struct lstm_head_scratch {
    real *x, *hidden, *outputs; /* x, a, y; in the backward pass y becomes dy */
    real *forecasts;
    real *d_x, *d_hidden, *d_forecasts; /* in training only */
};

struct lstm_shared_net {
    struct lstm_work work;
    size_t units;                                     /* of a last state; 0 without recurrent layers */
    real *backward_first, *backward_last;             /* training: W1' and W2', packed */
    struct lstm_head_scratch scratch[MP_LSTM_GROUPS]; /* one for each worker */
    double loss[MP_LSTM_GROUPS];
    struct arena arena;
    const struct lstm_examples *examples; /* this and the next one are set during a call */
    real *forecasts;
};

/* The shape of the network with `layers` recurrent layers (0 .. MP_LSTM_MOST_LAYERS) of `hidden` units. */
struct lstm_shape mp_lstm_shared_net_shape(size_t layers, size_t hidden);

/* Initialises all parameters: an untrained network. */
void mp_lstm_shared_net_init_parameters(const struct lstm_shape *shape, struct random *random, real *parameters);

/* All weights as forward products read them, in an array with the parameters' layout (workspace.h). */
void mp_lstm_shared_net_pack(struct gemm gemm, const struct lstm_shape *shape, const real *parameters, real *packed);

/* Allocates all memory at once; the network sets the plan's steps itself. False if memory is refused; then there is
 * nothing to free. */
bool mp_lstm_shared_net_make(struct lstm_shared_net *net, const struct lstm_shape *shape, const struct lstm_plan *plan,
                             const struct memory *memory);
void mp_lstm_shared_net_free(struct lstm_shared_net *net, const struct memory *memory);

/* In a plan without packed weights: must be called before the first call below, and after every change of the
 * parameters. */
void mp_lstm_shared_net_set_parameters(struct lstm_shared_net *net, const real *parameters);

/* forecasts[series][MP_LSTM_OUTPUT_ROW], of which the first MP_LSTM_OUTPUTS count. */
void mp_lstm_shared_net_forecast(struct lstm_shared_net *net, const struct lstm_examples *examples, real *forecasts);

/* Series that a network without recurrent layers forecasts, of whose output spans the first ones are wanted. */
struct lstm_head_rows {
    size_t count, spans;
    const real *features; /* [count][MP_LSTM_FEATURES] */
    const real *means;    /* [count][MP_LSTM_WINDOWS] */
    real *forecasts;      /* [count][MP_LSTM_OUTPUT_ROW] */
};

/* The same forecasts without a net, from parameters that are not packed. Of the scratch, `hidden` and `outputs` are
 * used, with a row for each series. */
void mp_lstm_shared_net_head(struct gemm gemm, const real *parameters, const struct lstm_head_rows *of,
                             const struct lstm_head_scratch *scratch);

/* The loss and, in a net for training, its gradient by all parameters. */
double mp_lstm_shared_net_gradient(struct lstm_shared_net *net, const struct lstm_examples *examples, real *gradient);

/* Floating-point operations of one series' forward pass; with the backward pass there are three times as many. */
double mp_lstm_shared_net_cost(const struct lstm_shape *shape);

#endif
