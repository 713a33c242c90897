/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/jump.h"

#include "support/simd.h"
#include "support/sum.h"

/* Less than MIN_JUMP takes noise for a jump, less than MIN_RATIO takes drift for one; more misses shifts. */
static const double MIN_JUMP = 0.08, MIN_RATIO = 16;
enum { MIN_OTHERS = 4 };

static inline double squared(double x)
{
    return x * x;
}

/* |(a + b) / 2 - (c + d) / 2|^2 */
MP_VECTORISED static double mp_auto_square_distance(const float *a, const float *b, const float *c, const float *d,
                                                    size_t n)
{
    double sum;
    MP_SUM(sum, i, n, squared((((double)a[i] + (double)b[i]) - ((double)c[i] + (double)d[i])) / 2));
    return sum;
}

/* D_s(block). Those of the first blocks have no meaning, and none is read: is_jump begins at first + 2 s - 1. */
static double *distance_at(const struct auto_view *view, size_t side, uint64_t block)
{
    return &view->layer->distance[side - 1][block % MP_AUTO_DISTANCES];
}

static void measure(const struct auto_view *view, uint64_t i)
{
    const float *newest[4];
    for (uint64_t ago = 0; ago < 4; ago++)
        newest[ago] = mp_block_mean(&view->blocks, i - ago);
    *distance_at(view, 1, i) = mp_auto_square_distance(newest[0], newest[0], newest[1], newest[1], view->experts);
    *distance_at(view, 2, i) = mp_auto_square_distance(newest[0], newest[1], newest[2], newest[3], view->experts);
}

/* The mean of D_1 over the blocks first + 1 .. newest. */
static double mean_distance(const struct auto_view *view, uint64_t first, uint64_t newest)
{
    double sum = 0;
    for (uint64_t i = first + 1; i <= newest; i++)
        sum += *distance_at(view, 1, i);
    return sum / (double)(newest - first);
}

static double excess(const struct auto_view *view, size_t side, uint64_t block, double noise)
{
    double distance = *distance_at(view, side, block) - noise;
    return distance > 0 ? distance * (double)view->experts : 0;
}

static bool is_jump(const struct auto_view *view, size_t side, uint64_t first, uint64_t newest)
{
    if (newest + 2 < first + 4 * side + MIN_OTHERS)
        return false;
    double noise = mean_distance(view, first, newest) / (double)side, others = 0;
    double newest_excess = excess(view, side, newest, noise);
    uint64_t n = 0;
    for (uint64_t i = first + 2 * side - 1; i + 2 * side <= newest; i++, n++)
        others += excess(view, side, i, noise);
    return newest_excess > MIN_JUMP * MIN_JUMP && newest_excess * (double)n > MIN_RATIO * others;
}

uint64_t mp_auto_find_jump(const struct auto_view *view, uint64_t start, uint64_t newest)
{
    uint64_t first = newest >= start + MP_AUTO_DISTANCES ? newest - MP_AUTO_DISTANCES + 1 : start;
    measure(view, newest);
    for (size_t side = 1; side <= MP_AUTO_SIDES; side++)
        if (is_jump(view, side, first, newest))
            return newest - side + 1;
    return start;
}
