/* SPDX-License-Identifier: BSD-3-Clause */
#include "history.h"

#include "intake.h"
#include "status.h"

#include <string.h>

/* UINT64_MAX as a step number means never. */
static const uint64_t last_step_number = UINT64_MAX - 1;

moep_status mp_history_make(struct history *history, size_t layers, size_t experts, uint64_t capacity,
                            const struct memory *memory)
{
    size_t series = mp_product(layers, experts);
    size_t rows = capacity < SIZE_MAX ? (size_t)capacity : SIZE_MAX;
    size_t size = mp_product(rows, series);
    *history = (struct history){.layers = layers, .experts = experts, .capacity = rows};
    history->ring = mp_allocate(memory, size, sizeof(float));
    if (!history->ring)
        return mp_out_of_memory("the history: layers x experts x history is too large");
    memset(history->ring, 0, size * sizeof(float)); /* so that push meets no page for the first time */
    return MOEP_OK;
}

void mp_history_free(struct history *history, const struct memory *memory)
{
    mp_release(memory, history->ring, history->capacity * history->layers * history->experts, sizeof(float));
    history->ring = NULL;
}

static float *row_of(const struct history *history, uint64_t step)
{
    return history->ring + (size_t)(step % history->capacity) * history->layers * history->experts;
}

/* What a layer to which nothing was routed is taken to do: what it did last, at first nothing in particular. */
static void repeat_shares(const struct history *history, float *shares, size_t layer)
{
    size_t experts = history->experts;
    if (history->steps > 0)
        memmove(shares, row_of(history, history->steps - 1) + layer * experts, experts * sizeof *shares);
    else
        for (size_t e = 0; e < experts; e++)
            shares[e] = 1.0f / (float)experts;
}

static void record_step(struct history *history, const char *counts, moep_dtype dtype)
{
    size_t experts = history->experts, layer_size = experts * mp_dtype_size(dtype);
    float *row = row_of(history, history->steps);
    for (size_t layer = 0; layer < history->layers; layer++) {
        float *shares = row + layer * experts;
        if (mp_intake_shares(counts + layer * layer_size, dtype, experts, shares) > 0)
            continue;
        repeat_shares(history, shares, layer);
        history->empty_layers += history->empty_layers < UINT64_MAX;
    }
    history->steps++;
}

moep_status mp_history_push(struct history *history, uint64_t first_step, size_t steps, const void *counts,
                            moep_dtype dtype)
{
    if (first_step < history->next_step)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "step %llu was pushed before: the next one is %llu",
                       (unsigned long long)first_step, (unsigned long long)history->next_step);
    if (first_step > last_step_number || steps > last_step_number - first_step)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "step numbers end at 2^64 - 2");
    moep_status status = mp_intake_check(counts, dtype, steps, history->layers, history->experts);
    if (status != MOEP_OK || steps == 0)
        return status;
    size_t step_size = history->layers * history->experts * mp_dtype_size(dtype);
    for (size_t step = 0; step < steps; step++)
        record_step(history, (const char *)counts + step * step_size, dtype);
    history->gaps += first_step - history->next_step;
    history->next_step = first_step + steps;
    return MOEP_OK;
}

void mp_history_reset(struct history *history)
{
    history->steps = history->next_step = history->empty_layers = history->gaps = 0;
}

struct panel mp_history_panel(const struct history *history)
{
    bool full = history->steps >= history->capacity;
    return (struct panel){
        .ring = history->ring,
        .capacity = history->capacity,
        .first = full ? (size_t)(history->steps % history->capacity) : 0,
        .steps = full ? history->capacity : (size_t)history->steps,
        .series = history->layers * history->experts,
    };
}
