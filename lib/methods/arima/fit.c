/* SPDX-License-Identifier: BSD-3-Clause */
/* A fit is a round of three stages: orders are selected or taken from the configuration, all series are estimated, and
 * standard errors are calibrated. A budget may end a call between two series or, while orders are selected, between two
 * layers. The model stores the progress of the round (model.h), and the next call continues it.
 *
 * bytes: any number of threads and any budget lead to the same model. allocates: one arena per stage. */
#include "methods/arima/fit.h"

#include "api/status.h"
#include "methods/arima/calibrate.h"
#include "methods/arima/model.h"
#include "methods/arima/observations.h"

/* The data of one call. */
struct fit {
    const struct task *task;
    struct arima_model model;
    struct arima_observations observed;
    size_t series;
    double budget, spent; /* floating-point operations; budget 0: no limit */
};

static bool selects(const moep_predictor_config *config)
{
    return config->arima_p == MOEP_SELECT || config->arima_d == MOEP_SELECT || config->arima_q == MOEP_SELECT;
}

static bool budget_is_spent(const struct fit *fit)
{
    return fit->budget > 0 && fit->spent >= fit->budget;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* The series of a request, and its part of the call's progress. */
struct series_range {
    struct arima_observations *observed;
    size_t first;
    double done, part; /* of the call: before the request, and in it */
    const struct runtime *runtime;
};

static int32_t report_progress(void *user, double fraction)
{
    const struct series_range *range = user;
    const struct runtime *runtime = range->runtime;
    return runtime->progress ? runtime->progress(runtime->progress_user, range->done + range->part * fraction) : 0;
}

static void load_range(void *user, size_t first, size_t count, double *values)
{
    const struct series_range *range = user;
    mp_arima_read_observations(range->observed, range->first + first, count, values);
}

static struct arima_request make_request(const struct fit *fit, struct series_range *range, size_t series)
{
    const struct runtime *runtime = fit->task->runtime;
    return (struct arima_request){.series = series,
                                  .observations = fit->observed.observations,
                                  .load = load_range,
                                  .user = range,
                                  .starts = fit->task->config->arima_starts,
                                  .threads = runtime->threads,
                                  .memory = &runtime->memory,
                                  .progress = report_progress,
                                  .progress_user = range};
}

/* ---- a round ----------------------------------------------------------------------------------------------------- */

/* Continues an incomplete round, or begins the next. No fit ends in the middle of a layer while it selects orders; a
 * loaded model that claims so begins a round. */
static void begin_round(struct fit *fit)
{
    struct arima_progress *progress = fit->model.progress;
    bool whole_layers = progress->orders_selected % fit->observed.experts == 0;
    if (progress->rounds > 0 && !progress->complete && whole_layers)
        return;
    progress->rounds++;
    progress->orders_selected = 0;
    progress->complete = 0;
    for (size_t s = 0; s < fit->series; s++)
        fit->model.estimates[s].done = false;
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

static void request_configured_order(struct fit *fit)
{
    const moep_predictor_config *config = fit->task->config;
    struct arima_order order = {(unsigned)config->arima_p, (unsigned)config->arima_d, (unsigned)config->arima_q,
                                config->arima_mean && config->arima_d == 0};
    for (size_t s = 0; s < fit->series; s++)
        fit->model.requested[s] = order;
    fit->model.progress->orders_selected = fit->series;
}

static unsigned most_frequent_d(const struct arima_choice *choices, size_t count, bool all_vote)
{
    size_t votes[3] = {0};
    unsigned winner = 0;
    for (size_t i = 0; i < count; i++)
        votes[choices[i].order.d] += all_vote || choices[i].orders_tried > 0;
    for (unsigned d = 1; d < 3; d++)
        winner = votes[d] > votes[winner] ? d : winner;
    return winner;
}

static void find_most_frequent(size_t votes[MP_ARIMA_ORDERS][MP_ARIMA_ORDERS], struct arima_order *winner)
{
    size_t most = 0;
    for (unsigned total = 0; total <= 2 * MP_ARIMA_ORDER; total++)
        for (unsigned p = 0; p <= total && p < MP_ARIMA_ORDERS; p++)
            if (total - p < MP_ARIMA_ORDERS && votes[p][total - p] > most) {
                most = votes[p][total - p];
                winner->p = p;
                winner->q = total - p;
            }
}

/* A constant series has no vote, because no order was tried for it, unless all are constant. */
struct arima_order mp_arima_vote(const struct arima_choice *choices, size_t count)
{
    size_t votes[MP_ARIMA_ORDERS][MP_ARIMA_ORDERS] = {{0}};
    bool all_vote = true;
    for (size_t i = 0; i < count; i++)
        all_vote &= choices[i].orders_tried == 0;
    struct arima_order winner = {.d = most_frequent_d(choices, count, all_vote)};
    for (size_t i = 0; i < count; i++)
        if (choices[i].order.d == winner.d && (all_vote || choices[i].orders_tried > 0)) {
            votes[choices[i].order.p][choices[i].order.q]++;
            winner.mean |= choices[i].order.mean;
        }
    find_most_frequent(votes, &winner);
    return winner;
}

static void store_choices(struct fit *fit, size_t first, size_t count, const struct arima_choice *choices)
{
    size_t experts = fit->observed.experts;
    bool per_layer = fit->task->config->arima_order_scope == MOEP_ARIMA_PER_LAYER;
    for (size_t layer = 0; layer < count; layer += experts) {
        struct arima_order winner = mp_arima_vote(choices + layer, experts);
        for (size_t s = layer; s < layer + experts; s++) {
            fit->model.requested[first + s] = per_layer ? winner : choices[s].order;
            fit->model.estimates[first + s].period = choices[s].period;
        }
    }
    fit->model.progress->orders_selected = first + count;
}

/* Selects the orders of the next `count` series. One start is enough, because orders are only compared; the estimate
 * with the order chosen has all starts. */
static moep_status select_range(struct fit *fit, size_t count, struct arima_choice *choices)
{
    const moep_predictor_config *config = fit->task->config;
    size_t first = fit->model.progress->orders_selected;
    double all = (double)fit->series;
    struct series_range range = {&fit->observed, first, (double)first / all / 2, (double)count / all / 2,
                                 fit->task->runtime};
    struct arima_request request = make_request(fit, &range, count);
    struct arima_order_config orders = {config->arima_p, config->arima_d, config->arima_q, config->arima_mean != 0};
    request.starts = 1;
    moep_status status = mp_arima_select_orders(&request, orders, choices);
    if (status != MOEP_OK)
        return status;
    for (size_t s = 0; s < count; s++)
        fit->spent += choices[s].cost;
    store_choices(fit, first, count, choices);
    return MOEP_OK;
}

/* Selects the orders of all remaining layers at once or, with a budget, layer by layer. One layer may overrun it. */
static moep_status select_orders(struct fit *fit)
{
    const struct memory *memory = &fit->task->runtime->memory;
    size_t left = fit->series - fit->model.progress->orders_selected;
    size_t count = fit->budget > 0 ? fit->observed.experts : left;
    struct arima_choice *choices = mp_allocate(memory, count, sizeof *choices);
    if (!choices)
        return mp_out_of_memory("the orders of ARIMA models");
    moep_status status = MOEP_OK;
    while (fit->model.progress->orders_selected < fit->series && status == MOEP_OK && !budget_is_spent(fit))
        status = select_range(fit, count, choices);
    mp_release(memory, choices, count, sizeof *choices);
    return status;
}

/* ---- estimates --------------------------------------------------------------------------------------------------- */

static moep_status estimate(struct fit *fit)
{
    double done = selects(fit->task->config) ? 0.5 : 0;
    struct series_range range = {&fit->observed, 0, done, 1 - done, fit->task->runtime};
    struct arima_request request = make_request(fit, &range, fit->series);
    request.orders = fit->model.requested;
    request.warm = fit->model.progress->rounds > 1;
    request.budget = fit->budget > 0 ? fit->budget - fit->spent : 0;
    moep_status status = mp_arima_estimate(&request, fit->model.estimates);
    bool complete = true;
    for (size_t s = 0; s < fit->series && status == MOEP_OK; s++) {
        fit->model.has_estimate[s] |= fit->model.estimates[s].done;
        complete &= fit->model.estimates[s].done;
    }
    fit->model.progress->complete = status == MOEP_OK && complete;
    return status;
}

moep_status mp_arima_fit(const struct task *task, void *model)
{
    size_t series = task->panel.series;
    struct fit fit = {.task = task,
                      .model = mp_arima_model(model, series),
                      .observed = mp_arima_observations(task),
                      .series = series,
                      .budget = task->config->fit_budget * 1e6};
    const struct arima_progress *progress = fit.model.progress;
    if (fit.observed.observations < MP_ARIMA_LEAST_OBSERVATIONS)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "%zu steps in the history, arima is fitted from %llu on",
                       task->panel.steps, MP_ARIMA_LEAST_OBSERVATIONS * (unsigned long long)task->config->arima_bucket);
    moep_status status = MOEP_OK;
    begin_round(&fit);
    if (!selects(task->config))
        request_configured_order(&fit);
    else if (progress->orders_selected < series)
        status = select_orders(&fit);
    if (status == MOEP_OK && progress->orders_selected == series && !budget_is_spent(&fit))
        status = estimate(&fit);
    if (status == MOEP_OK && progress->complete)
        status = mp_arima_calibrate(task, &fit.model, &fit.observed);
    if (status == MOEP_OK)
        status = mp_runtime_progress(task->runtime, 1);
    return status;
}
