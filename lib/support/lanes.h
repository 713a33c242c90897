/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernels on lanes: MP_LANES series side by side, one number of each in an array of MP_LANES doubles.
 *
 * A kernel is an ordinary file that is compiled once per vector width, with MP_LANE_BYTES saying which
 * (lib/meson.build); `vector` is as many lanes as one register then holds. Why not target_clones (simd.h): compilers
 * keep a vector wider than the registers in memory, which makes a kernel ten times slower. All widths give the same
 * bytes: a lane meets the same operations in the same order, whatever is beside it. */
#ifndef MP_SUPPORT_LANES_H
#define MP_SUPPORT_LANES_H

#include "support/width.h"

#include <stddef.h>
#include <stdint.h>

enum { MP_LANES = 16 };

#ifdef MP_LANE_BYTES

typedef double vector __attribute__((vector_size(MP_LANE_BYTES), may_alias));
typedef int64_t mask __attribute__((vector_size(MP_LANE_BYTES), may_alias));

enum { WIDTH = MP_LANE_BYTES / 8, VECTORS = MP_LANES / WIDTH };

#define INLINE static inline __attribute__((always_inline, unused))

INLINE vector splat(double x)
{
    return x - (vector){0};
}

/* a where the mask is set, b elsewhere. */
INLINE vector choose(mask where, vector a, vector b)
{
    return (vector)((where & (mask)a) | (~where & (mask)b));
}

INLINE vector absolute(vector a)
{
    return (vector)((mask)a & INT64_MAX);
}

INLINE mask is_finite(vector a)
{
    return absolute(a) <= splat(1.7976931348623157e308);
}

INLINE vector square_root(vector a)
{
    for (int l = 0; l < WIDTH; l++)
        a[l] = __builtin_sqrt(a[l]);
    return a;
}

#endif

#endif
