/* SPDX-License-Identifier: BSD-3-Clause */
/* A network with a linear head, for the tests of the LSTM's kernels. */
#ifndef TESTS_LSTM_NETWORK_H
#define TESTS_LSTM_NETWORK_H

#include "support.h"

#include "methods/lstm/training/adam.h"
#include "methods/lstm/network/batch.h"

static const struct memory memory = {mp_default_allocate, mp_default_release, NULL};

/* [outputs][hidden] and [outputs] behind the layers' parameters; the loss is the mean square of head(h) - target. */
struct network {
    struct lstm_shape shape;
    struct lstm_work work;
    struct arena arena;
    size_t outputs;
    real *parameters, *gradient, *first, *second;
    const real *target; /* [shown steps][series][outputs]; NULL: the head computes nothing */
    size_t series, shown;
    real *y, *predicted; /* [shown steps][series][hidden], [..][outputs]; NULL: not kept */
    double loss[MP_LSTM_GROUPS];
};

static inline real *zeros(size_t n)
{
    real *numbers = calloc(n ? n : 1, sizeof *numbers);
    assert_non_null(numbers);
    return numbers;
}

/* A workspace alone, in an arena of its own. */
static inline bool make_work(struct lstm_work *work, struct arena *arena, const struct lstm_shape *shape,
                             const struct lstm_plan *plan, const struct memory *from)
{
    return mp_lstm_work_init(work, shape, plan) && mp_arena_make(arena, mp_lstm_work_lay_out, work, from);
}

static inline struct network make_network(struct lstm_shape shape, size_t outputs, struct lstm_plan plan)
{
    struct network network = {.outputs = outputs};
    shape.head = outputs * (shape.hidden + 1);
    network.shape = shape;
    assert_true(make_work(&network.work, &network.arena, &shape, &plan, &memory));
    size_t n = mp_lstm_parameters(&shape);
    network.parameters = zeros(n);
    network.gradient = zeros(n);
    network.first = zeros(n);
    network.second = zeros(n);
    return network;
}

static inline void free_network(struct network *network)
{
    mp_arena_free(&network->arena, &memory);
    free(network->parameters);
    free(network->gradient);
    free(network->first);
    free(network->second);
}

/* One row of hidden states through the head: adds the square of its error, and stores its gradients. */
static inline void head_row(struct network *n, const struct lstm_view *view, size_t t, size_t r)
{
    const real *h = view->hidden + t * view->step_stride + r * view->row_stride;
    const real *weight = n->parameters + mp_lstm_head(&n->shape), *bias = weight + n->outputs * n->shape.hidden;
    size_t at = t * n->series + view->first + r, hidden = n->shape.hidden, terms = n->shown * n->series * n->outputs;
    real *d = view->d_output ? view->d_output + t * view->d_step_stride + r * view->d_row_stride : NULL;
    if (n->y)
        memcpy(n->y + at * hidden, h, hidden * sizeof *h);
    for (size_t i = 0; d && i < hidden; i++)
        d[i] = 0;
    for (size_t o = 0; n->target && o < n->outputs; o++) {
        double sum = (double)bias[o];
        for (size_t i = 0; i < hidden; i++)
            sum += (double)weight[o * hidden + i] * (double)h[i];
        if (n->predicted)
            n->predicted[at * n->outputs + o] = (real)sum;
        double error = sum - (double)n->target[at * n->outputs + o], slope = 2 * error / (double)terms;
        n->loss[view->group] += error * error / (double)terms;
        for (size_t i = 0; d && i < hidden; i++) {
            d[i] += (real)slope * weight[o * hidden + i];
            view->d_head[o * hidden + i] += (real)slope * h[i];
        }
        if (d)
            view->d_head[n->outputs * hidden + o] += (real)slope;
    }
}

static inline void linear_head(void *user, const struct lstm_view *view)
{
    struct network *network = user;
    for (size_t t = 0; t < view->steps; t++)
        for (size_t r = 0; r < view->count; r++)
            head_row(network, view, t, r);
}

static inline double total_loss(const struct network *network)
{
    double total = 0;
    for (size_t g = 0; g < MP_LSTM_GROUPS; g++)
        total += network->loss[g];
    return total;
}

/* Computes the loss, and in a plan for training the gradient. */
static inline double run_network(struct network *network, struct lstm_batch *batch)
{
    batch->head = linear_head;
    batch->user = network;
    network->series = batch->series;
    network->shown = network->work.plan.training && network->work.plan.every_step ? batch->steps : 1;
    memset(network->loss, 0, sizeof network->loss);
    mp_lstm_work_set_parameters(&network->work, network->parameters);
    if (network->work.plan.training)
        mp_lstm_gradient(&network->work, batch, network->gradient);
    else
        mp_lstm_forward(&network->work, batch);
    return total_loss(network);
}

/* Random numbers between -scale / 2 and scale / 2, the same for float and double. */
static inline real *random_reals(size_t n, double scale, uint64_t seed)
{
    real *numbers = zeros(n);
    uint64_t state = seed;
    for (size_t i = 0; i < n; i++)
        numbers[i] = (real)(((double)(random_number(&state) >> 48) / 65536 - 0.5) * scale);
    return numbers;
}

/* Sets random weights through the import that callers use, so padding stays 0. */
static inline void randomise(struct network *network, double scale, uint64_t seed)
{
    const struct lstm_shape *shape = &network->shape;
    for (size_t l = 0; l < shape->layers; l++) {
        size_t gates = 4 * shape->hidden, inputs = l ? shape->hidden : shape->inputs;
        struct lstm_weights w = {random_reals(gates * inputs, scale, seed + 1 + 10 * l),
                                 random_reals(gates * shape->hidden, scale, seed + 2 + 10 * l),
                                 random_reals(gates, scale, seed + 3 + 10 * l),
                                 random_reals(gates, scale, seed + 4 + 10 * l)};
        mp_lstm_import(shape, l, network->parameters, w);
        free(w.weight_ih);
        free(w.weight_hh);
        free(w.bias_ih);
        free(w.bias_hh);
    }
    real *head = random_reals(shape->head, scale, seed);
    memcpy(network->parameters + mp_lstm_head(shape), head, shape->head * sizeof *head);
    free(head);
}

#endif
