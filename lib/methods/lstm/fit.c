/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/fit.h"

#include "api/status.h"
#include "methods/lstm/joint.h"
#include "methods/lstm/model.h"
#include "methods/lstm/shared.h"

static const struct lstm_course of_traces = {.updates = 4000, .rising = 100, .between = 250, .rate = 4e-3};
static const struct lstm_course of_history = {
    .updates = 400, .rising = 40, .between = 100, .rate = 2e-4, .margin = 0.03};

enum { LEAST_HISTORY = 600 };

static moep_status train(const struct task *task, const struct lstm_corpus *corpus, const struct lstm_course *course,
                         double budget, struct lstm_model *model)
{
    struct lstm_shape shape = mp_lstm_shape(task->config, task->panel.series);
    bool joint_form = task->config->lstm_scope == MOEP_LSTM_JOINT;
    struct lstm_school school;
    struct lstm_shared shared;
    struct lstm_joint joint;
    if (joint_form)
        mp_lstm_joint_school(&joint, &school, &shape, corpus);
    else
        mp_lstm_shared_school(&shared, &school, &shape, corpus);
    if (!mp_lstm_grant(model, &school, course, budget))
        return MOEP_OK;
    moep_status status = joint_form ? mp_lstm_joint_open(&joint, &shape, task->runtime)
                                    : mp_lstm_shared_open(&shared, &shape, task->runtime);
    if (status != MOEP_OK)
        return status;
    status = mp_lstm_train(model, &school, course, budget, task->runtime, task->config->seed);
    if (joint_form)
        mp_lstm_joint_close(&joint);
    else
        mp_lstm_shared_close(&shared);
    return status;
}

/* The last quarter is held out: what training must do well on is the future. */
static struct lstm_lesson by_time(const struct run *run)
{
    size_t steps = run->panel.steps, begin = steps - steps / 4;
    return (struct lstm_lesson){.run = run, .trained = {0, begin}, .judged = {begin, steps}};
}

/* Of a whole run, where it has several: every third layer, not the same ones in every run. */
static struct lstm_lesson by_layer(const struct run *run, size_t i)
{
    enum { EVERY = 3 };
    size_t steps = run->panel.steps;
    if (run->layers < EVERY)
        return by_time(run);
    return (struct lstm_lesson){.run = run, .trained = {0, steps}, .judged = {0, steps}, EVERY, (i + 2) % EVERY};
}

moep_status mp_lstm_fit(const struct task *task, void *block)
{
    struct lstm_model model = mp_lstm_model(task->config, task->panel.series, block);
    size_t steps = task->panel.steps;
    struct run run = {.panel = task->panel, .layers = task->panel.series / task->experts, .experts = task->experts};
    run.first_step = task->next_step - steps;
    struct lstm_lesson lesson = by_time(&run);
    struct lstm_corpus corpus = {&lesson, 1};
    if (steps < LEAST_HISTORY)
        return MOEP_OK;
    return train(task, &corpus, &of_history, task->config->fit_budget, &model);
}

static moep_status check_runs(const struct task *task, const struct run *runs, size_t n)
{
    size_t layers = task->panel.series / task->experts;
    for (size_t i = 0; i < n; i++) {
        const struct run *run = &runs[i];
        if (task->config->lstm_scope == MOEP_LSTM_JOINT && (run->layers != layers || run->experts != task->experts))
            return mp_fail(MOEP_ERROR_INCOMPATIBLE,
                           "trace %zu has %zu layers of %zu experts, this joint network %zu of %zu", i, run->layers,
                           run->experts, layers, task->experts);
        if (run->panel.steps < LEAST_HISTORY)
            return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "trace %zu has %zu steps, an LSTM learns from %d or more", i,
                           run->panel.steps, LEAST_HISTORY);
    }
    return MOEP_OK;
}

moep_status mp_lstm_fit_traces(const struct task *task, const struct run *runs, size_t n, void *block)
{
    const struct memory *memory = &task->runtime->memory;
    struct lstm_model model = mp_lstm_model(task->config, task->panel.series, block);
    moep_status status = check_runs(task, runs, n);
    if (status != MOEP_OK)
        return status;
    struct lstm_lesson *lessons = mp_allocate(memory, n, sizeof *lessons);
    if (!lessons)
        return mp_out_of_memory("the lessons");
    for (size_t i = 0; i < n; i++)
        lessons[i] = task->config->lstm_scope == MOEP_LSTM_JOINT ? by_time(&runs[i]) : by_layer(&runs[i], i);
    struct lstm_corpus corpus = {lessons, n};
    mp_lstm_model_untrained(task->config, task->panel.series, block);
    status = train(task, &corpus, &of_traces, 0, &model);
    mp_release(memory, lessons, n, sizeof *lessons);
    return status;
}
