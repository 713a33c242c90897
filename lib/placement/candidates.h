/* SPDX-License-Identifier: BSD-3-Clause */
/* The most promising moves that take load off a rank: those after which the ranks that they touch carry least. */
#ifndef MP_PLACEMENT_CANDIDATES_H
#define MP_PLACEMENT_CANDIDATES_H

#include "placement/placement.h"

/* The best moves found so far. */
struct candidates {
    struct move *moves; /* [capacity], of which n are there, in no order */
    uint64_t *heap;     /* [capacity]: keys (support/sort.h), the worst first once all are there */
    size_t n, capacity;
    bool heap_made;
    int32_t limit;  /* a move must have a smaller peak */
    int most_moves; /* of copies that a move may add to those that have moved (mp_placement_moves) */
    int32_t *parts; /* [slots]: of the copy in each slot; scratch */
};

void mp_candidates_lay_out(struct candidates *candidates, struct arena *arena, size_t slots, size_t most);

/* Begins with none. At most `capacity` will be kept. */
void mp_candidates_begin(struct candidates *candidates, size_t capacity, int32_t limit, int most_moves);

/* Swaps of a copy on rank `hot` with one on another rank of its node, for each copy and rank the best. No rank gets a
 * second copy of an expert. */
void mp_find_swaps(const struct placement *placement, size_t hot, struct candidates *candidates);

/* Replacements of a copy, of which its expert has others, by an expert that its rank has not: on rank `hot` by any that
 * carries less there, on other ranks by one of hot's experts. */
void mp_find_replacements(const struct placement *placement, size_t hot, struct candidates *candidates);

#endif
