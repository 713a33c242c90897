/* SPDX-License-Identifier: BSD-3-Clause */
/* Scenarios of a layer: steps as they may come. A kept step x becomes the scenario
 *     max(0, forecast + x - mean of all kept steps),
 * scaled to MP_LOAD_UNIT. So loads scatter around the forecast as they have scattered, together. */
#ifndef MP_PLACEMENT_SCENARIOS_H
#define MP_PLACEMENT_SCENARIOS_H

#include "placement/loads.h"
#include "placement/placement.h"

/* Which kept steps: those with even or odd numbers, or all. */
enum scenario_choice { MP_EVEN_STEPS, MP_ODD_STEPS, MP_ALL_STEPS };

struct scenarios {
    size_t experts, ranks;
    size_t n;         /* scenarios */
    size_t row;       /* n, padded to whole vectors; the padding is 0 and adds nothing */
    int32_t *load;    /* [experts][row] */
    int32_t *part;    /* [experts][row]: load / copies of a placement */
    int32_t *carried; /* [ranks][row]: rank loads under that placement */
    int32_t *largest; /* [row]: scratch */
    int32_t *step;    /* [experts]: scratch */
};

/* The number of kept steps of a choice. */
size_t mp_scenarios_kept(const struct samples *samples, enum scenario_choice choice);

/* The row of so many scenarios, or of one if there is none. Takes arrays for up to `most` from the arena. */
size_t mp_scenarios_row(size_t n);
void mp_scenarios_lay_out(struct scenarios *scenarios, struct arena *arena, size_t experts, size_t ranks, size_t most);

/* Makes at most `most` scenarios of a layer, evenly chosen among the kept steps. Without a step of the choice, the
 * forecast is the only scenario. */
void mp_scenarios_make(struct scenarios *scenarios, const struct layer_loads *loads, enum scenario_choice choice,
                       size_t most);

/* Computes part and carried for a placement. */
void mp_scenarios_set(struct scenarios *scenarios, const struct placement *placement);

/* Follows a move that the placement has made. replaced: the expert that gave way, if it was a replacement. */
void mp_scenarios_move(struct scenarios *scenarios, const struct placement *placement, const struct move *move,
                       size_t replaced);

/* part[row]: what each of so many copies of an expert would carry. */
void mp_scenarios_parts(const struct scenarios *scenarios, size_t expert, int32_t copies, int32_t *part);

/* The sum of a row; that of the largest rank loads of all scenarios. */
int64_t mp_scenarios_sum(const int32_t *values, size_t row);
int64_t mp_scenarios_total(struct scenarios *scenarios);

/* The mean peak that belongs to such a sum. */
static inline double mp_scenarios_peak(const struct scenarios *scenarios, int64_t total)
{
    return (double)total / (double)scenarios->n * ((double)scenarios->ranks / MP_LOAD_UNIT);
}

static inline int32_t *mp_scenarios_carried(const struct scenarios *scenarios, size_t rank)
{
    return scenarios->carried + rank * scenarios->row;
}

#endif
