/* SPDX-License-Identifier: BSD-3-Clause */
/* The layout of a network's parameters: recurrent layers, then a head of any kind, in one array without pointers. An
 * optimiser, a copy and a checkpoint need not know more than its length.
 *
 * A layer's weights W are a matrix [units + inputs][4 units], the right factor of z = [h | x] W + b. It has a row for
 * each element of the previous state and of the input, with the gates i, f, g, o side by side. Units are padded to a
 * multiple of MP_ROW. Padding is 0 and stays 0: its gates see 0, so its states and its gradients are 0. */
#ifndef MP_METHODS_LSTM_NETWORK_PARAMETERS_H
#define MP_METHODS_LSTM_NETWORK_PARAMETERS_H

#include "support/random.h"
#include "support/vectors.h"

enum { MP_LSTM_MOST_LAYERS = 4 }; /* the length of arrays of layers; the shipped network has one */

struct lstm_shape {
    size_t inputs, hidden; /* 1 or more each */
    size_t layers;         /* at most MP_LSTM_MOST_LAYERS; 0: a head alone */
    size_t head;           /* parameters of the head */
};

struct lstm_layer {
    size_t inputs, units, rows;       /* rows = units + inputs, the input of a higher layer being padded */
    size_t weights, bias_ih, bias_hh; /* where they begin in the array; PyTorch has two biases, and adds them */
};

struct lstm_layer mp_lstm_layer(const struct lstm_shape *shape, size_t layer);

/* Where the head's parameters begin, behind those of all layers. */
size_t mp_lstm_head(const struct lstm_shape *shape);

/* The array's length, a multiple of MP_ROW; SIZE_MAX where that does not fit. */
size_t mp_lstm_parameters(const struct lstm_shape *shape);

/* Floating-point operations of the layers' forward pass, for one series over `steps` steps. */
double mp_lstm_layers_cost(const struct lstm_shape *shape, size_t steps);

/* One layer in PyTorch's layout, rows i, f, g, o: [4 hidden][inputs], [4 hidden][hidden], [4 hidden], [4 hidden], where
 * a higher layer's inputs are the lower one's hidden. */
struct lstm_weights {
    real *weight_ih, *weight_hh, *bias_ih, *bias_hh;
};

void mp_lstm_export(const struct lstm_shape *shape, size_t layer, const real *parameters, struct lstm_weights weights);
void mp_lstm_import(const struct lstm_shape *shape, size_t layer, real *parameters, struct lstm_weights weights);

/* Initialises the layers' parameters in an array of zeros; padding stays 0. */
void mp_lstm_init_layers(const struct lstm_shape *shape, struct random *random, real *parameters);

/* Draws n parameters, uniform between -limit and limit. */
void mp_lstm_init_uniform(struct random *random, double limit, real *to, size_t n);

#endif
