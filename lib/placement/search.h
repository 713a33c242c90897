/* SPDX-License-Identifier: BSD-3-Clause */
/* Local search: from a map, move after move takes load off the hottest rank, and the best map on the way is kept. */
#ifndef MP_PLACEMENT_SEARCH_H
#define MP_PLACEMENT_SEARCH_H

#include "placement/candidates.h"
#include "placement/scenarios.h"
#include "placement/trial.h"

/* What a map costs, in layer-steps of mean rank load: horizon x mean peak + slot_cost x slots moved. */
struct price {
    double horizon, slot_cost;
    size_t most_slots; /* that may move */
};

/* A map that a search has found. */
struct found {
    int32_t *map; /* [slots] */
    double cost;  /* infinite before there is one */
    double peak;  /* mean peak of the held-out scenarios */
    size_t moved;
};

struct search {
    struct placement *placement; /* its loads choose the candidates */
    struct candidates *candidates;
    struct trial *trial;
    struct scenarios *tried;    /* on which candidates are tried; NULL: the loads alone judge them */
    struct scenarios *held_out; /* on which maps are valued */
    struct price price;
    size_t effort; /* moves at most */
    int32_t bound; /* the loads' largest rank load cannot be smaller */
};

/* Values the placement as it is, and keeps it as the found map if that is cheaper. Returns its cost. */
double mp_search_value(const struct search *search, struct found *found);

/* Moves from the placement on, values every map on the way, and keeps the cheapest. Nothing is found if more slots have
 * moved already than may. The placement and the scenarios end at the last map. */
void mp_search_run(const struct search *search, struct found *found);

/* Lowers the hottest rank's load by moves until that no longer works, or the bound is reached but for a thousandth. */
void mp_search_balance(struct placement *placement, struct candidates *candidates, int32_t bound, size_t effort);

#endif
