/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/joint.h"

#include "api/status.h"
#include "methods/lstm/network/loss.h"

enum {
    ORIGINS = MP_LSTM_JOINT_ORIGINS, /* of a batch */
    SAMPLED = 4096                   /* residuals of a run, about */
};

struct lstm_shape mp_lstm_joint_shape(const moep_predictor_config *config, size_t series)
{
    return mp_lstm_joint_net_shape(config->lstm_layers, config->lstm_hidden, series);
}

/* ---- lessons ------------------------------------------------------------------------------------------------------ */

static void take_origin(struct lstm_joint *joint, size_t origin, const struct lstm_past *past, size_t until)
{
    struct lstm_examples *e = &joint->examples;
    size_t at = origin * past->count;
    mp_lstm_joint_net_look_back(&joint->net, origin, ORIGINS, past);
    mp_lstm_look_ahead(e, at, past, until);
    for (size_t i = at; i < at + past->count; i++) {
        e->bottom[i] = (real)(0.1 / past->experts);
        e->age[i] = (real)past->age;
    }
}

static void lesson(void *self, struct random *random, const real *parameters, real *gradient)
{
    struct lstm_joint *joint = self;
    const struct lstm_corpus *corpus = joint->corpus;
    for (size_t origin = 0; origin < ORIGINS; origin++) {
        const struct lstm_lesson *drawn = &corpus->lessons[mp_random_below(random, corpus->n)];
        struct lstm_past past = mp_lstm_draw_origin(drawn, random);
        take_origin(joint, origin, &past, drawn->trained.last);
    }
    mp_lstm_joint_net_prepare(&joint->net, parameters);
    mp_lstm_joint_net_gradient(&joint->net, &joint->examples, gradient);
}

/* ---- exam --------------------------------------------------------------------------------------------------------- */

/* Of each origin every so many-th series is in the sample, not the same ones of all. */
static size_t sampled_every(size_t series)
{
    return series * MP_LSTM_ORIGINS / SAMPLED + 1;
}

static size_t sample_room(size_t series, size_t runs)
{
    return mp_product(runs, (series / sampled_every(series) + 1) * MP_LSTM_ORIGINS);
}

/* Of an untrained network. */
static double uniform_loss(const struct lstm_examples *e, size_t at, double experts)
{
    real forecasts[MP_LSTM_OUTPUTS];
    for (size_t b = 0; b < MP_LSTM_OUTPUTS; b++)
        forecasts[b] = (real)(1 / experts);
    return mp_lstm_loss(e->covered[at], forecasts, e->targets + at * MP_LSTM_OUTPUTS, (double)e->bottom[at], 1, NULL);
}

static void judge(struct lstm_joint *joint, size_t origin, struct lstm_marks *sums, bool collect)
{
    const struct lstm_examples *e = &joint->examples;
    size_t series = joint->net.series, every = sampled_every(series);
    for (size_t s = 0, at = origin * series; s < series; s++, at++) {
        const real *forecasts = joint->forecasts + at * MP_LSTM_OUTPUT_ROW;
        sums->loss +=
            mp_lstm_loss(e->covered[at], forecasts, e->targets + at * MP_LSTM_OUTPUTS, (double)e->bottom[at], 1, NULL);
        sums->untrained += uniform_loss(e, at, joint->net.experts);
        if (collect && (s + origin) % every == 0)
            mp_lstm_sample_add(&joint->sample, e, at, forecasts);
    }
}

/* Origins first .. first + ORIGINS - 1 of those to judge by. */
static void judge_batch(struct lstm_joint *joint, const struct lstm_lesson *judged, size_t first,
                        struct lstm_marks *sums, bool collect)
{
    for (size_t origin = 0; origin < ORIGINS; origin++) {
        struct lstm_past past = mp_lstm_judged_origin(judged, first + origin);
        take_origin(joint, origin, &past, judged->judged.last);
    }
    mp_lstm_joint_net_forecast(&joint->net, ORIGINS, joint->forecasts);
    for (size_t origin = 0; origin < ORIGINS; origin++)
        judge(joint, origin, sums, collect);
}

static struct lstm_marks exam(void *self, const real *parameters, struct lstm_residuals *residuals)
{
    _Static_assert((int)MP_LSTM_ORIGINS % (int)ORIGINS == 0, "whole batches");
    struct lstm_joint *joint = self;
    const struct lstm_corpus *corpus = joint->corpus;
    double examples = (double)corpus->n * MP_LSTM_ORIGINS * (double)joint->net.series;
    struct lstm_marks sums = {0, 0};
    mp_lstm_sample_clear(&joint->sample);
    mp_lstm_joint_net_prepare(&joint->net, parameters);
    for (size_t i = 0; i < corpus->n; i++)
        for (size_t first = 0; first < MP_LSTM_ORIGINS; first += ORIGINS)
            judge_batch(joint, &corpus->lessons[i], first, &sums, residuals != NULL);
    if (residuals)
        mp_lstm_sample_quantiles(&joint->sample, residuals);
    return (struct lstm_marks){sums.loss / examples, sums.untrained / examples};
}

/* ---- school ------------------------------------------------------------------------------------------------------- */

void mp_lstm_joint_school(struct lstm_joint *joint, struct lstm_school *school, const struct lstm_shape *shape,
                          const struct lstm_corpus *corpus)
{
    const size_t read = MP_LSTM_JOINT_BLOCKS * MP_LSTM_JOINT_BLOCK_STEPS + MP_LSTM_HORIZON; /* steps of an origin */
    double cost = mp_lstm_joint_net_cost(shape), sums = (double)shape->inputs * (double)read;
    *joint = (struct lstm_joint){.corpus = corpus};
    *school = (struct lstm_school){.self = joint, .lesson = lesson, .exam = exam};
    school->parameters = mp_lstm_parameters(shape);
    school->lesson_cost = (3 * cost + sums) * ORIGINS;
    school->exam_cost = (cost + sums) * MP_LSTM_ORIGINS * (double)corpus->n;
}

moep_status mp_lstm_joint_open(struct lstm_joint *joint, const struct lstm_shape *shape, const struct runtime *runtime)
{
    const struct memory *memory = &runtime->memory;
    const struct lstm_corpus *corpus = joint->corpus;
    size_t series = shape->inputs, room = mp_product(ORIGINS, series);
    joint->memory = memory;
    if (!mp_lstm_joint_net_make(&joint->net, shape, corpus->lessons[0].run->experts, true, memory))
        return mp_out_of_memory("the joint network");
    joint->forecasts = mp_allocate(memory, room, MP_LSTM_OUTPUT_ROW * sizeof(real));
    if (joint->forecasts && mp_lstm_examples_make(&joint->examples, room, 0, memory) &&
        mp_lstm_sample_make(&joint->sample, sample_room(series, corpus->n), memory)) {
        joint->examples.series = room;
        return MOEP_OK;
    }
    mp_lstm_joint_close(joint);
    return mp_out_of_memory("the examples");
}

void mp_lstm_joint_close(struct lstm_joint *joint)
{
    const struct memory *memory = joint->memory;
    size_t room = ORIGINS * joint->net.series;
    mp_lstm_joint_net_free(&joint->net, memory);
    mp_release(memory, joint->forecasts, room, MP_LSTM_OUTPUT_ROW * sizeof(real));
    mp_lstm_examples_free(&joint->examples, memory);
    mp_lstm_sample_free(&joint->sample, memory);
}

/* ---- forecast ----------------------------------------------------------------------------------------------------- */

moep_status mp_lstm_joint_forecast(const struct task *task, const struct lstm_model *model, real *forecasts)
{
    const struct memory *memory = &task->runtime->memory;
    size_t series = task->panel.series, steps = task->panel.steps;
    struct lstm_shape shape = mp_lstm_joint_shape(task->config, series);
    struct lstm_past past = {.panel = &task->panel, .count = series, .end = steps, .steps = steps};
    struct lstm_joint_net net;
    past.age = (double)task->next_step;
    past.experts = (double)task->experts;
    if (!mp_lstm_joint_net_make(&net, &shape, task->experts, false, memory))
        return mp_out_of_memory("the joint network");
    mp_lstm_joint_net_prepare(&net, model->used);
    mp_lstm_joint_net_look_back(&net, 0, 1, &past);
    mp_lstm_joint_net_forecast(&net, 1, forecasts);
    mp_lstm_joint_net_free(&net, memory);
    return MOEP_OK;
}
