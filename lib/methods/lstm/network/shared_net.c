/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/shared_net.h"

#include "methods/lstm/network/head_kernel.h"
#include "methods/lstm/network/loss.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

enum { HIDDEN = MP_LSTM_HEAD_HIDDEN, COLUMNS = MP_LSTM_HEAD_ROW };

/* The head's parameters: the first layer's weights, a row per number of [state | features], of which one is always 1; the
 * last layer's, and its bias. */
static size_t head_inputs(size_t units)
{
    return units + MP_LSTM_FEATURES;
}

static size_t last_at(size_t units)
{
    return head_inputs(units) * HIDDEN;
}

static size_t bias_at(size_t units)
{
    return last_at(units) + (size_t)HIDDEN * COLUMNS;
}

static size_t units_of(const struct lstm_shape *shape)
{
    return shape->layers > 0 ? mp_row(shape->hidden) : 0;
}

struct lstm_shape mp_lstm_net_shape(size_t layers, size_t hidden)
{
    struct lstm_shape shape = {.inputs = 1, .hidden = hidden, .layers = layers};
    shape.head = bias_at(units_of(&shape)) + COLUMNS;
    return shape;
}

double mp_lstm_net_cost(const struct lstm_shape *shape)
{
    return mp_lstm_layers_cost(shape, MP_LSTM_INPUT_BLOCKS) + 2 * (double)bias_at(units_of(shape));
}

/* ---- start -------------------------------------------------------------------------------------------------------- */

void mp_lstm_net_start(const struct lstm_shape *shape, struct random *random, real *parameters)
{
    enum { FEATURES = MP_LSTM_WINDOWS + 3 };
    size_t units = units_of(shape), hidden = units > 0 ? shape->hidden : 0;
    real *head = parameters + mp_lstm_head(shape);
    memset(parameters, 0, mp_lstm_parameters(shape) * sizeof *parameters);
    mp_lstm_start_layers(shape, random, parameters);
    double limit = 1 / sqrt((double)(hidden + FEATURES));
    mp_lstm_start_numbers(random, limit, head, hidden * HIDDEN);
    mp_lstm_start_numbers(random, limit, head + units * HIDDEN, (size_t)FEATURES * HIDDEN);
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

/* Gives out `count` numbers of the arena; without one it only counts. */
static real *take(real **at, size_t *used, size_t count)
{
    real *given = *at;
    *used = mp_sum(*used, count);
    if (given)
        *at += count;
    return given;
}

static size_t lay_out(struct lstm_net *net, real *at)
{
    const size_t rows = MP_LSTM_BLOCK, inputs = head_inputs(net->units), used_by_last = (size_t)HIDDEN * COLUMNS;
    bool training = net->work.plan.training;
    size_t used = 0;
    net->packed_first = take(&at, &used, inputs * HIDDEN);
    net->packed_last = take(&at, &used, used_by_last);
    net->back_first = take(&at, &used, training ? inputs * HIDDEN : 0);
    net->back_last = take(&at, &used, training ? used_by_last : 0);
    for (size_t w = 0; w < net->work.plan.workers && w < MP_LSTM_GROUPS; w++) {
        struct lstm_head_scratch *s = &net->scratch[w];
        s->x = take(&at, &used, rows * inputs);
        s->hidden = take(&at, &used, rows * HIDDEN);
        s->numbers = take(&at, &used, rows * COLUMNS);
        s->forecasts = take(&at, &used, rows * MP_LSTM_OUTPUT_ROW);
        s->d_x = take(&at, &used, training ? rows * inputs : 0);
        s->d_hidden = take(&at, &used, training ? rows * HIDDEN : 0);
        s->d_forecasts = take(&at, &used, training ? rows * MP_LSTM_OUTPUT_ROW : 0);
    }
    return used;
}

bool mp_lstm_net_make(struct lstm_net *net, const struct lstm_shape *shape, bool training, size_t series,
                      size_t workers, const struct memory *memory)
{
    struct lstm_plan plan = {.steps = MP_LSTM_INPUT_BLOCKS, .workers = workers, .series = series, .training = training};
    *net = (struct lstm_net){.units = units_of(shape)};
    if (!mp_lstm_work_make(&net->work, shape, &plan, memory))
        return false;
    net->arena_size = mp_product(lay_out(net, NULL), sizeof(real));
    net->arena = mp_allocate(memory, net->arena_size, 1);
    if (!net->arena) {
        mp_lstm_work_free(&net->work, memory);
        return false;
    }
    memset(net->arena, 0, net->arena_size);
    lay_out(net, net->arena);
    return true;
}

void mp_lstm_net_free(struct lstm_net *net, const struct memory *memory)
{
    mp_release(memory, net->arena, net->arena_size, 1);
    net->arena = NULL;
    mp_lstm_work_free(&net->work, memory);
}

void mp_lstm_net_prepare(struct lstm_net *net, const real *parameters)
{
    const real *first = parameters + mp_lstm_head(&net->work.shape), *last = first + last_at(net->units);
    size_t inputs = head_inputs(net->units);
    struct gemm gemm = net->work.gemm;
    mp_lstm_prepare(&net->work, parameters);
    mp_gemm_pack(gemm, inputs, HIDDEN, first, HIDDEN, 1, HIDDEN, net->packed_first);
    mp_gemm_pack(gemm, HIDDEN, COLUMNS, last, COLUMNS, 1, COLUMNS, net->packed_last);
    net->bias = first + bias_at(net->units);
    if (!net->work.plan.training)
        return;
    mp_gemm_pack(gemm, HIDDEN, inputs, first, 1, HIDDEN, inputs, net->back_first);
    mp_gemm_pack(gemm, COLUMNS, HIDDEN, last, 1, COLUMNS, HIDDEN, net->back_last);
}

/* ---- the head ----------------------------------------------------------------------------------------------------- */

static void gather(const struct lstm_net *net, const struct lstm_view *view, real *x)
{
    const real *features = net->examples->features + view->first * MP_LSTM_FEATURES;
    size_t inputs = head_inputs(net->units);
    for (size_t r = 0; r < view->count; r++, x += inputs, features += MP_LSTM_FEATURES) {
        if (net->units > 0)
            memcpy(x, view->hidden + r * view->row_stride, net->units * sizeof *x);
        memcpy(x + net->units, features, MP_LSTM_FEATURES * sizeof *x);
    }
}

static void head_forward(const struct lstm_net *net, const struct lstm_view *view, struct lstm_head_scratch *s)
{
    struct gemm gemm = net->work.gemm;
    size_t rows = view->count, inputs = head_inputs(net->units);
    const real *means = net->examples->means + view->first * MP_LSTM_WINDOWS;
    gather(net, view, s->x);
    mp_gemm(gemm, rows, HIDDEN, inputs, s->x, inputs, net->packed_first, NULL, s->hidden, HIDDEN);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_tangents, rows * HIDDEN, s->hidden);
    mp_gemm(gemm, rows, COLUMNS, HIDDEN, s->hidden, HIDDEN, net->packed_last, net->bias, s->numbers, COLUMNS);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_mix, rows, s->numbers, means, s->forecasts);
}

MP_VECTORISED static void mp_add_columns(real *sum, const real *rows, size_t count, size_t n)
{
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < n; i++)
            sum[i] += rows[r * n + i];
}

static void head_backward(const struct lstm_net *net, const struct lstm_view *view, struct lstm_head_scratch *s)
{
    struct gemm gemm = net->work.gemm;
    size_t rows = view->count, inputs = head_inputs(net->units);
    const real *means = net->examples->means + view->first * MP_LSTM_WINDOWS;
    real *d_last = view->d_head + last_at(net->units);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_mix_back, rows, s->numbers, means, s->d_forecasts);
    mp_gemm_add_transposed(gemm, HIDDEN, COLUMNS, rows, s->hidden, HIDDEN, s->numbers, COLUMNS, d_last, COLUMNS);
    mp_add_columns(view->d_head + bias_at(net->units), s->numbers, rows, COLUMNS);
    mp_gemm(gemm, rows, HIDDEN, COLUMNS, s->numbers, COLUMNS, net->back_last, NULL, s->d_hidden, HIDDEN);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_tangents_back, rows * HIDDEN, s->hidden, s->d_hidden);
    mp_gemm_add_transposed(gemm, inputs, HIDDEN, rows, s->x, inputs, s->d_hidden, HIDDEN, view->d_head, HIDDEN);
    if (net->units == 0)
        return;
    mp_gemm(gemm, rows, inputs, HIDDEN, s->d_hidden, HIDDEN, net->back_first, NULL, s->d_x, inputs);
    for (size_t r = 0; r < rows; r++)
        memcpy(view->d_output + r * view->d_row_stride, s->d_x + r * inputs, net->units * sizeof *s->d_x);
}

static double block_loss(const struct lstm_net *net, const struct lstm_view *view, struct lstm_head_scratch *s)
{
    const struct lstm_examples *e = net->examples;
    double loss = 0, weight = 1 / (double)e->series;
    for (size_t r = 0; r < view->count; r++) {
        size_t series = view->first + r, n = e->n_targets[series];
        real *d = s->d_forecasts ? s->d_forecasts + r * MP_LSTM_OUTPUT_ROW : NULL;
        if (d)
            memset(d + n, 0, (MP_LSTM_OUTPUT_ROW - n) * sizeof *d);
        loss += mp_lstm_loss(n, s->forecasts + r * MP_LSTM_OUTPUT_ROW, e->targets + series * MP_LSTM_OUTPUTS,
                             (double)e->min_load[series], weight, d);
    }
    return loss * weight;
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

static void forecast_head(void *user, const struct lstm_view *view)
{
    struct lstm_net *net = user;
    struct lstm_head_scratch *s = &net->scratch[view->worker];
    head_forward(net, view, s);
    memcpy(net->forecasts + view->first * MP_LSTM_OUTPUT_ROW, s->forecasts,
           view->count * MP_LSTM_OUTPUT_ROW * sizeof *s->forecasts);
}

static void loss_head(void *user, const struct lstm_view *view)
{
    struct lstm_net *net = user;
    struct lstm_head_scratch *s = &net->scratch[view->worker];
    head_forward(net, view, s);
    net->loss[view->group] += block_loss(net, view, s);
    if (view->d_output)
        head_backward(net, view, s);
}

static struct lstm_batch batch_of(struct lstm_net *net, const struct lstm_examples *examples)
{
    net->examples = examples;
    return (struct lstm_batch){
        .steps = MP_LSTM_INPUT_BLOCKS, .series = examples->series, .inputs = examples->inputs, .user = net};
}

void mp_lstm_net_forecast(struct lstm_net *net, const struct lstm_examples *examples, real *forecasts)
{
    struct lstm_batch batch = batch_of(net, examples);
    batch.head = forecast_head;
    net->forecasts = forecasts;
    mp_lstm_forward(&net->work, &batch);
}

double mp_lstm_net_gradient(struct lstm_net *net, const struct lstm_examples *examples, real *gradient)
{
    struct lstm_batch batch = batch_of(net, examples);
    double loss = 0;
    batch.head = loss_head;
    for (size_t g = 0; g < MP_LSTM_GROUPS; g++)
        net->loss[g] = 0;
    if (net->work.plan.training)
        mp_lstm_gradient(&net->work, &batch, gradient);
    else
        mp_lstm_forward(&net->work, &batch);
    for (size_t g = 0; g < MP_LSTM_GROUPS; g++)
        loss += net->loss[g];
    return loss;
}
