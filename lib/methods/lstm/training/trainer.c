/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/trainer.h"

#include "api/status.h"

#include <string.h>

static const double LONGEST_GRADIENT = 1;

static void begin_round(struct lstm_model *model, const struct lstm_course *course)
{
    size_t size = model->parameters * sizeof(real);
    model->state->rounds++;
    model->state->updates = 0;
    model->state->length = course->updates;
    model->state->adam = mp_lstm_adam_start();
    memcpy(model->learning, model->used, size);
    memset(model->first, 0, size);
    memset(model->second, 0, size);
}

/* What an update and an exam work with. */
struct scratch {
    struct lstm_residuals residuals;
    real gradient[];
};

static void examine(struct lstm_model *model, const struct lstm_school *school, const struct lstm_course *course,
                    struct scratch *scratch)
{
    struct lstm_state *state = model->state;
    scratch->residuals = *model->residuals;
    struct lstm_marks used = school->exam(school->self, model->used, NULL);
    struct lstm_marks learning = school->exam(school->self, model->learning, &scratch->residuals);
    state->loss = used.loss;
    state->untrained_loss = used.untrained;
    if (!(learning.loss < (1 - course->margin) * used.loss))
        return;
    memcpy(model->used, model->learning, model->parameters * sizeof(real));
    state->loss = learning.loss;
    state->weights = MOEP_LSTM_TRAINED;
    *model->residuals = scratch->residuals;
}

static bool update(struct lstm_model *model, const struct lstm_school *school, const struct lstm_course *course,
                   uint64_t seed, real *gradient)
{
    struct lstm_state *state = model->state;
    struct random random = mp_random(seed, state->rounds << 32 | state->updates);
    struct lstm_adam_rule rule = {
        .rate = course->rate, .longest = LONGEST_GRADIENT, .rising = course->rising, .until = course->updates};
    school->lesson(school->self, &random, model->learning, gradient);
    state->updates++;
    return mp_lstm_adam_update(&state->adam, &rule, model->parameters, gradient, model->first, model->second,
                               model->learning);
}

static bool is_exam(const struct lstm_state *state, const struct lstm_course *course)
{
    return state->updates % course->between == 0 || state->updates == course->updates;
}

/* What the next update takes. */
static double price(const struct lstm_state *state, const struct lstm_school *school, const struct lstm_course *course)
{
    struct lstm_state next = *state;
    next.updates = state->updates % course->updates + 1;
    return (school->lesson_cost + (is_exam(&next, course) ? 2 * school->exam_cost : 0)) * 1e-6;
}

bool mp_lstm_grant(struct lstm_model *model, const struct lstm_school *school, const struct lstm_course *course,
                   double budget)
{
    model->state->credit += budget;
    return budget == 0 || model->state->credit >= price(model->state, school, course);
}

/* One update, and what is due after it. */
static moep_status go_on(struct lstm_model *model, const struct lstm_school *school, const struct lstm_course *course,
                         const struct runtime *runtime, uint64_t seed, struct scratch *scratch)
{
    struct lstm_state *state = model->state;
    if (state->updates == state->length || state->length != course->updates)
        begin_round(model, course);
    if (!update(model, school, course, seed, scratch->gradient))
        return mp_fail(MOEP_ERROR_NUMERIC, "update %llu: the gradient is not finite",
                       (unsigned long long)state->updates);
    if (is_exam(state, course))
        examine(model, school, course, scratch);
    return mp_runtime_progress(runtime, (double)state->updates / (double)course->updates);
}

moep_status mp_lstm_train(struct lstm_model *model, const struct lstm_school *school, const struct lstm_course *course,
                          double budget, const struct runtime *runtime, uint64_t seed)
{
    struct lstm_state *state = model->state;
    const struct memory *memory = &runtime->memory;
    moep_status status = MOEP_OK;
    bool more = true;
    size_t size = mp_sum(sizeof(struct scratch), mp_product(model->parameters, sizeof(real)));
    struct scratch *scratch = mp_allocate(memory, size, 1);
    if (!scratch)
        return mp_out_of_memory("the gradient");
    while (status == MOEP_OK && more) {
        if (budget > 0)
            state->credit -= price(state, school, course);
        status = go_on(model, school, course, runtime, seed, scratch);
        more = budget > 0 ? state->credit >= price(state, school, course) : state->updates < state->length;
    }
    mp_release(memory, scratch, size, 1);
    return status;
}
