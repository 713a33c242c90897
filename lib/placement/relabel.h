/* SPDX-License-Identifier: BSD-3-Clause */
/* A new map's ranks and slots are numbered so that most copies stay where they are. */
#ifndef MP_PLACEMENT_RELABEL_H
#define MP_PLACEMENT_RELABEL_H

#include "placement/placement.h"

struct relabel {
    int32_t *common;       /* [ranks][ranks]: copies that a new rank shares with a present one */
    int32_t *common_nodes; /* [nodes][nodes]: the sums of these over their ranks */
    int32_t *becomes;      /* [ranks]: the present rank whose number a new one gets */
    int32_t *node_becomes; /* [nodes] */
    bool *taken;           /* [ranks]: the present one has been given away */
    int32_t *map;          /* [slots] */
};

void mp_relabel_lay_out(struct relabel *relabel, struct arena *arena, size_t slots, size_t ranks, size_t nodes);

/* Renumbers the placement's ranks by those of the map with which it was begun. Nodes stay together. Pairs are matched
 * one by one, those with most in common first. */
void mp_relabel(struct relabel *relabel, struct placement *placement);

/* Orders the slots of each rank of a map so that copies which the present map has there keep their slots. */
void mp_keep_slots(const struct placement *placement, const int64_t *present, int32_t *map);

#endif
