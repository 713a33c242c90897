/* SPDX-License-Identifier: BSD-3-Clause */
/* A map from scratch: how many copies each expert gets, and on which rank each lies.
 *
 * Copies go one by one to the expert whose copies carry most (greedy division, which makes the largest part as small as
 * it can be). Then experts, those with the largest parts first, put each copy on the rank with the least load that has
 * a free slot and no copy of the expert yet (longest processing time first, Graham 1969). */
#ifndef MP_PLACEMENT_FRESH_H
#define MP_PLACEMENT_FRESH_H

#include "support/arena.h"

#include <stdint.h>

struct fresh {
    int32_t *copies; /* [experts] */
    int32_t *part;   /* [experts]: load / copies */
    uint64_t *order; /* [experts]: sort keys */
    int32_t *load;   /* [ranks]: so far */
    int32_t *used;   /* [ranks]: slots so far */
    int32_t *room;   /* [ranks]: - load; INT32_MIN where the next copy may not go */
};

/* Takes the arrays for problems of at most that size from the arena. */
void mp_fresh_lay_out(struct fresh *fresh, struct arena *arena, size_t experts, size_t ranks);

/* Fills map[slots] with experts 0 .. n - 1 of those loads. slots: a multiple of ranks, n .. n x ranks. At the end a
 * rank may be left with no other slot for an expert that it has. Returns the largest part. */
int32_t mp_fresh_map(struct fresh *fresh, const int32_t *load, size_t n, size_t slots, size_t ranks, int32_t *map);

#endif
