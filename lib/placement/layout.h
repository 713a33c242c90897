/* SPDX-License-Identifier: BSD-3-Clause */
/* The caller's layout and maps, checked. */
#ifndef MP_PLACEMENT_LAYOUT_H
#define MP_PLACEMENT_LAYOUT_H

#include "moepredict.h"

#include <stdbool.h>
#include <stdint.h>

/* A moep_layout, resolved: without groups, there is one node and one group. */
struct layout {
    size_t layers, experts, slots, ranks;
    size_t groups, nodes;
    size_t rank_slots; /* slots of a rank */
};

/* INVALID_ARGUMENT, INCOMPATIBLE; without_duplicates: also where a rank has more slots than its node has experts. */
moep_status mp_layout_read(struct layout *to, const moep_layout *from, bool without_duplicates);

/* What a map in a call must have: a copy of every expert, no empty slot. */
enum map_rule { MP_MAP_ANY, MP_MAP_COVERS, MP_MAP_FULL };

/* Checks that every slot is -1 or an expert, and the rule. covered: [experts] bytes of scratch; NULL for MP_MAP_ANY.
 * name: of the map, for the message. INVALID_ARGUMENT. */
moep_status mp_map_check(const struct layout *layout, const int64_t *map, enum map_rule rule, unsigned char *covered,
                         const char *name);

/* Checks that all of [rows][layers][experts] are finite and >= 0. INVALID_ARGUMENT, with `name`, layer and expert. */
moep_status mp_shares_check(const struct layout *layout, size_t rows, const double *shares, const char *name);

#endif
