/* SPDX-License-Identifier: BSD-3-Clause */
/* Vectors of real numbers, for kernels that are ordinary files compiled once per vector width (MP_LANE_BYTES in
 * lib/meson.build). All widths give the same bytes, because each element undergoes the same operations in the same
 * order. Where the code says `fused`, every width computes a product and a sum with one rounding. */
#ifndef MP_SUPPORT_VECTORS_H
#define MP_SUPPORT_VECTORS_H

#include "support/width.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The library computes in float. Tests compile the same files in double and set tighter bounds. */
#ifdef MP_REAL_DOUBLE
typedef double real;
typedef int64_t real_bits;
#else
typedef float real;
typedef int32_t real_bits;
#endif

/* Rows are padded to a multiple of this many numbers, which is a whole number of vectors of every width. */
enum { MP_ROW = 16 };

static inline size_t mp_padded(size_t n)
{
    return (n + MP_ROW - 1) / MP_ROW * MP_ROW;
}

#ifdef MP_LANE_BYTES

typedef real element;
typedef real_bits element_bits;
#define VECTOR_ALIGNMENT sizeof(real) /* rows begin anywhere */
#include "support/vector_types.h"

#ifdef __clang__
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif
#define MP_JOINED_(name, bytes) name##_##bytes
#define MP_JOINED(name, bytes) MP_JOINED_(name, bytes)
#define MP_WIDE(name) MP_JOINED(name, MP_LANE_BYTES) /* the kernel's name for this width */

#ifdef MP_REAL_DOUBLE
#define FMA __builtin_fma
#else
#define FMA __builtin_fmaf
#endif

INLINE vector load(const real *p)
{
    return *(const vector *)p;
}

INLINE void store(real *p, vector a)
{
    *(vector *)p = a;
}

/* a b + c, rounded once. */
INLINE vector fused(vector a, vector b, vector c)
{
    vector r;
    for (int l = 0; l < WIDTH; l++)
        r[l] = FMA(a[l], b[l], c[l]);
    return r;
}

#endif

#endif
