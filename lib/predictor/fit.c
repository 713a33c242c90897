/* SPDX-License-Identifier: BSD-3-Clause */
/* The three sources of a model: a fit to the run itself, a fit to other runs, and another predictor's fit.
 *
 * allocates: for the call, a copy of the model and the shares of other runs; threads: those of the method. */
#include "api/status.h"
#include "predictor/predictor.h"
#include "series/trace.h"
#include "support/environment.h"

#include <string.h>

/* Fits a copy of the model, which replaces the model only if the fit succeeds and has changed it. */
static moep_status fit_copy(moep_predictor *predictor, const struct run *runs, size_t n)
{
    const struct method *method = predictor->method;
    const struct memory *memory = &predictor->runtime.memory;
    void *model = mp_allocate(memory, predictor->model_size, 1);
    if (!model)
        return mp_out_of_memory("the model");
    memcpy(model, predictor->model, predictor->model_size);
    struct task task = mp_predictor_task(predictor);
    moep_status status = runs ? method->fit_traces(&task, runs, n, model) : method->fit(&task, model);
    if (status == MOEP_OK && memcmp(model, predictor->model, predictor->model_size) != 0) {
        void *old = predictor->model;
        predictor->model = model;
        model = old;
        predictor->fitted_step = predictor->history.next_step;
    }
    mp_release(memory, model, predictor->model_size, 1);
    return status;
}

moep_status mp_predictor_fit(moep_predictor *predictor)
{
    return predictor->method->fit ? fit_copy(predictor, NULL, 0) : MOEP_OK;
}

moep_status moep_predictor_fit(moep_predictor *predictor)
{
    MP_BORDER
    return predictor ? mp_predictor_fit(predictor) : mp_fail_null("predictor");
}

/* ---- from other runs --------------------------------------------------------------------------------------------- */

/* The shares of all traces, each in a history as long as the trace. */
struct trace_set {
    struct run *runs;
    struct history *histories;
    size_t n, made; /* histories, and those of them that own memory */
};

static void free_traces(struct trace_set *set, const struct memory *memory)
{
    for (size_t i = 0; i < set->made; i++)
        mp_history_free(&set->histories[i], memory);
    mp_release(memory, set->histories, set->n, sizeof *set->histories);
    mp_release(memory, set->runs, set->n, sizeof *set->runs);
}

static moep_status read_trace(struct trace_set *set, const moep_trace *theirs, const struct memory *memory)
{
    moep_trace trace;
    moep_status status = mp_trace_read(&trace, theirs);
    if (status == MOEP_OK)
        status = mp_shape_check((size_t)trace.layers, (size_t)trace.experts);
    if (status == MOEP_OK && trace.steps == 0)
        status = mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "it has no steps");
    if (status != MOEP_OK)
        return status;
    struct history *history = &set->histories[set->made];
    status = mp_history_make(history, (size_t)trace.layers, (size_t)trace.experts, trace.steps, memory);
    set->made++;
    if (status == MOEP_OK)
        status = mp_history_push(history, 0, (size_t)trace.steps, trace.counts, trace.dtype);
    set->runs[set->made - 1] =
        (struct run){.panel = mp_history_panel(history), .layers = history->layers, .experts = history->experts};
    return status;
}

static moep_status read_traces(struct trace_set *set, const moep_trace *traces, size_t n, const struct memory *memory)
{
    set->n = n;
    set->runs = mp_allocate(memory, n, sizeof *set->runs);
    set->histories = mp_allocate(memory, n, sizeof *set->histories);
    if (!set->runs || !set->histories)
        return mp_out_of_memory("the traces");
    for (size_t i = 0; i < n; i++) {
        const moep_trace *trace = (const moep_trace *)((const char *)traces + i * traces->struct_size);
        moep_status status = read_trace(set, trace, memory);
        if (status != MOEP_OK)
            return mp_fail_at(status, "trace", i);
    }
    return MOEP_OK;
}

moep_status moep_predictor_fit_traces(moep_predictor *predictor, const moep_trace *traces, size_t n)
{
    MP_BORDER
    if (!predictor || !traces || n == 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_predictor_fit_traces needs a predictor and a trace");
    if (!predictor->method->fit_traces)
        return mp_fail(MOEP_ERROR_UNSUPPORTED, "%s does not learn from other runs", predictor->method->name);
    struct trace_set set = {0};
    moep_status status = read_traces(&set, traces, n, &predictor->runtime.memory);
    if (status == MOEP_OK)
        status = fit_copy(predictor, set.runs, n);
    free_traces(&set, &predictor->runtime.memory);
    return status;
}

/* ---- from another predictor -------------------------------------------------------------------------------------- */

/* Requires the same method, configuration and shape, so that the models have the same size and meaning. */
static moep_status check_alike(const moep_predictor *predictor, const moep_predictor *other)
{
    const struct history *a = &predictor->history, *b = &other->history;
    moep_predictor_config theirs = other->config;
    theirs.struct_size = predictor->config.struct_size;
    if (a->layers != b->layers || a->experts != b->experts)
        return mp_fail(MOEP_ERROR_INCOMPATIBLE,
                       "the fitted predictor has %zu layers of %zu experts, this one %zu of %zu", b->layers, b->experts,
                       a->layers, a->experts);
    if (memcmp(&predictor->config, &theirs, sizeof theirs) != 0)
        return mp_fail(MOEP_ERROR_INCOMPATIBLE, "the fitted predictor has another configuration");
    return MOEP_OK;
}

moep_status moep_predictor_adopt(moep_predictor *predictor, const moep_predictor *fitted)
{
    MP_BORDER
    if (!predictor)
        return mp_fail_null("predictor");
    if (!fitted)
        return mp_fail_null("fitted");
    moep_status status = check_alike(predictor, fitted);
    if (status != MOEP_OK || predictor == fitted)
        return status;
    mp_predictor_copy_model(predictor, fitted);
    return MOEP_OK;
}
