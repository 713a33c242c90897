/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/shared.h"

#include "api/status.h"
#include "methods/lstm/network/loss.h"

/* Series at a time: their numbers stay in the cache. */
enum { CHUNK = 768, JUDGED_CHUNK = 192 };

/* ---- school ------------------------------------------------------------------------------------------------------- */

static void lesson(void *self, struct random *random, const real *parameters, real *gradient)
{
    struct lstm_shared *shared = self;
    mp_lstm_draw(shared->corpus, random, &shared->examples);
    mp_lstm_net_prepare(&shared->net, parameters);
    mp_lstm_net_gradient(&shared->net, &shared->examples, gradient);
}

/* What an untrained network forecasts. */
static real plain_mean(const struct lstm_examples *e, size_t series)
{
    const real *means = e->means + series * MP_LSTM_WINDOWS;
    real mean = 0;
    for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
        mean += means[w] / (real)MP_LSTM_WINDOWS;
    return mean;
}

static double plain_loss(const struct lstm_examples *e, size_t series)
{
    real mean = plain_mean(e, series), forecasts[MP_LSTM_OUTPUTS];
    for (size_t b = 0; b < MP_LSTM_OUTPUTS; b++)
        forecasts[b] = mean;
    return mp_lstm_loss(e->covered[series], forecasts, e->targets + series * MP_LSTM_OUTPUTS, (double)e->bottom[series],
                        1, NULL);
}

/* After a jump the network is trusted by half: it has seen more of loads that find their way back than of such that stay. */
static void temper(const struct lstm_examples *e, real *forecasts)
{
    for (size_t s = 0; s < e->series; s++)
        for (size_t b = 0; b < MP_LSTM_OUTPUTS && e->jumped[s]; b++) {
            real *forecast = forecasts + s * MP_LSTM_OUTPUT_ROW + b;
            *forecast = (*forecast + plain_mean(e, s)) / 2;
        }
}

static void judge(struct lstm_shared *shared, struct lstm_marks *sums, bool collect)
{
    const struct lstm_examples *e = &shared->examples;
    mp_lstm_net_forecast(&shared->net, e, shared->forecasts);
    temper(e, shared->forecasts);
    for (size_t s = 0; s < e->series; s++) {
        const real *forecasts = shared->forecasts + s * MP_LSTM_OUTPUT_ROW, *targets = e->targets + s * MP_LSTM_OUTPUTS;
        sums->loss += mp_lstm_loss(e->covered[s], forecasts, targets, (double)e->bottom[s], 1, NULL);
        sums->untrained += plain_loss(e, s);
        if (collect)
            mp_lstm_sample_add(&shared->sample, e, s, forecasts);
    }
}

static struct lstm_marks exam(void *self, const real *parameters, struct lstm_residuals *residuals)
{
    struct lstm_shared *shared = self;
    struct lstm_marks sums = {0, 0};
    size_t windows = mp_lstm_held_out(shared->corpus), series = 0;
    mp_lstm_sample_clear(&shared->sample);
    mp_lstm_net_prepare(&shared->net, parameters);
    for (size_t first = 0; first < windows; series += shared->examples.series) {
        first += mp_lstm_take_held_out(shared->corpus, first, &shared->examples);
        judge(shared, &sums, residuals != NULL);
    }
    if (residuals)
        mp_lstm_sample_quantiles(&shared->sample, residuals);
    return (struct lstm_marks){sums.loss / (double)series, sums.untrained / (double)series};
}

void mp_lstm_shared_school(struct lstm_shared *shared, struct lstm_school *school, const struct lstm_shape *shape,
                           const struct lstm_corpus *corpus)
{
    double cost = mp_lstm_net_cost(shape);
    *shared = (struct lstm_shared){.corpus = corpus};
    *school = (struct lstm_school){.self = shared, .lesson = lesson, .exam = exam};
    school->parameters = mp_lstm_parameters(shape);
    school->lesson_cost = 3 * cost * (double)mp_lstm_batch_room(corpus);
    school->exam_cost = cost * (double)mp_lstm_held_out_series(corpus);
}

moep_status mp_lstm_shared_open(struct lstm_shared *shared, const struct lstm_shape *shape,
                                const struct runtime *runtime)
{
    const struct memory *memory = &runtime->memory;
    size_t room = mp_lstm_batch_room(shared->corpus), judged = mp_lstm_held_out_series(shared->corpus);
    room = room < JUDGED_CHUNK ? JUDGED_CHUNK : room;
    shared->memory = memory;
    if (!mp_lstm_net_make(&shared->net, shape, true, room, runtime->threads, memory))
        return mp_out_of_memory("the network");
    shared->forecasts = mp_allocate(memory, room, MP_LSTM_OUTPUT_ROW * sizeof(real));
    if (shared->forecasts && mp_lstm_examples_make(&shared->examples, room, room, memory) &&
        mp_lstm_sample_make(&shared->sample, judged, memory))
        return MOEP_OK;
    mp_lstm_shared_close(shared);
    return mp_out_of_memory("the examples");
}

void mp_lstm_shared_close(struct lstm_shared *shared)
{
    const struct memory *memory = shared->memory;
    mp_release(memory, shared->forecasts, shared->net.work.plan.series, MP_LSTM_OUTPUT_ROW * sizeof(real));
    mp_lstm_examples_free(&shared->examples, memory);
    mp_lstm_sample_free(&shared->sample, memory);
    mp_lstm_net_free(&shared->net, memory);
}

/* ---- forecast ----------------------------------------------------------------------------------------------------- */

/* Whole layers, each with the past that is its own. */
static void forecast_chunk(const struct task *task, struct lstm_net *net, struct lstm_examples *examples, size_t first,
                           real *forecasts)
{
    struct lstm_past past = {.panel = &task->panel, .count = task->experts, .cut = true};
    past.end = past.steps = task->panel.steps;
    past.age = (double)task->next_step;
    past.experts = (double)task->experts;
    for (size_t at = 0; at < examples->series; at += task->experts) {
        past.first = first + at;
        mp_lstm_look_back(examples, at, &past);
    }
    mp_lstm_net_forecast(net, examples, forecasts + first * MP_LSTM_OUTPUT_ROW);
    temper(examples, forecasts + first * MP_LSTM_OUTPUT_ROW);
}

/* About CHUNK series, in whole layers. */
static size_t chunk_of(const struct task *task)
{
    size_t layers = CHUNK / task->experts, series = task->panel.series;
    size_t chunk = layers > 1 ? layers * task->experts : task->experts;
    return chunk < series ? chunk : series;
}

moep_status mp_lstm_shared_forecast(const struct task *task, const struct lstm_model *model, real *forecasts)
{
    const struct memory *memory = &task->runtime->memory;
    size_t series = task->panel.series, room = chunk_of(task);
    struct lstm_shape shape = mp_lstm_shape(task->config, series);
    struct lstm_examples examples;
    struct lstm_net net;
    if (!mp_lstm_net_make(&net, &shape, false, room, task->runtime->threads, memory))
        return mp_out_of_memory("the network");
    if (!mp_lstm_examples_make(&examples, room, task->experts, memory)) {
        mp_lstm_net_free(&net, memory);
        return mp_out_of_memory("the examples");
    }
    mp_lstm_net_prepare(&net, model->used);
    for (size_t first = 0; first < series; first += room) {
        examples.series = series - first < room ? series - first : room;
        forecast_chunk(task, &net, &examples, first, forecasts);
    }
    mp_lstm_examples_free(&examples, memory);
    mp_lstm_net_free(&net, memory);
    return MOEP_OK;
}
