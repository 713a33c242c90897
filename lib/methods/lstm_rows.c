/* SPDX-License-Identifier: BSD-3-Clause */
#include "lstm_rows.h"

#include "lstm_joint.h"
#include "lstm_shared.h"
#include "simplex.h"
#include "status.h"
#include "support/normal.h"

#include <math.h>
#include <string.h>

enum { STEPS = MP_LSTM_OUTPUT_STEPS, LAST = MP_LSTM_OUTPUTS - 1 };

/* What the network says of all series. */
struct blocks {
    size_t series, experts;  /* of all layers, of one */
    real *forecasts, *noise; /* [series][MP_LSTM_OUTPUT_ROW], [series] */
};

static void free_blocks(struct blocks *blocks, const struct memory *memory)
{
    mp_release(memory, blocks->forecasts, blocks->series, (MP_LSTM_OUTPUT_ROW + 1) * sizeof(real));
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
    blocks->forecasts = mp_allocate(memory, blocks->series, (MP_LSTM_OUTPUT_ROW + 1) * sizeof(real));
    if (!blocks->forecasts)
        return mp_out_of_memory("the forecasts of blocks");
    blocks->noise = blocks->forecasts + blocks->series * MP_LSTM_OUTPUT_ROW;
    moep_status status = joint ? mp_lstm_joint_forecast(task, &model, blocks->forecasts, blocks->noise)
                               : mp_lstm_shared_forecast(task, &model, blocks->forecasts, blocks->noise);
    if (status != MOEP_OK)
        free_blocks(blocks, memory);
    return status;
}

/* Steps first .. last - 1 ahead, 0 the next one. */
struct span {
    size_t first, last;
};

static struct span span_of(size_t row, size_t horizon, size_t stride)
{
    struct span span = {row * stride, horizon};
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
static void mean_row(const struct blocks *blocks, struct span span, double *row)
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

/* Of actual / forecast - 1 for a span. One that begins now is the mean up to its end; the later it begins, the more it is
 * like the block in its middle. */
static double relative_quantile(const struct lstm_residuals *residuals, double age, struct span span,
                                double probability)
{
    double part = (double)(span.last - span.first) / (double)span.last;
    size_t middle = block_of(span.first + (span.last - span.first) / 2), end = block_of(span.last - 1);
    size_t of = mp_lstm_age(age);
    return part * mp_lstm_residual(residuals->quantile[of][MP_LSTM_OF_MEAN][end], probability) +
           (1 - part) * mp_lstm_residual(residuals->quantile[of][MP_LSTM_OF_BLOCK][middle], probability);
}

/* Variance that the mean of a span shorter than a block has beyond the block's, in units of a single step's. */
static double shortness(struct span span)
{
    double steps = (double)(span.last - span.first);
    return steps < STEPS ? 1 / steps - 1.0 / STEPS : 0;
}

/* The two spreads are of independent causes: their squares add up. */
static void spread_row(const struct blocks *blocks, double relative, double noise, double bottom, double *row)
{
    for (size_t s = 0; s < blocks->series; s++) {
        double off = relative * (row[s] > bottom ? row[s] : bottom);
        double both = sqrt(off * off + noise * noise * (double)blocks->noise[s]);
        double away = noise == 0         ? off
                      : off * noise >= 0 ? copysign(both, noise)
                                         : off + noise * sqrt((double)blocks->noise[s]);
        double quantile = row[s] + away;
        row[s] = quantile < 0 ? 0 : quantile > 1 ? 1 : quantile;
    }
}

/* row comes as the mean forecast. */
static void quantile_row(const struct task *task, const struct lstm_model *model, const struct blocks *blocks,
                         struct span span, double probability, double *row)
{
    double z = mp_normal_quantile(probability);
    spread_row(blocks, relative_quantile(model->residuals, (double)task->next_step, span, probability),
               z * sqrt(shortness(span)), 0.1 / (double)task->experts, row);
}

moep_status mp_lstm_quantiles(const struct task *task, const void *block, size_t horizon, size_t stride,
                              const struct quantiles *quantiles, double *rows)
{
    struct lstm_model model = mp_lstm_model(task->config, task->panel.series, (void *)block);
    struct blocks blocks;
    moep_status status = make_blocks(&blocks, task, block);
    if (status != MOEP_OK)
        return status;
    size_t n = mp_forecast_rows(horizon, stride), series = blocks.series;
    for (size_t r = 0; r < n && quantiles->n > 0; r++) {
        struct span span = span_of(r, horizon, stride);
        double *mean = rows + r * series; /* the first quantile's row, which is the last to be spread */
        mean_row(&blocks, span, mean);
        for (size_t first = 0; first < series; first += task->experts)
            mp_simplex(mean + first, task->experts);
        for (size_t q = quantiles->n; q-- > 0;) {
            double *row = mean + q * n * series;
            if (q > 0)
                memcpy(row, mean, series * sizeof *row);
            quantile_row(task, &model, &blocks, span, quantiles->probabilities[q], row);
        }
    }
    free_blocks(&blocks, &task->runtime->memory);
    return MOEP_OK;
}
