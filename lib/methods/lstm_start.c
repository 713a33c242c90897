/* SPDX-License-Identifier: BSD-3-Clause */
#include "lstm_start.h"

#include <math.h>

void mp_lstm_start_numbers(struct random *random, double limit, real *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (real)mp_random_between(random, -limit, limit);
}

/* A row of a gate matrix: four gates' numbers, the padded ones left alone. */
static void start_gates(struct random *random, double limit, size_t hidden, size_t units, real *row)
{
    for (size_t gate = 0; gate < 4; gate++)
        mp_lstm_start_numbers(random, limit, row + gate * units, hidden);
}

static void start_layer(const struct lstm_shape *shape, size_t layer, struct random *random, real *parameters)
{
    struct lstm_layer l = mp_lstm_layer(shape, layer);
    double limit = 1 / sqrt((double)shape->hidden);
    for (size_t row = 0; row < l.rows; row++)
        if (row < shape->hidden || (row >= l.units && row < l.units + l.inputs))
            start_gates(random, limit, shape->hidden, l.units, parameters + l.weights + row * 4 * l.units);
    start_gates(random, limit, shape->hidden, l.units, parameters + l.bias_ih);
    for (size_t unit = 0; unit < shape->hidden; unit++)
        parameters[l.bias_hh + l.units + unit] = 1; /* forget little at first */
}

void mp_lstm_start_layers(const struct lstm_shape *shape, struct random *random, real *parameters)
{
    for (size_t l = 0; l < shape->layers; l++)
        start_layer(shape, l, random, parameters);
}
