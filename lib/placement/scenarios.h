/* SPDX-License-Identifier: BSD-3-Clause */
/* Scenarios of a layer: steps as they may come. A kept step x becomes the scenario
 *     max(0, forecast + x - mean of all kept steps),
 * in units of MP_LOAD_UNIT. So loads scatter together as they have, around the forecast. */
#ifndef MP_PLACEMENT_SCENARIOS_H
#define MP_PLACEMENT_SCENARIOS_H

#include "placement/placement.h"
#include "placement/samples.h"

/* Which kept steps: those with even or odd numbers, or all. */
enum scenario_choice { MP_EVEN_STEPS, MP_ODD_STEPS, MP_ALL_STEPS };

struct scenarios {
    size_t experts, ranks;
    size_t n;         /* scenarios */
    size_t row;       /* n, padded to whole vectors; the padding is 0 and adds nothing */
    int32_t *load;    /* [experts][row] */
    int32_t *part;    /* [experts][row]: load / copies of a placement */
    int32_t *carried; /* [ranks][row]: rank loads under that placement */
};

/* Takes arrays for up to `most` scenarios from the arena. */
void mp_scenarios_lay_out(struct scenarios *scenarios, struct arena *arena, size_t experts, size_t ranks, size_t most);

/* The number of kept steps of a choice. */
size_t mp_scenarios_kept(const struct samples *samples, enum scenario_choice choice);

/* Makes at most `most` scenarios, evenly chosen, of a layer. Without a kept step of the choice, the only scenario is
 * the forecast. forecast: [experts], mean: [experts] scratch. */
void mp_scenarios_make(struct scenarios *scenarios, const struct samples *samples, size_t layer,
                       enum scenario_choice choice, size_t most, const int32_t *forecast, int32_t *mean);

/* Computes part and carried for a placement. */
void mp_scenarios_set(struct scenarios *scenarios, const struct placement *placement);

/* Follows a move that has been made. `before`: copies of the two experts before it, where it replaces one. */
void mp_scenarios_move(struct scenarios *scenarios, const struct placement *placement, const struct move *move,
                       int32_t replaced);

/* The sum over the scenarios of their largest rank load. */
int64_t mp_scenarios_total(const struct scenarios *scenarios);

/* The mean peak that belongs to such a sum. */
static inline double mp_scenarios_peak(const struct scenarios *scenarios, int64_t total)
{
    return (double)total / (double)scenarios->n * ((double)scenarios->ranks / MP_LOAD_UNIT);
}

#endif
