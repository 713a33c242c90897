/* SPDX-License-Identifier: BSD-3-Clause */
/* How much each series moves, and how much of that is noise, from the means of blocks of steps.
 *
 * Between the mean of the last m blocks and that of the m before there is a difference D. Independent noise of variance
 * s2 in each block alone makes D^2 as large as V = 2 s2 / m on the average, and s2 is known from how neighbouring
 * blocks differ (von Neumann 1941), which a slow movement hardly touches. D^2 - V is therefore what the load itself has
 * moved. Where it goes on in one direction, D is like D', the difference m blocks ago, and D D' is as large as D^2. The
 * noise of the m blocks that are in both, with opposite signs, makes it - V / 2 on the average.
 *
 * Block means are whole numbers of 2^-26, so that the running sums are exact: the state is what the last 3 m + 1 blocks
 * say, and nothing else. */
#ifndef MP_DETECTOR_DRIFT_H
#define MP_DETECTOR_DRIFT_H

#include "checkpoint/checkpoint.h"
#include "support/memory.h"

struct drift {
    size_t series, steps, blocks;  /* steps in a block; m */
    uint64_t pushed;               /* steps */
    void *arena;                   /* the arrays below lie in it */
    uint64_t *sum;                 /* [series]: shares of the present block, in MP_FIXED_UNIT */
    int64_t *difference, *earlier; /* [series]: m D, m D' */
    uint64_t *squares;             /* [series]: of the 2 m - 1 differences between neighbours */
    uint32_t *ring, *none;         /* [3 m + 1][series], block i in row i % (3 m + 1); [series]: zeros */
};

/* OUT_OF_MEMORY leaves it fit for mp_drift_free, as zeroed memory is. */
moep_status mp_drift_make(struct drift *drift, size_t series, size_t steps, size_t blocks, const struct memory *memory);
void mp_drift_free(struct drift *drift, const struct memory *memory);

/* As made. */
void mp_drift_reset(struct drift *drift);

/* Takes in a step; whether that ended a block. */
bool mp_drift_push(struct drift *drift, const float *shares);

/* Blocks that have ended. */
uint64_t mp_drift_ended(const struct drift *drift);

/* Of n series from the first on, as shares squared: once 2 m blocks have ended D^2 - V, and V, the noise; once 3 m have,
 * D D' + V / 2. */
struct movement {
    double *moved, *onward, *noise; /* [n] */
};
void mp_drift_measure(const struct drift *drift, size_t first, size_t n, const struct movement *out);

/* Of one series over the last 2 m blocks: its mean share, and the variance of a single step that makes the blocks
 * scatter as they do. */
double mp_drift_mean(const struct drift *drift, size_t series);
double mp_drift_variance(const struct drift *drift, size_t series);

/* From one of the same shape. */
void mp_drift_copy(struct drift *to, const struct drift *from);

/* The bytes of its ring, in memory as in a checkpoint; SIZE_MAX where they do not fit. */
size_t mp_drift_ring_size(size_t series, size_t blocks);

/* Its state as a checkpoint's fields. */
void mp_drift_fields(struct drift *drift, struct checkpoint *checkpoint);

#endif
