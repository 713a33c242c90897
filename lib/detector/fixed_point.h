/* SPDX-License-Identifier: BSD-3-Clause */
/* Shares as whole multiples of 2^-31. Sums of whole numbers are exact, so a share that was added to a running sum can
 * be subtracted again without a rounding error, however long the run. */
#ifndef MP_DETECTOR_FIXED_POINT_H
#define MP_DETECTOR_FIXED_POINT_H

#include <stdint.h>

#define MP_FIXED_UNIT 0x1p-31

/* Exact from 2^-8 up, where a float has no finer digits; below that, digits finer than a unit are cut off. */
static inline uint32_t mp_fixed(float share)
{
    return (uint32_t)(share * 0x1p31f);
}

#endif
