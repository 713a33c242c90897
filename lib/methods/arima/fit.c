/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/fit.h"

#include "api/status.h"
#include "methods/arima/calibrate.h"
#include "methods/arima/model.h"
#include "methods/arima/observations.h"
#include "methods/arima/order_selection.h"
#include "methods/arima/vote.h"

/* One call. */
struct call {
    const struct task *task;
    struct arima_model model;
    struct arima_source source;
    size_t series;
    double budget, spent; /* floating-point operations; budget 0: no end */
};

static bool selects(const moep_predictor_config *config)
{
    return config->arima_p == MOEP_SELECT || config->arima_d == MOEP_SELECT || config->arima_q == MOEP_SELECT;
}

static bool budget_is_spent(const struct call *call)
{
    return call->budget > 0 && call->spent >= call->budget;
}

/* Some of the series, and which part of the whole fit they are, for who is told of progress. */
struct part {
    struct arima_source *source;
    size_t first;
    const struct runtime *runtime;
    double done, share;
};

static int32_t tell(void *user, double fraction)
{
    const struct part *part = user;
    const struct runtime *runtime = part->runtime;
    return runtime->progress ? runtime->progress(runtime->progress_user, part->done + part->share * fraction) : 0;
}

static void load_part(void *user, size_t first, size_t count, double *values)
{
    const struct part *part = user;
    mp_arima_load(part->source, part->first + first, count, values);
}

static struct arima_job job_of(const struct call *call, struct part *part, size_t series)
{
    const struct runtime *runtime = call->task->runtime;
    part->runtime = runtime;
    return (struct arima_job){.series = series,
                              .steps = call->source.observations,
                              .load = load_part,
                              .user = part,
                              .starts = call->task->config->arima_starts,
                              .threads = runtime->threads,
                              .memory = &runtime->memory,
                              .progress = tell,
                              .progress_user = part};
}

/* ---- a round ----------------------------------------------------------------------------------------------------- */

static void begin_round(struct call *call)
{
    struct arima_progress *progress = call->model.progress;
    bool whole_layers = progress->ordered % call->source.experts == 0;
    if (progress->rounds > 0 && !progress->over && whole_layers)
        return;
    progress->rounds++;
    progress->ordered = 0;
    progress->over = 0;
    for (size_t s = 0; s < call->series; s++)
        call->model.estimates[s].done = false;
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

static void order_as_told(struct call *call)
{
    const moep_predictor_config *config = call->task->config;
    struct arima_order order = {(unsigned)config->arima_p, (unsigned)config->arima_d, (unsigned)config->arima_q,
                                config->arima_mean && config->arima_d == 0};
    for (size_t s = 0; s < call->series; s++)
        call->model.asked[s] = order;
    call->model.progress->ordered = call->series;
}

static void take_choices(struct call *call, size_t first, size_t count, const struct arima_choice *choices)
{
    size_t experts = call->source.experts;
    bool vote = call->task->config->arima_order_scope == MOEP_ARIMA_PER_LAYER;
    for (size_t layer = 0; layer < count; layer += experts) {
        struct arima_order winner = mp_arima_vote(choices + layer, experts);
        for (size_t s = layer; s < layer + experts; s++) {
            call->model.asked[first + s] = vote ? winner : choices[s].order;
            call->model.estimates[first + s].period = choices[s].period;
        }
    }
    call->model.progress->ordered = first + count;
}

static moep_status select_part(struct call *call, size_t count, struct arima_choice *choices)
{
    const moep_predictor_config *config = call->task->config;
    double all = (double)call->series, ordered = (double)call->model.progress->ordered;
    struct part part = {&call->source, call->model.progress->ordered, NULL, ordered / all / 2, (double)count / all / 2};
    struct arima_job job = job_of(call, &part, count);
    struct arima_wanted wanted = {config->arima_p, config->arima_d, config->arima_q, config->arima_mean != 0};
    job.starts = 1; /* orders are compared roughly; the one that is chosen gets them all */
    moep_status status = mp_arima_select(&job, wanted, choices);
    if (status != MOEP_OK)
        return status;
    for (size_t s = 0; s < count; s++)
        call->spent += choices[s].cost;
    take_choices(call, part.first, count, choices);
    return MOEP_OK;
}

/* Of the layers that are left: one by one where there is a budget, which one layer may overrun. */
static moep_status select_orders(struct call *call)
{
    const struct memory *memory = &call->task->runtime->memory;
    size_t left = call->series - call->model.progress->ordered, count = call->budget > 0 ? call->source.experts : left;
    struct arima_choice *choices = mp_allocate(memory, count, sizeof *choices);
    if (!choices)
        return mp_out_of_memory("the orders of ARIMA models");
    moep_status status = MOEP_OK;
    while (call->model.progress->ordered < call->series && status == MOEP_OK && !budget_is_spent(call))
        status = select_part(call, count, choices);
    mp_release(memory, choices, count, sizeof *choices);
    return status;
}

/* ---- estimates --------------------------------------------------------------------------------------------------- */

static moep_status estimate(struct call *call)
{
    double done = selects(call->task->config) ? 0.5 : 0;
    struct part part = {&call->source, 0, NULL, done, 1 - done};
    struct arima_job job = job_of(call, &part, call->series);
    job.orders = call->model.asked;
    job.warm = call->model.progress->rounds > 1;
    job.budget = call->budget > 0 ? call->budget - call->spent : 0;
    moep_status status = mp_arima_estimate(&job, call->model.estimates);
    bool over = true;
    for (size_t s = 0; s < call->series && status == MOEP_OK; s++) {
        call->model.known[s] |= call->model.estimates[s].done;
        over &= call->model.estimates[s].done;
    }
    call->model.progress->over = status == MOEP_OK && over;
    return status;
}

moep_status mp_arima_fit(const struct task *task, void *block)
{
    size_t series = task->panel.series;
    struct call call = {.task = task,
                        .model = mp_arima_model(block, series),
                        .source = mp_arima_source(task),
                        .series = series,
                        .budget = task->config->fit_budget * 1e6};
    if (call.source.observations < MP_ARIMA_LEAST_OBSERVATIONS)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "%zu steps in the history, arima is fitted from %llu on",
                       task->panel.steps, MP_ARIMA_LEAST_OBSERVATIONS * (unsigned long long)task->config->arima_bucket);
    moep_status status = MOEP_OK;
    begin_round(&call);
    if (!selects(task->config))
        order_as_told(&call);
    else if (call.model.progress->ordered < series)
        status = select_orders(&call);
    if (status == MOEP_OK && call.model.progress->ordered == series && !budget_is_spent(&call))
        status = estimate(&call);
    if (status == MOEP_OK && call.model.progress->over)
        status = mp_arima_calibrate(task, &call.model, &call.source);
    if (status == MOEP_OK)
        status = mp_runtime_progress(task->runtime, 1);
    return status;
}
