/* SPDX-License-Identifier: BSD-3-Clause */
/* The handle: create and destroy, push, and info. Every step goes into the history, the windows and the present block.
 * When a block ends, the states are evaluated.
 *
 * allocates: at create only; threads: none. */
#include "detector/detector.h"

#include "api/status.h"
#include "api/struct.h"
#include "series/intake.h"
#include "support/environment.h"

#include <math.h>
#include <string.h>

/* ---- life -------------------------------------------------------------------------------------------------------- */

static struct expected_drift lay_out_drifts(struct arena *arena, size_t n)
{
    struct expected_drift drifts;
    drifts.smoothed = mp_arena_take(arena, n, sizeof *drifts.smoothed);
    drifts.expected = mp_arena_take(arena, n, sizeof *drifts.expected);
    return drifts;
}

static void lay_out(void *self, struct arena *arena)
{
    moep_detector *detector = self;
    size_t layers = detector->history.layers, experts = detector->history.experts;
    size_t tokens = mp_product(mp_detector_token_rows(detector), layers);
    detector->layers = mp_arena_take(arena, layers, sizeof *detector->layers);
    detector->experts = mp_arena_take(arena, mp_product(layers, experts), sizeof *detector->experts);
    detector->of_layers = lay_out_drifts(arena, layers);
    detector->of_experts = lay_out_drifts(arena, mp_product(layers, experts));
    detector->tokens = mp_arena_take(arena, tokens, sizeof *detector->tokens);
    detector->totals = mp_arena_take(arena, layers, sizeof *detector->totals);
    detector->scratch = mp_arena_take(arena, mp_product(5, experts), sizeof *detector->scratch);
    detector->says = mp_arena_take(arena, experts, sizeof *detector->says);
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
        status = mp_learning_make(&detector->learning, layers, experts, config, memory);
    if (status == MOEP_OK && !mp_arena_make(&detector->arena, lay_out, detector, memory))
        status = mp_out_of_memory("the states: layers x experts is too large");
    return status;
}

moep_status mp_detector_make(size_t layers, size_t experts, const moep_detector_config *config,
                             const struct runtime *runtime, moep_detector **out)
{
    moep_detector *detector = mp_allocate(&runtime->memory, 1, sizeof *detector);
    if (!detector)
        return mp_out_of_memory("the detector");
    *detector = (moep_detector){.config = *config, .runtime = *runtime, .growth = mp_growth(config)};
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
        return mp_fail_null("out");
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
    if (status == MOEP_OK)
        mp_history_touch(&(*out)->history);
    return status;
}

void mp_detector_destroy(moep_detector *detector)
{
    if (!detector)
        return;
    struct memory memory = detector->runtime.memory;
    mp_arena_free(&detector->arena, &memory);
    mp_learning_free(&detector->learning, &memory);
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

/* ---- counts in --------------------------------------------------------------------------------------------------- */

static void evaluate_experts(moep_detector *detector, size_t layer, const struct drift_estimate *estimate,
                             const struct stability_rule *stability, uint64_t blocks_ended, bool first)
{
    size_t n = detector->history.experts, at = layer * n;
    struct drift_rule rule = mp_drift_rule(&detector->growth, detector->config.expert_tolerance);
    struct learned_experts learned = mp_learned_of_experts(&detector->learning, layer, mp_detector_periods(detector), n,
                                                           detector->scratch + 3 * n, detector->scratch + 4 * n);
    mp_expect_of_experts(&rule, estimate, n, &learned, first, detector->of_experts.smoothed + at,
                         detector->of_experts.expected + at, detector->says);
    for (size_t e = 0; e < n; e++)
        mp_stability_update(&detector->experts[at + e], stability, (unsigned)detector->says[e], blocks_ended,
                            detector->history.next_step - 1);
}

/* Evaluates the states of a layer and its experts when a block ends. */
static void evaluate(moep_detector *detector, size_t layer, uint64_t blocks_ended)
{
    const moep_detector_config *config = &detector->config;
    size_t n = detector->history.experts, blocks = detector->drift.blocks;
    bool first = blocks_ended == 2 * blocks;
    struct stability_rule stability = {config->dwell / config->block + (config->dwell % config->block != 0), blocks};
    struct drift_rule rule = mp_drift_rule(&detector->growth, config->tolerance);
    struct drift_estimate estimate = {detector->scratch, detector->scratch + n, detector->scratch + 2 * n};
    mp_drift_estimate(&detector->drift, layer * n, n, &estimate);
    if (blocks_ended % blocks == 0)
        mp_learning_learn(&detector->learning, layer, mp_detector_periods(detector), estimate.noise);
    struct learned learned = mp_learned_of_layer(&detector->learning, layer, mp_detector_periods(detector));
    unsigned says = mp_expect_of_layer(&rule, &estimate, n, &learned, first, &detector->of_layers.smoothed[layer],
                                       &detector->of_layers.expected[layer]);
    mp_stability_update(&detector->layers[layer], &stability, says, blocks_ended, detector->history.next_step - 1);
    evaluate_experts(detector, layer, &estimate, &stability, blocks_ended, first);
}

static void end_block(moep_detector *detector)
{
    uint64_t blocks_ended = mp_drift_blocks_ended(&detector->drift);
    if (blocks_ended % detector->drift.blocks == 0)
        mp_learning_end_period(&detector->learning, &detector->drift);
    if (!mp_detector_in_warmup(detector))
        for (size_t layer = 0; layer < detector->history.layers; layer++)
            evaluate(detector, layer, blocks_ended);
    memset(mp_detector_tokens(detector, blocks_ended), 0, detector->history.layers * sizeof *detector->tokens);
}

static void push_step(moep_detector *detector, const void *counts, moep_dtype dtype)
{
    struct history *history = &detector->history;
    double *tokens = mp_detector_tokens(detector, mp_drift_blocks_ended(&detector->drift));
    mp_history_record(history, counts, dtype, detector->totals);
    size_t layer_size = history->experts * mp_dtype_size(dtype);
    for (size_t layer = 0; layer < history->layers; layer++) {
        const char *layer_counts = (const char *)counts + layer * layer_size;
        tokens[layer] += mp_intake_are_tokens(layer_counts, dtype, history->experts) ? detector->totals[layer] : NAN;
    }
    struct panel panel = mp_history_panel(history);
    for (size_t i = 0; i < MP_WINDOWS; i++)
        if (detector->windows[i].steps > 0)
            mp_window_push(&detector->windows[i], &panel);
    if (mp_drift_push(&detector->drift, mp_panel_row(&panel, panel.steps - 1)))
        end_block(detector);
}

static void forget(const struct expected_drift *drifts, size_t n)
{
    memset(drifts->smoothed, 0, n * sizeof *drifts->smoothed);
    memset(drifts->expected, 0, n * sizeof *drifts->expected);
}

/* Begins WARMUP: at the first step, and again after a gap so long that the load before it no longer counts. */
static void restart(moep_detector *detector, uint64_t step)
{
    const struct history *history = &detector->history;
    mp_drift_reset(&detector->drift);
    mp_learning_reset(&detector->learning);
    memset(detector->tokens, 0, mp_detector_token_rows(detector) * history->layers * sizeof *detector->tokens);
    for (size_t i = 0; i < history->layers; i++)
        mp_stability_restart(&detector->layers[i], step);
    for (size_t i = 0; i < history->layers * history->experts; i++)
        mp_stability_restart(&detector->experts[i], step);
    forget(&detector->of_layers, history->layers);
    forget(&detector->of_experts, history->layers * history->experts);
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
    return detector ? push(detector, detector->history.next_step, steps, counts, dtype) : mp_fail_null("detector");
}

moep_status moep_detector_push_at(moep_detector *detector, uint64_t first_step, size_t steps, const void *counts,
                                  moep_dtype dtype)
{
    MP_BORDER
    return detector ? push(detector, first_step, steps, counts, dtype) : mp_fail_null("detector");
}

/* ---- info -------------------------------------------------------------------------------------------------------- */

moep_status moep_detector_info(const moep_detector *detector, moep_info *info)
{
    MP_BORDER
    if (!detector)
        return mp_fail_null("detector");
    moep_info ours = mp_history_info(&detector->history);
    ours.method = -1;
    ours.min_steps = 2 * (uint64_t)detector->config.drift_window;
    ours.fitted_step = UINT64_MAX; /* never */
    return mp_struct_write(info, &ours, sizeof ours, "moep_info");
}

moep_status moep_detector_config_read(const moep_detector *detector, moep_detector_config *config)
{
    MP_BORDER
    if (!detector)
        return mp_fail_null("detector");
    return mp_struct_write(config, &detector->config, sizeof detector->config, "moep_detector_config");
}
