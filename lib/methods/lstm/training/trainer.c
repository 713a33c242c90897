/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/trainer.h"

#include "api/status.h"

#include <string.h>

/* Guards against a rare steep loss: in the 4,000 updates behind the shipped weights no gradient was as long. */
static const double MAX_NORM = 1;

/* The arguments of a call, and its memory. */
struct trainer {
    struct lstm_model *model;
    const struct lstm_objective *objective;
    const struct lstm_schedule *schedule;
    uint64_t seed;
    real *gradient;
};

static void begin_round(struct lstm_model *model, const struct lstm_schedule *schedule)
{
    size_t size = model->parameters * sizeof(real);
    model->state->rounds++;
    model->state->updates = 0;
    model->state->length = schedule->updates;
    model->state->adam = mp_lstm_adam_init();
    memcpy(model->candidate, model->best, size);
    memset(model->m, 0, size);
    memset(model->v, 0, size);
}

/* The best parameters are validated again, because the history may have advanced since the last time. */
static void validate_candidate(const struct trainer *t)
{
    struct lstm_model *model = t->model;
    struct lstm_train_state *state = model->state;
    struct lstm_losses best = t->objective->validate(t->objective->self, model->best);
    struct lstm_losses candidate = t->objective->validate(t->objective->self, model->candidate);
    state->loss = best.loss;
    state->untrained_loss = best.untrained;
    if (!(candidate.loss < (1 - t->schedule->acceptance_margin) * best.loss))
        return;
    memcpy(model->best, model->candidate, model->parameters * sizeof(real));
    state->loss = candidate.loss;
    state->weights = MOEP_LSTM_TRAINED;
}

static bool update(const struct trainer *t)
{
    struct lstm_model *model = t->model;
    struct lstm_train_state *state = model->state;
    struct random random = mp_random(t->seed, state->rounds << 32 | state->updates);
    struct lstm_adam_rule rule = {.learning_rate = t->schedule->learning_rate,
                                  .max_norm = MAX_NORM,
                                  .warmup_updates = t->schedule->warmup_updates,
                                  .decay_updates = t->schedule->updates};
    t->objective->minibatch_gradient(t->objective->self, &random, model->candidate, t->gradient);
    state->updates++;
    return mp_lstm_adam_update(&state->adam, &rule, model->parameters, t->gradient, model->m, model->v,
                               model->candidate);
}

static bool is_validation_due(uint64_t updates, const struct lstm_schedule *schedule)
{
    return updates % schedule->eval_interval == 0 || updates == schedule->updates;
}

/* The cost of the next update, in 10^6 operations. */
static double next_cost(const struct lstm_train_state *state, const struct lstm_objective *objective,
                        const struct lstm_schedule *schedule)
{
    bool validates = is_validation_due(state->updates % schedule->updates + 1, schedule);
    return (objective->update_cost + (validates ? 2 * objective->validation_cost : 0)) * 1e-6;
}

bool mp_lstm_deposit(struct lstm_model *model, const struct lstm_objective *objective,
                     const struct lstm_schedule *schedule, double budget)
{
    model->state->balance += budget;
    return budget == 0 || model->state->balance >= next_cost(model->state, objective, schedule);
}

/* One update, and the validation that is due after it. */
static moep_status train_update(const struct trainer *t, const struct runtime *runtime)
{
    struct lstm_train_state *state = t->model->state;
    if (state->updates == state->length || state->length != t->schedule->updates)
        begin_round(t->model, t->schedule);
    if (!update(t))
        return mp_fail(MOEP_ERROR_NUMERIC, "update %llu: the gradient is not finite",
                       (unsigned long long)state->updates);
    if (is_validation_due(state->updates, t->schedule))
        validate_candidate(t);
    return mp_runtime_progress(runtime, (double)state->updates / (double)t->schedule->updates);
}

moep_status mp_lstm_train(struct lstm_model *model, const struct lstm_objective *objective,
                          const struct lstm_schedule *schedule, double budget, const struct runtime *runtime,
                          uint64_t seed)
{
    struct lstm_train_state *state = model->state;
    struct trainer t = {model, objective, schedule, seed, NULL};
    moep_status status = MOEP_OK;
    bool more = true;
    t.gradient = mp_allocate(&runtime->memory, model->parameters, sizeof *t.gradient);
    if (!t.gradient)
        return mp_out_of_memory("the gradient");
    while (status == MOEP_OK && more) {
        if (budget > 0)
            state->balance -= next_cost(state, objective, schedule);
        status = train_update(&t, runtime);
        more = budget > 0 ? state->balance >= next_cost(state, objective, schedule) : state->updates < state->length;
    }
    mp_release(&runtime->memory, t.gradient, model->parameters, sizeof *t.gradient);
    return status;
}
