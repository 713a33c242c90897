/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/shared_net.h"

#include "methods/lstm/network/head_kernel.h"
#include "methods/lstm/network/loss.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

enum { HIDDEN = MP_LSTM_HEAD_HIDDEN, COLUMNS = MP_LSTM_HEAD_ROW };

/* The head's parameters: W1 [units + features][32], W2 [32][5 * 48], b [5 * 48]. */
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
    return shape->layers > 0 ? mp_padded(shape->hidden) : 0;
}

struct lstm_shape mp_lstm_shared_net_shape(size_t layers, size_t hidden)
{
    struct lstm_shape shape = {.inputs = 1, .hidden = hidden, .layers = layers};
    shape.head = bias_at(units_of(&shape)) + COLUMNS;
    return shape;
}

double mp_lstm_shared_net_cost(const struct lstm_shape *shape)
{
    return mp_lstm_layers_cost(shape, MP_LSTM_INPUT_BLOCKS) + 2 * (double)bias_at(units_of(shape));
}

/* ---- start ------------------------------------------------------------------------------------------------------- */

void mp_lstm_shared_net_init_parameters(const struct lstm_shape *shape, struct random *random, real *parameters)
{
    enum { FEATURES = MP_LSTM_FEATURE_COUNT };
    size_t units = units_of(shape), hidden = units > 0 ? shape->hidden : 0;
    real *head = parameters + mp_lstm_head(shape);
    memset(parameters, 0, mp_lstm_parameters(shape) * sizeof *parameters);
    mp_lstm_init_layers(shape, random, parameters);
    double limit = 1 / sqrt((double)(hidden + FEATURES));
    mp_lstm_init_uniform(random, limit, head, hidden * HIDDEN);
    mp_lstm_init_uniform(random, limit, head + units * HIDDEN, (size_t)FEATURES * HIDDEN);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void lay_out_scratch(struct lstm_head_scratch *s, struct arena *arena, size_t inputs, bool training)
{
    const size_t rows = MP_LSTM_TILE_ROWS, row = sizeof(real) * rows;
    s->x = mp_arena_take(arena, inputs, row);
    s->hidden = mp_arena_take(arena, HIDDEN, row);
    s->outputs = mp_arena_take(arena, COLUMNS, row);
    s->forecasts = mp_arena_take(arena, MP_LSTM_OUTPUT_ROW, row);
    if (!training)
        return;
    s->d_x = mp_arena_take(arena, inputs, row);
    s->d_hidden = mp_arena_take(arena, HIDDEN, row);
    s->d_forecasts = mp_arena_take(arena, MP_LSTM_OUTPUT_ROW, row);
}

static void lay_out(void *self, struct arena *arena)
{
    struct lstm_shared_net *net = self;
    size_t inputs = head_inputs(net->units);
    bool training = net->work.plan.training;
    mp_lstm_work_lay_out(&net->work, arena);
    for (size_t w = 0; w < net->work.plan.workers; w++)
        lay_out_scratch(&net->scratch[w], arena, inputs, training);
    if (!training)
        return;
    net->backward_first = mp_arena_take(arena, inputs, HIDDEN * sizeof(real));
    net->backward_last = mp_arena_take(arena, COLUMNS, HIDDEN * sizeof(real));
}

bool mp_lstm_shared_net_make(struct lstm_shared_net *net, const struct lstm_shape *shape, const struct lstm_plan *plan,
                             const struct memory *memory)
{
    struct lstm_plan own = *plan;
    own.steps = MP_LSTM_INPUT_BLOCKS;
    *net = (struct lstm_shared_net){.units = units_of(shape)};
    return mp_lstm_work_init(&net->work, shape, &own) && mp_arena_make(&net->arena, lay_out, net, memory);
}

void mp_lstm_shared_net_free(struct lstm_shared_net *net, const struct memory *memory)
{
    mp_arena_free(&net->arena, memory);
}

static void pack_head(struct gemm gemm, const struct lstm_shape *shape, const real *parameters, real *packed)
{
    size_t units = units_of(shape), first = mp_lstm_head(shape), last = first + last_at(units);
    size_t bias = first + bias_at(units);
    mp_gemm_pack(gemm, head_inputs(units), HIDDEN, parameters + first, HIDDEN, 1, HIDDEN, packed + first);
    mp_gemm_pack(gemm, HIDDEN, COLUMNS, parameters + last, COLUMNS, 1, COLUMNS, packed + last);
    memcpy(packed + bias, parameters + bias, COLUMNS * sizeof *packed);
}

void mp_lstm_shared_net_pack(struct gemm gemm, const struct lstm_shape *shape, const real *parameters, real *packed)
{
    mp_lstm_pack(gemm, shape, parameters, packed);
    pack_head(gemm, shape, parameters, packed);
}

void mp_lstm_shared_net_set_parameters(struct lstm_shared_net *net, const real *parameters)
{
    struct lstm_work *work = &net->work;
    const real *first = parameters + mp_lstm_head(&work->shape), *last = first + last_at(net->units);
    size_t inputs = head_inputs(net->units);
    mp_lstm_work_set_parameters(work, parameters);
    pack_head(work->gemm, &work->shape, parameters, work->own_packed);
    if (!work->plan.training)
        return;
    mp_gemm_pack(work->gemm, HIDDEN, inputs, first, 1, HIDDEN, inputs, net->backward_first);
    mp_gemm_pack(work->gemm, COLUMNS, HIDDEN, last, 1, COLUMNS, HIDDEN, net->backward_last);
}

/* ---- the head ---------------------------------------------------------------------------------------------------- */

static void gather_x(const struct lstm_shared_net *net, const struct lstm_view *view, real *x)
{
    const real *features = net->examples->features + view->first * MP_LSTM_FEATURES;
    size_t inputs = head_inputs(net->units);
    for (size_t r = 0; r < view->count; r++, x += inputs, features += MP_LSTM_FEATURES) {
        if (net->units > 0)
            memcpy(x, view->hidden + r * view->row_stride, net->units * sizeof *x);
        memcpy(x + net->units, features, MP_LSTM_FEATURES * sizeof *x);
    }
}

static void head_forward(const struct lstm_shared_net *net, const struct lstm_view *view, struct lstm_head_scratch *s)
{
    struct gemm gemm = net->work.gemm;
    size_t rows = view->count, inputs = head_inputs(net->units);
    const real *means = net->examples->means + view->first * MP_LSTM_WINDOWS;
    const real *first = net->work.packed + mp_lstm_head(&net->work.shape), *last = first + last_at(net->units);
    const real *bias = first + bias_at(net->units);
    gather_x(net, view, s->x);
    mp_gemm(gemm, rows, HIDDEN, inputs, s->x, inputs, first, NULL, s->hidden, HIDDEN);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_tanh, rows * HIDDEN, s->hidden);
    mp_gemm(gemm, rows, COLUMNS, HIDDEN, s->hidden, HIDDEN, last, bias, s->outputs, COLUMNS);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_mixture, rows, MP_LSTM_OUTPUT_ROW, s->outputs, means, s->forecasts);
}

/* The output spans first .. first + spans - 1 of some series: columns of W2 that lie apart, one piece for each window
 * and one for the residuals. */
static void head_spans(struct gemm gemm, const real *parameters, const struct lstm_head_rows *of, size_t first,
                       size_t spans, const struct lstm_head_scratch *s)
{
    const real *last = parameters + last_at(0), *bias = parameters + bias_at(0);
    for (size_t column = first; column < COLUMNS; column += MP_LSTM_OUTPUT_ROW)
        mp_gemm_plain(gemm, of->count, spans, HIDDEN, s->hidden, HIDDEN, last + column, COLUMNS, bias + column,
                      s->outputs + column, COLUMNS);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_mixture, of->count, spans, s->outputs + first, of->means, of->forecasts + first);
}

/* Whole vectors first. For the rest the width is halved as long as half a vector holds it: kernels of 32 bytes are
 * there wherever those of 64 are, and narrower ones have no fused multiply-add on x86-64. */
void mp_lstm_shared_net_head(struct gemm gemm, const real *parameters, const struct lstm_head_rows *of,
                             const struct lstm_head_scratch *s)
{
    size_t lanes = (size_t)gemm.bytes / sizeof(real), whole = of->spans / lanes * lanes, rest = of->spans - whole;
    mp_gemm_plain(gemm, of->count, HIDDEN, MP_LSTM_FEATURE_COUNT, of->features, MP_LSTM_FEATURES, parameters, HIDDEN,
                  NULL, s->hidden, HIDDEN);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_tanh, of->count * HIDDEN, s->hidden);
    if (whole > 0)
        head_spans(gemm, parameters, of, 0, whole, s);
    if (rest > 0 && rest <= lanes / 2 && gemm.bytes == 64)
        head_spans((struct gemm){.bytes = 32}, parameters, of, whole, lanes / 2, s);
    else if (rest > 0)
        head_spans(gemm, parameters, of, whole, lanes, s);
}

MP_VECTORISED static void mp_add_columns(real *sum, const real *rows, size_t count, size_t n)
{
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < n; i++)
            sum[i] += rows[r * n + i];
}

static void head_backward(const struct lstm_shared_net *net, const struct lstm_view *view, struct lstm_head_scratch *s)
{
    struct gemm gemm = net->work.gemm;
    size_t rows = view->count, inputs = head_inputs(net->units);
    const real *means = net->examples->means + view->first * MP_LSTM_WINDOWS;
    real *d_last = view->d_head + last_at(net->units);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_mixture_backward, rows, s->outputs, means, s->d_forecasts);
    mp_gemm_add_transposed(gemm, HIDDEN, COLUMNS, rows, s->hidden, HIDDEN, s->outputs, COLUMNS, d_last, COLUMNS);
    mp_add_columns(view->d_head + bias_at(net->units), s->outputs, rows, COLUMNS);
    mp_gemm(gemm, rows, HIDDEN, COLUMNS, s->outputs, COLUMNS, net->backward_last, NULL, s->d_hidden, HIDDEN);
    MP_BY_WIDTH(gemm.bytes, mp_lstm_tanh_backward, rows * HIDDEN, s->hidden, s->d_hidden);
    mp_gemm_add_transposed(gemm, inputs, HIDDEN, rows, s->x, inputs, s->d_hidden, HIDDEN, view->d_head, HIDDEN);
    if (net->units == 0)
        return;
    mp_gemm(gemm, rows, inputs, HIDDEN, s->d_hidden, HIDDEN, net->backward_first, NULL, s->d_x, inputs);
    for (size_t r = 0; r < rows; r++)
        memcpy(view->d_output + r * view->d_row_stride, s->d_x + r * inputs, net->units * sizeof *s->d_x);
}

static double tile_loss(const struct lstm_shared_net *net, const struct lstm_view *view, struct lstm_head_scratch *s)
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

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static void forecast_head(void *user, const struct lstm_view *view)
{
    struct lstm_shared_net *net = user;
    struct lstm_head_scratch *s = &net->scratch[view->worker];
    head_forward(net, view, s);
    memcpy(net->forecasts + view->first * MP_LSTM_OUTPUT_ROW, s->forecasts,
           view->count * MP_LSTM_OUTPUT_ROW * sizeof *s->forecasts);
}

static void loss_head(void *user, const struct lstm_view *view)
{
    struct lstm_shared_net *net = user;
    struct lstm_head_scratch *s = &net->scratch[view->worker];
    head_forward(net, view, s);
    net->loss[view->group] += tile_loss(net, view, s);
    if (view->d_output)
        head_backward(net, view, s);
}

static struct lstm_batch batch_of(struct lstm_shared_net *net, const struct lstm_examples *examples)
{
    net->examples = examples;
    return (struct lstm_batch){
        .steps = MP_LSTM_INPUT_BLOCKS, .series = examples->series, .inputs = examples->inputs, .user = net};
}

void mp_lstm_shared_net_forecast(struct lstm_shared_net *net, const struct lstm_examples *examples, real *forecasts)
{
    struct lstm_batch batch = batch_of(net, examples);
    batch.head = forecast_head;
    net->forecasts = forecasts;
    mp_lstm_forward(&net->work, &batch);
}

double mp_lstm_shared_net_gradient(struct lstm_shared_net *net, const struct lstm_examples *examples, real *gradient)
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
