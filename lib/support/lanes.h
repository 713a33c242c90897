/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernels on lanes: they process MP_LANES series side by side, one number of each in an array of MP_LANES doubles.
 *
 * A kernel is an ordinary file that is compiled once per vector width: lib/meson.build defines MP_LANE_BYTES, and a
 * `vector` has as many lanes as one register of that width. We do not use target_clones (simd.h), because compilers
 * keep a vector wider than the registers in memory, and a kernel becomes ten times slower. All widths give the same
 * bytes, because each lane undergoes the same operations in the same order. */
#ifndef MP_SUPPORT_LANES_H
#define MP_SUPPORT_LANES_H

#include "support/width.h"

#include <stddef.h>
#include <stdint.h>

/* Two vectors of the widest width. */
enum { MP_LANES = 16 };

#ifdef MP_LANE_BYTES

typedef double element;
typedef int64_t element_bits;
#define VECTOR_ALIGNMENT MP_LANE_BYTES
#include "support/vector_types.h"

enum { VECTORS = MP_LANES / WIDTH };

INLINE vector absolute(vector a)
{
    return (vector)((mask)a & INT64_MAX);
}

INLINE mask is_finite(vector a)
{
    return absolute(a) <= splat(1.7976931348623157e308);
}

#endif

#endif
