/* SPDX-License-Identifier: BSD-3-Clause */
/* Where experts lie: plans, and what they bring. The peak is the largest rank load over the mean rank load. */
#include "runtime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { RANKS = 8, HORIZON = 1000, PLAN_STABLE_EVERY = 1000 };

/* What it costs to move an expert to another rank, in layer-steps of mean rank load. examples/README.md computes it
 * from the size of an expert and the speed of the link. */
static const double SLOT_COST = 0.28;

/* ---- placement --------------------------------------------------------------------------------------------------- */

size_t slots_of_all_layers(const moep_layout *layout)
{
    return layout->layers * layout->slots;
}

/* A quarter more slots than experts, so that the most loaded experts have copies. */
moep_layout layout_for(const moep_trace *data)
{
    size_t wanted = (5 * data->experts + 3) / 4, on_a_rank = (wanted + RANKS - 1) / RANKS;
    return (moep_layout){.struct_size = sizeof(moep_layout),
                         .layers = data->layers,
                         .experts = data->experts,
                         .slots = on_a_rank * RANKS,
                         .ranks = RANKS};
}

int64_t *map_of_equal_loads(const moep_layout *layout)
{
    size_t series = layout->layers * layout->experts;
    int64_t *map = allocate(slots_of_all_layers(layout), sizeof *map);
    double *equal = allocate(series, sizeof *equal);
    for (size_t i = 0; i < series; i++)
        equal[i] = 1;
    check(moep_rebalance(layout, equal, MOEP_FLOAT64, map, NULL, 0, NULL));
    free(equal);
    return map;
}

/* Stable layers keep their places longer. Returns how many layers are to be planned now. */
static size_t choose_layers(const struct training *training, uint8_t *chosen)
{
    size_t layers = training->layout.layers, n = 0;
    moep_state *states = allocate(layers, sizeof *states);
    check(moep_detector_states(training->detector, states, NULL));
    for (size_t layer = 0; layer < layers; layer++) {
        chosen[layer] = states[layer] != MOEP_STABLE || training->step % PLAN_STABLE_EVERY == 0;
        n += chosen[layer];
    }
    free(states);
    return n;
}

/* The plan becomes the map. A training runtime would now send the experts of layers whose advice is 1, with the state
 * of their optimiser, from the ranks that have them to the ranks that need them. */
static moep_plan_result plan(struct training *training, const uint8_t *chosen)
{
    size_t layers = training->layout.layers, series = layers * training->layout.experts;
    double *shares = allocate(series, sizeof *shares);
    moep_plan_options options = {.struct_size = sizeof options};
    moep_plan_result result = {.struct_size = sizeof result,
                               .phy2log = training->map,
                               .stay = allocate(layers, sizeof(double)),
                               .go = allocate(layers, sizeof(double)),
                               .moved = allocate(layers, sizeof(uint64_t)),
                               .advice = allocate(layers, 1)};
    check(moep_predictor_predict(training->predictor, HORIZON, HORIZON, shares, series));
    check(moep_plan_options_init(&options));
    options.horizon = HORIZON;
    options.slot_cost = SLOT_COST;
    options.layers = chosen;
    check(moep_plan(training->planner, &training->layout, shares, training->map, &options, &result));
    free(shares);
    return result;
}

/* With the mean peak of the layers that move. */
static void print_plan(const struct training *training, const moep_plan_result *result, size_t planned)
{
    uint64_t moved = 0;
    size_t moving = 0;
    double stay = 0, go = 0;
    for (size_t layer = 0; layer < training->layout.layers; layer++)
        if (result->advice[layer]) {
            moving++;
            moved += result->moved[layer];
            stay += result->stay[layer];
            go += result->go[layer];
        }
    printf("step %5" PRIu64 ": %zu of %zu layers planned, %zu move, %" PRIu64 " slots", training->step, planned,
           training->layout.layers, moving, moved);
    if (moving)
        printf("; their peak: %.3f if they stayed, %.3f now", stay / (double)moving, go / (double)moving);
    putchar('\n');
}

void place_experts(struct training *training, bool print)
{
    size_t layers = training->layout.layers;
    uint8_t *chosen = allocate(layers, 1);
    size_t planned = choose_layers(training, chosen);
    moep_plan_result result = plan(training, chosen);
    for (size_t layer = 0; layer < layers; layer++)
        training->totals.slots_moved += result.moved[layer];
    if (print && planned)
        print_plan(training, &result, planned);
    free(result.stay);
    free(result.go);
    free(result.moved);
    free(result.advice);
    free(chosen);
}

/* ---- what it brings ---------------------------------------------------------------------------------------------- */

static double count_at(const void *counts, moep_dtype dtype, size_t i)
{
    switch (dtype) {
    case MOEP_INT32: return ((const int32_t *)counts)[i];
    case MOEP_INT64: return (double)((const int64_t *)counts)[i];
    case MOEP_UINT32: return ((const uint32_t *)counts)[i];
    case MOEP_UINT64: return (double)((const uint64_t *)counts)[i];
    case MOEP_FLOAT32: return ((const float *)counts)[i];
    default: return ((const double *)counts)[i];
    }
}

/* The sum of all layers' peaks in a step. */
static double sum_of_peaks(const moep_layout *layout, const int64_t *map, const double *loads)
{
    double sum = 0, *peak = allocate(layout->layers, sizeof *peak);
    check(moep_rank_loads(layout, map, 1, loads, NULL, peak));
    for (size_t layer = 0; layer < layout->layers; layer++)
        sum += peak[layer];
    free(peak);
    return sum;
}

void measure(struct training *training, const void *counts)
{
    const moep_layout *layout = &training->layout;
    size_t series = layout->layers * layout->experts;

    double *loads = allocate(series, sizeof *loads);
    for (size_t i = 0; i < series; i++)
        loads[i] = count_at(counts, training->data->dtype, i);
    training->totals.layer_steps += layout->layers;
    training->totals.peak_under_first += sum_of_peaks(layout, training->first_map, loads);
    training->totals.peak_placed += sum_of_peaks(layout, training->map, loads);
    free(loads);
}

void print_totals(const struct totals *totals)
{
    double layer_steps = (double)totals->layer_steps;
    printf("%" PRIu64
           " slots moved. Mean peak of a step since the first plan: %.3f under the first map, %.3f as placed\n",
           totals->slots_moved, totals->peak_under_first / layer_steps, totals->peak_placed / layer_steps);
}
