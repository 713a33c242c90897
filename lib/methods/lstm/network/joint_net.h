/* SPDX-License-Identifier: BSD-3-Clause */
/* The joint network: recurrent layers over the loads of all series at once, and a linear head for each series.
 *
 *     share x experts - 1 of all series, of the last 20 blocks of 50 steps -> LSTM -> last state
 *     last state -> for each series, for each of 40 blocks ahead: (1 + linear) / experts
 *
 * The head begins at zero, so an untrained network forecasts a uniform load. A block that does not exist yet is 0, which
 * is a uniform load as well. */
#ifndef MP_METHODS_LSTM_NETWORK_JOINT_NET_H
#define MP_METHODS_LSTM_NETWORK_JOINT_NET_H

#include "methods/lstm/features/examples.h"
#include "methods/lstm/network/batch.h"
#include "support/random.h"

enum {
    MP_LSTM_JOINT_BLOCKS = 20, /* of the past */
    MP_LSTM_JOINT_BLOCK_STEPS = 50,
    MP_LSTM_JOINT_ORIGINS = MP_ROW /* of a batch, at most: one block of the layers' */
};

struct lstm_joint_net {
    struct lstm_work work; /* of the layers alone: the head's gradient goes straight to the caller's array */
    size_t series, units;
    double experts;
    double *sums;  /* [series] */
    real *inputs;  /* [MP_LSTM_JOINT_BLOCKS][origins][series] of the batch */
    real *states;  /* [units + 1][MP_LSTM_JOINT_ORIGINS]: the last ones, and ones for the bias */
    real *outputs; /* [MP_LSTM_JOINT_ORIGINS][MP_LSTM_OUTPUT_ROW], of one series; on the way back their gradient */
    real *packed;  /* this, as products read it */
    real *part;    /* [units][MP_LSTM_JOINT_ORIGINS]: the gradient by the states, of one series, of all */
    real *d_states;
    void *arena;
    size_t arena_size;
    const real *head;                     /* parameters */
    const struct lstm_examples *examples; /* these and the following during a call */
    real *forecasts, *d_head;
    double loss;
};

/* The shape of the network for so many series. Its head's parameters: [series][units + 1][MP_LSTM_OUTPUT_ROW], so that
 * those of a series are beside each other; the last row is the bias. */
struct lstm_shape mp_lstm_joint_net_shape(size_t layers, size_t hidden, size_t series);

/* Fresh parameters: an untrained network. */
void mp_lstm_joint_start(const struct lstm_shape *shape, struct random *random, real *parameters);

/* False if memory is refused; then there is nothing to free. */
bool mp_lstm_joint_net_make(struct lstm_joint_net *net, const struct lstm_shape *shape, size_t experts, bool training,
                            const struct memory *memory);
void mp_lstm_joint_net_free(struct lstm_joint_net *net, const struct memory *memory);

/* Before the first call, and whenever the parameters have changed; they must stay where they are. */
void mp_lstm_joint_net_prepare(struct lstm_joint_net *net, const real *parameters);

/* Writes the inputs of one of a batch's origins: all series of the panel. */
void mp_lstm_joint_net_look_back(struct lstm_joint_net *net, size_t origin, size_t origins,
                                 const struct lstm_sample *past);

/* forecasts[origins][series][MP_LSTM_OUTPUT_ROW], of which the first MP_LSTM_OUTPUTS count; none is negative. */
void mp_lstm_joint_net_forecast(struct lstm_joint_net *net, size_t origins, real *forecasts);

/* The loss, averaged over the origins and their series, one origin's examples after another's, and, if it is not NULL,
 * the gradient by all parameters (in a net for training). */
double mp_lstm_joint_net_gradient(struct lstm_joint_net *net, const struct lstm_examples *examples, real *gradient);

/* Floating-point operations that one origin takes forward; three times as many with the way back. */
double mp_lstm_joint_net_cost(const struct lstm_shape *shape);

#endif
