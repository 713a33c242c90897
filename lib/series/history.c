/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: shares are floats, each rounded once (intake.c); allocates: at make only, so push allocates nothing. */
#include "series/history.h"

#include "api/status.h"
#include "series/intake.h"

#include <string.h>

/* UINT64_MAX means "never" where a step number is expected. */
static const uint64_t LAST_STEP = UINT64_MAX - 1;

moep_status mp_shape_check(size_t layers, size_t experts)
{
    if (layers == 0 || experts == 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%zu layers of %zu experts: both must be 1 or more", layers,
                       experts);
    return MOEP_OK;
}

size_t mp_history_ring_size(size_t layers, size_t experts, uint64_t capacity)
{
    size_t rows = capacity < SIZE_MAX ? (size_t)capacity : SIZE_MAX;
    return mp_product(mp_product(layers, experts), mp_product(rows, sizeof(float)));
}

moep_status mp_history_make(struct history *history, size_t layers, size_t experts, uint64_t capacity,
                            const struct memory *memory)
{
    size_t size = mp_history_ring_size(layers, experts, capacity);
    *history = (struct history){.layers = layers, .experts = experts, .capacity = (size_t)capacity};
    history->ring = mp_allocate(memory, size, 1);
    if (!history->ring)
        return mp_out_of_memory("the history: layers x experts x history is too large");
    return MOEP_OK;
}

static size_t ring_size(const struct history *history)
{
    return mp_history_ring_size(history->layers, history->experts, history->capacity);
}

void mp_history_touch(struct history *history)
{
    memset(history->ring, 0, ring_size(history));
}

void mp_history_free(struct history *history, const struct memory *memory)
{
    mp_release(memory, history->ring, ring_size(history), 1);
    history->ring = NULL;
}

static float *row_of(const struct history *history, uint64_t step)
{
    return history->ring + (size_t)(step % history->capacity) * history->layers * history->experts;
}

/* A layer to which nothing was routed repeats its last shares; without any so far, its shares are uniform. */
static void repeat_shares(const struct history *history, float *shares, size_t layer)
{
    size_t experts = history->experts;
    if (history->steps > 0)
        memmove(shares, row_of(history, history->steps - 1) + layer * experts, experts * sizeof *shares);
    else
        for (size_t e = 0; e < experts; e++)
            shares[e] = 1.0f / (float)experts;
}

void mp_history_record(struct history *history, const void *counts, moep_dtype dtype, double *totals)
{
    size_t experts = history->experts, layer_size = experts * mp_dtype_size(dtype);
    float *row = row_of(history, history->steps);
    for (size_t layer = 0; layer < history->layers; layer++) {
        float *shares = row + layer * experts;
        double total = mp_intake_shares((const char *)counts + layer * layer_size, dtype, experts, shares);
        if (totals)
            totals[layer] = total;
        if (total > 0)
            continue;
        repeat_shares(history, shares, layer);
        history->empty_layers += history->empty_layers < UINT64_MAX;
    }
    history->steps++;
    history->next_step++;
}

void mp_history_begin(struct history *history, uint64_t first_step)
{
    if (history->steps == 0)
        history->first_step = first_step;
    history->next_step = first_step;
}

moep_status mp_history_check(const struct history *history, uint64_t first_step, size_t steps, const void *counts,
                             moep_dtype dtype)
{
    if (first_step < history->next_step)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "step %llu was pushed before: the next one is %llu",
                       (unsigned long long)first_step, (unsigned long long)history->next_step);
    if (first_step > LAST_STEP || steps > LAST_STEP - first_step)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "step numbers end at 2^64 - 2");
    return mp_intake_check(counts, dtype, steps, history->layers, history->experts);
}

moep_status mp_history_push_each(struct history *history, uint64_t first_step, size_t steps, const void *counts,
                                 moep_dtype dtype, void (*recorded)(void *user), void *user)
{
    moep_status status = mp_history_check(history, first_step, steps, counts, dtype);
    if (status != MOEP_OK || steps == 0)
        return status;
    size_t step_size = history->layers * history->experts * mp_dtype_size(dtype);
    mp_history_begin(history, first_step);
    for (size_t step = 0; step < steps; step++) {
        mp_history_record(history, (const char *)counts + step * step_size, dtype, NULL);
        if (recorded)
            recorded(user);
    }
    return MOEP_OK;
}

moep_status mp_history_push(struct history *history, uint64_t first_step, size_t steps, const void *counts,
                            moep_dtype dtype)
{
    return mp_history_push_each(history, first_step, steps, counts, dtype, NULL, NULL);
}

void mp_history_reset(struct history *history)
{
    history->steps = history->next_step = history->empty_layers = history->first_step = 0;
}

/* Rows of the ring that hold a step. */
static size_t rows_held(const struct history *history)
{
    return history->steps < history->capacity ? (size_t)history->steps : history->capacity;
}

struct panel mp_history_panel(const struct history *history)
{
    size_t held = rows_held(history);
    return (struct panel){
        .ring = history->ring,
        .capacity = history->capacity,
        .first = held == history->capacity ? (size_t)(history->steps % history->capacity) : 0,
        .steps = held,
        .series = history->layers * history->experts,
    };
}

moep_info mp_history_info(const struct history *history)
{
    return (moep_info){
        .layers = history->layers,
        .experts = history->experts,
        .history = history->capacity,
        .steps = history->steps,
        .next_step = history->next_step,
        .empty_layers = history->empty_layers,
        .gaps = history->next_step - history->first_step - history->steps,
    };
}

void mp_history_copy(struct history *to, const struct history *from)
{
    float *ring = to->ring;
    *to = *from;
    to->ring = ring;
    memcpy(ring, from->ring, ring_size(from));
}

void mp_history_fields(struct history *history, struct checkpoint *checkpoint)
{
    mp_field_u64(checkpoint, &history->steps);
    mp_field_u64(checkpoint, &history->next_step);
    mp_field_u64(checkpoint, &history->empty_layers);
    mp_checkpoint_require(checkpoint, history->first_step <= history->next_step &&
                                          history->steps <= history->next_step - history->first_step &&
                                          history->next_step <= LAST_STEP);
    mp_checkpoint_require(checkpoint, history->empty_layers / history->layers <= history->steps);

    size_t series = history->layers * history->experts, held = rows_held(history) * series;
    mp_field_shares(checkpoint, history->ring, held);
    mp_field_zeros(checkpoint, history->capacity * series - held);
    if (checkpoint->mode == MP_READ)
        memset(history->ring + held, 0, ring_size(history) - held * sizeof *history->ring);
}
