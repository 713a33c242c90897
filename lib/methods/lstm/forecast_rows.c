/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/forecast_rows.h"

#include "api/status.h"
#include "methods/lstm/joint.h"
#include "methods/lstm/model.h"
#include "methods/lstm/shared.h"
#include "methods/lstm/spread.h"
#include "series/simplex.h"
#include "support/simd.h"

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

/* ---- rows of a layer --------------------------------------------------------------------------------------------- */

/* The forecasts of a layer's experts, and their sums over the experts. */
struct layer {
    const real *forecasts; /* [experts][MP_LSTM_OUTPUT_ROW] */
    size_t experts;
    double totals[MP_LSTM_OUTPUT_ROW];
};

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

size_t mp_lstm_spans(size_t horizon)
{
    return output_of(horizon - 1) + 1;
}

MP_VECTORISED static void mp_add_forecasts(const real *restrict forecasts, size_t experts, size_t spans,
                                           double *restrict totals)
{
    for (size_t e = 0; e < experts; e++, forecasts += MP_LSTM_OUTPUT_ROW)
        for (size_t b = 0; b < spans; b++)
            totals[b] += (double)forecasts[b];
}

/* row[e] = sum over b of weights[b] y_b(e) */
MP_VECTORISED static void mp_mean_of_spans(const struct layer *layer, const double *restrict weights,
                                           const double *restrict totals, size_t first, size_t last,
                                           double *restrict row)
{
    double terms[MP_LSTM_OUTPUT_ROW];
    const real *forecasts = layer->forecasts;
    for (size_t e = 0; e < layer->experts; e++, forecasts += MP_LSTM_OUTPUT_ROW) {
        double sum = 0;
        for (size_t b = first; b <= last; b++)
            terms[b] = weights[b] * (double)forecasts[b] / totals[b];
        for (size_t b = first; b <= last; b++)
            sum += terms[b];
        row[e] = sum;
    }
}

static void mean_row(const struct layer *layer, struct lstm_span span, double *row)
{
    double weights[MP_LSTM_OUTPUT_ROW];
    size_t from = output_of(span.first), to = output_of(span.last - 1);
    for (size_t b = from; b <= to; b++) {
        size_t first = b * STEPS > span.first ? b * STEPS : span.first;
        size_t last = b < LAST && (b + 1) * STEPS < span.last ? (b + 1) * STEPS : span.last;
        weights[b] = (double)(last - first) / (double)(span.last - span.first);
    }
    mp_mean_of_spans(layer, weights, layer->totals, from, to, row);
}

void mp_lstm_layer_rows(const real *forecasts, size_t experts, size_t horizon, size_t stride, double *rows,
                        size_t row_stride)
{
    struct layer layer = {.forecasts = forecasts, .experts = experts};
    size_t spans = mp_lstm_spans(horizon);
    mp_add_forecasts(forecasts, experts, spans, layer.totals);
    for (size_t b = 0; b < spans; b++)
        if (!(layer.totals[b] > 0))
            layer.totals[b] = 1; /* all are 0 */
    for (size_t r = 0; r < mp_forecast_rows(horizon, stride); r++)
        mean_row(&layer, span_of(r, horizon, stride), rows + r * row_stride);
}

static void all_rows(const struct outputs *outputs, size_t horizon, size_t stride, double *rows)
{
    for (size_t first = 0; first < outputs->series; first += outputs->experts)
        mp_lstm_layer_rows(outputs->forecasts + first * MP_LSTM_OUTPUT_ROW, outputs->experts, horizon, stride,
                           rows + first, outputs->series);
}

moep_status mp_lstm_forecast(const struct task *task, const void *model, size_t horizon, size_t stride, double *rows)
{
    struct outputs outputs;
    moep_status status = make_outputs(&outputs, task, model);
    if (status != MOEP_OK)
        return status;
    all_rows(&outputs, horizon, stride, rows);
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
    if (quantiles->n > 0)
        all_rows(outputs, horizon, stride, rows);
    for (size_t r = 0; r < n && quantiles->n > 0; r++) {
        double *forecast = rows + r * series;
        for (size_t first = 0; first < series; first += outputs->experts)
            mp_simplex(forecast + first, outputs->experts);
        quantiles_of_row(spread, span_of(r, horizon, stride), quantiles, n * series, forecast);
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
