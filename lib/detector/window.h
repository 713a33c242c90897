/* SPDX-License-Identifier: BSD-3-Clause */
/* Mean, variance and range of every series over its last w steps (the paper's section on the two states). A step costs
 * the same whatever w is; window.c explains the method.
 *
 * bytes: the sums are exact, so their order does not matter; allocates: at make only. */
#ifndef MP_DETECTOR_WINDOW_H
#define MP_DETECTOR_WINDOW_H

#include "detector/config.h"
#include "series/panel.h"
#include "support/arena.h"

struct window {
    size_t steps, series; /* w, n */
    uint64_t pushed;      /* steps so far */
    struct arena arena;
    uint64_t *sum;     /* [n]: of the shares, in MP_FIXED_UNIT; from bit 44 on, bits 64 and up of the sum of squares */
    uint64_t *squares; /* [n]: bits 0 to 63 of the sum of squares */
    float *least, *largest;               /* [n]: of the present segment so far */
    float *suffix_least, *suffix_largest; /* [w][n], by groups: of the last segment without its first i steps */
};

/* steps: 1 .. MP_LONGEST_WINDOW. After OUT_OF_MEMORY, mp_window_free is still allowed, as it is on zeroed memory. */
moep_status mp_window_make(struct window *window, size_t steps, size_t series, const struct memory *memory);
void mp_window_free(struct window *window, const struct memory *memory);

/* Adds the step in the panel's last row. The panel holds w + 1 rows, or all steps if fewer have been pushed. */
void mp_window_push(struct window *window, const struct panel *panel);

/* Restores the window's state after `pushed` steps, of which the panel holds the last. */
void mp_window_rebuild(struct window *window, const struct panel *panel, uint64_t pushed);

/* Copies a window of the same steps and series. */
void mp_window_copy(struct window *to, const struct window *from);

/* Over the last min(w, pushed) steps, pushed >= 1: [series]. The variance is the mean squared deviation from the mean;
 * it keeps its digits where the mean is much larger than the deviations. */
void mp_window_mean(const struct window *window, double *out);
void mp_window_variance(const struct window *window, double *out);
void mp_window_range(const struct window *window, double *out);

#endif
