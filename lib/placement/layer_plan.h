/* SPDX-License-Identifier: BSD-3-Clause */
/* The plan of one layer: a search from the current map, one from a new map, and the cheapest of all that they find. */
#ifndef MP_PLACEMENT_LAYER_PLAN_H
#define MP_PLACEMENT_LAYER_PLAN_H

#include "placement/layout.h"
#include "placement/loads.h"
#include "placement/new_map.h"
#include "placement/relabel.h"
#include "placement/search.h"

/* What all layers of a call share. */
struct plan_request {
    struct layout layout;
    const struct samples *samples;
    double risk;
    moep_plan_options options; /* checked */
    const double *forecast;    /* [layers][experts]; NULL: the samples' mean */
    const int64_t *current;    /* [layers][slots]; NULL: from scratch */
};

/* What a thread works with. */
struct plan_workspace {
    struct arena arena;
    const struct plan_request *request;
    struct placement placement;
    struct candidates candidates;
    struct trial trial;
    struct scenarios tried, held_out;
    struct new_map new_map;
    struct relabel relabel;
    struct found from_current, from_new;
    struct layer_loads loads;
    int32_t *map; /* [slots]: scratch */
};

/* The arena's layout (arena.h) of a plan_workspace whose request is set. */
void mp_plan_lay_out(void *self, struct arena *arena);

/* A layer's plan. */
struct layer_plan {
    double stay, go; /* mean peaks; stay is NaN without a current map, or if it lacks an expert */
    double gain;     /* in layer-steps, all costs but plan_cost taken off */
    size_t moved;
    bool must_move; /* there is no current map, or it lacks an expert, has an empty slot, or parts a group */
};

/* Plans a layer. map: [slots]. */
struct layer_plan mp_plan_layer(struct plan_workspace *workspace, size_t layer, int32_t *map);

#endif
