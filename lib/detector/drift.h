/* SPDX-License-Identifier: BSD-3-Clause */
/* How far the load of each series has moved, without the part that noise adds, from the means of blocks of steps.
 *
 * Let A, B, C be the means of the last m blocks, of the m before and of the m before those, and s2 the variance of the
 * noise of one block's mean, independent from block to block.
 *
 *     D  = A - B      the last difference          noise variance V = 2 s2 / m
 *     D' = B - C      the difference before        the same; covariance with D: -s2 / m = -V / 2, because of B
 *
 * So these are unbiased, as squares of a share:
 *
 *     D^2 - V         the movement of the load itself, squared, once 2 m blocks have ended
 *     D D' + V / 2    the same where it keeps its direction (D = D' but for noise), once 3 m blocks have ended
 *     V               from how neighbouring blocks differ, s2 = mean of (b_i - b_(i-1))^2 / 2 over the last 2 m
 *                     (von Neumann 1941), which a slow movement hardly touches
 *
 * Block means are whole multiples of 2^-26, so that the running sums are exact. The state depends only on the last
 * 3 m + 1 blocks and on the steps of the present one.
 *
 * bytes: all sums are of whole numbers, in any order; allocates: at make only. */
#ifndef MP_DETECTOR_DRIFT_H
#define MP_DETECTOR_DRIFT_H

#include "checkpoint/checkpoint.h"
#include "support/arena.h"

struct drift {
    size_t series, steps, blocks; /* n; steps in a block; m */
    uint64_t pushed;              /* steps */
    struct arena arena;
    uint64_t *sum;                 /* [n]: shares of the present block, in MP_FIXED_UNIT */
    int64_t *difference, *earlier; /* [n]: m D, m D' */
    uint64_t *squares;             /* [n]: of the 2 m - 1 differences between neighbours */
    uint32_t *ring;                /* [3 m + 1][n]: block i in row i % (3 m + 1) */
    uint32_t *zeros;               /* [n]: stands for a block that has not ended yet */
};

/* OUT_OF_MEMORY leaves it fit for mp_drift_free, as zeroed memory is. */
moep_status mp_drift_make(struct drift *drift, size_t series, size_t steps, size_t blocks, const struct memory *memory);
void mp_drift_free(struct drift *drift, const struct memory *memory);

/* Returns to the state after make. */
void mp_drift_reset(struct drift *drift);

/* Adds a step; true if that ended a block. */
bool mp_drift_push(struct drift *drift, const float *shares);

/* Blocks that have ended. */
uint64_t mp_drift_ended(const struct drift *drift);

/* The three estimates above for some series, as shares squared; trend is of no meaning before 3 m blocks have ended. */
struct drift_estimate {
    double *squared; /* D^2 - V */
    double *trend;   /* D D' + V / 2 */
    double *noise;   /* V */
};

/* Estimates n series from `first` on, once 2 m blocks have ended. */
void mp_drift_estimate(const struct drift *drift, size_t first, size_t n, const struct drift_estimate *out);

/* One series over the last 2 m blocks: its mean share, and the variance of a single step, steps * s2, that makes the
 * blocks scatter as they do. */
double mp_drift_mean(const struct drift *drift, size_t series);
double mp_drift_variance(const struct drift *drift, size_t series);

/* Copies a drift of the same shape. */
void mp_drift_copy(struct drift *to, const struct drift *from);

/* The bytes of its ring, in memory as in a checkpoint; SIZE_MAX where they do not fit. */
size_t mp_drift_ring_size(size_t series, size_t blocks);

/* Its state as a checkpoint's fields. */
void mp_drift_fields(struct drift *drift, struct checkpoint *checkpoint);

#endif
