/* SPDX-License-Identifier: BSD-3-Clause */
/* A layer's loads as means of blocks of steps, of which the last are kept. From these come the means of windows: those
 * that were known at a past origin, and that of the steps which came after it. AUTO scores its candidates by the two,
 * and the detector learns from them how far loads drift.
 *
 * A block is named by its number, from 0 on; an origin by the number of blocks before it. */
#ifndef MP_SERIES_BLOCK_MEANS_H
#define MP_SERIES_BLOCK_MEANS_H

#include <stddef.h>
#include <stdint.h>

struct block_means {
    size_t experts, rows, steps; /* steps of a block */
    float *means;                /* [rows][experts]: block i in row i % rows */
    const double *running;       /* [experts]: sums of the running block, which no origin at the end of a block reads */
};

/* The point from which a forecast is made. */
struct block_origin {
    uint64_t blocks; /* that have ended before it */
    uint64_t start;  /* the first block that windows see */
    size_t phase;    /* steps of the running block before it; 0 at the end of a block */
};

static inline float *mp_block_mean(const struct block_means *blocks, uint64_t block)
{
    return blocks->means + block % blocks->rows * blocks->experts;
}

/* Fills means[n][experts]: of the last lengths[i] steps before the origin, or of all that it sees if they are fewer.
 * lengths ascend. Of a block in which a window begins, all steps count, with the fraction that the window covers. A
 * window shorter than the running block is all of it. Without a step the means are 0. sum: [experts], for the call. */
void mp_window_means(const struct block_means *blocks, const struct block_origin *origin, const size_t *lengths,
                     size_t n, double *sum, double *means);

#endif
