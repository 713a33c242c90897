/* SPDX-License-Identifier: BSD-3-Clause */
/* moep_plan: checks a request, plans its layers side by side, decides which of them move, and writes the result.
 *
 * threads: each takes the next layer until none is left; layers are independent; allocates: for the call. */
#include "api/status.h"
#include "api/struct.h"
#include "placement/layer_plan.h"
#include "placement/planner.h"
#include "support/environment.h"
#include "support/parallel.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

static const moep_plan_options defaults = {
    .horizon = 1000,
    .method = MOEP_PLAN_SCENARIOS,
    .effort = 400,   /* moves; hardly any search needs more */
    .scenarios = 50, /* twice as many take twice the time for 0.1 to 0.4 hundredths of a peak */
};

moep_status moep_plan_options_init(moep_plan_options *options)
{
    MP_BORDER
    return mp_struct_write(options, &defaults, sizeof defaults, "moep_plan_options");
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

static bool is_cost(double cost)
{
    return cost >= 0 && isfinite(cost);
}

static const char *fault_of(const moep_plan_options *options)
{
    if (options->horizon == 0)
        return "horizon must be 1 or more";
    if (!is_cost(options->slot_cost))
        return "slot_cost must be finite and >= 0";
    if (!is_cost(options->layer_cost))
        return "layer_cost must be finite and >= 0";
    if (!is_cost(options->plan_cost))
        return "plan_cost must be finite and >= 0";
    if (!is_cost(options->least_gain))
        return "least_gain must be finite and >= 0";
    if (options->method < MOEP_PLAN_SCENARIOS || options->method > MOEP_PLAN_MEAN)
        return "the method is unknown";
    if (options->effort == 0 || options->scenarios == 0)
        return "effort and scenarios must be 1 or more";
    return options->reserved != 0 ? "reserved must be 0" : NULL;
}

static moep_status read_options(moep_plan_options *to, const moep_plan_options *from)
{
    *to = defaults;
    moep_status status = from ? mp_struct_read(to, sizeof *to, from, "moep_plan_options") : MOEP_OK;
    const char *fault = status == MOEP_OK ? fault_of(to) : NULL;
    return fault ? mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_plan_options: %s", fault) : status;
}

static moep_status read_request(struct plan_request *request, const moep_planner *planner, const moep_layout *layout,
                                const double *forecast, const int64_t *current, const moep_plan_options *options)
{
    *request = (struct plan_request){
        .samples = &planner->samples, .risk = planner->config.risk, .forecast = forecast, .current = current};
    moep_status status = mp_planner_read_call(&request->layout, planner, layout, forecast);
    if (status == MOEP_OK)
        status = read_options(&request->options, options);
    if (status == MOEP_OK && current)
        status = mp_map_check(&request->layout, current, MP_MAP_ANY, NULL, "current");
    if (status == MOEP_OK && request->options.layers && !current)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "layers that are left out have no map: current is NULL");
    return status;
}

/* ---- the work ---------------------------------------------------------------------------------------------------- */

struct job {
    const struct plan_request *request;
    size_t workers;
    struct plan_workspace *workspaces; /* [workers] */
    struct layer_plan *plans;          /* [layers] */
    int32_t *maps;                     /* [layers][slots] */
    atomic_size_t next;                /* layer */
};

static bool is_planned(const struct plan_request *request, size_t layer)
{
    return !request->options.layers || request->options.layers[layer];
}

static void work(void *opaque, size_t worker)
{
    struct job *job = opaque;
    const struct layout *layout = &job->request->layout;
    for (size_t layer; (layer = atomic_fetch_add(&job->next, 1)) < layout->layers;)
        if (is_planned(job->request, layer))
            job->plans[layer] = mp_plan_layer(&job->workspaces[worker], layer, job->maps + layer * layout->slots);
}

static void end_job(struct job *job, const struct memory *memory)
{
    const struct layout *layout = &job->request->layout;
    for (size_t i = 0; job->workspaces && i < job->workers; i++)
        mp_arena_free(&job->workspaces[i].arena, memory);
    mp_release(memory, job->workspaces, job->workers, sizeof *job->workspaces);
    mp_release(memory, job->plans, layout->layers, sizeof *job->plans);
    mp_release(memory, job->maps, layout->layers * layout->slots, sizeof *job->maps);
}

static bool make_workspaces(struct job *job, const struct memory *memory)
{
    job->workspaces = mp_allocate(memory, job->workers, sizeof *job->workspaces);
    if (!job->workspaces)
        return false;
    memset(job->workspaces, 0, job->workers * sizeof *job->workspaces);
    for (size_t i = 0; i < job->workers; i++) {
        job->workspaces[i].request = job->request;
        if (!mp_arena_make(&job->workspaces[i].arena, mp_plan_lay_out, &job->workspaces[i], memory))
            return false;
    }
    return true;
}

static moep_status begin_job(struct job *job, const struct plan_request *request, const struct runtime *runtime)
{
    const struct memory *memory = &runtime->memory;
    size_t layers = request->layout.layers;
    *job = (struct job){.request = request, .workers = runtime->threads < layers ? runtime->threads : layers};
    job->plans = mp_allocate(memory, layers, sizeof *job->plans);
    job->maps = mp_allocate(memory, mp_product(layers, request->layout.slots), sizeof *job->maps);
    if (job->plans && job->maps && make_workspaces(job, memory))
        return MOEP_OK;
    end_job(job, memory);
    return mp_out_of_memory("the plan");
}

/* ---- the decision ------------------------------------------------------------------------------------------------ */

static bool wants_to_move(const struct job *job, size_t layer)
{
    const struct layer_plan *plan = &job->plans[layer];
    return is_planned(job->request, layer) && plan->moved > 0 &&
           (plan->must_move || plan->gain > job->request->options.least_gain);
}

/* The gains of all layers that move. Those that may stay do, if their gains do not pay for the plan; where a layer must
 * move, the plan is paid for anyway. */
static double decide(const struct job *job, bool *any)
{
    double gains = 0;
    bool must = false;
    *any = false;
    for (size_t layer = 0; layer < job->request->layout.layers; layer++) {
        if (!wants_to_move(job, layer))
            continue;
        gains += job->plans[layer].gain;
        must |= job->plans[layer].must_move;
        *any = true;
    }
    *any = *any && (must || gains > job->request->options.plan_cost);
    return *any && job->request->current ? gains - job->request->options.plan_cost : 0;
}

/* ---- the result -------------------------------------------------------------------------------------------------- */

/* current may be phy2log. */
static void write_map(const struct job *job, size_t layer, bool moves, int64_t *phy2log)
{
    size_t slots = job->request->layout.slots;
    if (!moves && phy2log != job->request->current)
        memcpy(phy2log + layer * slots, job->request->current + layer * slots, slots * sizeof *phy2log);
    for (size_t i = layer * slots; moves && i < (layer + 1) * slots; i++)
        phy2log[i] = job->maps[i];
}

static void write_layer(const struct job *job, size_t layer, bool moves, const moep_plan_result *to)
{
    const struct layer_plan *plan = &job->plans[layer];
    bool planned = is_planned(job->request, layer);
    if (to->phy2log)
        write_map(job, layer, moves, to->phy2log);
    if (to->stay)
        to->stay[layer] = planned ? plan->stay : NAN;
    if (to->go)
        to->go[layer] = !planned ? NAN : moves ? plan->go : plan->stay;
    if (to->moved)
        to->moved[layer] = moves ? plan->moved : 0;
    if (to->advice)
        to->advice[layer] = moves;
}

moep_status moep_plan(const moep_planner *planner, const moep_layout *layout, const double *forecast,
                      const int64_t *current, const moep_plan_options *options, moep_plan_result *result)
{
    MP_BORDER
    struct plan_request request;
    moep_plan_result ours = {0};
    if (!planner)
        return mp_fail_null("planner");
    moep_status status = mp_struct_read(&ours, sizeof ours, result, "moep_plan_result");
    if (status == MOEP_OK)
        status = read_request(&request, planner, layout, forecast, current, options);
    struct job job;
    if (status == MOEP_OK)
        status = begin_job(&job, &request, &planner->runtime);
    if (status != MOEP_OK)
        return status;
    mp_parallel(job.workers, work, &job);
    bool any;
    ours.net_gain = decide(&job, &any);
    for (size_t layer = 0; layer < request.layout.layers; layer++)
        write_layer(&job, layer, any && wants_to_move(&job, layer), &ours);
    end_job(&job, &planner->runtime.memory);
    return mp_struct_write(result, &ours, sizeof ours, "moep_plan_result");
}
