/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/forecast_rows.h"

#include "api/status.h"
#include "methods/lstm/joint.h"
#include "methods/lstm/model.h"
#include "methods/lstm/shared.h"
#include "methods/lstm/spread.h"
#include "series/simplex.h"

#include <string.h>

enum { STEPS = MP_LSTM_OUTPUT_STEPS, LAST = MP_LSTM_OUTPUTS - 1 };

/* The outputs of the network. */
struct outputs {
    size_t series, experts; /* of all layers; of one layer */
    real *forecasts;        /* [series][MP_LSTM_OUTPUT_ROW] */
};

static void free_outputs(struct outputs *outputs, const struct memory *memory)
{
    mp_release(memory, outputs->forecasts, outputs->series, MP_LSTM_OUTPUT_ROW * sizeof(real));
}

static moep_status make_outputs(struct outputs *outputs, const struct task *task, const void *model)
{
    const struct memory *memory = &task->runtime->memory;
    struct lstm_model view = mp_lstm_model(task->config, task->panel.series, (void *)model);
    bool joint = task->config->lstm_scope == MOEP_LSTM_JOINT;
    *outputs = (struct outputs){.series = task->panel.series, .experts = task->experts};
    if (joint && view.state->weights != MOEP_LSTM_TRAINED)
        return mp_fail(MOEP_ERROR_NOT_FITTED,
                       "the joint network has not been fitted, or no fit was better than uniform loads");
    outputs->forecasts = mp_allocate(memory, outputs->series, MP_LSTM_OUTPUT_ROW * sizeof(real));
    if (!outputs->forecasts)
        return mp_out_of_memory("the outputs of the network");
    moep_status status = joint ? mp_lstm_joint_forecast(task, &view, outputs->forecasts)
                               : mp_lstm_shared_forecast(task, &view, outputs->forecasts);
    if (status != MOEP_OK)
        free_outputs(outputs, memory);
    return status;
}

static struct lstm_span span_of(size_t row, size_t horizon, size_t stride)
{
    struct lstm_span span = {row * stride, horizon};
    if (horizon - span.first > stride)
        span.last = span.first + stride;
    return span;
}

/* The output span that a step ahead lies in. */
static size_t output_of(size_t step)
{
    return step / STEPS < LAST ? step / STEPS : LAST;
}

/* Adds y_b times its weight to a row. */
static void add_output(const struct outputs *outputs, size_t b, double weight, double *row)
{
    for (size_t first = 0; first < outputs->series; first += outputs->experts) {
        const real *forecasts = outputs->forecasts + first * MP_LSTM_OUTPUT_ROW + b;
        double total = 0;
        for (size_t e = 0; e < outputs->experts; e++)
            total += (double)forecasts[e * MP_LSTM_OUTPUT_ROW];
        for (size_t e = 0; e < outputs->experts && total > 0; e++)
            row[first + e] += weight * (double)forecasts[e * MP_LSTM_OUTPUT_ROW] / total;
    }
}

static void mean_row(const struct outputs *outputs, struct lstm_span span, double *row)
{
    memset(row, 0, outputs->series * sizeof *row);
    for (size_t b = output_of(span.first); b <= output_of(span.last - 1); b++) {
        size_t first = b * STEPS > span.first ? b * STEPS : span.first;
        size_t last = b < LAST && (b + 1) * STEPS < span.last ? (b + 1) * STEPS : span.last;
        add_output(outputs, b, (double)(last - first) / (double)(span.last - span.first), row);
    }
}

moep_status mp_lstm_forecast(const struct task *task, const void *model, size_t horizon, size_t stride, double *rows)
{
    struct outputs outputs;
    moep_status status = make_outputs(&outputs, task, model);
    if (status != MOEP_OK)
        return status;
    for (size_t r = 0; r < mp_forecast_rows(horizon, stride); r++)
        mean_row(&outputs, span_of(r, horizon, stride), rows + r * outputs.series);
    free_outputs(&outputs, &task->runtime->memory);
    return MOEP_OK;
}

/* ---- quantiles --------------------------------------------------------------------------------------------------- */

/* Computes the quantiles of a row, the first one last: until then its place holds the forecast that the others copy. */
static void quantiles_of_row(const struct lstm_spread *spread, struct lstm_span span, const struct quantiles *quantiles,
                             size_t quantile_stride, double *forecast)
{
    for (size_t q = quantiles->n; q-- > 0;) {
        double *row = forecast + q * quantile_stride;
        if (q > 0)
            memcpy(row, forecast, spread->series * sizeof *row);
        mp_lstm_spread_row(spread, span, quantiles->probabilities[q], row);
    }
}

static void all_quantiles(const struct outputs *outputs, const struct lstm_spread *spread, size_t horizon,
                          size_t stride, const struct quantiles *quantiles, double *rows)
{
    size_t n = mp_forecast_rows(horizon, stride), series = outputs->series;
    for (size_t r = 0; r < n && quantiles->n > 0; r++) {
        struct lstm_span span = span_of(r, horizon, stride);
        double *forecast = rows + r * series;
        mean_row(outputs, span, forecast);
        for (size_t first = 0; first < series; first += outputs->experts)
            mp_simplex(forecast + first, outputs->experts);
        quantiles_of_row(spread, span, quantiles, n * series, forecast);
    }
}

moep_status mp_lstm_quantiles(const struct task *task, const void *model, size_t horizon, size_t stride,
                              const struct quantiles *quantiles, double *rows)
{
    const struct memory *memory = &task->runtime->memory;
    struct lstm_span first = span_of(0, horizon, stride), last = span_of((horizon - 1) / stride, horizon, stride);
    struct outputs outputs;
    struct lstm_spread spread;
    moep_status status = make_outputs(&outputs, task, model);
    if (status != MOEP_OK)
        return status;
    status = mp_lstm_spread_make(&spread, task, (const size_t[]){first.last - first.first, last.last - last.first});
    if (status == MOEP_OK) {
        all_quantiles(&outputs, &spread, horizon, stride, quantiles, rows);
        mp_lstm_spread_free(&spread, memory);
    }
    free_outputs(&outputs, memory);
    return status;
}
