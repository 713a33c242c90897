/* SPDX-License-Identifier: BSD-3-Clause */
/* The joint network: recurrent layers over the loads of all series at once, and a linear head for each series.
 *
 *     share x experts - 1 of all series, of the last 20 blocks of 50 steps -> LSTM -> last state
 *     last state -> for each series, for each of 40 spans ahead: (1 + linear) / experts
 *
 * A batch is of origins, not of series: one row of the layers per origin, with all series as its inputs. The head
 * reads the states transposed: H = [h; 1] has one column per origin. So a series' weights V [(units + 1) x 48] are a
 * right factor without packing. For each series, one after another:
 *
 *     y = H' V         [origins x 48]       f = (1 + y) / experts, and 0 where that is negative
 *     dV = H dy        [(units + 1) x 48]   dy = df / experts, df from the loss (loss.h), averaged over the batch
 *     dH += V dy'      [units x origins]    summed over the series, in their order
 *
 * V begins at zero, so an untrained network forecasts a uniform load. A block that does not exist yet is 0, which is a
 * uniform load as well.
 *
 * threads: one. */
#ifndef MP_METHODS_LSTM_NETWORK_JOINT_NET_H
#define MP_METHODS_LSTM_NETWORK_JOINT_NET_H

#include "methods/lstm/features/examples.h"
#include "methods/lstm/network/batch.h"
#include "support/random.h"

enum {
    MP_LSTM_JOINT_BLOCKS = 20,      /* 1,000 steps */
    MP_LSTM_JOINT_BLOCK_STEPS = 50, /* as of an output span */
    MP_LSTM_JOINT_ORIGINS = MP_ROW  /* of a batch, at most: whole vectors of the head */
};

struct lstm_joint_net {
    struct lstm_work work; /* of the layers alone: the head's gradient goes straight to the caller's array */
    size_t series, units;
    double experts;
    double *sums;   /* [series] */
    real *inputs;   /* [MP_LSTM_JOINT_BLOCKS][origins][series] of the batch */
    real *states;   /* H: [units + 1][MP_LSTM_JOINT_ORIGINS] */
    real *outputs;  /* y, then dy: [MP_LSTM_JOINT_ORIGINS][MP_LSTM_OUTPUT_ROW] of one series */
    real *packed;   /* dy or dy', as products read it */
    real *product;  /* V dy': [units][MP_LSTM_JOINT_ORIGINS] of one series; in training only, as the next one */
    real *d_states; /* dH: the sum over all series */
    struct arena arena;
    const real *head;                     /* V of all series: parameters, as they lie */
    const struct lstm_examples *examples; /* this and the members below are set during a call */
    real *forecasts, *d_head;
    double loss;
};

/* The shape of the network for `series` series. Its head's parameters: [series][units + 1][MP_LSTM_OUTPUT_ROW], so
 * those of a series are beside each other; the last row is the bias. */
struct lstm_shape mp_lstm_joint_net_shape(size_t layers, size_t hidden, size_t series);

/* Initialises all parameters: an untrained network. */
void mp_lstm_joint_net_init_parameters(const struct lstm_shape *shape, struct random *random, real *parameters);

/* packed: NULL, or the layers' weights, packed elsewhere (mp_lstm_pack). False if memory is refused; then there is
 * nothing to free. */
bool mp_lstm_joint_net_make(struct lstm_joint_net *net, const struct lstm_shape *shape, size_t experts, bool training,
                            const real *packed, const struct memory *memory);
void mp_lstm_joint_net_free(struct lstm_joint_net *net, const struct memory *memory);

/* Must be called before the first call below, and after every change of the parameters. They must stay where they are:
 * the head is read there. */
void mp_lstm_joint_net_set_parameters(struct lstm_joint_net *net, const real *parameters);

/* Writes the inputs of one of a batch's origins: all series of the panel. */
void mp_lstm_joint_net_fill_inputs(struct lstm_joint_net *net, size_t origin, size_t origins,
                                   const struct lstm_sample *sample);

/* forecasts[origins][series][MP_LSTM_OUTPUT_ROW], of which the first MP_LSTM_OUTPUTS count; none is negative. */
void mp_lstm_joint_net_forecast(struct lstm_joint_net *net, size_t origins, real *forecasts);

/* Returns the loss, averaged over the origins and their series; `examples` holds one origin's after another's. Unless
 * it is NULL, `gradient` becomes the gradient by all parameters, which needs a net for training. */
double mp_lstm_joint_net_gradient(struct lstm_joint_net *net, const struct lstm_examples *examples, real *gradient);

/* Floating-point operations of one origin's forward pass; with the backward pass there are three times as many. */
double mp_lstm_joint_net_cost(const struct lstm_shape *shape);

#endif
