/* SPDX-License-Identifier: BSD-3-Clause */
/* Mean, variance and range of every series over its last w steps (the paper's section on the two states), kept up with
 * every step at a cost that does not depend on w.
 *
 * Mean and variance come from running sums of whole numbers, which are exact. The range comes from a block method (van
 * Herk 1992; Gil and Werman 1993): time falls into turns of w steps; a window is the end of one turn and the beginning
 * of the next. Of the present turn the least and the largest share so far are kept; of the last one, when it ends,
 * those of each of its ends. Every step is the end of a turn for one w-th of the series, so that no step pays for
 * all. */
#ifndef MP_DETECTOR_WINDOW_H
#define MP_DETECTOR_WINDOW_H

#include "detector/config.h"
#include "series/history.h"

struct window {
    size_t steps, series;
    void *arena; /* of arena_size bytes; the arrays below lie in it */
    uint64_t *sum,
        *squares; /* [series]: of the shares; of their squares, modulo 2^64; what is above is in sum, from bit 44 on */
    float *least, *largest;                 /* [series]: of the present turn */
    float *least_of_ends, *largest_of_ends; /* [steps][series], by groups: of the last turn without its first i steps */
};

/* steps: 1 .. MP_LONGEST_WINDOW. OUT_OF_MEMORY leaves it fit for mp_window_free, as zeroed memory is. */
moep_status mp_window_make(struct window *window, size_t steps, size_t series, const struct memory *memory);
void mp_window_free(struct window *window, const struct memory *memory);

/* Takes in the step that history has just recorded; history holds steps + 1 rows or more. */
void mp_window_push(struct window *window, const struct history *history);

/* As it would be had it taken in every step of that history. */
void mp_window_rebuild(struct window *window, const struct history *history);

/* From one of the same steps and series. */
void mp_window_copy(struct window *to, const struct window *from);

/* Of the last min(steps, pushed) steps, pushed >= 1: [series]. The variance is the mean of the squared deviations from
 * the mean, without a loss of digits where the mean is much larger than they. */
void mp_window_mean(const struct window *window, uint64_t pushed, double *out);
void mp_window_variance(const struct window *window, uint64_t pushed, double *out);
void mp_window_range(const struct window *window, uint64_t pushed, double *out);

#endif
