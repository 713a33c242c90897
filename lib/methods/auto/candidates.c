/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/candidates.h"

#include "support/simd.h"

#include <string.h>

/* Short windows follow changes, long ones average noise out. With fewer than seven the errors of a load at rest are 4
 * to 10 % larger. */
static const size_t cut_windows[MP_AUTO_CUT_WINDOWS] = {50, 100, 300, 1000, 2000};
static const size_t uncut_windows[MP_AUTO_UNCUT_WINDOWS] = {300, 1000, 2000};

static const char *const names[MP_AUTO_CANDIDATES] = {
    "mean of 50 since the last jump",
    "mean of 100 since the last jump",
    "mean of 300 since the last jump",
    "mean of 1000 since the last jump",
    "mean of 2000 since the last jump",
    "mean of 300",
    "mean of 1000",
    "mean of 2000",
    "pretrained network",
    "uniform load",
};

const char *mp_auto_candidate_name(size_t candidate)
{
    return candidate < MP_AUTO_CANDIDATES ? names[candidate] : NULL;
}

struct block_origin mp_auto_origin(const struct auto_view *view, uint64_t blocks)
{
    return (struct block_origin){.blocks = blocks, .start = view->layer->start[blocks % MP_AUTO_ORIGINS]};
}

struct block_origin mp_auto_now(const struct auto_view *view, const struct auto_run *run)
{
    struct block_origin now = mp_auto_origin(view, run->blocks);
    now.phase = (size_t)run->phase;
    return now;
}

void mp_auto_fill_windows(const struct auto_view *view, const struct block_origin *origin, double *sum,
                          double *candidates)
{
    size_t experts = view->experts;
    struct block_origin uncut = *origin;
    uncut.start = 0;
    mp_window_means(&view->blocks, origin, cut_windows, MP_AUTO_CUT_WINDOWS, sum, candidates + MP_AUTO_CUT * experts);
    mp_window_means(&view->blocks, &uncut, uncut_windows, MP_AUTO_UNCUT_WINDOWS, sum,
                    candidates + MP_AUTO_UNCUT * experts);
    for (size_t e = 0; e < experts; e++)
        candidates[MP_AUTO_UNIFORM * experts + e] = 1 / (double)experts;
}

MP_VECTORISED static void mp_auto_add_weighted(double *restrict sum, double weight, const double *restrict row,
                                               size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * row[i];
}

void mp_auto_mix(const double weights[MP_AUTO_CANDIDATES], const double *candidates, size_t experts, double *mixture)
{
    memset(mixture, 0, experts * sizeof *mixture);
    for (size_t k = 0; k < MP_AUTO_CANDIDATES; k++)
        if (weights[k] > 0)
            mp_auto_add_weighted(mixture, weights[k], candidates + k * experts, experts);
}
