/* SPDX-License-Identifier: BSD-3-Clause */
/* A map from scratch: groups to nodes, experts to the ranks of each node (fresh.h), and moves that balance it. */
#ifndef MP_PLACEMENT_NEW_MAP_H
#define MP_PLACEMENT_NEW_MAP_H

#include "placement/fresh.h"
#include "placement/layout.h"
#include "placement/search.h"

struct new_map {
    struct fresh fresh;
    struct placement of_groups; /* as experts without further copies, on nodes as ranks */
    struct candidates candidates;
    int32_t *groups;  /* [groups]: in the order of their nodes */
    int32_t *experts; /* [experts]: in the order of their groups' nodes */
    int32_t *load;    /* [experts / nodes]: of one node's */
    int32_t *map;     /* [slots] */
};

void mp_new_map_lay_out(struct new_map *new_map, struct arena *arena, const struct layout *layout);

/* Sets the placement to a new map for its loads, without duplicates, and balances it by up to `effort` moves. Returns a
 * bound that no rank load can be smaller than, given the nodes of groups. */
int32_t mp_new_map(struct new_map *new_map, const struct layout *layout, struct placement *placement, size_t effort);

#endif
