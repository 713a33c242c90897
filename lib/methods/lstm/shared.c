/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/shared.h"

#include "api/status.h"

/* Series of one pass: their examples take half a MiB and stay in the cache. */
enum { CHUNK = 768 };

real mp_lstm_mean_of_windows(const struct lstm_examples *e, size_t series)
{
    const real *means = e->means + series * MP_LSTM_WINDOWS;
    real mean = 0;
    for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
        mean += means[w] / (real)MP_LSTM_WINDOWS;
    return mean;
}

void mp_lstm_shrink_to_mean(const struct lstm_examples *e, real *forecasts)
{
    for (size_t s = 0; s < e->series; s++)
        for (size_t b = 0; b < MP_LSTM_OUTPUTS && e->after_change_point[s]; b++) {
            real *forecast = forecasts + s * MP_LSTM_OUTPUT_ROW + b;
            *forecast = (*forecast + mp_lstm_mean_of_windows(e, s)) / 2;
        }
}

/* Forecasts some layers: inputs, network, and shrinkage after a change point. */
static void forecast_layers(const struct task *task, struct lstm_shared_net *net, struct lstm_examples *examples,
                            size_t first, real *forecasts)
{
    struct lstm_sample sample = {.panel = &task->panel, .first = first, .count = examples->series};
    sample.end = sample.steps = task->panel.steps;
    sample.age = (double)task->next_step;
    sample.experts = (double)task->experts;
    sample.from_change_point = true;
    mp_lstm_fill_inputs(examples, 0, &sample);
    mp_lstm_shared_net_forecast(net, examples, forecasts);
    mp_lstm_shrink_to_mean(examples, forecasts);
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
    struct lstm_plan plan = {.workers = task->runtime->threads, .series = room, .packed = model->packed};
    struct lstm_shared_net net;
    if (!mp_lstm_shared_net_make(&net, &shape, &plan, memory))
        return mp_out_of_memory("the network");
    if (!mp_lstm_examples_make(&examples, room, room, memory)) {
        mp_lstm_shared_net_free(&net, memory);
        return mp_out_of_memory("the examples");
    }
    for (size_t first = 0; first < series; first += room) {
        examples.series = series - first < room ? series - first : room;
        forecast_layers(task, &net, &examples, first, forecasts + first * MP_LSTM_OUTPUT_ROW);
    }
    mp_lstm_examples_free(&examples, memory);
    mp_lstm_shared_net_free(&net, memory);
    return MOEP_OK;
}
