/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/joint_net.h"

#include "methods/lstm/network/loss.h"

#include <string.h>

enum { ORIGINS = MP_LSTM_JOINT_ORIGINS, ROW = MP_LSTM_OUTPUT_ROW };

/* Parameters of the head of one series. */
static size_t head_size(size_t units)
{
    return (units + 1) * ROW;
}

struct lstm_shape mp_lstm_joint_net_shape(size_t layers, size_t hidden, size_t series)
{
    struct lstm_shape shape = {.inputs = series, .hidden = hidden, .layers = layers};
    shape.head = mp_product(series, head_size(mp_padded(hidden)));
    return shape;
}

void mp_lstm_joint_net_init_parameters(const struct lstm_shape *shape, struct random *random, real *parameters)
{
    memset(parameters, 0, mp_lstm_parameters(shape) * sizeof *parameters);
    mp_lstm_init_layers(shape, random, parameters);
}

double mp_lstm_joint_net_cost(const struct lstm_shape *shape)
{
    return mp_lstm_layers_cost(shape, MP_LSTM_JOINT_BLOCKS) + 2 * (double)shape->head;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void lay_out(void *self, struct arena *arena)
{
    struct lstm_joint_net *net = self;
    const size_t column_bytes = ORIGINS * sizeof(real);
    mp_lstm_work_lay_out(&net->work, arena);
    net->sums = mp_arena_take(arena, net->series, sizeof *net->sums);
    net->inputs = mp_arena_take(arena, mp_product(net->series, MP_LSTM_JOINT_BLOCKS), column_bytes);
    net->states = mp_arena_take(arena, net->units + 1, column_bytes);
    net->outputs = mp_arena_take(arena, ROW, column_bytes);
    if (!net->work.plan.training)
        return;
    net->packed = mp_arena_take(arena, ROW, column_bytes);
    net->product = mp_arena_take(arena, net->units, column_bytes);
    net->d_states = mp_arena_take(arena, net->units, column_bytes);
}

/* The memory of the layers is for a shape without a head. */
bool mp_lstm_joint_net_make(struct lstm_joint_net *net, const struct lstm_shape *shape, size_t experts, bool training,
                            const real *packed, const struct memory *memory)
{
    struct lstm_plan plan = {.steps = MP_LSTM_JOINT_BLOCKS, .workers = 1, .series = ORIGINS, .packed = packed};
    struct lstm_shape layers = *shape;
    layers.head = 0;
    plan.training = training;
    *net =
        (struct lstm_joint_net){.series = shape->inputs, .units = mp_padded(shape->hidden), .experts = (double)experts};
    return mp_lstm_parameters(shape) < SIZE_MAX && mp_lstm_work_init(&net->work, &layers, &plan) &&
           mp_arena_make(&net->arena, lay_out, net, memory);
}

void mp_lstm_joint_net_free(struct lstm_joint_net *net, const struct memory *memory)
{
    mp_arena_free(&net->arena, memory);
}

void mp_lstm_joint_net_set_parameters(struct lstm_joint_net *net, const real *parameters)
{
    if (!net->work.plan.packed)
        mp_lstm_work_set_parameters(&net->work, parameters);
    net->head = parameters + mp_lstm_head(&net->work.shape);
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

/* The block that begins with this step of the panel: its mean shares times experts, less 1. */
static void block_inputs(struct lstm_joint_net *net, const struct panel *panel, size_t step, real *to)
{
    double scale = net->experts / MP_LSTM_JOINT_BLOCK_STEPS;
    memset(net->sums, 0, net->series * sizeof *net->sums);
    mp_lstm_add_steps(panel, step, MP_LSTM_JOINT_BLOCK_STEPS, 0, net->series, net->sums);
    for (size_t i = 0; i < net->series; i++)
        to[i] = (real)(net->sums[i] * scale - 1);
}

void mp_lstm_joint_net_fill_inputs(struct lstm_joint_net *net, size_t origin, size_t origins,
                                   const struct lstm_sample *sample)
{
    for (size_t b = 0; b < MP_LSTM_JOINT_BLOCKS; b++) {
        real *to = net->inputs + (b * origins + origin) * net->series;
        size_t ago = (MP_LSTM_JOINT_BLOCKS - b) * MP_LSTM_JOINT_BLOCK_STEPS;
        if (ago <= sample->steps)
            block_inputs(net, sample->panel, sample->end - ago, to);
        else
            memset(to, 0, net->series * sizeof *to);
    }
}

/* ---- the head ---------------------------------------------------------------------------------------------------- */

/* H: one column per origin. */
static void gather_states(struct lstm_joint_net *net, const struct lstm_view *view)
{
    for (size_t unit = 0; unit < net->units; unit++)
        for (size_t r = 0; r < view->count; r++)
            net->states[unit * ORIGINS + r] = view->hidden[r * view->row_stride + unit];
    for (size_t r = 0; r < view->count; r++)
        net->states[net->units * ORIGINS + r] = 1;
}

/* y = H' V. */
static void series_outputs(struct lstm_joint_net *net, size_t origins, size_t series)
{
    const real *head = net->head + series * head_size(net->units);
    memset(net->outputs, 0, origins * ROW * sizeof *net->outputs);
    mp_gemm_add_transposed(net->work.gemm, origins, ROW, net->units + 1, net->states, ORIGINS, head, ROW, net->outputs,
                           ROW);
}

static real share_of(const struct lstm_joint_net *net, real output)
{
    return (1 + output) * (real)(1 / net->experts);
}

/* The loss of one series at all origins. Its outputs become dy. */
static double series_loss(struct lstm_joint_net *net, size_t origins, size_t series)
{
    const struct lstm_examples *e = net->examples;
    double loss = 0, weight = 1 / (double)e->series;
    for (size_t r = 0; r < origins; r++) {
        size_t at = r * net->series + series, n = e->n_targets[at];
        real forecasts[ROW], *row = net->outputs + r * ROW;
        for (size_t b = 0; b < n; b++)
            forecasts[b] = share_of(net, row[b]);
        memset(row, 0, ROW * sizeof *row);
        loss += mp_lstm_loss(n, forecasts, e->targets + at * MP_LSTM_OUTPUTS, (double)e->min_load[at],
                             weight / net->experts, row);
    }
    return loss * weight;
}

/* Computes dV, and the series' term of dH, from dy. */
static void series_backward(struct lstm_joint_net *net, size_t origins, size_t series)
{
    struct gemm gemm = net->work.gemm;
    size_t units = net->units, size = head_size(units);
    const real *head = net->head + series * size;
    mp_gemm_pack(gemm, origins, ROW, net->outputs, ROW, 1, ROW, net->packed);
    mp_gemm(gemm, units + 1, ROW, origins, net->states, ORIGINS, net->packed, NULL, net->d_head + series * size, ROW);
    mp_gemm_pack(gemm, MP_LSTM_OUTPUTS, ORIGINS, net->outputs, 1, ROW, origins, net->packed);
    mp_gemm(gemm, units, ORIGINS, MP_LSTM_OUTPUTS, head, ROW, net->packed, NULL, net->product, ORIGINS);
    for (size_t i = 0; i < units * ORIGINS; i++)
        net->d_states[i] += net->product[i];
}

static void scatter_d_states(const struct lstm_joint_net *net, const struct lstm_view *view)
{
    for (size_t r = 0; r < view->count; r++)
        for (size_t unit = 0; unit < net->units; unit++)
            view->d_output[r * view->d_row_stride + unit] = net->d_states[unit * ORIGINS + r];
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static void forecast_head(void *user, const struct lstm_view *view)
{
    struct lstm_joint_net *net = user;
    gather_states(net, view);
    for (size_t s = 0; s < net->series; s++) {
        series_outputs(net, view->count, s);
        for (size_t r = 0; r < view->count; r++)
            for (size_t b = 0; b < ROW; b++) {
                real share = share_of(net, net->outputs[r * ROW + b]);
                net->forecasts[(r * net->series + s) * ROW + b] = share > 0 ? share : 0;
            }
    }
}

static void loss_head(void *user, const struct lstm_view *view)
{
    struct lstm_joint_net *net = user;
    gather_states(net, view);
    if (net->d_head)
        memset(net->d_states, 0, net->units * ORIGINS * sizeof *net->d_states);
    for (size_t s = 0; s < net->series; s++) {
        series_outputs(net, view->count, s);
        net->loss += series_loss(net, view->count, s);
        if (net->d_head)
            series_backward(net, view->count, s);
    }
    if (net->d_head)
        scatter_d_states(net, view);
}

static struct lstm_batch batch_of(struct lstm_joint_net *net, size_t origins,
                                  void (*head)(void *user, const struct lstm_view *view))
{
    return (struct lstm_batch){
        .steps = MP_LSTM_JOINT_BLOCKS, .series = origins, .inputs = net->inputs, .head = head, .user = net};
}

void mp_lstm_joint_net_forecast(struct lstm_joint_net *net, size_t origins, real *forecasts)
{
    struct lstm_batch batch = batch_of(net, origins, forecast_head);
    net->forecasts = forecasts;
    mp_lstm_forward(&net->work, &batch);
}

double mp_lstm_joint_net_gradient(struct lstm_joint_net *net, const struct lstm_examples *examples, real *gradient)
{
    struct lstm_batch batch = batch_of(net, examples->series / net->series, loss_head);
    net->examples = examples;
    net->d_head = gradient ? gradient + mp_lstm_head(&net->work.shape) : NULL;
    net->loss = 0;
    if (gradient)
        mp_lstm_gradient(&net->work, &batch, gradient);
    else
        mp_lstm_forward(&net->work, &batch);
    return net->loss;
}
