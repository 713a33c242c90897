/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/detector.h"

#include "api/status.h"
#include "api/struct.h"
#include "series/intake.h"
#include "support/environment.h"

#include <math.h>
#include <string.h>

moep_status mp_detector_missing(void)
{
    return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "detector is NULL");
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static size_t arena_size(size_t layers, size_t experts, size_t blocks)
{
    size_t of_states = mp_product(mp_sum(mp_product(layers, experts), layers), sizeof(struct stability));
    size_t of_layers = mp_product(layers, (2 * blocks + 2) * sizeof(double));
    size_t of_experts = mp_product(experts, 3 * sizeof(double));
    return mp_sum(of_states, mp_sum(of_layers, of_experts));
}

static moep_status make_arena(moep_detector *detector, size_t layers, size_t experts)
{
    size_t blocks = mp_detector_blocks(&detector->config), size = arena_size(layers, experts, blocks);
    detector->arena = mp_allocate(&detector->runtime.memory, size, 1);
    if (!detector->arena)
        return mp_out_of_memory("the states: layers x experts is too large");
    memset(detector->arena, 0, size);
    detector->layers = detector->arena;
    detector->experts = detector->layers + layers;
    detector->tokens = (double *)(detector->experts + layers * experts);
    detector->totals = detector->tokens + (2 * blocks + 1) * layers;
    detector->scratch = detector->totals + layers;
    return MOEP_OK;
}

/* Between two neighbouring halves of W steps a random walk moves by a root mean square of sqrt(2 W / 3) of its steps,
 * from the mean of W to the mean of the next h by sqrt((W + h) / 3): their ratio, squared; and of what moves as another
 * power of the time than its root. As a float, to which every processor's pow rounds alike. */
static double growth_of(const moep_detector_config *config, double power)
{
    double window = config->drift_window, horizon = (double)config->horizon;
    return (double)(float)pow((window + horizon) / (2 * window), 2 * power);
}

size_t mp_detector_history(const moep_detector_config *config)
{
    size_t longest = 0;
    for (size_t i = 0; i < MP_WINDOWS; i++)
        longest = config->windows[i] > longest ? config->windows[i] : longest;
    return longest + 1;
}

static moep_status make_parts(moep_detector *detector, size_t layers, size_t experts)
{
    const struct memory *memory = &detector->runtime.memory;
    const moep_detector_config *config = &detector->config;
    size_t series = mp_product(layers, experts);
    moep_status status = mp_history_make(&detector->history, layers, experts, mp_detector_history(config), memory);
    for (size_t i = 0; i < MP_WINDOWS && status == MOEP_OK; i++)
        if (config->windows[i] > 0)
            status = mp_window_make(&detector->windows[i], config->windows[i], series, memory);
    if (status == MOEP_OK)
        status = mp_drift_make(&detector->drift, series, config->block, mp_detector_blocks(config), memory);
    if (status == MOEP_OK)
        status = make_arena(detector, layers, experts);
    return status;
}

moep_status mp_detector_make(size_t layers, size_t experts, const moep_detector_config *config,
                             const struct runtime *runtime, moep_detector **out)
{
    moep_detector *detector = mp_allocate(&runtime->memory, 1, sizeof *detector);
    if (!detector)
        return mp_out_of_memory("the detector");
    *detector = (moep_detector){.config = *config, .runtime = *runtime};
    detector->growth = growth_of(config, config->growth);
    /* 1: what goes straight on. A single jump gives two differences that share its blocks a product of up to a quarter of
     * its square: that must not count for more than the jump itself. */
    detector->growth_onward = fmin(growth_of(config, fmin(2 * config->growth, 1)), 4 * detector->growth);
    moep_status status = make_parts(detector, layers, experts);
    if (status == MOEP_OK)
        *out = detector;
    else
        mp_detector_destroy(detector);
    return status;
}

moep_status moep_detector_create(size_t layers, size_t experts, const moep_detector_config *config,
                                 const moep_runtime *runtime, moep_detector **out)
{
    MP_BORDER
    if (!out)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "out is NULL");
    *out = NULL;
    moep_detector_config checked;
    struct runtime resolved;
    moep_status status = mp_shape_check(layers, experts);
    if (status == MOEP_OK)
        status = mp_detector_config_read(&checked, config);
    if (status == MOEP_OK)
        status = mp_runtime_read(&resolved, runtime, &mp_runtime_default);
    if (status == MOEP_OK)
        status = mp_detector_make(layers, experts, &checked, &resolved, out);
    return status;
}

void mp_detector_destroy(moep_detector *detector)
{
    if (!detector)
        return;
    struct memory memory = detector->runtime.memory;
    size_t layers = detector->history.layers, experts = detector->history.experts;
    mp_release(&memory, detector->arena, arena_size(layers, experts, mp_detector_blocks(&detector->config)), 1);
    mp_drift_free(&detector->drift, &memory);
    for (size_t i = 0; i < MP_WINDOWS; i++)
        mp_window_free(&detector->windows[i], &memory);
    mp_history_free(&detector->history, &memory);
    mp_release(&memory, detector, 1, sizeof *detector);
}

void moep_detector_destroy(moep_detector *detector)
{
    MP_BORDER
    mp_detector_destroy(detector);
}

/* ---- counts in ----------------------------------------------------------------------------------------------------- */

static void end_block(moep_detector *detector)
{
    uint64_t ended = mp_drift_ended(&detector->drift);
    if (!mp_detector_in_warmup(detector))
        for (size_t layer = 0; layer < detector->history.layers; layer++)
            mp_detector_judge(detector, layer, ended);
    memset(mp_detector_tokens(detector, ended), 0, detector->history.layers * sizeof *detector->tokens);
}

static void push_step(moep_detector *detector, const void *counts, moep_dtype dtype)
{
    struct history *history = &detector->history;
    double *tokens = mp_detector_tokens(detector, mp_drift_ended(&detector->drift));
    mp_history_record(history, counts, dtype, detector->totals);
    size_t layer_size = history->experts * mp_dtype_size(dtype);
    for (size_t layer = 0; layer < history->layers; layer++) {
        const char *of_layer = (const char *)counts + layer * layer_size;
        tokens[layer] += mp_intake_are_tokens(of_layer, dtype, history->experts) ? detector->totals[layer] : NAN;
    }
    for (size_t i = 0; i < MP_WINDOWS; i++)
        if (detector->windows[i].arena)
            mp_window_push(&detector->windows[i], history);
    if (mp_drift_push(&detector->drift, mp_history_row(history, history->steps - 1)))
        end_block(detector);
}

/* The first step, or one after so long a gap that what was known before says nothing about what comes. */
static void restart(moep_detector *detector, uint64_t step)
{
    const struct history *history = &detector->history;
    mp_drift_reset(&detector->drift);
    memset(detector->tokens, 0, (2 * detector->drift.blocks + 1) * history->layers * sizeof *detector->tokens);
    for (size_t i = 0; i < history->layers; i++)
        mp_stability_restart(&detector->layers[i], step);
    for (size_t i = 0; i < history->layers * history->experts; i++)
        mp_stability_restart(&detector->experts[i], step);
}

static moep_status push(moep_detector *detector, uint64_t first_step, size_t steps, const void *counts,
                        moep_dtype dtype)
{
    struct history *history = &detector->history;
    moep_status status = mp_history_check(history, first_step, steps, counts, dtype);
    if (status != MOEP_OK || steps == 0)
        return status;
    size_t step_size = history->layers * history->experts * mp_dtype_size(dtype);
    if (history->steps == 0 || first_step - history->next_step > detector->config.drift_window)
        restart(detector, first_step);
    mp_history_begin(history, first_step);
    for (size_t step = 0; step < steps; step++)
        push_step(detector, (const char *)counts + step * step_size, dtype);
    return MOEP_OK;
}

moep_status moep_detector_push(moep_detector *detector, size_t steps, const void *counts, moep_dtype dtype)
{
    MP_BORDER
    return detector ? push(detector, detector->history.next_step, steps, counts, dtype) : mp_detector_missing();
}

moep_status moep_detector_push_at(moep_detector *detector, uint64_t first_step, size_t steps, const void *counts,
                                  moep_dtype dtype)
{
    MP_BORDER
    return detector ? push(detector, first_step, steps, counts, dtype) : mp_detector_missing();
}

/* ---- about it ------------------------------------------------------------------------------------------------------ */

moep_status moep_detector_info(const moep_detector *detector, moep_info *info)
{
    MP_BORDER
    if (!detector)
        return mp_detector_missing();
    moep_info ours = mp_history_info(&detector->history);
    ours.method = -1;
    ours.min_steps = 2 * (uint64_t)detector->config.drift_window;
    ours.fitted_step = UINT64_MAX;
    return mp_struct_write(info, &ours, sizeof ours, "moep_info");
}

moep_status moep_detector_config_read(const moep_detector *detector, moep_detector_config *config)
{
    MP_BORDER
    if (!detector)
        return mp_detector_missing();
    return mp_struct_write(config, &detector->config, sizeof detector->config, "moep_detector_config");
}
