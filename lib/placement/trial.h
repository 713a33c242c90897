/* SPDX-License-Identifier: BSD-3-Clause */
/* Tries moves on scenarios: which of the candidates lowers the mean of the largest rank load most? */
#ifndef MP_PLACEMENT_TRIAL_H
#define MP_PLACEMENT_TRIAL_H

#include "placement/candidates.h"
#include "placement/scenarios.h"

enum { MP_TRIED_SWAPS = 64, MP_TRIED_REPLACEMENTS = 24 }; /* candidates; more find hardly better maps */

struct trial {
    int64_t *heat;           /* [ranks]: how often and how clearly a rank is the hottest of a scenario */
    int32_t *first;          /* [row]: in each scenario the largest load of all ranks but one, ... */
    int32_t *second;         /* [row]: the second largest, ... */
    int32_t *which;          /* [row]: and the rank of the first */
    int32_t *largest, *part; /* [row], [2][row]: scratch */
};

void mp_trial_lay_out(struct trial *trial, struct arena *arena, size_t ranks, size_t most_scenarios);

/* The best move, by the sum over the scenarios of the largest rank load. False if none lowers it. */
bool mp_trial_best(struct trial *trial, const struct placement *placement, const struct scenarios *scenarios,
                   struct candidates *candidates, int most_moves, struct move *best);

#endif
