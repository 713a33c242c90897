/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/workspace.h"

#include <string.h>

static real *take(struct arena *arena, size_t count, size_t times)
{
    return mp_arena_take(arena, mp_product(count, times), sizeof(real));
}

static void lay_out_layer(struct lstm_activations *a, struct arena *arena, const struct lstm_layer *l,
                          const struct lstm_plan *plan)
{
    size_t kept = plan->training ? plan->steps : 0, steps = plan->training ? plan->steps : 1;
    a->rows = take(arena, kept + 1, MP_LSTM_TILE_ROWS * mp_lstm_row_stride(l));
    a->gates = take(arena, steps, MP_LSTM_TILE_ROWS * mp_lstm_gates_stride(l));
    a->cells = take(arena, kept + 1, MP_LSTM_TILE_ROWS * l->units);
    if (!plan->training)
        return;
    a->d_rows = take(arena, MP_LSTM_TILE_ROWS, mp_lstm_row_stride(l));
    a->d_cells = take(arena, MP_LSTM_TILE_ROWS, l->units);
    a->d_bias = take(arena, 4, l->units);
}

static void lay_out_worker(struct lstm_worker *worker, struct arena *arena, const struct lstm_work *work)
{
    const struct lstm_plan *plan = &work->plan;
    size_t shown = plan->every_step ? plan->steps : 1;
    for (size_t l = 0; l < work->shape.layers; l++) {
        struct lstm_layer layer = mp_lstm_layer(&work->shape, l);
        lay_out_layer(&worker->layer[l], arena, &layer, plan);
    }
    if (plan->training)
        worker->d_output = take(arena, shown, MP_LSTM_TILE_ROWS * mp_padded(work->shape.hidden));
}

/* The zeros of the arena matter: padding stays 0. */
void mp_lstm_work_lay_out(void *self, struct arena *arena)
{
    struct lstm_work *work = self;
    const struct lstm_plan *plan = &work->plan;
    if (!plan->packed)
        work->packed = work->own_packed = take(arena, work->parameters, 1);
    for (size_t l = 0; l < work->shape.layers && plan->training; l++) {
        struct lstm_layer layer = mp_lstm_layer(&work->shape, l);
        work->backward[l] = take(arena, mp_lstm_row_stride(&layer), 4 * layer.units);
    }
    for (size_t w = 0; w < plan->workers; w++)
        lay_out_worker(&work->worker[w], arena, work);
    for (size_t g = 0; g < mp_lstm_groups(plan) && plan->training; g++)
        work->gradient[g] = take(arena, work->parameters, 1);
}

bool mp_lstm_work_init(struct lstm_work *work, const struct lstm_shape *shape, const struct lstm_plan *plan)
{
    *work = (struct lstm_work){.shape = *shape, .plan = *plan, .gemm = mp_gemm_here(), .packed = plan->packed};
    work->parameters = mp_lstm_parameters(shape);
    if (work->plan.workers > mp_lstm_groups(plan))
        work->plan.workers = mp_lstm_groups(plan);
    return work->parameters < SIZE_MAX;
}

void mp_lstm_pack(struct gemm gemm, const struct lstm_shape *shape, const real *parameters, real *packed)
{
    for (size_t l = 0; l < shape->layers; l++) {
        struct lstm_layer layer = mp_lstm_layer(shape, l);
        size_t gates = 4 * layer.units;
        mp_gemm_pack(gemm, layer.rows, gates, parameters + layer.weights, gates, 1, gates, packed + layer.weights);
        for (size_t i = 0; i < gates; i++)
            packed[layer.bias_ih + i] = parameters[layer.bias_ih + i] + parameters[layer.bias_hh + i];
    }
}

void mp_lstm_work_set_parameters(struct lstm_work *work, const real *parameters)
{
    mp_lstm_pack(work->gemm, &work->shape, parameters, work->own_packed);
    for (size_t l = 0; l < work->shape.layers && work->plan.training; l++) {
        struct lstm_layer layer = mp_lstm_layer(&work->shape, l);
        size_t gates = 4 * layer.units, width = mp_lstm_backward_width(work, l);
        mp_gemm_pack(work->gemm, gates, width, parameters + layer.weights, 1, gates, layer.rows, work->backward[l]);
    }
}
