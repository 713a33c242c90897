/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/trainer.h"

#include "api/status.h"

#include <string.h>

static const double MAX_NORM = 1;

static void begin_round(struct lstm_model *model, const struct lstm_schedule *schedule)
{
    size_t size = model->parameters * sizeof(real);
    model->state->rounds++;
    model->state->updates = 0;
    model->state->length = schedule->updates;
    model->state->adam = mp_lstm_adam_start();
    memcpy(model->candidate, model->best, size);
    memset(model->m, 0, size);
    memset(model->v, 0, size);
}

/* What an update and an exam work with. */
struct scratch {
    struct lstm_residuals residuals;
    real gradient[];
};

static void validate_candidate(struct lstm_model *model, const struct lstm_objective *objective,
                               const struct lstm_schedule *schedule, struct scratch *scratch)
{
    struct lstm_train_state *state = model->state;
    scratch->residuals = *model->residuals;
    struct lstm_losses used = objective->validate(objective->self, model->best, NULL);
    struct lstm_losses learning = objective->validate(objective->self, model->candidate, &scratch->residuals);
    state->loss = used.loss;
    state->untrained_loss = used.untrained;
    if (!(learning.loss < (1 - schedule->acceptance_margin) * used.loss))
        return;
    memcpy(model->best, model->candidate, model->parameters * sizeof(real));
    state->loss = learning.loss;
    state->weights = MOEP_LSTM_TRAINED;
    *model->residuals = scratch->residuals;
}

static bool update(struct lstm_model *model, const struct lstm_objective *objective,
                   const struct lstm_schedule *schedule, uint64_t seed, real *gradient)
{
    struct lstm_train_state *state = model->state;
    struct random random = mp_random(seed, state->rounds << 32 | state->updates);
    struct lstm_adam_rule rule = {.learning_rate = schedule->learning_rate,
                                  .max_norm = MAX_NORM,
                                  .warmup_updates = schedule->warmup_updates,
                                  .decay_updates = schedule->updates};
    objective->minibatch_gradient(objective->self, &random, model->candidate, gradient);
    state->updates++;
    return mp_lstm_adam_update(&state->adam, &rule, model->parameters, gradient, model->m, model->v, model->candidate);
}

static bool is_validation_due(const struct lstm_train_state *state, const struct lstm_schedule *schedule)
{
    return state->updates % schedule->eval_interval == 0 || state->updates == schedule->updates;
}

/* What the next update takes. */
static double next_cost(const struct lstm_train_state *state, const struct lstm_objective *objective,
                        const struct lstm_schedule *schedule)
{
    struct lstm_train_state next = *state;
    next.updates = state->updates % schedule->updates + 1;
    return (objective->step_cost + (is_validation_due(&next, schedule) ? 2 * objective->validation_cost : 0)) * 1e-6;
}

bool mp_lstm_deposit(struct lstm_model *model, const struct lstm_objective *objective,
                     const struct lstm_schedule *schedule, double budget)
{
    model->state->balance += budget;
    return budget == 0 || model->state->balance >= next_cost(model->state, objective, schedule);
}

/* One update, and what is due after it. */
static moep_status train_step(struct lstm_model *model, const struct lstm_objective *objective,
                              const struct lstm_schedule *schedule, const struct runtime *runtime, uint64_t seed,
                              struct scratch *scratch)
{
    struct lstm_train_state *state = model->state;
    if (state->updates == state->length || state->length != schedule->updates)
        begin_round(model, schedule);
    if (!update(model, objective, schedule, seed, scratch->gradient))
        return mp_fail(MOEP_ERROR_NUMERIC, "update %llu: the gradient is not finite",
                       (unsigned long long)state->updates);
    if (is_validation_due(state, schedule))
        validate_candidate(model, objective, schedule, scratch);
    return mp_runtime_progress(runtime, (double)state->updates / (double)schedule->updates);
}

moep_status mp_lstm_train(struct lstm_model *model, const struct lstm_objective *objective,
                          const struct lstm_schedule *schedule, double budget, const struct runtime *runtime,
                          uint64_t seed)
{
    struct lstm_train_state *state = model->state;
    const struct memory *memory = &runtime->memory;
    moep_status status = MOEP_OK;
    bool more = true;
    size_t size = mp_sum(sizeof(struct scratch), mp_product(model->parameters, sizeof(real)));
    struct scratch *scratch = mp_allocate(memory, size, 1);
    if (!scratch)
        return mp_out_of_memory("the gradient");
    while (status == MOEP_OK && more) {
        if (budget > 0)
            state->balance -= next_cost(state, objective, schedule);
        status = train_step(model, objective, schedule, runtime, seed, scratch);
        more = budget > 0 ? state->balance >= next_cost(state, objective, schedule) : state->updates < state->length;
    }
    mp_release(memory, scratch, size, 1);
    return status;
}
