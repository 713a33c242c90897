/* SPDX-License-Identifier: BSD-3-Clause */
/* The ring of the last steps: counts in, panels of shares out. */
#ifndef MP_HISTORY_H
#define MP_HISTORY_H

#include "moepredict.h"
#include "panel.h"
#include "support/memory.h"

struct history {
    size_t layers, experts, capacity;
    uint64_t steps, next_step, empty_layers, gaps; /* as in moep_info */
    float *ring;                                   /* [capacity][layers][experts]; step s is row s % capacity */
};

/* OUT_OF_MEMORY leaves it fit for mp_history_free, as zeroed memory is. */
moep_status mp_history_make(struct history *history, size_t layers, size_t experts, uint64_t capacity,
                            const struct memory *memory);
void mp_history_free(struct history *history, const struct memory *memory);

/* All of the steps or, on an error, none. */
moep_status mp_history_push(struct history *history, uint64_t first_step, size_t steps, const void *counts,
                            moep_dtype dtype);

/* As made. */
void mp_history_reset(struct history *history);

/* All steps held. */
struct panel mp_history_panel(const struct history *history);

#endif
