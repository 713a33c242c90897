/* SPDX-License-Identifier: BSD-3-Clause */
/* How far the load of each series has drifted, without the part that noise adds, from the means of blocks of steps.
 *
 * Let A be the mean of the last m blocks, B of the m before, and C of the m before those. Let s2 be the variance of the
 * noise of one block's mean, which is independent from block to block.
 *
 *     D  = A - B      the last difference          noise variance V = 2 s2 / m
 *     D' = B - C      the difference before        the same; covariance with D: -s2 / m = -V / 2, because of B
 *
 * Therefore these estimates, in shares squared, are unbiased:
 *
 *     D^2 - V         the squared drift of the load itself, once 2 m blocks have ended
 *     D D' + V / 2    the same if the drift keeps its direction (D = D' except for noise), once 3 m blocks have ended
 *     V = 2 s2 / m    with s2 = mean of (b_i - b_(i-1))^2 / 2 over neighbouring blocks of the last 2 m (von Neumann
 *                     1941), on which a slow drift has little effect
 *
 * Block means are whole multiples of 2^-26, so the running sums are exact. The state depends only on the last
 * 3 m + 1 blocks and on the steps of the present one.
 *
 * bytes: all sums are of whole numbers, so their order does not matter; allocates: at make only. */
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
    uint64_t *squares;             /* [n]: sums of the 2 m - 1 squared differences between neighbours */
    uint32_t *ring;                /* [3 m + 1][n]: block i in row i % (3 m + 1) */
    uint32_t *zeros;               /* [n]: stands for a block that has not ended yet */
};

/* After OUT_OF_MEMORY, mp_drift_free is still allowed, as it is on zeroed memory. */
moep_status mp_drift_make(struct drift *drift, size_t series, size_t steps, size_t blocks, const struct memory *memory);
void mp_drift_free(struct drift *drift, const struct memory *memory);

/* Returns to the state after make. */
void mp_drift_reset(struct drift *drift);

/* Adds a step; true if that ended a block. */
bool mp_drift_push(struct drift *drift, const float *shares);

/* The number of blocks that have ended. */
uint64_t mp_drift_blocks_ended(const struct drift *drift);

/* The three estimates above for some series, as shares squared. trend is undefined before 3 m blocks have ended. */
struct drift_estimate {
    double *squared; /* D^2 - V */
    double *trend;   /* D D' + V / 2 */
    double *noise;   /* V */
};

/* Estimates n series from `first` on, once 2 m blocks have ended. */
void mp_drift_estimate(const struct drift *drift, size_t first, size_t n, const struct drift_estimate *out);

/* The mean shares of n series from `first` on over the last m blocks. sum: [n], for the call. */
void mp_drift_last_means(const struct drift *drift, size_t first, size_t n, double *sum, float *means);

/* The mean share of one series over the last 2 m blocks, and the variance of a single step, steps * s2. */
double mp_drift_mean(const struct drift *drift, size_t series);
double mp_drift_variance(const struct drift *drift, size_t series);

/* Copies a drift of the same shape. */
void mp_drift_copy(struct drift *to, const struct drift *from);

/* The bytes of its ring, in memory as in a checkpoint; SIZE_MAX where they do not fit. */
size_t mp_drift_ring_size(size_t series, size_t blocks);

/* Its state as a checkpoint's fields. */
void mp_drift_fields(struct drift *drift, struct checkpoint *checkpoint);

#endif
