/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs, layouts and maps that plans are tested on; and what a plan must be, from the words of the header alone. */
#ifndef TESTS_PLANS_H
#define TESTS_PLANS_H

#include "support.h"

enum {
    PLAN_LAYERS = 2,
    PLAN_EXPERTS = 16,
    PLAN_SLOTS = 24,
    PLAN_RANKS = 8,
    PLAN_STEPS = 100,
    SPAN = 60,
    KEPT = 12, /* of SPAN steps */
    STRIDE = SPAN / KEPT,
    FIFTH = SPAN / 5
};

#define LAYOUT(experts, slots, ranks, groups, nodes)                           \
    {                                                                          \
        sizeof(moep_layout), PLAN_LAYERS, experts, slots, ranks, groups, nodes \
    }

/* Usual ones; as many slots as experts; one slot a rank; every rank with all experts; one rank; one expert; as many ranks
 * as slots; groups on nodes. */
static const moep_layout layouts[] = {LAYOUT(8, 12, 4, 0, 0), LAYOUT(16, 24, 8, 0, 0), LAYOUT(8, 8, 2, 1, 2),
                                      LAYOUT(4, 4, 4, 0, 0),  LAYOUT(4, 16, 4, 0, 0),  LAYOUT(6, 6, 1, 0, 0),
                                      LAYOUT(1, 4, 4, 0, 0),  LAYOUT(1, 1, 1, 0, 0),   LAYOUT(5, 8, 8, 0, 0),
                                      LAYOUT(8, 16, 4, 4, 2), LAYOUT(12, 24, 6, 3, 3)};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

static const moep_plan_method methods[] = {MOEP_PLAN_SCENARIOS, MOEP_PLAN_RISK, MOEP_PLAN_MEAN};
enum { METHODS = sizeof methods / sizeof *methods };

static inline size_t below(uint64_t *seed, size_t n)
{
    return (size_t)((random_number(seed) >> 32) % n);
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

/* Steps that the test remembers. */
struct run {
    moep_planner *planner;
    size_t experts, steps;
    int64_t counts[PLAN_STEPS][PLAN_LAYERS][PLAN_EXPERTS];
    double forecast[PLAN_LAYERS][PLAN_EXPERTS]; /* one that a caller might have */
};

/* Loads that differ fourfold, one of them large in the second layer; each step scatters, neighbours together. */
static inline void make_counts(struct run *run, uint64_t *seed)
{
    for (size_t layer = 0; layer < PLAN_LAYERS; layer++)
        for (size_t e = 0; e < run->experts; e++) {
            int64_t level = (int64_t)(200 + below(seed, 600)) * (layer == 1 && e == 1 ? 12 : 1);
            run->forecast[layer][e] = (double)(level + (int64_t)below(seed, 100));
            for (size_t step = 0; step < PLAN_STEPS; step++)
                run->counts[step][layer][e] =
                    level / 2 + (int64_t)below(seed, (size_t)level) + (step / 7 % 3 == e / 2 % 3 ? level / 2 : 0);
        }
}

static inline void push_run(struct run *run, size_t steps)
{
    for (; steps > 0; steps--) {
        int64_t counts[PLAN_LAYERS * PLAN_EXPERTS];
        for (size_t i = 0; i < PLAN_LAYERS * run->experts; i++)
            counts[i] = run->counts[run->steps][i / run->experts][i % run->experts];
        assert_int_equal(moep_planner_push(run->planner, 1, counts, MOEP_INT64), MOEP_OK);
        run->steps++;
    }
}

static inline void begin_run(struct run *run, size_t experts, size_t steps, const moep_runtime *runtime, uint64_t seed)
{
    moep_planner_config config = planner_config(SPAN, KEPT);
    *run = (struct run){.planner = make_planner_of(PLAN_LAYERS, experts, &config, runtime), .experts = experts};
    make_counts(run, &seed);
    push_run(run, steps);
}

static inline void end_run(struct run *run)
{
    moep_planner_destroy(run->planner);
}

/* The forecast in the shape that calls take. */
static inline const double *forecast_of(const struct run *run, double *forecast)
{
    for (size_t i = 0; i < PLAN_LAYERS * run->experts; i++)
        forecast[i] = run->forecast[i / run->experts][i % run->experts];
    return forecast;
}

/* ---- maps -------------------------------------------------------------------------------------------------------- */

/* Present maps: none; sound ones; with second copies on a rank; with empty slots and missing experts; with copies on any
 * node. */
enum present { NONE, SOUND, DOUBLED, BROKEN, SCATTERED, PRESENTS };

static inline size_t copies_in(const int64_t *map, size_t first, size_t end, int64_t expert)
{
    size_t copies = 0;
    for (size_t slot = first; slot < end; slot++)
        copies += map[slot] == expert;
    return copies;
}

static inline size_t nodes_of(const moep_layout *layout)
{
    return layout->groups > 1 && layout->nodes > 1 ? layout->nodes : 1;
}

/* Node by node, each rank goes on with the next experts of its node. */
static inline void sound_map(const moep_layout *layout, uint64_t *seed, int64_t *map)
{
    size_t nodes = nodes_of(layout), node_slots = layout->slots / nodes, of_node = layout->experts / nodes;
    size_t turn = below(seed, of_node);
    for (size_t slot = 0; slot < layout->slots; slot++)
        map[slot] = (int64_t)(slot / node_slots * of_node + (slot % node_slots + turn) % of_node);
}

static inline void make_present(const moep_layout *layout, enum present present, uint64_t *seed, int64_t *map)
{
    sound_map(layout, seed, map);
    size_t nodes = nodes_of(layout), node_slots = layout->slots / nodes, of_node = layout->experts / nodes;
    for (size_t slot = 0; slot < layout->slots; slot++) {
        int64_t any = (int64_t)below(seed, layout->experts);
        bool spare = copies_in(map, 0, layout->slots, map[slot]) > 1;
        if (present == DOUBLED && spare)
            map[slot] = (int64_t)(slot / node_slots * of_node + below(seed, of_node));
        else if (present == SCATTERED && spare)
            map[slot] = any;
        else if (present == BROKEN && below(seed, 3) == 0)
            map[slot] = any % 2 == 0 ? -1 : any;
    }
}

static inline bool covers(const moep_layout *layout, const int64_t *map)
{
    for (size_t e = 0; e < layout->experts; e++)
        if (copies_in(map, 0, layout->slots, (int64_t)e) == 0)
            return false;
    return true;
}

static inline bool has_duplicates(const moep_layout *layout, const int64_t *map)
{
    size_t each = layout->slots / layout->ranks;
    for (size_t slot = 0; slot < layout->slots; slot++)
        if (map[slot] >= 0 && copies_in(map, slot - slot % each, slot - slot % each + each, map[slot]) > 1)
            return true;
    return false;
}

static inline bool keeps_groups(const moep_layout *layout, const int64_t *map)
{
    size_t nodes = nodes_of(layout), node_slots = layout->slots / nodes;
    size_t size = nodes > 1 ? layout->experts / layout->groups : layout->experts;
    for (size_t i = 0; nodes > 1 && i < layout->slots; i++)
        for (size_t j = 0; j < i; j++)
            if (map[i] >= 0 && map[j] >= 0 && (size_t)map[i] / size == (size_t)map[j] / size &&
                i / node_slots != j / node_slots)
                return false;
    return true;
}

/* A map that may not stay: the header names what it lacks. */
static inline bool must_move(const moep_layout *layout, const int64_t *map)
{
    return !map || !covers(layout, map) || copies_in(map, 0, layout->slots, -1) > 0 ||
           (nodes_of(layout) > 1 && !keeps_groups(layout, map));
}

/* ---- plans ------------------------------------------------------------------------------------------------------- */

struct plan {
    int64_t map[PLAN_LAYERS][PLAN_SLOTS]; /* [layers][slots] of the layout, from the first number on */
    double stay[PLAN_LAYERS], go[PLAN_LAYERS];
    uint64_t moved[PLAN_LAYERS];
    uint8_t advice[PLAN_LAYERS];
    double net_gain;
};

static inline moep_plan_options options_of(moep_plan_method method)
{
    moep_plan_options options = {.struct_size = sizeof options};
    assert_int_equal(moep_plan_options_init(&options), MOEP_OK);
    options.method = method;
    return options;
}

static inline moep_plan_result result_of(struct plan *plan)
{
    return (moep_plan_result){.struct_size = sizeof(moep_plan_result),
                              .phy2log = plan->map[0],
                              .stay = plan->stay,
                              .go = plan->go,
                              .moved = plan->moved,
                              .advice = plan->advice};
}

/* Every byte of it is written, whatever the layout, so that two plans may be compared. */
static inline void make_plan(const moep_planner *planner, const moep_layout *layout, const double *forecast,
                             const int64_t *current, const moep_plan_options *options, struct plan *plan)
{
    memset(plan, 0, sizeof *plan);
    moep_plan_result result = result_of(plan);
    assert_int_equal(moep_plan(planner, layout, forecast, current, options, &result), MOEP_OK);
    plan->net_gain = result.net_gain;
}

static inline const int64_t *map_of(const moep_layout *layout, const int64_t *maps, size_t layer)
{
    return maps ? maps + layer * layout->slots : NULL;
}

/* ---- steps to come, by the words of the header ------------------------------------------------------------------- */

enum choice { HELD_OUT, ALL_KEPT };

struct steps {
    double shares[KEPT][PLAN_EXPERTS];
    size_t n;
};

static inline double share_of(const struct run *run, size_t step, size_t layer, size_t e)
{
    int64_t total = 0;
    for (size_t i = 0; i < run->experts; i++)
        total += run->counts[step][layer][i];
    return (double)run->counts[step][layer][e] / (double)total;
}

/* The mean to plan for: the caller's, or of the last fifth of the span. */
static inline void mean_of(const struct run *run, const double *forecast, size_t layer, double *mean)
{
    size_t n = run->steps < FIFTH ? run->steps : FIFTH;
    double total = 0;
    for (size_t e = 0; e < run->experts; e++) {
        mean[e] = forecast ? forecast[layer * run->experts + e] : 0;
        for (size_t step = run->steps - n; !forecast && step < run->steps; step++)
            mean[e] += share_of(run, step, layer, e);
        total += mean[e];
    }
    for (size_t e = 0; e < run->experts; e++)
        mean[e] = total > 0 ? mean[e] / total : 1 / (double)run->experts;
}

/* The kept steps, shifted to have the forecast as their mean; the forecast if there is none. */
static inline void make_steps(const struct run *run, const double *forecast, size_t layer, enum choice choice,
                              struct steps *steps)
{
    double mean[PLAN_EXPERTS], of_kept[PLAN_EXPERTS] = {0};
    size_t end = (run->steps + STRIDE - 1) / STRIDE, first = end > KEPT ? end - KEPT : 0;
    steps->n = 0;
    mean_of(run, forecast, layer, mean);
    for (size_t e = 0; e < run->experts; e++)
        for (size_t k = first; k < end; k++)
            of_kept[e] += share_of(run, k * STRIDE, layer, e) / (double)(end - first);
    for (size_t k = first; k < end; k++) {
        double total = 0, *shares = steps->shares[steps->n];
        for (size_t e = 0; e < run->experts; e++)
            total += shares[e] = fmax(0, mean[e] + share_of(run, k * STRIDE, layer, e) - of_kept[e]);
        for (size_t e = 0; e < run->experts; e++)
            shares[e] /= total;
        steps->n += choice == ALL_KEPT || k % 2 == 1;
    }
    if (steps->n == 0)
        memcpy(steps->shares[steps->n++], mean, sizeof mean);
}

static inline double load_in(const moep_layout *layout, const int64_t *map, const double *shares, size_t rank)
{
    size_t each = layout->slots / layout->ranks;
    double load = 0;
    for (size_t slot = rank * each; slot < (rank + 1) * each; slot++)
        if (map[slot] >= 0)
            load += shares[map[slot]] / (double)copies_in(map, 0, layout->slots, map[slot]);
    return load;
}

static inline double peak_in(const moep_layout *layout, const int64_t *map, const double *shares)
{
    double largest = 0;
    for (size_t r = 0; r < layout->ranks; r++)
        largest = fmax(largest, load_in(layout, map, shares, r));
    return largest * (double)layout->ranks;
}

static inline double mean_peak(const moep_layout *layout, const int64_t *map, const struct steps *steps)
{
    double sum = 0;
    for (size_t i = 0; i < steps->n; i++)
        sum += peak_in(layout, map, steps->shares[i]);
    return sum / (double)steps->n;
}

#endif
