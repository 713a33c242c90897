/* SPDX-License-Identifier: BSD-3-Clause */
/* How a detector is cloned, saved and loaded (checkpoint/handle.h). */
#include "api/status.h"
#include "checkpoint/handle.h"
#include "detector/detector.h"
#include "support/environment.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- header ------------------------------------------------------------------------------------------------------ */

/* A detector's shape, configuration and the number of its first step. */
struct header {
    size_t layers, experts;
    moep_detector_config config;
    uint64_t first_step;
};

static struct header header_of(const moep_detector *detector)
{
    const struct history *history = &detector->history;
    return (struct header){history->layers, history->experts, detector->config, history->first_step};
}

/* Later fields go at the end, each if mp_checkpoint_more(). */
static void header_fields(struct checkpoint *checkpoint, void *opaque)
{
    struct header *header = opaque;
    moep_detector_config *config = &header->config;
    mp_field_size(checkpoint, &header->layers);
    mp_field_size(checkpoint, &header->experts);
    mp_field_u64(checkpoint, &config->horizon);
    mp_field_f64(checkpoint, &config->tolerance);
    mp_field_f64(checkpoint, &config->expert_tolerance);
    mp_field_f64(checkpoint, &config->growth);
    mp_field_u32(checkpoint, &config->drift_window);
    mp_field_u32(checkpoint, &config->block);
    mp_field_u32(checkpoint, &config->dwell);
    for (size_t i = 0; i < MP_WINDOWS; i++)
        mp_field_u32(checkpoint, &config->windows[i]);
    if (mp_checkpoint_more(checkpoint))
        mp_field_u64(checkpoint, &header->first_step);
    mp_checkpoint_skip(checkpoint);
}

static moep_status check_header(struct checkpoint *checkpoint, void *opaque)
{
    struct header *header = opaque;
    moep_detector_config saved_config = header->config;
    mp_checkpoint_require(checkpoint, header->layers > 0 && header->experts > 0);
    mp_checkpoint_require(checkpoint, mp_detector_config_read(&header->config, &saved_config) == MOEP_OK);
    return MOEP_OK;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static void rebuild_windows(moep_detector *detector)
{
    struct panel panel = mp_history_panel(&detector->history);
    for (size_t i = 0; i < MP_WINDOWS; i++)
        if (detector->windows[i].steps > 0)
            mp_window_rebuild(&detector->windows[i], &panel, detector->history.steps);
}

/* The windows are not among the fields: they are computed again from the history. */
static void history_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_detector *detector = handle;
    mp_history_fields(&detector->history, checkpoint);
    if (checkpoint->mode == MP_READ && !checkpoint->bad)
        rebuild_windows(detector);
}

static size_t history_size(const void *opaque)
{
    const struct header *header = opaque;
    return mp_history_ring_size(header->layers, header->experts, mp_detector_history(&header->config));
}

static void drift_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_detector *detector = handle;
    mp_drift_fields(&detector->drift, checkpoint);
    mp_checkpoint_require(checkpoint, detector->drift.pushed <= detector->history.steps);
}

static size_t drift_size(const void *opaque)
{
    const struct header *header = opaque;
    return mp_drift_ring_size(mp_product(header->layers, header->experts), mp_detector_blocks(&header->config));
}

/* E2; a detector that does not learn has s. */
static void drifts_fields(struct checkpoint *checkpoint, const moep_detector_config *config,
                          const struct expected_drift *drifts, size_t n)
{
    if (mp_learns(config))
        mp_field_doubles(checkpoint, drifts->expected, n, -DBL_MAX, DBL_MAX);
    else if (checkpoint->mode == MP_READ)
        memcpy(drifts->expected, drifts->smoothed, n * sizeof *drifts->expected);
}

static void states_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_detector *detector = handle;
    size_t layers = detector->history.layers, series = layers * detector->history.experts;
    bool warmup = mp_detector_in_warmup(detector);
    uint64_t blocks_ended = mp_drift_blocks_ended(&detector->drift), next_step = detector->history.next_step;
    for (size_t i = 0; i < layers; i++)
        mp_stability_fields(&detector->layers[i], &detector->of_layers.smoothed[i], checkpoint, warmup, blocks_ended,
                            next_step);
    for (size_t i = 0; i < series; i++)
        mp_stability_fields(&detector->experts[i], &detector->of_experts.smoothed[i], checkpoint, warmup, blocks_ended,
                            next_step);
    for (size_t i = 0; i < mp_detector_token_rows(detector) * layers; i++) {
        double *tokens = &detector->tokens[i];
        mp_field_f64(checkpoint, tokens);
        mp_checkpoint_require(checkpoint, isnan(*tokens) || (*tokens >= 0 && isfinite(*tokens)));
    }
    mp_learning_fields(&detector->learning, checkpoint);
    drifts_fields(checkpoint, &detector->config, &detector->of_layers, layers);
    drifts_fields(checkpoint, &detector->config, &detector->of_experts, series);
}

static size_t states_size(const void *opaque)
{
    const struct header *header = opaque;
    return mp_product(mp_product(header->layers, header->experts), MP_STABILITY_SAVED);
}

static const struct handle_part parts[] = {
    {{"HIST", 1}, history_fields, history_size},
    {{"DRFT", 1}, drift_fields, drift_size},
    {{"STAT", 1}, states_fields, states_size},
};

/* ---- the kind of handle ------------------------------------------------------------------------------------------ */

static moep_status make(const void *opaque, const struct runtime *runtime, void **out)
{
    const struct header *header = opaque;
    moep_detector *detector = NULL;
    moep_status status = mp_detector_make(header->layers, header->experts, &header->config, runtime, &detector);
    if (status != MOEP_OK)
        return status;
    detector->history.first_step = header->first_step;
    *out = detector;
    return MOEP_OK;
}

static void copy(void *clone, const void *original)
{
    moep_detector *to = clone;
    const moep_detector *from = original;
    mp_history_copy(&to->history, &from->history);
    for (size_t i = 0; i < MP_WINDOWS; i++)
        if (from->windows[i].steps > 0)
            mp_window_copy(&to->windows[i], &from->windows[i]);
    mp_drift_copy(&to->drift, &from->drift);
    mp_learning_copy(&to->learning, &from->learning);
    mp_arena_copy(&to->arena, &from->arena);
}

static void destroy(void *handle)
{
    mp_detector_destroy(handle);
}

static const struct handle_kind kind = {
    .section = {"DCFG", 1},
    .header_fields = header_fields,
    .check_header = check_header,
    .parts = parts,
    .n = sizeof parts / sizeof *parts,
    .make = make,
    .copy = copy,
    .destroy = destroy,
};

/* ---- the public calls -------------------------------------------------------------------------------------------- */

moep_status moep_detector_clone(const moep_detector *detector, const moep_runtime *runtime, moep_detector **out)
{
    MP_BORDER
    if (!out)
        return mp_fail_null("out");
    *out = NULL;
    if (!detector)
        return mp_fail_null("detector");
    struct header header = header_of(detector);
    void *clone = NULL;
    moep_status status = mp_handle_clone(&kind, &header, detector, runtime, &detector->runtime, &clone);
    *out = clone;
    return status;
}

moep_status moep_detector_save(const moep_detector *detector, void *buffer, size_t capacity, size_t *size)
{
    MP_BORDER
    if (!detector || !size)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_detector_save needs a detector and a size");
    struct header header = header_of(detector);
    return mp_handle_save(&kind, &header, detector, buffer, capacity, size);
}

moep_status moep_detector_load(const void *buffer, size_t size, const moep_runtime *runtime, moep_detector **out)
{
    MP_BORDER
    if (!out)
        return mp_fail_null("out");
    *out = NULL;
    struct header header = {.config = mp_detector_config_defaults};
    header.config.struct_size = sizeof header.config;
    void *loaded = NULL;
    moep_status status = mp_handle_load(&kind, &header, buffer, size, runtime, &loaded);
    *out = loaded;
    return status;
}
