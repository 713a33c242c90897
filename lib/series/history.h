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
    uint64_t first_step; /* with which the run was joined: from there to next_step, numbers that are no step are gaps */
    float *ring;         /* [capacity][layers][experts]; step s is row s % capacity */
};

/* INVALID_ARGUMENT unless both are 1 or more. */
moep_status mp_shape_check(size_t layers, size_t experts);

/* OUT_OF_MEMORY leaves it fit for mp_history_free, as zeroed memory is. */
moep_status mp_history_make(struct history *history, size_t layers, size_t experts, uint64_t capacity,
                            const struct memory *memory);
void mp_history_free(struct history *history, const struct memory *memory);

/* All of the steps or, on an error, none. */
moep_status mp_history_push(struct history *history, uint64_t first_step, size_t steps, const void *counts,
                            moep_dtype dtype);

/* The same in parts, for who looks at every step: may these steps be pushed? They begin with that number. Then, one by
 * one, and with the totals of the layers where those are asked for. */
moep_status mp_history_check(const struct history *history, uint64_t first_step, size_t steps, const void *counts,
                             moep_dtype dtype);
void mp_history_begin(struct history *history, uint64_t first_step);
void mp_history_record(struct history *history, const void *counts, moep_dtype dtype, double *totals);

/* The shares of a step that is still held: [layers][experts]. */
const float *mp_history_row(const struct history *history, uint64_t step);

/* As made. */
void mp_history_reset(struct history *history);

/* From one of the same layers, experts and capacity. */
void mp_history_copy(struct history *to, const struct history *from);

/* Its state as a checkpoint's fields. The whole ring is among them, whatever has been pushed: the size is the same all
 * through a run, and no reader takes more memory than the input is long. What is read are shares, each within 0 .. 1;
 * that a layer's sum to 1 is up to who wrote them. first_step is none of the fields, which are as they were before it
 * was kept: it lies with the configuration, and is there already when the others are read. */
void mp_history_fields(struct history *history, struct checkpoint *checkpoint);

/* The bytes of the ring, in memory as in a checkpoint; SIZE_MAX where they do not fit. */
size_t mp_history_ring_size(size_t layers, size_t experts, uint64_t capacity);

/* What moep_info says of any handle with a history. */
moep_info mp_history_info(const struct history *history);

/* All steps held. */
struct panel mp_history_panel(const struct history *history);

#endif
