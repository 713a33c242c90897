/* SPDX-License-Identifier: BSD-3-Clause */
/* How a planner is cloned, saved and loaded (checkpoint/handle.h). */
#include "api/status.h"
#include "checkpoint/handle.h"
#include "placement/planner.h"
#include "support/environment.h"

/* ---- header ------------------------------------------------------------------------------------------------------ */

/* A planner's shape, configuration and the number of its first step. */
struct header {
    size_t layers, experts;
    moep_planner_config config;
    uint64_t first_step;
};

static struct header header_of(const moep_planner *planner)
{
    const struct history *history = &planner->history;
    return (struct header){history->layers, history->experts, planner->config, history->first_step};
}

/* Later fields go at the end, each if mp_checkpoint_more(). */
static void header_fields(struct checkpoint *checkpoint, void *opaque)
{
    struct header *header = opaque;
    mp_field_size(checkpoint, &header->layers);
    mp_field_size(checkpoint, &header->experts);
    mp_field_u32(checkpoint, &header->config.span);
    mp_field_u32(checkpoint, &header->config.scenarios);
    mp_field_f64(checkpoint, &header->config.risk);
    mp_field_u64(checkpoint, &header->first_step);
    mp_checkpoint_skip(checkpoint);
}

static moep_status check_header(struct checkpoint *checkpoint, void *opaque)
{
    struct header *header = opaque;
    moep_planner_config saved_config = header->config;
    mp_checkpoint_require(checkpoint, header->layers > 0 && header->experts > 0);
    mp_checkpoint_require(checkpoint, mp_planner_config_read(&header->config, &saved_config) == MOEP_OK);
    return MOEP_OK;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

/* Both parts have seen the same steps. */
static void history_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_planner *planner = handle;
    mp_history_fields(&planner->history, checkpoint);
    if (checkpoint->mode == MP_READ)
        planner->samples.pushed = planner->history.steps;
}

static size_t history_size(const void *opaque)
{
    const struct header *header = opaque;
    return mp_history_ring_size(header->layers, header->experts, 1);
}

static void samples_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_planner *planner = handle;
    mp_samples_fields(&planner->samples, checkpoint);
}

static size_t samples_size(const void *opaque)
{
    const struct header *header = opaque;
    return mp_history_ring_size(header->layers, header->experts, header->config.scenarios);
}

static const struct handle_part parts[] = {
    {{"HIST", 1}, history_fields, history_size},
    {{"SAMP", 1}, samples_fields, samples_size},
};

/* ---- the kind of handle ------------------------------------------------------------------------------------------ */

static moep_status make(const void *opaque, const struct runtime *runtime, void **out)
{
    const struct header *header = opaque;
    moep_planner *planner = NULL;
    moep_status status = mp_planner_make(header->layers, header->experts, &header->config, runtime, &planner);
    if (status != MOEP_OK)
        return status;
    planner->history.first_step = header->first_step;
    *out = planner;
    return MOEP_OK;
}

static void copy(void *clone, const void *original)
{
    moep_planner *to = clone;
    const moep_planner *from = original;
    mp_history_copy(&to->history, &from->history);
    mp_samples_copy(&to->samples, &from->samples);
}

static void destroy(void *handle)
{
    mp_planner_destroy(handle);
}

static const struct handle_kind kind = {
    .section = {"QCFG", 1},
    .header_fields = header_fields,
    .check_header = check_header,
    .parts = parts,
    .n = sizeof parts / sizeof *parts,
    .make = make,
    .copy = copy,
    .destroy = destroy,
};

/* ---- the public calls -------------------------------------------------------------------------------------------- */

moep_status moep_planner_clone(const moep_planner *planner, const moep_runtime *runtime, moep_planner **out)
{
    MP_BORDER
    if (!out)
        return mp_fail_null("out");
    *out = NULL;
    if (!planner)
        return mp_fail_null("planner");
    struct header header = header_of(planner);
    void *clone = NULL;
    moep_status status = mp_handle_clone(&kind, &header, planner, runtime, &planner->runtime, &clone);
    *out = clone;
    return status;
}

moep_status moep_planner_save(const moep_planner *planner, void *buffer, size_t capacity, size_t *size)
{
    MP_BORDER
    if (!planner || !size)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_planner_save needs a planner and a size");
    struct header header = header_of(planner);
    return mp_handle_save(&kind, &header, planner, buffer, capacity, size);
}

moep_status moep_planner_load(const void *buffer, size_t size, const moep_runtime *runtime, moep_planner **out)
{
    MP_BORDER
    if (!out)
        return mp_fail_null("out");
    *out = NULL;
    struct header header = {.config = mp_planner_config_defaults};
    header.config.struct_size = sizeof header.config;
    void *loaded = NULL;
    moep_status status = mp_handle_load(&kind, &header, buffer, size, runtime, &loaded);
    *out = loaded;
    return status;
}
