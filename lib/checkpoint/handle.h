/* SPDX-License-Identifier: BSD-3-Clause */
/* How every kind of handle is cloned, saved and loaded.
 *
 * A saved handle is a header section (shape and configuration) and one section for each part of its state. Loading
 * reads the header, checks it, makes a handle from it, and fills the parts.
 * A kind of handle provides the functions of handle_kind; predictor/save.c is an example.
 *
 * allocates: clone and load, by `make` alone; save takes no memory. */
#ifndef MP_CHECKPOINT_HANDLE_H
#define MP_CHECKPOINT_HANDLE_H

#include "api/runtime.h"
#include "checkpoint/checkpoint.h"

/* A part of a handle's state, and its section. */
struct handle_part {
    struct section section;
    void (*fields)(struct checkpoint *checkpoint, void *handle);

    /* A lower bound on the section's bytes for a handle that the header describes. A reader makes the handle only if
     * every section is longer, so that it takes no more memory than a few times the input. */
    size_t (*least_size)(const void *header);
};

struct handle_kind {
    struct section section; /* the header's */
    void (*header_fields)(struct checkpoint *checkpoint, void *header);

    /* Reading: checks what `make` requires of the header, by mp_checkpoint_require or with an error of its own. */
    moep_status (*check_header)(struct checkpoint *checkpoint, void *header);

    const struct handle_part *parts;
    size_t n; /* below MP_MOST_SECTIONS */

    moep_status (*make)(const void *header, const struct runtime *runtime, void **out);
    void (*copy)(void *to, const void *from); /* all that `make` does not set; to: made from the same header */
    void (*destroy)(void *handle);            /* NULL is fine */
};

/* header: the handle's. runtime: NULL copies `fallback`, the original's. On an error `out` is not written. */
moep_status mp_handle_clone(const struct handle_kind *kind, const void *header, const void *handle,
                            const moep_runtime *runtime, const struct runtime *fallback, void **out);

/* Writes the handle, or only measures it if buffer is NULL. INVALID_ARGUMENT: capacity is too small; then neither
 * buffer nor size is written. */
moep_status mp_handle_save(const struct handle_kind *kind, const void *header, const void *handle, void *buffer,
                           size_t capacity, size_t *size);

/* header: a header with the defaults of fields that an older library has not written; it is overwritten. runtime: NULL
 * means the defaults. On an error `out` is not written. */
moep_status mp_handle_load(const struct handle_kind *kind, void *header, const void *buffer, size_t size,
                           const moep_runtime *runtime, void **out);

#endif
