/* SPDX-License-Identifier: BSD-3-Clause */
/* What a map says of slots, copies and loads. */
#ifndef MP_PLACEMENT_MAPS_H
#define MP_PLACEMENT_MAPS_H

#include "placement/layout.h"

/* INVALID_ARGUMENT if log2phy has no room for that many copies: see moep_rebalance. */
moep_status mp_copies_check(const struct layout *layout, const int64_t *log2phy, size_t copies);

/* INVALID_ARGUMENT, because `expert` has more copies than log2phy has room for. */
moep_status mp_copies_fail(size_t layer, size_t expert, size_t copies);

/* Writes a layer's slots and numbers of copies, [experts][copies] and [experts]. Either may be NULL; the copies fit. */
void mp_map_invert(const struct layout *layout, const int64_t *map, int64_t *log2phy, size_t copies, int64_t *logcnt);

#endif
