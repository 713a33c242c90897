/* SPDX-License-Identifier: BSD-3-Clause */
/* The most promising moves that take load off a rank: those after which the ranks that they touch carry least. */
#ifndef MP_PLACEMENT_CANDIDATES_H
#define MP_PLACEMENT_CANDIDATES_H

#include "placement/placement.h"

/* The best moves found so far, a heap with the worst at its top. Of equal ones, those that were found first stay. */
struct candidates {
    struct move *moves; /* [capacity] */
    size_t n, capacity;
    int32_t limit;  /* a move must have a smaller peak */
    int most_moves; /* of copies that a move may add to those that have moved (mp_placement_moves) */
    int32_t *parts; /* [slots]: of the copy in each slot; scratch */
};

/* Swaps of a copy on rank `hot` with one on another rank of its node. No rank gets a second copy of an expert. */
void mp_find_swaps(const struct placement *placement, size_t hot, struct candidates *candidates);

/* Replacements of a copy, of which its expert has others, by an expert that its rank has not: on rank `hot` by any that
 * carries less there, on other ranks by one of hot's experts. */
void mp_find_replacements(const struct placement *placement, size_t hot, struct candidates *candidates);

#endif
