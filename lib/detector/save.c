/* SPDX-License-Identifier: BSD-3-Clause */
/* The detector as a whole, copied, written out and read back. */
#include "api/status.h"
#include "detector/detector.h"
#include "support/environment.h"

#include <math.h>
#include <string.h>

/* ---- clone --------------------------------------------------------------------------------------------------------- */

static void copy_states(moep_detector *to, const moep_detector *from)
{
    size_t layers = from->history.layers, series = layers * from->history.experts;
    memcpy(to->layers, from->layers, layers * sizeof *to->layers);
    memcpy(to->experts, from->experts, series * sizeof *to->experts);
    memcpy(to->tokens, from->tokens, (2 * from->drift.blocks + 1) * layers * sizeof *to->tokens);
}

moep_status moep_detector_clone(const moep_detector *detector, const moep_runtime *runtime, moep_detector **out)
{
    MP_BORDER
    if (!out)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!detector)
        return mp_detector_missing();
    struct runtime resolved;
    const struct history *history = &detector->history;
    moep_status status = mp_runtime_read(&resolved, runtime, &detector->runtime);
    if (status == MOEP_OK)
        status = mp_detector_make(history->layers, history->experts, &detector->config, &resolved, out);
    if (status != MOEP_OK)
        return status;
    mp_history_copy(&(*out)->history, history);
    for (size_t i = 0; i < MP_WINDOWS; i++)
        if (detector->windows[i].arena)
            mp_window_copy(&(*out)->windows[i], &detector->windows[i]);
    mp_drift_copy(&(*out)->drift, &detector->drift);
    copy_states(*out, detector);
    return MOEP_OK;
}

/* ---- what the sections hold ---------------------------------------------------------------------------------------- */

static const struct section config_section = {"DCFG", 1}, history_section = {"HIST", 1}, drift_section = {"DRFT", 1},
                            state_section = {"STAT", 1};

struct origin {
    size_t layers, experts;
    moep_detector_config config;
    uint64_t first_step; /* of the history */
};

/* Fields to come follow at the end, each if mp_checkpoint_more(). */
static void origin_fields(struct checkpoint *checkpoint, struct origin *origin)
{
    moep_detector_config *config = &origin->config;
    mp_field_size(checkpoint, &origin->layers);
    mp_field_size(checkpoint, &origin->experts);
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
        mp_field_u64(checkpoint, &origin->first_step);
    mp_checkpoint_skip(checkpoint);
}

static void history_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_detector *detector = handle;
    mp_history_fields(&detector->history, checkpoint);
}

static void drift_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_detector *detector = handle;
    mp_drift_fields(&detector->drift, checkpoint);
    mp_checkpoint_require(checkpoint, detector->drift.pushed <= detector->history.steps);
}

static void states_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_detector *detector = handle;
    size_t layers = detector->history.layers, series = layers * detector->history.experts;
    bool warmup = mp_detector_in_warmup(detector);
    uint64_t ended = mp_drift_ended(&detector->drift), next_step = detector->history.next_step;
    for (size_t i = 0; i < layers; i++)
        mp_stability_fields(&detector->layers[i], checkpoint, warmup, ended, next_step);
    for (size_t i = 0; i < series; i++)
        mp_stability_fields(&detector->experts[i], checkpoint, warmup, ended, next_step);
    for (size_t i = 0; i < (2 * detector->drift.blocks + 1) * layers; i++) {
        mp_field_f64(checkpoint, &detector->tokens[i]);
        mp_checkpoint_require(checkpoint, isnan(detector->tokens[i]) ||
                                              (detector->tokens[i] >= 0 && isfinite(detector->tokens[i])));
    }
}

static const struct checkpoint_part parts[] = {
    {&history_section, history_fields}, {&drift_section, drift_fields}, {&state_section, states_fields}};
enum { PARTS = sizeof parts / sizeof *parts };

/* ---- save ---------------------------------------------------------------------------------------------------------- */

static size_t put(struct checkpoint *checkpoint, const void *handle)
{
    moep_detector *detector = (moep_detector *)handle; /* only reading writes to it */
    struct origin origin = {detector->history.layers, detector->history.experts, detector->config,
                            detector->history.first_step};
    mp_checkpoint_section(checkpoint, &config_section);
    origin_fields(checkpoint, &origin);
    mp_checkpoint_end(checkpoint);
    mp_checkpoint_parts(checkpoint, parts, PARTS, detector);
    return mp_checkpoint_finish(checkpoint);
}

moep_status moep_detector_save(const moep_detector *detector, void *buffer, size_t capacity, size_t *size)
{
    MP_BORDER
    if (!detector || !size)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_detector_save needs a detector and a size");
    return mp_checkpoint_save(put, detector, buffer, capacity, size);
}

/* ---- load ---------------------------------------------------------------------------------------------------------- */

static moep_status read_origin(struct checkpoint *checkpoint, struct origin *origin)
{
    *origin = (struct origin){.config = mp_detector_config_defaults};
    origin->config.struct_size = sizeof origin->config;
    mp_checkpoint_section(checkpoint, &config_section);
    origin_fields(checkpoint, origin);
    moep_detector_config given = origin->config;
    mp_checkpoint_require(checkpoint, origin->layers > 0 && origin->experts > 0);
    mp_checkpoint_require(checkpoint, mp_detector_config_read(&origin->config, &given) == MOEP_OK);
    return mp_checkpoint_end(checkpoint);
}

/* The input must be long enough for what is going to be allocated to hold it. */
static moep_status check_sizes(struct checkpoint *checkpoint, const struct origin *origin)
{
    const moep_detector_config *config = &origin->config;
    size_t series = mp_product(origin->layers, origin->experts);
    mp_checkpoint_section(checkpoint, &history_section);
    bool fits = mp_checkpoint_left(checkpoint) >
                mp_history_ring_size(origin->layers, origin->experts, mp_detector_history(config));
    mp_checkpoint_section(checkpoint, &drift_section);
    fits &= mp_checkpoint_left(checkpoint) > mp_drift_ring_size(series, mp_detector_blocks(config));
    mp_checkpoint_section(checkpoint, &state_section);
    fits &= mp_checkpoint_left(checkpoint) > mp_product(series, MP_STABILITY_SAVED);
    return fits ? MOEP_OK
                : mp_fail(MOEP_ERROR_CORRUPT, "the checkpoint is damaged: shorter than its configuration says");
}

static moep_status read_parts(struct checkpoint *checkpoint, moep_detector *detector)
{
    moep_status status = mp_checkpoint_parts(checkpoint, parts, PARTS, detector);
    for (size_t i = 0; i < MP_WINDOWS && status == MOEP_OK; i++)
        if (detector->windows[i].arena)
            mp_window_rebuild(&detector->windows[i], &detector->history);
    return status;
}

static moep_status load(const void *buffer, size_t size, const struct runtime *runtime, moep_detector **out)
{
    const struct section known[] = {config_section, history_section, drift_section, state_section};
    struct checkpoint checkpoint;
    struct origin origin;
    moep_detector *detector = NULL;
    moep_status status = mp_checkpoint_read(&checkpoint, buffer, size, known, sizeof known / sizeof *known);
    if (status == MOEP_OK)
        status = read_origin(&checkpoint, &origin);
    if (status == MOEP_OK)
        status = check_sizes(&checkpoint, &origin);
    if (status == MOEP_OK)
        status = mp_detector_make(origin.layers, origin.experts, &origin.config, runtime, &detector);
    if (status == MOEP_OK) {
        detector->history.first_step = origin.first_step;
        status = read_parts(&checkpoint, detector);
    }
    if (status == MOEP_OK)
        *out = detector;
    else
        mp_detector_destroy(detector);
    return status;
}

moep_status moep_detector_load(const void *buffer, size_t size, const moep_runtime *runtime, moep_detector **out)
{
    MP_BORDER
    if (!out)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!buffer)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "buffer is NULL");
    struct runtime resolved;
    moep_status status = mp_runtime_read(&resolved, runtime, &mp_runtime_default);
    return status == MOEP_OK ? load(buffer, size, &resolved, out) : status;
}
