/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers and a few IEEE operations on doubles, so that every processor finds the same plan; allocates:
 * nothing. */
#include "placement/layer_plan.h"

#include <math.h>
#include <string.h>

/* ---- workspace --------------------------------------------------------------------------------------------------- */

static bool tries(const struct plan_request *request)
{
    return request->options.method == MOEP_PLAN_SCENARIOS;
}

static size_t most_tried(const struct plan_request *request)
{
    size_t kept = mp_scenarios_kept(request->samples, MP_EVEN_STEPS), most = request->options.scenarios;
    return kept < most ? kept : most;
}

void mp_plan_lay_out(void *self, struct arena *arena)
{
    struct plan_workspace *workspace = self;
    const struct plan_request *request = workspace->request;
    const struct layout *layout = &request->layout;
    size_t experts = layout->experts, slots = layout->slots;
    mp_layer_loads_lay_out(&workspace->loads, arena, experts);
    mp_placement_lay_out(&workspace->placement, arena, experts, slots, layout->ranks, layout->nodes);
    mp_candidates_lay_out(&workspace->candidates, arena, slots, MP_TRIED_SWAPS);
    mp_new_map_lay_out(&workspace->new_map, arena, layout);
    mp_relabel_lay_out(&workspace->relabel, arena, slots, layout->ranks, layout->nodes);
    mp_scenarios_lay_out(&workspace->held_out, arena, experts, layout->ranks,
                         mp_scenarios_kept(request->samples, MP_ODD_STEPS));
    if (tries(request)) {
        mp_scenarios_lay_out(&workspace->tried, arena, experts, layout->ranks, most_tried(request));
        mp_trial_lay_out(&workspace->trial, arena, layout->ranks, mp_scenarios_row(most_tried(request)));
    }
    workspace->from_current.map = mp_arena_take(arena, slots, sizeof *workspace->from_current.map);
    workspace->from_new.map = mp_arena_take(arena, slots, sizeof *workspace->from_new.map);
    workspace->map = mp_arena_take(arena, slots, sizeof *workspace->map);
}

/* ---- what is planned for ----------------------------------------------------------------------------------------- */

/* The scenarios, and the loads that moves are chosen by. */
static void prepare(struct plan_workspace *workspace, size_t layer)
{
    const struct plan_request *request = workspace->request;
    struct layer_loads *loads = &workspace->loads;
    mp_layer_loads_set(loads, request->samples, layer, request->forecast);
    mp_scenarios_make(&workspace->held_out, loads, MP_ODD_STEPS, SIZE_MAX);
    if (tries(request))
        mp_scenarios_make(&workspace->tried, loads, MP_EVEN_STEPS, most_tried(request));
    if (request->options.method == MOEP_PLAN_MEAN)
        memcpy(workspace->placement.load, loads->forecast, request->layout.experts * sizeof *loads->forecast);
    else
        mp_layer_loads_with_risk(loads, request->risk, workspace->placement.load);
}

static struct search search_of(struct plan_workspace *workspace, int32_t bound)
{
    const moep_plan_options *options = &workspace->request->options;
    bool costs = workspace->request->current != NULL;
    size_t most = options->most_slots > 0 && options->most_slots < SIZE_MAX ? (size_t)options->most_slots : SIZE_MAX;
    return (struct search){
        .placement = &workspace->placement,
        .candidates = &workspace->candidates,
        .trial = &workspace->trial,
        .tried = tries(workspace->request) ? &workspace->tried : NULL,
        .held_out = &workspace->held_out,
        .price = {(double)options->horizon, costs ? options->slot_cost : 0, costs ? most : SIZE_MAX},
        .effort = options->effort,
        .bound = bound,
    };
}

/* ---- the two starts ---------------------------------------------------------------------------------------------- */

static void set_current(struct plan_workspace *workspace, const int64_t *current)
{
    for (size_t slot = 0; slot < workspace->placement.slots; slot++)
        workspace->map[slot] = (int32_t)current[slot];
    mp_placement_set(&workspace->placement, workspace->map);
    mp_scenarios_set(&workspace->held_out, &workspace->placement);
}

/* Is a layer's current map one that may stay: whole, and with every group on one node? */
static bool may_stay(const struct placement *placement, const struct layout *layout)
{
    return mp_placement_covers(placement) && mp_placement_is_full(placement) &&
           (layout->nodes == 1 || mp_placement_keeps_groups(placement, layout->experts / layout->groups));
}

/* Staying is the first map, and its duplicates are gone in all others. A map that may not stay is repaired first; with
 * groups it is no start, since an expert without a copy has no node. */
static void search_from_current(struct plan_workspace *workspace, struct search *search, const int64_t *current,
                                struct layer_plan *plan)
{
    struct placement *placement = &workspace->placement;
    set_current(workspace, current);
    plan->must_move = !may_stay(placement, &workspace->request->layout);
    if (mp_placement_covers(placement))
        plan->stay = mp_scenarios_peak(&workspace->held_out, mp_scenarios_total(&workspace->held_out));
    if (!plan->must_move)
        mp_search_value(search, &workspace->from_current);
    if (plan->must_move && workspace->request->layout.nodes > 1) {
        search->price.most_slots = SIZE_MAX;
        return;
    }
    if (!mp_placement_repair(placement))
        return;
    if (plan->must_move && placement->moved > search->price.most_slots)
        search->price.most_slots = placement->moved;
    mp_search_run(search, &workspace->from_current);
}

static void search_from_new(struct plan_workspace *workspace, struct search *search, const int32_t *map)
{
    mp_placement_set(&workspace->placement, map);
    if (workspace->request->current)
        mp_relabel(&workspace->relabel, &workspace->placement);
    mp_search_run(search, &workspace->from_new);
}

/* ---- the plan ---------------------------------------------------------------------------------------------------- */

enum {
    CLEARLY = 1000
}; /* a search ends within this part of the bound, so a smaller difference of peaks says nothing */

static const struct found *cheapest(const struct plan_workspace *workspace)
{
    double clearly = (double)workspace->request->options.horizon / CLEARLY;
    bool new_is = workspace->from_new.cost < workspace->from_current.cost - clearly;
    return new_is || isinf(workspace->from_current.cost) ? &workspace->from_new : &workspace->from_current;
}

/* What going saves, costs taken off. */
static double gain_of(const moep_plan_options *options, const struct layer_plan *plan)
{
    double saved = isnan(plan->stay) ? 0 : (double)options->horizon * (plan->stay - plan->go);
    return saved - options->slot_cost * (double)plan->moved - (plan->moved > 0 ? options->layer_cost : 0);
}

struct layer_plan mp_plan_layer(struct plan_workspace *workspace, size_t layer, int32_t *map)
{
    const struct plan_request *request = workspace->request;
    const struct layout *layout = &request->layout;
    const int64_t *current = request->current ? request->current + layer * layout->slots : NULL;
    struct layer_plan plan = {.stay = NAN, .must_move = true};
    prepare(workspace, layer);
    mp_placement_begin(&workspace->placement, current);
    workspace->from_current.cost = workspace->from_new.cost = INFINITY;
    int32_t bound = mp_new_map(&workspace->new_map, layout, &workspace->placement, request->options.effort);
    struct search search = search_of(workspace, bound);
    memcpy(workspace->new_map.map, workspace->placement.expert, layout->slots * sizeof *map);
    if (current)
        search_from_current(workspace, &search, current, &plan);
    search_from_new(workspace, &search, workspace->new_map.map);
    const struct found *best = cheapest(workspace);
    memcpy(map, best->map, layout->slots * sizeof *map);
    if (current)
        mp_keep_slots(&workspace->placement, current, map);
    plan.go = best->peak;
    plan.moved = best->moved;
    plan.gain = current ? gain_of(&request->options, &plan) : 0;
    return plan;
}
