/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/joint_training.h"

#include "api/status.h"
#include "methods/lstm/network/loss.h"

enum {
    ORIGINS = MP_LSTM_JOINT_ORIGINS, /* of a batch */
    SAMPLED = 4096                   /* residuals of a run, about */
};

static void fill_origin(struct lstm_joint_training *training, size_t origin, const struct lstm_sample *sample,
                        size_t until)
{
    struct lstm_examples *e = &training->examples;
    size_t at = origin * sample->count;
    mp_lstm_joint_net_look_back(&training->net, origin, ORIGINS, sample);
    mp_lstm_fill_targets(e, at, sample, until);
    for (size_t i = at; i < at + sample->count; i++) {
        e->min_load[i] = (real)(0.1 / sample->experts);
        e->age[i] = (real)sample->age;
    }
}

static void minibatch_gradient(void *self, struct random *random, const real *parameters, real *gradient)
{
    struct lstm_joint_training *training = self;
    const struct lstm_dataset *dataset = training->dataset;
    for (size_t origin = 0; origin < ORIGINS; origin++) {
        const struct lstm_split *drawn = &dataset->splits[mp_random_below(random, dataset->n)];
        struct lstm_sample sample = mp_lstm_draw_sample(drawn, random);
        fill_origin(training, origin, &sample, drawn->train.last);
    }
    mp_lstm_joint_net_prepare(&training->net, parameters);
    mp_lstm_joint_net_gradient(&training->net, &training->examples, gradient);
}

/* Of each origin every so many-th series is in the sample, not the same ones of all. */
static size_t sampled_every(size_t series)
{
    return series * MP_LSTM_VALIDATION_ORIGINS / SAMPLED + 1;
}

static size_t sample_room(size_t series, size_t runs)
{
    return mp_product(runs, (series / sampled_every(series) + 1) * MP_LSTM_VALIDATION_ORIGINS);
}

/* Of an untrained network. */
static double uniform_loss(const struct lstm_examples *e, size_t at, double experts)
{
    real forecasts[MP_LSTM_OUTPUTS];
    for (size_t b = 0; b < MP_LSTM_OUTPUTS; b++)
        forecasts[b] = (real)(1 / experts);
    return mp_lstm_loss(e->n_targets[at], forecasts, e->targets + at * MP_LSTM_OUTPUTS, (double)e->min_load[at], 1,
                        NULL);
}

static void evaluate(struct lstm_joint_training *training, size_t origin, struct lstm_losses *sums, bool collect)
{
    const struct lstm_examples *e = &training->examples;
    size_t series = training->net.series, every = sampled_every(series);
    for (size_t s = 0, at = origin * series; s < series; s++, at++) {
        const real *forecasts = training->forecasts + at * MP_LSTM_OUTPUT_ROW;
        sums->loss += mp_lstm_loss(e->n_targets[at], forecasts, e->targets + at * MP_LSTM_OUTPUTS,
                                   (double)e->min_load[at], 1, NULL);
        sums->untrained += uniform_loss(e, at, training->net.experts);
        if (collect && (s + origin) % every == 0)
            mp_lstm_residual_pool_add(&training->sample, e, at, forecasts);
    }
}

/* Origins first .. first + ORIGINS - 1 of those to evaluate by. */
static void evaluate_batch(struct lstm_joint_training *training, const struct lstm_split *validation, size_t first,
                           struct lstm_losses *sums, bool collect)
{
    for (size_t origin = 0; origin < ORIGINS; origin++) {
        struct lstm_sample sample = mp_lstm_validation_sample(validation, first + origin);
        fill_origin(training, origin, &sample, validation->validation.last);
    }
    mp_lstm_joint_net_forecast(&training->net, ORIGINS, training->forecasts);
    for (size_t origin = 0; origin < ORIGINS; origin++)
        evaluate(training, origin, sums, collect);
}

static struct lstm_losses validate(void *self, const real *parameters, struct lstm_residuals *residuals)
{
    _Static_assert((int)MP_LSTM_VALIDATION_ORIGINS % (int)ORIGINS == 0, "whole batches");
    struct lstm_joint_training *training = self;
    const struct lstm_dataset *dataset = training->dataset;
    double examples = (double)dataset->n * MP_LSTM_VALIDATION_ORIGINS * (double)training->net.series;
    struct lstm_losses sums = {0, 0};
    mp_lstm_residual_pool_clear(&training->sample);
    mp_lstm_joint_net_prepare(&training->net, parameters);
    for (size_t i = 0; i < dataset->n; i++)
        for (size_t first = 0; first < MP_LSTM_VALIDATION_ORIGINS; first += ORIGINS)
            evaluate_batch(training, &dataset->splits[i], first, &sums, residuals != NULL);
    if (residuals)
        mp_lstm_residual_pool_quantiles(&training->sample, residuals);
    return (struct lstm_losses){sums.loss / examples, sums.untrained / examples};
}

void mp_lstm_joint_training_init(struct lstm_joint_training *training, struct lstm_objective *objective,
                                 const struct lstm_shape *shape, const struct lstm_dataset *dataset)
{
    const size_t read = MP_LSTM_JOINT_BLOCKS * MP_LSTM_JOINT_BLOCK_STEPS + MP_LSTM_HORIZON; /* steps of an origin */
    double cost = mp_lstm_joint_net_cost(shape), sums = (double)shape->inputs * (double)read;
    *training = (struct lstm_joint_training){.dataset = dataset};
    *objective =
        (struct lstm_objective){.self = training, .minibatch_gradient = minibatch_gradient, .validate = validate};
    objective->parameters = mp_lstm_parameters(shape);
    objective->step_cost = (3 * cost + sums) * ORIGINS;
    objective->validation_cost = (cost + sums) * MP_LSTM_VALIDATION_ORIGINS * (double)dataset->n;
}

moep_status mp_lstm_joint_training_make(struct lstm_joint_training *training, const struct lstm_shape *shape,
                                        const struct runtime *runtime)
{
    const struct memory *memory = &runtime->memory;
    const struct lstm_dataset *dataset = training->dataset;
    size_t series = shape->inputs, room = mp_product(ORIGINS, series);
    training->memory = memory;
    if (!mp_lstm_joint_net_make(&training->net, shape, dataset->splits[0].run->experts, true, memory))
        return mp_out_of_memory("the joint network");
    training->forecasts = mp_allocate(memory, room, MP_LSTM_OUTPUT_ROW * sizeof(real));
    if (training->forecasts && mp_lstm_examples_make(&training->examples, room, 0, memory) &&
        mp_lstm_residual_pool_make(&training->sample, sample_room(series, dataset->n), memory)) {
        training->examples.series = room;
        return MOEP_OK;
    }
    mp_lstm_joint_training_free(training);
    return mp_out_of_memory("the examples");
}

void mp_lstm_joint_training_free(struct lstm_joint_training *training)
{
    const struct memory *memory = training->memory;
    size_t room = ORIGINS * training->net.series;
    mp_lstm_joint_net_free(&training->net, memory);
    mp_release(memory, training->forecasts, room, MP_LSTM_OUTPUT_ROW * sizeof(real));
    mp_lstm_examples_free(&training->examples, memory);
    mp_lstm_residual_pool_free(&training->sample, memory);
}
