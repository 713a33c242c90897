/* SPDX-License-Identifier: BSD-3-Clause */
#include "checkpoint/handle.h"

#include "api/status.h"

/* ---- clone ------------------------------------------------------------------------------------------------------- */

moep_status mp_handle_clone(const struct handle_kind *kind, const void *header, const void *handle,
                            const moep_runtime *runtime, const struct runtime *fallback, void **out)
{
    struct runtime resolved;
    moep_status status = mp_runtime_read(&resolved, runtime, fallback);
    if (status == MOEP_OK)
        status = kind->make(header, &resolved, out);
    if (status == MOEP_OK)
        kind->copy(*out, handle);
    return status;
}

/* ---- save -------------------------------------------------------------------------------------------------------- */

static moep_status parts_fields(struct checkpoint *checkpoint, const struct handle_kind *kind, void *handle)
{
    moep_status status = MOEP_OK;
    for (size_t i = 0; i < kind->n && status == MOEP_OK; i++) {
        mp_checkpoint_section(checkpoint, &kind->parts[i].section);
        kind->parts[i].fields(checkpoint, handle);
        status = mp_checkpoint_end(checkpoint);
    }
    return status;
}

/* Measures or writes. Only reading writes to a field, so header and handle stay as they are. */
static size_t all_fields(struct checkpoint *checkpoint, const struct handle_kind *kind, const void *header,
                         const void *handle)
{
    mp_checkpoint_section(checkpoint, &kind->section);
    kind->header_fields(checkpoint, (void *)header);
    mp_checkpoint_end(checkpoint);
    parts_fields(checkpoint, kind, (void *)handle);
    return mp_checkpoint_finish(checkpoint);
}

moep_status mp_handle_save(const struct handle_kind *kind, const void *header, const void *handle, void *buffer,
                           size_t capacity, size_t *size)
{
    struct checkpoint checkpoint;
    mp_checkpoint_measure(&checkpoint);
    size_t needed = all_fields(&checkpoint, kind, header, handle);
    if (buffer && capacity < needed)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "capacity is %zu bytes, the state takes %zu", capacity, needed);
    *size = needed;
    if (!buffer)
        return MOEP_OK;
    mp_checkpoint_write(&checkpoint, buffer);
    all_fields(&checkpoint, kind, header, handle);
    return MOEP_OK;
}

/* ---- load -------------------------------------------------------------------------------------------------------- */

static moep_status open_checkpoint(struct checkpoint *checkpoint, const struct handle_kind *kind, const void *buffer,
                                   size_t size)
{
    struct section known[MP_MOST_SECTIONS] = {kind->section};
    for (size_t i = 0; i < kind->n; i++)
        known[1 + i] = kind->parts[i].section;
    return mp_checkpoint_read(checkpoint, buffer, size, known, 1 + kind->n);
}

static moep_status read_header(struct checkpoint *checkpoint, const struct handle_kind *kind, void *header)
{
    mp_checkpoint_section(checkpoint, &kind->section);
    kind->header_fields(checkpoint, header);
    moep_status status = kind->check_header(checkpoint, header);
    return status == MOEP_OK ? mp_checkpoint_end(checkpoint) : status;
}

static moep_status check_sizes(struct checkpoint *checkpoint, const struct handle_kind *kind, const void *header)
{
    for (size_t i = 0; i < kind->n; i++) {
        mp_checkpoint_section(checkpoint, &kind->parts[i].section);
        if (mp_checkpoint_left(checkpoint) <= kind->parts[i].least_size(header))
            return mp_fail(MOEP_ERROR_CORRUPT,
                           "the checkpoint is damaged: it is shorter than its configuration requires");
    }
    return MOEP_OK;
}

static moep_status make_and_fill(struct checkpoint *checkpoint, const struct handle_kind *kind, const void *header,
                                 const struct runtime *runtime, void **out)
{
    void *handle = NULL;
    moep_status status = kind->make(header, runtime, &handle);
    if (status == MOEP_OK)
        status = parts_fields(checkpoint, kind, handle);
    if (status == MOEP_OK)
        *out = handle;
    else
        kind->destroy(handle);
    return status;
}

moep_status mp_handle_load(const struct handle_kind *kind, void *header, const void *buffer, size_t size,
                           const moep_runtime *runtime, void **out)
{
    struct checkpoint checkpoint;
    struct runtime resolved;
    if (!buffer)
        return mp_fail_null("buffer");
    moep_status status = mp_runtime_read(&resolved, runtime, &mp_runtime_default);
    if (status == MOEP_OK)
        status = open_checkpoint(&checkpoint, kind, buffer, size);
    if (status == MOEP_OK)
        status = read_header(&checkpoint, kind, header);
    if (status == MOEP_OK)
        status = check_sizes(&checkpoint, kind, header);
    if (status == MOEP_OK)
        status = make_and_fill(&checkpoint, kind, header, &resolved, out);
    return status;
}
