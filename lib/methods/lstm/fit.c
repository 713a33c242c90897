/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/fit.h"

#include "api/status.h"
#include "methods/lstm/joint_training.h"
#include "methods/lstm/model.h"
#include "methods/lstm/shared_training.h"

/* For fits on other runs, from scratch. The numbers are validation losses of the shipped weights (tests/bench/run.sh
 * lstm_weights), where an untrained network has 0.0437:
 *
 *     learning rate  1e-3 0.0377   2e-3 0.0364   4e-3 0.0348   8e-3 0.0349   16e-3 0.0354
 *     updates        1000 0.0391   2000 0.0379   4000 0.0348   8000 0.0338
 *
 * Time grows with the updates. */
static const struct lstm_schedule traces_schedule = {
    .updates = 4000, .warmup_updates = 100, .eval_interval = 250, .learning_rate = 4e-3};

/* For fits within the run: a twentieth of that rate and a tenth of the updates refine the weights and do not replace
 * them, since one history is little to learn from. Its last quarter is a small validation set, on which a gain below
 * 3 % is no evidence. Section 5 of tests/bench/run.sh lstm_accuracy measures the gain of such fits. */
static const struct lstm_schedule history_schedule = {
    .updates = 400, .warmup_updates = 40, .eval_interval = 100, .learning_rate = 2e-4, .acceptance_margin = 0.03};

/* The fewest steps of a run to learn from. In its last quarter, 150 steps, every validation origin has a target of 50
 * steps; the rest has 176 training origins. */
enum { MIN_STEPS = 600 };

/* ---- a form's objective ------------------------------------------------------------------------------------------ */

struct training {
    bool is_joint;
    struct lstm_objective objective;
    struct lstm_shared_training shared;
    struct lstm_joint_training joint;
};

static void init(struct training *training, const struct lstm_shape *shape, const struct lstm_dataset *dataset)
{
    if (training->is_joint)
        mp_lstm_joint_training_init(&training->joint, &training->objective, shape, dataset);
    else
        mp_lstm_shared_training_init(&training->shared, &training->objective, shape, dataset);
}

static moep_status make(struct training *training, const struct lstm_shape *shape, const struct runtime *runtime)
{
    return training->is_joint ? mp_lstm_joint_training_make(&training->joint, shape, runtime)
                              : mp_lstm_shared_training_make(&training->shared, shape, runtime);
}

static void release(struct training *training)
{
    if (training->is_joint)
        mp_lstm_joint_training_free(&training->joint);
    else
        mp_lstm_shared_training_free(&training->shared);
}

static moep_status train(const struct task *task, const struct lstm_dataset *dataset,
                         const struct lstm_schedule *schedule, double budget, void *model)
{
    struct lstm_model view = mp_lstm_model(task->config, task->panel.series, model);
    struct lstm_shape shape = mp_lstm_shape(task->config, task->panel.series);
    struct training training = {.is_joint = task->config->lstm_scope == MOEP_LSTM_JOINT};
    init(&training, &shape, dataset);
    if (!mp_lstm_deposit(&view, &training.objective, schedule, budget))
        return MOEP_OK;
    moep_status status = make(&training, &shape, task->runtime);
    if (status != MOEP_OK)
        return status;
    status = mp_lstm_train(&view, &training.objective, schedule, budget, task->runtime, task->config->seed);
    release(&training);
    mp_lstm_model_pack(task->config, task->panel.series, model);
    return status;
}

/* ---- splits ------------------------------------------------------------------------------------------------------ */

/* The last quarter is for validation, since a network must do well on the future. */
static struct lstm_split split_by_time(const struct run *run)
{
    size_t steps = run->panel.steps, begin = steps - steps / 4;
    return (struct lstm_split){.run = run, .train = {0, begin}, .validation = {begin, steps}};
}

/* Every third layer is for validation, beginning with another one in each run. So training sees all ages of a run. */
static struct lstm_split split_by_layer(const struct run *run, size_t i)
{
    enum { EVERY = 3 };
    size_t steps = run->panel.steps;
    if (run->layers < EVERY)
        return split_by_time(run);
    return (struct lstm_split){.run = run, .train = {0, steps}, .validation = {0, steps}, EVERY, (i + 2) % EVERY};
}

/* ---- the two fits ------------------------------------------------------------------------------------------------ */

moep_status mp_lstm_fit(const struct task *task, void *model)
{
    size_t steps = task->panel.steps;
    struct run run = {.panel = task->panel, .layers = task->panel.series / task->experts, .experts = task->experts};
    run.first_step = task->next_step - steps;
    struct lstm_split split = split_by_time(&run);
    struct lstm_dataset dataset = {&split, 1};
    if (steps < MIN_STEPS)
        return MOEP_OK;
    return train(task, &dataset, &history_schedule, task->config->fit_budget, model);
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
        if (run->panel.steps < MIN_STEPS)
            return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "trace %zu has %zu steps, an LSTM learns from %d or more", i,
                           run->panel.steps, MIN_STEPS);
    }
    return MOEP_OK;
}

moep_status mp_lstm_fit_traces(const struct task *task, const struct run *runs, size_t n, void *model)
{
    const struct memory *memory = &task->runtime->memory;
    moep_status status = check_runs(task, runs, n);
    if (status != MOEP_OK)
        return status;
    struct lstm_split *splits = mp_allocate(memory, n, sizeof *splits);
    if (!splits)
        return mp_out_of_memory("the splits of the traces");
    for (size_t i = 0; i < n; i++)
        splits[i] = task->config->lstm_scope == MOEP_LSTM_JOINT ? split_by_time(&runs[i]) : split_by_layer(&runs[i], i);
    struct lstm_dataset dataset = {splits, n};
    mp_lstm_model_init_untrained(task->config, task->panel.series, model);
    status = train(task, &dataset, &traces_schedule, 0, model);
    mp_release(memory, splits, n, sizeof *splits);
    return status;
}
