/* SPDX-License-Identifier: BSD-3-Clause */
/* What ranks will carry in single steps: all scenarios of a layer under a map, and their means and quantiles.
 *
 * threads: none; allocates: for the call. */
#include "api/probabilities.h"
#include "api/status.h"
#include "placement/loads.h"
#include "placement/planner.h"
#include "placement/scenarios.h"
#include "support/environment.h"
#include "support/select.h"

#include <string.h>

/* Of one layer. */
struct rank_forecast {
    struct layout layout;
    const moep_planner *planner;
    const double *forecast;      /* [layers][experts]; NULL: the planner's own */
    const int64_t *map;          /* [layers][slots] */
    const double *probabilities; /* [n] */
    size_t n;
    struct arena arena;
    struct placement placement;
    struct scenarios scenarios;
    struct layer_loads loads;
    int32_t *slots;         /* [slots] */
    double *values;         /* [scenarios] */
    unsigned char *covered; /* [experts] */
};

static void lay_out(void *self, struct arena *arena)
{
    struct rank_forecast *of = self;
    const struct layout *layout = &of->layout;
    size_t experts = layout->experts, kept = mp_scenarios_kept(&of->planner->samples, MP_ALL_STEPS);
    mp_layer_loads_lay_out(&of->loads, arena, experts);
    mp_placement_lay_out(&of->placement, arena, experts, layout->slots, layout->ranks, layout->nodes);
    mp_scenarios_lay_out(&of->scenarios, arena, experts, layout->ranks, kept);
    of->slots = mp_arena_take(arena, layout->slots, sizeof *of->slots);
    of->values = mp_arena_take(arena, mp_scenarios_row(kept), sizeof *of->values);
    of->covered = mp_arena_take(arena, experts, sizeof *of->covered);
}

/* Sets the scenarios to a layer under its map. */
static void set_layer(struct rank_forecast *of, size_t layer)
{
    const struct layout *layout = &of->layout;
    mp_layer_loads_set(&of->loads, &of->planner->samples, layer, of->forecast);
    mp_scenarios_make(&of->scenarios, &of->loads, MP_ALL_STEPS, SIZE_MAX);
    for (size_t slot = 0; slot < layout->slots; slot++)
        of->slots[slot] = (int32_t)of->map[layer * layout->slots + slot];
    mp_placement_set(&of->placement, of->slots);
    mp_scenarios_set(&of->scenarios, &of->placement);
}

static moep_status begin(struct rank_forecast *of, const moep_layout *layout)
{
    const struct memory *memory = &of->planner->runtime.memory;
    moep_status status = mp_planner_read_call(&of->layout, of->planner, layout, of->forecast);
    if (status == MOEP_OK)
        status = mp_probabilities_check(of->probabilities, of->n);
    if (status == MOEP_OK && !mp_arena_make(&of->arena, lay_out, of, memory))
        status = mp_out_of_memory("the scenarios of a layer");
    if (status != MOEP_OK)
        return status;
    status = mp_map_check(&of->layout, of->map, MP_MAP_COVERS, of->covered, "phy2log");
    if (status != MOEP_OK)
        mp_arena_free(&of->arena, memory);
    return status;
}

static void end(struct rank_forecast *of)
{
    mp_arena_free(&of->arena, &of->planner->runtime.memory);
}

/* The quantile of n values: at p (n - 1) of their order, linear in between (R's type 7). Reorders the values. */
static double quantile(double *values, size_t n, double probability)
{
    double position = probability * (double)(n - 1);
    size_t below = (size_t)position < n - 1 ? (size_t)position : n - 1, above = below + 1 < n ? below + 1 : below;
    double low = mp_select(values, n, below), high = mp_select(values, n, above);
    return low + (position - (double)below) * (high - low);
}

static void write_quantiles(struct rank_forecast *of, double *to, size_t stride)
{
    for (size_t i = 0; i < of->n; i++)
        to[i * stride] = quantile(of->values, of->scenarios.n, of->probabilities[i]);
}

/* Loads of single scenarios in units of the layer's load, times `scale`. */
static void take_values(struct rank_forecast *of, const int32_t *loads, double scale)
{
    for (size_t i = 0; i < of->scenarios.n; i++)
        of->values[i] = (double)loads[i] / MP_LOAD_UNIT * scale;
}

moep_status moep_planner_predict_ranks(const moep_planner *planner, const moep_layout *layout, const int64_t *phy2log,
                                       const double *forecast, size_t n, const double *probabilities, double *loads,
                                       double *peak, double *peak_quantiles)
{
    MP_BORDER
    struct rank_forecast of = {
        .planner = planner, .forecast = forecast, .map = phy2log, .probabilities = probabilities, .n = n};
    if (!planner)
        return mp_fail_null("planner");
    moep_status status = begin(&of, layout);
    if (status != MOEP_OK)
        return status;
    const struct scenarios *scenarios = &of.scenarios;
    for (size_t layer = 0; layer < of.layout.layers; layer++) {
        set_layer(&of, layer);
        int64_t total = mp_scenarios_total(&of.scenarios);
        if (peak)
            peak[layer] = mp_scenarios_peak(scenarios, total);
        for (size_t r = 0; loads && r < of.layout.ranks; r++)
            loads[layer * of.layout.ranks + r] =
                (double)mp_scenarios_sum(mp_scenarios_carried(scenarios, r), scenarios->row) /
                ((double)scenarios->n * MP_LOAD_UNIT);
        take_values(&of, scenarios->largest, (double)of.layout.ranks);
        if (peak_quantiles)
            write_quantiles(&of, peak_quantiles + layer, of.layout.layers);
    }
    end(&of);
    return MOEP_OK;
}

moep_status moep_planner_predict_rank_quantiles(const moep_planner *planner, const moep_layout *layout,
                                                const int64_t *phy2log, const double *forecast, size_t n,
                                                const double *probabilities, double *quantiles)
{
    MP_BORDER
    struct rank_forecast of = {
        .planner = planner, .forecast = forecast, .map = phy2log, .probabilities = probabilities, .n = n};
    if (!planner)
        return mp_fail_null("planner");
    if (!quantiles && n > 0)
        return mp_fail_null("quantiles");
    moep_status status = begin(&of, layout);
    if (status != MOEP_OK)
        return status;
    size_t ranks = of.layout.ranks, all = of.layout.layers * ranks;
    for (size_t layer = 0; layer < of.layout.layers; layer++) {
        set_layer(&of, layer);
        for (size_t r = 0; r < ranks; r++) {
            take_values(&of, mp_scenarios_carried(&of.scenarios, r), 1.0);
            write_quantiles(&of, quantiles + layer * ranks + r, all);
        }
    }
    end(&of);
    return MOEP_OK;
}
