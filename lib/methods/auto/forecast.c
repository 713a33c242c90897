/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/forecast.h"

#include "api/status.h"
#include "methods/auto/weights.h"
#include "support/simd.h"

#include <string.h>

static void lay_out(void *self, struct arena *arena)
{
    struct auto_call *call = self;
    mp_auto_scratch_lay_out(&call->scratch, arena, call->state.experts);
    call->base = mp_arena_take(arena, call->state.experts, sizeof *call->base);
    call->copy = mp_arena_take(arena, 1, call->state.layer_size);
}

bool mp_auto_call_make(struct auto_call *call, const struct task *task, const void *model)
{
    size_t layers = task->panel.series / task->experts;
    *call = (struct auto_call){.state = mp_auto_state((void *)task->state, layers, task->experts),
                               .network = mp_auto_network_of(task->config, model),
                               .age = task->next_step};
    return mp_arena_make(&call->arena, lay_out, call, &task->runtime->memory);
}

void mp_auto_call_free(struct auto_call *call, const struct memory *memory)
{
    mp_arena_free(&call->arena, memory);
}

struct auto_view mp_auto_call_layer(const struct auto_call *call, size_t layer)
{
    const struct auto_run *run = call->state.run;
    struct auto_view view = mp_auto_layer(&call->state, layer);
    if (!mp_auto_is_pending(&view, run))
        return view;
    view = mp_auto_copy(&call->state, layer, call->copy);
    mp_auto_learn(&view, &call->scratch);
    return view;
}

/* row = base + weight row */
MP_VECTORISED static void mp_auto_add_base(double *restrict row, double weight, const double *restrict base, size_t n)
{
    for (size_t i = 0; i < n; i++)
        row[i] = base[i] + weight * row[i];
}

void mp_auto_forecast_layer(const struct auto_call *call, const struct auto_view *view, size_t horizon, size_t stride,
                            double *rows, size_t row_stride)
{
    const struct auto_run *run = call->state.run;
    const struct auto_scratch *scratch = &call->scratch;
    size_t experts = view->experts, n = mp_forecast_rows(horizon, stride);
    struct block_origin now = mp_auto_now(view, run);
    double weights[MP_AUTO_CANDIDATES];
    bool with_network = mp_auto_has_network(&now);
    mp_auto_fill_windows(view, &now, scratch->sum, scratch->candidates);
    mp_auto_weigh(view->layer, with_network, weights);
    double weight = weights[MP_AUTO_NETWORK];
    weights[MP_AUTO_NETWORK] = 0;
    mp_auto_mix(weights, scratch->candidates, experts, call->base);
    if (with_network)
        mp_auto_network_forecast(&call->network, view, &now, call->age, horizon, stride, scratch, rows, row_stride);
    for (size_t r = 0; r < n; r++) {
        double *row = rows + r * row_stride;
        if (with_network)
            mp_auto_add_base(row, weight, call->base, experts);
        else
            memcpy(row, call->base, experts * sizeof *row);
    }
}

moep_status mp_auto_forecast(const struct task *task, const void *model, size_t horizon, size_t stride, double *rows)
{
    struct auto_call call;
    if (!mp_auto_call_make(&call, task, model))
        return mp_out_of_memory("the forecast's scratch");
    for (size_t l = 0; l < call.state.layers; l++) {
        struct auto_view view = mp_auto_call_layer(&call, l);
        mp_auto_forecast_layer(&call, &view, horizon, stride, rows + l * task->experts, task->panel.series);
    }
    mp_auto_call_free(&call, &task->runtime->memory);
    return MOEP_OK;
}
