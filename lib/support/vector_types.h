/* SPDX-License-Identifier: BSD-3-Clause */
/* The vector of one width. The header that includes this one defines `element`, its integer `element_bits` and
 * VECTOR_ALIGNMENT: lanes.h for lanes of doubles, vectors.h for rows of real numbers. */
#ifndef MP_SUPPORT_VECTOR_TYPES_H
#define MP_SUPPORT_VECTOR_TYPES_H

#define INLINE static inline __attribute__((always_inline, unused))

typedef element vector __attribute__((vector_size(MP_LANE_BYTES), aligned(VECTOR_ALIGNMENT), may_alias));

/* Integers as wide as the elements. As a mask, every element has all its bits set or none. */
typedef element_bits mask __attribute__((vector_size(MP_LANE_BYTES), aligned(VECTOR_ALIGNMENT), may_alias));

enum { WIDTH = MP_LANE_BYTES / (int)sizeof(element) }; /* in elements */

INLINE vector splat(element x)
{
    vector zero = {0};
    return x - zero;
}

/* a where the mask is set, b elsewhere. */
INLINE vector choose(mask where, vector a, vector b)
{
    return (vector)((where & (mask)a) | (~where & (mask)b));
}

INLINE vector square_root(vector a)
{
    for (int l = 0; l < WIDTH; l++)
        a[l] = _Generic(a[l], float : __builtin_sqrtf, double : __builtin_sqrt)(a[l]);
    return a;
}

#endif
