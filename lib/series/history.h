/* SPDX-License-Identifier: BSD-3-Clause */
/* The ring of the last steps: counts in, panels of shares out. */
#ifndef MP_SERIES_HISTORY_H
#define MP_SERIES_HISTORY_H

#include "checkpoint/checkpoint.h"
#include "moepredict.h"
#include "series/panel.h"
#include "support/memory.h"

struct history {
    size_t layers, experts, capacity;
    uint64_t steps, next_step, empty_layers; /* as in moep_info */
    uint64_t first_step; /* number of the first step pushed; numbers skipped between it and next_step are gaps */
    float *ring;         /* [capacity][layers][experts]; step s is row s % capacity */
};

/* INVALID_ARGUMENT unless both are 1 or more. */
moep_status mp_shape_check(size_t layers, size_t experts);

/* Leaves the ring uninitialised. After OUT_OF_MEMORY, mp_history_free is still allowed, as it is on zeroed memory. */
moep_status mp_history_make(struct history *history, size_t layers, size_t experts, uint64_t capacity,
                            const struct memory *memory);
void mp_history_free(struct history *history, const struct memory *memory);

/* Writes to every page of a new ring, so that no push causes a page fault. Copying and reading a history do, too. */
void mp_history_touch(struct history *history);

/* Records all of the steps or, on an error, none. Allocates nothing. */
moep_status mp_history_push(struct history *history, uint64_t first_step, size_t steps, const void *counts,
                            moep_dtype dtype);

/* The same, and calls recorded(user) after each step; NULL: nothing. */
moep_status mp_history_push_each(struct history *history, uint64_t first_step, size_t steps, const void *counts,
                                 moep_dtype dtype, void (*recorded)(void *user), void *user);

/* mp_history_push in parts, for callers that inspect each step: check all steps of a call, begin with the number of the
 * first, then record them one by one. totals: [layers], of the step's counts, or NULL. */
moep_status mp_history_check(const struct history *history, uint64_t first_step, size_t steps, const void *counts,
                             moep_dtype dtype);
void mp_history_begin(struct history *history, uint64_t first_step);
void mp_history_record(struct history *history, const void *counts, moep_dtype dtype, double *totals);

/* Returns to the state after make. */
void mp_history_reset(struct history *history);

/* Copies a history of the same layers, experts and capacity. */
void mp_history_copy(struct history *to, const struct history *from);

/* Its state as a checkpoint's fields. They include the whole ring, however few steps it holds. So the size stays the
 * same throughout a run, and a reader allocates no more memory than the input is long. Reading checks that each share
 * is within 0 .. 1, not that a layer's shares sum to 1. first_step was added later and is saved with the configuration,
 * so a reader sets it before it reads the fields. */
void mp_history_fields(struct history *history, struct checkpoint *checkpoint);

/* The bytes of the ring, in memory as in a checkpoint; SIZE_MAX where they do not fit. */
size_t mp_history_ring_size(size_t layers, size_t experts, uint64_t capacity);

/* The fields of moep_info that any handle with a history fills. */
moep_info mp_history_info(const struct history *history);

/* The steps held. */
struct panel mp_history_panel(const struct history *history);

#endif
