/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: a few IEEE operations on doubles, in a fixed order; allocates: nothing. */
#include "placement/loads.h"

#include "placement/placement.h"
#include "series/simplex.h"

#include <math.h>
#include <string.h>

enum { OWN_BLOCKS = MP_SAMPLE_BLOCKS / 5 }; /* 180 steps of 900: longer lags behind, shorter is noisier */

void mp_forecast_shares(const struct samples *samples, size_t layer, const double *forecast, double *sums,
                        double *shares)
{
    struct block_means blocks = mp_samples_blocks(samples, layer);
    struct block_origin now = mp_samples_now(samples);
    size_t steps = OWN_BLOCKS * samples->block;
    if (forecast)
        memcpy(shares, forecast, samples->experts * sizeof *shares);
    else
        mp_window_means(&blocks, &now, &steps, 1, sums, shares);
    mp_simplex(shares, samples->experts);
}

/* sum over the blocks of mean, or of (mean - centre)^2 */
static void add_block(const float *block, const double *centre, double *sums, size_t n)
{
    for (size_t e = 0; e < n; e++) {
        double value = (double)block[e] - (centre ? centre[e] : 0);
        sums[e] += centre ? value * value : value;
    }
}

void mp_add_risk(const struct samples *samples, size_t layer, double risk, double *mean, double *sums, double *shares)
{
    struct block_means blocks = mp_samples_blocks(samples, layer);
    uint64_t end = mp_samples_now(samples).blocks, n = end < MP_SAMPLE_BLOCKS ? end : MP_SAMPLE_BLOCKS;
    if (n == 0)
        return;
    memset(mean, 0, samples->experts * sizeof *mean);
    memset(sums, 0, samples->experts * sizeof *sums);
    for (uint64_t block = end - n; block < end; block++)
        add_block(mp_block_mean(&blocks, block), NULL, mean, samples->experts);
    for (size_t e = 0; e < samples->experts; e++)
        mean[e] /= (double)n;
    for (uint64_t block = end - n; block < end; block++)
        add_block(mp_block_mean(&blocks, block), mean, sums, samples->experts);
    for (size_t e = 0; e < samples->experts; e++)
        shares[e] += risk * sqrt(sums[e] / (double)n);
    mp_simplex(shares, samples->experts);
}

void mp_loads_of(const double *shares, size_t experts, int32_t *loads)
{
    for (size_t e = 0; e < experts; e++)
        loads[e] = (int32_t)(shares[e] * MP_LOAD_UNIT + 0.5);
}
