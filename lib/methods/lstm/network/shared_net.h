/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared network: recurrent layers over a series' blocks, and a head that chooses between its windows.
 *
 *     inputs -> LSTM -> last state ─┐
 *     features ─────────────────────┴─> 32 tanh -> for each of 40 blocks ahead: a gate per window, a residual
 *     forecast of a block = sum over the windows of softmax(gates) x window mean, times exp(residual)
 *
 * The head's last layer begins at zero, so an untrained network is the plain mean of the four windows' means. Without
 * recurrent layers the head sees the features alone. */
#ifndef MP_METHODS_LSTM_NETWORK_SHARED_NET_H
#define MP_METHODS_LSTM_NETWORK_SHARED_NET_H

#include "methods/lstm/features/examples.h"
#include "methods/lstm/network/batch.h"
#include "support/random.h"

enum { MP_LSTM_HEAD_HIDDEN = 32 };

struct lstm_head_scratch {
    real *x, *hidden, *numbers;       /* of one block: [rows][units + features], [rows][32], [rows][head row] */
    real *forecasts, *d_x, *d_hidden; /* the last two, and d_forecasts: in training only */
    real *d_forecasts;
};

struct lstm_net {
    struct lstm_work work;
    size_t units;                                              /* of a last state; 0 without recurrent layers */
    real *packed_first, *packed_last, *back_first, *back_last; /* the head's weights, as products read them */
    const real *bias;                                          /* of its last layer */
    struct lstm_head_scratch scratch[MP_LSTM_GROUPS];          /* of each worker */
    double loss[MP_LSTM_GROUPS];
    void *arena;
    size_t arena_size;
    const struct lstm_examples *examples; /* during a call */
    real *forecasts;
};

/* The shape of the network with so many recurrent layers (0 .. MP_LSTM_MOST_LAYERS) and hidden units. */
struct lstm_shape mp_lstm_net_shape(size_t layers, size_t hidden);

/* Fresh parameters: an untrained network. */
void mp_lstm_net_start(const struct lstm_shape *shape, struct random *random, real *parameters);

/* For at most so many series at a time. False if memory is refused; then there is nothing to free. */
bool mp_lstm_net_make(struct lstm_net *net, const struct lstm_shape *shape, bool training, size_t series,
                      size_t workers, const struct memory *memory);
void mp_lstm_net_free(struct lstm_net *net, const struct memory *memory);

/* Before the first call, and whenever the parameters have changed; they must stay where they are. */
void mp_lstm_net_prepare(struct lstm_net *net, const real *parameters);

/* forecasts[series][MP_LSTM_OUTPUT_ROW], of which the first MP_LSTM_OUTPUTS count. */
void mp_lstm_net_forecast(struct lstm_net *net, const struct lstm_examples *examples, real *forecasts);

/* The loss and, in a net for training, its gradient by all parameters. */
double mp_lstm_net_gradient(struct lstm_net *net, const struct lstm_examples *examples, real *gradient);

/* Floating-point operations that one series takes forward; three times as many with the way back. */
double mp_lstm_net_cost(const struct lstm_shape *shape);

#endif
