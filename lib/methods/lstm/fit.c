/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/fit.h"

#include "api/status.h"
#include "methods/lstm/joint_training.h"
#include "methods/lstm/model.h"
#include "methods/lstm/shared_training.h"

static const struct lstm_schedule traces_schedule = {
    .updates = 4000, .warmup_updates = 100, .eval_interval = 250, .learning_rate = 4e-3};
static const struct lstm_schedule history_schedule = {
    .updates = 400, .warmup_updates = 40, .eval_interval = 100, .learning_rate = 2e-4, .acceptance_margin = 0.03};

enum { MIN_HISTORY = 600 };

static moep_status train(const struct task *task, const struct lstm_dataset *dataset,
                         const struct lstm_schedule *schedule, double budget, struct lstm_model *model)
{
    struct lstm_shape shape = mp_lstm_shape(task->config, task->panel.series);
    bool joint_form = task->config->lstm_scope == MOEP_LSTM_JOINT;
    struct lstm_objective objective;
    struct lstm_shared_training shared;
    struct lstm_joint_training joint;
    if (joint_form)
        mp_lstm_joint_training_init(&joint, &objective, &shape, dataset);
    else
        mp_lstm_shared_training_init(&shared, &objective, &shape, dataset);
    if (!mp_lstm_deposit(model, &objective, schedule, budget))
        return MOEP_OK;
    moep_status status = joint_form ? mp_lstm_joint_training_make(&joint, &shape, task->runtime)
                                    : mp_lstm_shared_training_make(&shared, &shape, task->runtime);
    if (status != MOEP_OK)
        return status;
    status = mp_lstm_train(model, &objective, schedule, budget, task->runtime, task->config->seed);
    if (joint_form)
        mp_lstm_joint_training_free(&joint);
    else
        mp_lstm_shared_training_free(&shared);
    return status;
}

/* The last quarter is held out: what training must do well on is the future. */
static struct lstm_split split_by_time(const struct run *run)
{
    size_t steps = run->panel.steps, begin = steps - steps / 4;
    return (struct lstm_split){.run = run, .train = {0, begin}, .validation = {begin, steps}};
}

/* Of a whole run, where it has several: every third layer, not the same ones in every run. */
static struct lstm_split split_by_layer(const struct run *run, size_t i)
{
    enum { EVERY = 3 };
    size_t steps = run->panel.steps;
    if (run->layers < EVERY)
        return split_by_time(run);
    return (struct lstm_split){.run = run, .train = {0, steps}, .validation = {0, steps}, EVERY, (i + 2) % EVERY};
}

moep_status mp_lstm_fit(const struct task *task, void *block)
{
    struct lstm_model model = mp_lstm_model(task->config, task->panel.series, block);
    size_t steps = task->panel.steps;
    struct run run = {.panel = task->panel, .layers = task->panel.series / task->experts, .experts = task->experts};
    run.first_step = task->next_step - steps;
    struct lstm_split split = split_by_time(&run);
    struct lstm_dataset dataset = {&split, 1};
    if (steps < MIN_HISTORY)
        return MOEP_OK;
    return train(task, &dataset, &history_schedule, task->config->fit_budget, &model);
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
        if (run->panel.steps < MIN_HISTORY)
            return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "trace %zu has %zu steps, an LSTM learns from %d or more", i,
                           run->panel.steps, MIN_HISTORY);
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
    struct lstm_split *splits = mp_allocate(memory, n, sizeof *splits);
    if (!splits)
        return mp_out_of_memory("the lessons");
    for (size_t i = 0; i < n; i++)
        splits[i] = task->config->lstm_scope == MOEP_LSTM_JOINT ? split_by_time(&runs[i]) : split_by_layer(&runs[i], i);
    struct lstm_dataset dataset = {splits, n};
    mp_lstm_model_untrained(task->config, task->panel.series, block);
    status = train(task, &dataset, &traces_schedule, 0, &model);
    mp_release(memory, splits, n, sizeof *splits);
    return status;
}
