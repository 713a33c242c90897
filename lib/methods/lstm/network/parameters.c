/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/parameters.h"

#include "support/memory.h"

#include <math.h>

struct lstm_layer mp_lstm_layer(const struct lstm_shape *shape, size_t layer)
{
    size_t units = mp_padded(shape->hidden), first = 0;
    struct lstm_layer l = {0};
    for (size_t i = 0; i <= layer; i++, first = l.bias_hh + 4 * units) {
        size_t width = i == 0 ? shape->inputs : units;
        l = (struct lstm_layer){
            .inputs = i == 0 ? shape->inputs : shape->hidden, .units = units, .rows = units + width};
        l.weights = first;
        l.bias_ih = first + l.rows * 4 * units;
        l.bias_hh = l.bias_ih + 4 * units;
    }
    return l;
}

size_t mp_lstm_head(const struct lstm_shape *shape)
{
    if (shape->layers == 0)
        return 0;
    struct lstm_layer last = mp_lstm_layer(shape, shape->layers - 1);
    return last.bias_hh + 4 * last.units;
}

/* The bound counts every layer with rows for the inputs and for the units below, so that no sum overflows. */
size_t mp_lstm_parameters(const struct lstm_shape *shape)
{
    size_t most = SIZE_MAX / 1024, units = shape->hidden > most ? most : mp_padded(shape->hidden);
    if (shape->hidden > most || shape->inputs > most || shape->head > most ||
        mp_product(mp_product(shape->layers, 2 * units + shape->inputs + 2), 4 * units) > most)
        return SIZE_MAX;
    return mp_padded(mp_lstm_head(shape) + shape->head);
}

double mp_lstm_layers_cost(const struct lstm_shape *shape, size_t steps)
{
    double products = 0;
    for (size_t l = 0; l < shape->layers; l++) {
        struct lstm_layer layer = mp_lstm_layer(shape, l);
        products += 4 * (double)layer.units * (double)layer.rows;
    }
    return 2 * products * (double)steps;
}

/* ---- initial values ---------------------------------------------------------------------------------------------- */

void mp_lstm_init_uniform(struct random *random, double limit, real *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (real)mp_random_between(random, -limit, limit);
}

/* Initialises a row of a gate matrix: four gates' numbers, but no padding. */
static void init_gates(struct random *random, double limit, size_t hidden, size_t units, real *row)
{
    for (size_t gate = 0; gate < 4; gate++)
        mp_lstm_init_uniform(random, limit, row + gate * units, hidden);
}

/* Weights and the first bias are uniform within 1 / sqrt(hidden), as in PyTorch. The second bias is 1 for the forget
 * gate and 0 for the others. */
static void init_layer(const struct lstm_shape *shape, size_t layer, struct random *random, real *parameters)
{
    struct lstm_layer l = mp_lstm_layer(shape, layer);
    double limit = 1 / sqrt((double)shape->hidden);
    for (size_t row = 0; row < l.rows; row++)
        if (row < shape->hidden || (row >= l.units && row < l.units + l.inputs))
            init_gates(random, limit, shape->hidden, l.units, parameters + l.weights + row * 4 * l.units);
    init_gates(random, limit, shape->hidden, l.units, parameters + l.bias_ih);
    for (size_t unit = 0; unit < shape->hidden; unit++)
        parameters[l.bias_hh + l.units + unit] = 1; /* forget little at first */
}

void mp_lstm_init_layers(const struct lstm_shape *shape, struct random *random, real *parameters)
{
    for (size_t l = 0; l < shape->layers; l++)
        init_layer(shape, l, random, parameters);
}

/* ---- PyTorch's layout -------------------------------------------------------------------------------------------- */

/* One matrix of [4 hidden][columns], which is `columns` rows of ours, either way. */
static void exchange(const struct lstm_layer *l, size_t hidden, size_t columns, real *ours, real *theirs, bool in)
{
    for (size_t gate = 0; gate < 4; gate++)
        for (size_t unit = 0; unit < hidden; unit++)
            for (size_t column = 0; column < columns; column++) {
                real *here = ours + column * 4 * l->units + gate * l->units + unit;
                real *there = theirs + (gate * hidden + unit) * columns + column;
                *(in ? here : there) = *(in ? there : here);
            }
}

static void exchange_layer(const struct lstm_shape *shape, size_t layer, real *parameters, struct lstm_weights w,
                           bool in)
{
    struct lstm_layer l = mp_lstm_layer(shape, layer);
    real *weights = parameters + l.weights;
    exchange(&l, shape->hidden, shape->hidden, weights, w.weight_hh, in);
    exchange(&l, shape->hidden, l.inputs, weights + l.units * 4 * l.units, w.weight_ih, in);
    exchange(&l, shape->hidden, 1, parameters + l.bias_ih, w.bias_ih, in);
    exchange(&l, shape->hidden, 1, parameters + l.bias_hh, w.bias_hh, in);
}

void mp_lstm_export(const struct lstm_shape *shape, size_t layer, const real *parameters, struct lstm_weights weights)
{
    exchange_layer(shape, layer, (real *)parameters, weights, false);
}

void mp_lstm_import(const struct lstm_shape *shape, size_t layer, real *parameters, struct lstm_weights weights)
{
    exchange_layer(shape, layer, parameters, weights, true);
}
