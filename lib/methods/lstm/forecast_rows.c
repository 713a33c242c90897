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

/* What the network says of all series. */
struct blocks {
    size_t series, experts; /* of all layers, of one */
    real *forecasts;        /* [series][MP_LSTM_OUTPUT_ROW] */
};

static void free_blocks(struct blocks *blocks, const struct memory *memory)
{
    mp_release(memory, blocks->forecasts, blocks->series, MP_LSTM_OUTPUT_ROW * sizeof(real));
}

static moep_status make_blocks(struct blocks *blocks, const struct task *task, const void *block)
{
    const struct memory *memory = &task->runtime->memory;
    struct lstm_model model = mp_lstm_model(task->config, task->panel.series, (void *)block);
    bool joint = task->config->lstm_scope == MOEP_LSTM_JOINT;
    *blocks = (struct blocks){.series = task->panel.series, .experts = task->experts};
    if (joint && model.state->weights != MOEP_LSTM_TRAINED)
        return mp_fail(MOEP_ERROR_NOT_FITTED,
                       "the joint network has not been fitted, or no fit was better than uniform loads");
    blocks->forecasts = mp_allocate(memory, blocks->series, MP_LSTM_OUTPUT_ROW * sizeof(real));
    if (!blocks->forecasts)
        return mp_out_of_memory("the forecasts of blocks");
    moep_status status = joint ? mp_lstm_joint_forecast(task, &model, blocks->forecasts)
                               : mp_lstm_shared_forecast(task, &model, blocks->forecasts);
    if (status != MOEP_OK)
        free_blocks(blocks, memory);
    return status;
}

static struct lstm_span span_of(size_t row, size_t horizon, size_t stride)
{
    struct lstm_span span = {row * stride, horizon};
    if (horizon - span.first > stride)
        span.last = span.first + stride;
    return span;
}

/* The last block goes on for ever. */
static size_t block_of(size_t step)
{
    return step / STEPS < LAST ? step / STEPS : LAST;
}

/* Part of one block's forecasts, which are brought to sum to 1 over the experts of a layer. */
static void add_block(const struct blocks *blocks, size_t b, double part, double *row)
{
    for (size_t first = 0; first < blocks->series; first += blocks->experts) {
        const real *forecasts = blocks->forecasts + first * MP_LSTM_OUTPUT_ROW + b;
        double total = 0;
        for (size_t e = 0; e < blocks->experts; e++)
            total += (double)forecasts[e * MP_LSTM_OUTPUT_ROW];
        for (size_t e = 0; e < blocks->experts && total > 0; e++)
            row[first + e] += part * (double)forecasts[e * MP_LSTM_OUTPUT_ROW] / total;
    }
}

/* The mean of the span's steps. */
static void mean_row(const struct blocks *blocks, struct lstm_span span, double *row)
{
    memset(row, 0, blocks->series * sizeof *row);
    for (size_t b = block_of(span.first); b <= block_of(span.last - 1); b++) {
        size_t first = b * STEPS > span.first ? b * STEPS : span.first;
        size_t last = b < LAST && (b + 1) * STEPS < span.last ? (b + 1) * STEPS : span.last;
        add_block(blocks, b, (double)(last - first) / (double)(span.last - span.first), row);
    }
}

moep_status mp_lstm_forecast(const struct task *task, const void *block, size_t horizon, size_t stride, double *rows)
{
    struct blocks blocks;
    moep_status status = make_blocks(&blocks, task, block);
    if (status != MOEP_OK)
        return status;
    for (size_t r = 0; r < mp_forecast_rows(horizon, stride); r++)
        mean_row(&blocks, span_of(r, horizon, stride), rows + r * blocks.series);
    free_blocks(&blocks, &task->runtime->memory);
    return MOEP_OK;
}

/* ---- quantiles ---------------------------------------------------------------------------------------------------- */

/* Every quantile of a row; the first one's is the last to be spread, and holds the forecast until then. */
static void quantiles_of_row(const struct lstm_spread *spread, struct lstm_span span, const struct quantiles *quantiles,
                             size_t apart, double *forecast)
{
    for (size_t q = quantiles->n; q-- > 0;) {
        double *row = forecast + q * apart;
        if (q > 0)
            memcpy(row, forecast, spread->series * sizeof *row);
        mp_lstm_spread_row(spread, span, quantiles->probabilities[q], row);
    }
}

static void all_quantiles(const struct blocks *blocks, const struct lstm_spread *spread, size_t horizon, size_t stride,
                          const struct quantiles *quantiles, double *rows)
{
    size_t n = mp_forecast_rows(horizon, stride), series = blocks->series;
    for (size_t r = 0; r < n && quantiles->n > 0; r++) {
        struct lstm_span span = span_of(r, horizon, stride);
        double *forecast = rows + r * series;
        mean_row(blocks, span, forecast);
        for (size_t first = 0; first < series; first += blocks->experts)
            mp_simplex(forecast + first, blocks->experts);
        quantiles_of_row(spread, span, quantiles, n * series, forecast);
    }
}

moep_status mp_lstm_quantiles(const struct task *task, const void *block, size_t horizon, size_t stride,
                              const struct quantiles *quantiles, double *rows)
{
    const struct memory *memory = &task->runtime->memory;
    struct lstm_span first = span_of(0, horizon, stride), last = span_of((horizon - 1) / stride, horizon, stride);
    struct blocks blocks;
    struct lstm_spread spread;
    moep_status status = make_blocks(&blocks, task, block);
    if (status != MOEP_OK)
        return status;
    status = mp_lstm_spread_make(&spread, task, (const size_t[]){first.last - first.first, last.last - last.first});
    if (status == MOEP_OK) {
        all_quantiles(&blocks, &spread, horizon, stride, quantiles, rows);
        mp_lstm_spread_free(&spread, memory);
    }
    free_blocks(&blocks, memory);
    return status;
}
