/* SPDX-License-Identifier: BSD-3-Clause */
/* Two copies of the hottest rank for two of another one: finer than a swap, and dearer to find. */
#ifndef MP_PLACEMENT_DOUBLE_SWAP_H
#define MP_PLACEMENT_DOUBLE_SWAP_H

#include "placement/placement.h"

/* Makes the double swap after which the larger load of its two ranks is smallest. False, and no change, if none lowers
 * the hottest rank's load, or ranks have too many slots to look for one. */
bool mp_double_swap(struct placement *placement);

#endif
