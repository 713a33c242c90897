/* SPDX-License-Identifier: BSD-3-Clause */
#include "series/block_means.h"

#include "support/simd.h"

#include <string.h>

MP_VECTORISED static void mp_block_add(double *restrict sum, const float *restrict mean, double steps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += steps * (double)mean[i];
}

/* to = (sum + part x mean) / steps */
MP_VECTORISED static void mp_block_divide(double *restrict to, const double *restrict sum, const float *restrict mean,
                                          double part, double steps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (sum[i] + part * (double)mean[i]) / steps;
}

void mp_window_means(const struct block_means *blocks, const struct block_origin *origin, const size_t *lengths,
                     size_t n, double *sum, double *means)
{
    size_t experts = blocks->experts, phase = origin->phase, added = 0;
    uint64_t seen = (origin->blocks - origin->start) * blocks->steps + phase;
    if (phase > 0)
        memcpy(sum, blocks->running, experts * sizeof *sum);
    else
        memset(sum, 0, experts * sizeof *sum);
    for (size_t i = 0; i < n; i++) {
        size_t steps = seen < lengths[i] ? (size_t)seen : lengths[i] > phase ? lengths[i] : phase;
        size_t whole = (steps - phase) / blocks->steps, part = (steps - phase) % blocks->steps;
        for (; added < whole; added++)
            mp_block_add(sum, mp_block_mean(blocks, origin->blocks - 1 - added), (double)blocks->steps, experts);
        const float *oldest = mp_block_mean(blocks, origin->blocks - 1 - added + (part == 0)); /* any if part is 0 */
        mp_block_divide(means + i * experts, sum, oldest, (double)part, steps > 0 ? (double)steps : 1, experts);
    }
}
