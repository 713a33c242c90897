/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/workspace.h"

#include <string.h>

/* Gives out the arena piece by piece; without a base it only counts. */
struct carver {
    unsigned char *base;
    size_t used;
};

static void *carve(struct carver *carver, size_t count, size_t size)
{
    size_t bytes = mp_product(count, size), start = carver->used;
    bool fits = bytes < SIZE_MAX / 2 && start < SIZE_MAX / 2;
    carver->used = fits ? start + (bytes + MP_CACHE_LINE - 1) / MP_CACHE_LINE * MP_CACHE_LINE : SIZE_MAX / 2;
    return carver->base ? carver->base + start : NULL;
}

static real *numbers(struct carver *carver, size_t count, size_t times)
{
    return carve(carver, mp_product(count, times), sizeof(real));
}

static void carve_track(struct carver *c, struct lstm_track *track, const struct lstm_layer *l,
                        const struct lstm_plan *plan)
{
    size_t kept = plan->training ? plan->steps : 0, steps = plan->training ? plan->steps : 1;
    track->rows = numbers(c, kept + 1, MP_LSTM_BLOCK * mp_lstm_row_stride(l));
    track->gates = numbers(c, steps, MP_LSTM_BLOCK * mp_lstm_gates_stride(l));
    track->cells = numbers(c, kept + 1, MP_LSTM_BLOCK * l->units);
    if (!plan->training)
        return;
    track->d_rows = numbers(c, MP_LSTM_BLOCK, mp_lstm_row_stride(l));
    track->d_cells = numbers(c, MP_LSTM_BLOCK, l->units);
    track->d_bias = numbers(c, 4, l->units);
}

static void carve_all(struct lstm_work *work, struct carver *c)
{
    const struct lstm_plan *plan = &work->plan;
    struct lstm_worker none;
    work->worker = carve(c, plan->workers, sizeof *work->worker);
    for (size_t l = 0; l < work->shape.layers; l++) {
        struct lstm_layer layer = mp_lstm_layer(&work->shape, l);
        work->packed[l].forward = numbers(c, layer.rows, 4 * layer.units);
        work->packed[l].backward = plan->training ? numbers(c, mp_lstm_row_stride(&layer), 4 * layer.units) : NULL;
        work->packed[l].bias = numbers(c, 4, layer.units);
    }
    for (size_t w = 0; w < plan->workers && c->used < SIZE_MAX / 2; w++) {
        struct lstm_worker *worker = c->base ? &work->worker[w] : &none;
        for (size_t l = 0; l < work->shape.layers; l++) {
            struct lstm_layer layer = mp_lstm_layer(&work->shape, l);
            carve_track(c, &worker->track[l], &layer, plan);
        }
        if (plan->training)
            worker->d_output =
                numbers(c, plan->every_step ? plan->steps : 1, MP_LSTM_BLOCK * mp_row(work->shape.hidden));
    }
    for (size_t g = 0; g < mp_lstm_groups(plan) && plan->training; g++)
        work->gradient[g] = numbers(c, work->parameters, 1);
}

bool mp_lstm_work_make(struct lstm_work *work, const struct lstm_shape *shape, const struct lstm_plan *plan,
                       const struct memory *memory)
{
    struct carver carver = {0};
    *work = (struct lstm_work){.shape = *shape, .plan = *plan, .gemm = mp_gemm_here()};
    work->parameters = mp_lstm_parameters(shape);
    if (work->parameters == SIZE_MAX)
        return false;
    carve_all(work, &carver);
    work->arena_size = carver.used + MP_CACHE_LINE;
    work->arena = mp_allocate(memory, work->arena_size, 1);
    if (!work->arena)
        return false;
    memset(work->arena, 0, work->arena_size); /* what is padded is 0, and no page is met for the first time later */
    carver = (struct carver){
        (unsigned char *)work->arena + (MP_CACHE_LINE - (uintptr_t)work->arena % MP_CACHE_LINE) % MP_CACHE_LINE, 0};
    carve_all(work, &carver);
    return true;
}

void mp_lstm_work_free(struct lstm_work *work, const struct memory *memory)
{
    mp_release(memory, work->arena, work->arena_size, 1);
    work->arena = NULL;
}

void mp_lstm_prepare(struct lstm_work *work, const real *parameters)
{
    for (size_t l = 0; l < work->shape.layers; l++) {
        struct lstm_layer layer = mp_lstm_layer(&work->shape, l);
        struct lstm_packed *packed = &work->packed[l];
        const real *weights = parameters + layer.weights;
        size_t gates = 4 * layer.units;
        mp_gemm_pack(work->gemm, layer.rows, gates, weights, gates, 1, gates, packed->forward);
        if (packed->backward)
            mp_gemm_pack(work->gemm, gates, mp_lstm_way_back(work, l), weights, 1, gates, layer.rows, packed->backward);
        for (size_t i = 0; i < gates; i++)
            packed->bias[i] = parameters[layer.bias_ih + i] + parameters[layer.bias_hh + i];
    }
}
