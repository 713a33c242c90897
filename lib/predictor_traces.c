/* SPDX-License-Identifier: BSD-3-Clause */
/* The public call that learns from other runs. */
#include "predictor.h"
#include "score.h"
#include "status.h"

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
    if (!predictor || !traces || n == 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_predictor_fit_traces needs a predictor and a trace");
    if (!predictor->method->fit_traces)
        return mp_fail(MOEP_ERROR_UNSUPPORTED, "%s does not learn from other runs", predictor->method->name);
    struct lessons lessons = {0};
    moep_status status = take_traces(&lessons, traces, n, &predictor->runtime.memory);
    if (status == MOEP_OK)
        status = mp_predictor_fit_runs(predictor, lessons.runs, n);
    free_lessons(&lessons, &predictor->runtime.memory);
    return status;
}
