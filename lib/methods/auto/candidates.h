/* SPDX-License-Identifier: BSD-3-Clause */
/* The forecasts that AUTO mixes: means of windows, a network's forecast, and uniform loads. */
#ifndef MP_METHODS_AUTO_CANDIDATES_H
#define MP_METHODS_AUTO_CANDIDATES_H

#include <stddef.h>
#include <stdint.h>

/* The order of the candidates. Cut windows end at the last jump, or long gap; the others reach beyond it. */
enum {
    MP_AUTO_CUT = 0,
    MP_AUTO_CUT_WINDOWS = 5,
    MP_AUTO_UNCUT = MP_AUTO_CUT + MP_AUTO_CUT_WINDOWS,
    MP_AUTO_UNCUT_WINDOWS = 3,
    MP_AUTO_WINDOWS = MP_AUTO_CUT_WINDOWS + MP_AUTO_UNCUT_WINDOWS,
    MP_AUTO_NETWORK = MP_AUTO_WINDOWS,
    MP_AUTO_UNIFORM,
    MP_AUTO_CANDIDATES
};

struct auto_view;
struct auto_run;

/* The point from which a forecast is made. */
struct auto_origin {
    uint64_t blocks; /* that have ended before it */
    uint64_t start;  /* the first block that cut windows see */
    size_t phase;    /* steps of the running block before it; 0 unless the origin is now */
};

/* An origin at the end of a block, at most MP_AUTO_LONGEST_LAG blocks before the last whose work is done. */
struct auto_origin mp_auto_origin(const struct auto_view *view, uint64_t blocks);

/* The last step of the run, for a layer that has learned from all blocks. */
struct auto_origin mp_auto_now(const struct auto_view *view, const struct auto_run *run);

/* means[n][experts] of the last lengths[i] steps before the origin, or of all since the block `start` if they are fewer.
 * lengths ascend. Where a window begins within a block, this counts with the fraction that the window covers. A window
 * shorter than the running block is all of it. Without a step the means are 0. */
void mp_auto_means(const struct auto_view *view, const struct auto_origin *origin, uint64_t start,
                   const size_t *lengths, size_t n, double *sum, double *means);

/* candidates[MP_AUTO_CANDIDATES][experts], all but the network's row. */
void mp_auto_fill_windows(const struct auto_view *view, const struct auto_origin *origin, double *sum,
                          double *candidates);

/* sum[experts] = the mixture of the candidates first .. last - 1 with these weights. */
void mp_auto_mix(const double *weights, const double *candidates, size_t first, size_t last, size_t experts,
                 double *mixture);

const char *mp_auto_candidate_name(size_t candidate);

#endif
