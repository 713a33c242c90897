/* SPDX-License-Identifier: BSD-3-Clause */
/* What a predictor learns: within the run, from other runs, and from another predictor that has learned it. */
#include "api/status.h"
#include "predictor/predictor.h"
#include "series/trace.h"
#include "support/environment.h"

#include <string.h>

/* A fit works on a copy of the model, which takes the model's place when it has come to its end. */
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

/* ---- from other runs ----------------------------------------------------------------------------------------------- */

/* Each trace as a history that holds all of it. */
struct lessons {
    struct run *runs;
    struct history *histories;
    size_t n, taken;
};

static void free_lessons(struct lessons *lessons, const struct memory *memory)
{
    for (size_t i = 0; i < lessons->taken; i++)
        mp_history_free(&lessons->histories[i], memory);
    mp_release(memory, lessons->histories, lessons->n, sizeof *lessons->histories);
    mp_release(memory, lessons->runs, lessons->n, sizeof *lessons->runs);
}

static moep_status take_trace(struct lessons *lessons, const moep_trace *theirs, const struct memory *memory)
{
    moep_trace trace;
    moep_status status = mp_trace_read(&trace, theirs);
    if (status == MOEP_OK)
        status = mp_shape_check((size_t)trace.layers, (size_t)trace.experts);
    if (status == MOEP_OK && trace.steps == 0)
        status = mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "it has no steps");
    if (status != MOEP_OK)
        return status;
    struct history *history = &lessons->histories[lessons->taken];
    status = mp_history_make(history, (size_t)trace.layers, (size_t)trace.experts, trace.steps, memory);
    lessons->taken++;
    if (status == MOEP_OK)
        status = mp_history_push(history, 0, (size_t)trace.steps, trace.counts, trace.dtype);
    lessons->runs[lessons->taken - 1] =
        (struct run){.panel = mp_history_panel(history), .layers = history->layers, .experts = history->experts};
    return status;
}

static moep_status take_traces(struct lessons *lessons, const moep_trace *traces, size_t n, const struct memory *memory)
{
    lessons->n = n;
    lessons->runs = mp_allocate(memory, n, sizeof *lessons->runs);
    lessons->histories = mp_allocate(memory, n, sizeof *lessons->histories);
    if (!lessons->runs || !lessons->histories)
        return mp_out_of_memory("the traces");
    for (size_t i = 0; i < n; i++) {
        const moep_trace *trace = (const moep_trace *)((const char *)traces + i * traces->struct_size);
        moep_status status = take_trace(lessons, trace, memory);
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
    struct lessons lessons = {0};
    moep_status status = take_traces(&lessons, traces, n, &predictor->runtime.memory);
    if (status == MOEP_OK)
        status = fit_copy(predictor, lessons.runs, n);
    free_lessons(&lessons, &predictor->runtime.memory);
    return status;
}

/* ---- from another predictor ---------------------------------------------------------------------------------------- */

/* The same method, configuration and shape: models of one size and meaning. */
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
    if (!predictor || !fitted)
        return mp_fail_null("predictor");
    moep_status status = check_alike(predictor, fitted);
    if (status != MOEP_OK || predictor == fitted)
        return status;
    mp_predictor_copy_model(predictor, fitted);
    return MOEP_OK;
}
