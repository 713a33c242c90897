/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/joint_training.h"

#include "api/status.h"
#include "methods/lstm/network/loss.h"
#include "series/error.h"

enum { ORIGINS = MP_LSTM_JOINT_ORIGINS };
_Static_assert((int)MP_LSTM_VALIDATION_ORIGINS % (int)ORIGINS == 0, "validation is made of whole batches");

static void fill_origin(struct lstm_joint_training *training, size_t origin, const struct lstm_sample *sample,
                        size_t until)
{
    struct lstm_examples *e = &training->examples;
    size_t at = origin * sample->count;
    mp_lstm_joint_net_fill_inputs(&training->net, origin, ORIGINS, sample);
    mp_lstm_fill_targets(e, at, sample, until);
    for (size_t i = at; i < at + sample->count; i++)
        e->min_load[i] = (real)mp_min_load(sample->experts);
}

static void minibatch_gradient(void *self, struct random *random, const real *parameters, real *gradient)
{
    struct lstm_joint_training *training = self;
    const struct lstm_dataset *dataset = training->dataset;
    for (size_t origin = 0; origin < ORIGINS; origin++) {
        const struct lstm_split *split = &dataset->splits[mp_random_below(random, dataset->n)];
        struct lstm_sample sample = mp_lstm_draw_sample(split, random);
        fill_origin(training, origin, &sample, split->train.last);
    }
    mp_lstm_joint_net_set_parameters(&training->net, parameters);
    mp_lstm_joint_net_gradient(&training->net, &training->examples, gradient);
}

/* ---- validation -------------------------------------------------------------------------------------------------- */

static double loss_of(const struct lstm_examples *e, size_t at, const real *forecasts)
{
    const real *targets = e->targets + at * MP_LSTM_OUTPUTS;
    return mp_lstm_loss(e->n_targets[at], forecasts, targets, (double)e->min_load[at], 1, NULL);
}

/* An untrained network forecasts uniform loads. */
static double untrained_loss_of(const struct lstm_examples *e, size_t at, double experts)
{
    real forecasts[MP_LSTM_OUTPUTS];
    for (size_t b = 0; b < MP_LSTM_OUTPUTS; b++)
        forecasts[b] = (real)(1 / experts);
    return loss_of(e, at, forecasts);
}

/* Adds the losses of the validation origins first .. first + ORIGINS - 1 of a run. */
static void evaluate_batch(struct lstm_joint_training *training, const struct lstm_split *split, size_t first,
                           struct lstm_losses *sums)
{
    const struct lstm_examples *e = &training->examples;
    for (size_t origin = 0; origin < ORIGINS; origin++) {
        struct lstm_sample sample = mp_lstm_validation_sample(split, first + origin);
        fill_origin(training, origin, &sample, split->validation.last);
    }
    mp_lstm_joint_net_forecast(&training->net, ORIGINS, training->forecasts);
    for (size_t at = 0; at < e->series; at++) {
        sums->loss += loss_of(e, at, training->forecasts + at * MP_LSTM_OUTPUT_ROW);
        sums->untrained += untrained_loss_of(e, at, training->net.experts);
    }
}

static struct lstm_losses validate(void *self, const real *parameters)
{
    struct lstm_joint_training *training = self;
    const struct lstm_dataset *dataset = training->dataset;
    double examples = (double)dataset->n * MP_LSTM_VALIDATION_ORIGINS * (double)training->net.series;
    struct lstm_losses sums = {0, 0};
    mp_lstm_joint_net_set_parameters(&training->net, parameters);
    for (size_t i = 0; i < dataset->n; i++)
        for (size_t first = 0; first < MP_LSTM_VALIDATION_ORIGINS; first += ORIGINS)
            evaluate_batch(training, &dataset->splits[i], first, &sums);
    return (struct lstm_losses){sums.loss / examples, sums.untrained / examples};
}

/* ---- the objective ----------------------------------------------------------------------------------------------- */

/* A gradient costs three forward passes. The sums over the steps before and after an origin count as well. */
void mp_lstm_joint_training_init(struct lstm_joint_training *training, struct lstm_objective *objective,
                                 const struct lstm_shape *shape, const struct lstm_dataset *dataset)
{
    const size_t steps = MP_LSTM_JOINT_BLOCKS * MP_LSTM_JOINT_BLOCK_STEPS + MP_LSTM_HORIZON;
    double cost = mp_lstm_joint_net_cost(shape), sums = (double)shape->inputs * (double)steps;
    *training = (struct lstm_joint_training){.dataset = dataset};
    *objective =
        (struct lstm_objective){.self = training, .minibatch_gradient = minibatch_gradient, .validate = validate};
    objective->parameters = mp_lstm_parameters(shape);
    objective->update_cost = (3 * cost + sums) * ORIGINS;
    objective->validation_cost = (cost + sums) * MP_LSTM_VALIDATION_ORIGINS * (double)dataset->n;
}

moep_status mp_lstm_joint_training_make(struct lstm_joint_training *training, const struct lstm_shape *shape,
                                        const struct runtime *runtime)
{
    const struct memory *memory = training->memory = &runtime->memory;
    size_t experts = training->dataset->splits[0].run->experts, room = mp_product(ORIGINS, shape->inputs);
    if (!mp_lstm_joint_net_make(&training->net, shape, experts, true, NULL, memory))
        return mp_out_of_memory("the joint network");
    if (mp_lstm_examples_make(&training->examples, room, 0, memory))
        training->forecasts = mp_allocate(memory, room, MP_LSTM_OUTPUT_ROW * sizeof(real));
    training->examples.series = room;
    if (training->forecasts)
        return MOEP_OK;
    mp_lstm_joint_training_free(training);
    return mp_out_of_memory("the examples");
}

void mp_lstm_joint_training_free(struct lstm_joint_training *training)
{
    const struct memory *memory = training->memory;
    mp_lstm_joint_net_free(&training->net, memory);
    mp_release(memory, training->forecasts, training->examples.room, MP_LSTM_OUTPUT_ROW * sizeof(real));
    mp_lstm_examples_free(&training->examples, memory);
}
