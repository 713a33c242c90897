/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/spread.h"

#include "api/status.h"
#include "series/error.h"
#include "support/logarithm.h"
#include "support/normal.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

/* In steps. LONGEST, LEVEL and WINDOW are three of the network's windows. Origins lie EVERY steps apart: closer ones
 * share most of their steps, so they would add time and little evidence. Noise is of the RECENT steps, since it falls
 * as a run settles. Rows that are longer than MOST_NOISE would have few origins that do not overlap. */
enum { LONGEST = 2000, RECENT = 1000, WINDOW = 100, LEVEL = 500, MOST_NOISE = 200, EVERY = 10 };
enum { NEAR = 100, MIDDLE = 200, FAR = 500 }; /* lengths n' for persistence and movement */
enum { CHUNK = 64 };                          /* series: their sums over 2,000 steps take a MiB */

/* How much each variance counts, and the cube of z. They were chosen on recorded and simulated runs so that intervals
 * of 80 and 95 % cover what they say; tests/bench/run.sh interval_coverage shows what they cover. */
static const double NOISE = 0.97, NOISE_STEPS = 100, DISAGREEMENT = 1, MOVEMENT = 1.5, TAIL = 0.015;

/* From step 2,000 on a network repeats its last output. So T stops growing for rows whose middle lies there. */
static const double MOST_THOUSANDS = 4;

static const double TINY = 1e-12; /* against 0 / 0 where a layer does not move at all */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */

/* Neighbouring series of a layer, which are measured together. */
struct chunk {
    const struct panel *panel;
    size_t first, count; /* of the panel's series */
    size_t steps;        /* the last steps of the panel, which are measured */
    double min_load;
    double *sums; /* [steps + 1][count]: row t is the sum of the first t of those steps */
};

MP_VECTORISED static void mp_next_sums(const double *restrict sums, const float *restrict row, double *restrict next,
                                       size_t n)
{
    for (size_t i = 0; i < n; i++)
        next[i] = sums[i] + (double)row[i];
}

static void sum_up(struct chunk *chunk)
{
    size_t n = chunk->count, begin = chunk->panel->steps - chunk->steps;
    memset(chunk->sums, 0, n * sizeof *chunk->sums);
    for (size_t t = 0; t < chunk->steps; t++)
        mp_next_sums(chunk->sums + t * n, mp_panel_row(chunk->panel, begin + t) + chunk->first,
                     chunk->sums + (t + 1) * n, n);
}

/* Rows of sums at the beginning of the window, at the origin, and at the end of the span after it. */
MP_VECTORISED static void mp_add_squares(const double *restrict before, const double *restrict at,
                                         const double *restrict after, double window, double length, double min_load,
                                         double *restrict sum, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double mean = (at[i] - before[i]) / window, actual = (after[i] - at[i]) / length;
        double off = (actual - mean) / (mean + min_load);
        sum[i] += off * off;
    }
}

/* n', at most a third of the steps. */
static size_t target_length(const struct chunk *chunk, size_t length, size_t within)
{
    return smaller(length, smaller(chunk->steps, within) / 3);
}

/* noise[count] at a length, over origins in the last `within` steps. */
static void measure_noise(const struct chunk *chunk, size_t length, size_t within, double *noise)
{
    size_t steps = smaller(chunk->steps, within), n = chunk->count, origins = 0;
    size_t window = smaller(WINDOW, steps / 3), first = chunk->steps - steps + window;
    length = target_length(chunk, length, within);
    memset(noise, 0, n * sizeof *noise);
    for (size_t back = length; first + back <= chunk->steps; back += EVERY, origins++) {
        const double *sums = chunk->sums + (chunk->steps - back) * n;
        mp_add_squares(sums - window * n, sums, sums + length * n, (double)window, (double)length, chunk->min_load,
                       noise, n);
    }
    for (size_t i = 0; i < n; i++)
        noise[i] /= (double)origins;
}

/* Measures noise at both lengths of rows. In most forecasts n' is the same for both, and one measurement is enough. */
static void measure_rows(struct lstm_spread *spread, const struct chunk *chunk)
{
    double *noise[MP_LSTM_LENGTHS];
    size_t length[MP_LSTM_LENGTHS];
    for (size_t l = 0; l < MP_LSTM_LENGTHS; l++) {
        noise[l] = spread->noise[l] + chunk->first;
        length[l] = target_length(chunk, smaller(spread->lengths[l], MOST_NOISE), RECENT);
        if (l > 0 && length[l] == length[0])
            memcpy(noise[l], noise[0], chunk->count * sizeof *noise[l]);
        else
            measure_noise(chunk, length[l], RECENT, noise[l]);
    }
}

static double window_mean(const struct chunk *chunk, size_t i, size_t steps)
{
    size_t n = chunk->count;
    steps = smaller(steps, chunk->steps);
    return (chunk->sums[chunk->steps * n + i] - chunk->sums[(chunk->steps - steps) * n + i]) / (double)steps;
}

static double movement_of(const struct chunk *chunk, size_t i)
{
    const size_t windows[3] = {WINDOW, LEVEL, LONGEST};
    double logarithm[3], mean = 0, sum = 0;
    for (size_t w = 0; w < 3; w++) {
        logarithm[w] = mp_logarithm(window_mean(chunk, i, windows[w]) + chunk->min_load);
        mean += logarithm[w] / 3;
    }
    for (size_t w = 0; w < 3; w++)
        sum += (logarithm[w] - mean) * (logarithm[w] - mean) / 3;
    return sum;
}

/* Sums over a layer's experts: noise at the three lengths, and movement. */
struct layer {
    double near, middle, far, movement;
};

/* Leaves noise at the middle length in the place of the series' movement. */
static void measure_chunk(struct lstm_spread *spread, const struct chunk *chunk, struct layer *layer)
{
    double near[CHUNK], far[CHUNK], *middle = spread->movement + chunk->first;
    measure_rows(spread, chunk);
    measure_noise(chunk, NEAR, LONGEST, near);
    measure_noise(chunk, MIDDLE, LONGEST, middle);
    measure_noise(chunk, FAR, LONGEST, far);
    for (size_t i = 0; i < chunk->count; i++) {
        layer->near += near[i];
        layer->middle += middle[i];
        layer->far += far[i];
        layer->movement += movement_of(chunk, i);
        spread->level[chunk->first + i] = window_mean(chunk, i, LEVEL);
    }
}

/* The mean of the apportioned movements is the layer's. */
static void apportion(struct lstm_spread *spread, size_t first, size_t experts, const struct layer *layer)
{
    double n = (double)experts, middle = layer->middle / n, movement = layer->movement / n;
    for (size_t s = first; s < first + experts; s++) {
        spread->movement[s] = movement * (spread->movement[s] + middle / 4 + TINY) / (middle * 5 / 4 + TINY);
        spread->persistence[s] = (layer->far / n + TINY) / (layer->near / n + TINY);
    }
}

/* Measures chunk by chunk, since the sums of all series would take much memory. */
static void measure(struct lstm_spread *spread, const struct panel *panel, size_t experts)
{
    struct chunk chunk = {.panel = panel, .steps = spread->steps, .min_load = spread->min_load, .sums = spread->sums};
    for (size_t first = 0; first < spread->series; first += experts) {
        struct layer layer = {0};
        for (chunk.first = first; chunk.first < first + experts; chunk.first += chunk.count) {
            chunk.count = smaller(first + experts - chunk.first, spread->width);
            sum_up(&chunk);
            measure_chunk(spread, &chunk, &layer);
        }
        apportion(spread, first, experts, &layer);
    }
}

/* ---- make -------------------------------------------------------------------------------------------------------- */

static void lay_out(void *self, struct arena *arena)
{
    struct lstm_spread *spread = self;
    size_t series = spread->series;
    for (size_t l = 0; l < MP_LSTM_LENGTHS; l++)
        spread->noise[l] = mp_arena_take(arena, series, sizeof *spread->noise[l]);
    spread->movement = mp_arena_take(arena, series, sizeof *spread->movement);
    spread->persistence = mp_arena_take(arena, series, sizeof *spread->persistence);
    spread->level = mp_arena_take(arena, series, sizeof *spread->level);
    spread->sums = mp_arena_take(arena, (spread->steps + 1) * spread->width, sizeof *spread->sums);
}

moep_status mp_lstm_spread_make(struct lstm_spread *spread, const struct task *task,
                                const size_t lengths[MP_LSTM_LENGTHS])
{
    *spread = (struct lstm_spread){.series = task->panel.series,
                                   .min_load = mp_min_load((double)task->experts),
                                   .steps = smaller(task->panel.steps, LONGEST),
                                   .width = smaller(task->experts, CHUNK)};
    memcpy(spread->lengths, lengths, sizeof spread->lengths);
    if (!mp_arena_make(&spread->arena, lay_out, spread, &task->runtime->memory))
        return mp_out_of_memory("the spread of errors");
    measure(spread, &task->panel, task->experts);
    return MOEP_OK;
}

void mp_lstm_spread_free(struct lstm_spread *spread, const struct memory *memory)
{
    mp_arena_free(&spread->arena, memory);
}

/* ---- quantiles --------------------------------------------------------------------------------------------------- */

/* T: a span is as uncertain as the mean of all steps up to twice its middle. */
static double thousands_ahead(struct lstm_span span)
{
    double thousands = ((double)span.first + (double)span.last) / 1000;
    return thousands < MOST_THOUSANDS ? thousands : MOST_THOUSANDS;
}

/* g: at least -1. Every operation of it is monotonic, rounded or not, so that quantiles never cross. */
static double relative_distance(double x)
{
    return x < 0 ? 1 / (1 - x) - 1 : x + x * x / 2;
}

void mp_lstm_spread_row(const struct lstm_spread *spread, struct lstm_span span, double probability, double *row)
{
    size_t length = span.last - span.first;
    const double *noise = spread->noise[length == spread->lengths[0] ? 0 : 1];
    double root = sqrt(thousands_ahead(span)), fourth_root = sqrt(root);
    double of_noise = NOISE / (1 + (double)length / NOISE_STEPS), z = mp_normal_quantile(probability);
    double heavy_z = z * (1 + TAIL * z * z);
    for (size_t s = 0; s < spread->series; s++) {
        double level = spread->level[s], disagreement = (row[s] - level) / (level + spread->min_load);
        double ahead = DISAGREEMENT * fourth_root * disagreement * disagreement +
                       MOVEMENT * root * fourth_root * spread->movement[s];
        double variance = of_noise * noise[s] + spread->persistence[s] * ahead;
        double quantile = row[s] + (row[s] + spread->min_load) * relative_distance(heavy_z * sqrt(variance));
        row[s] = quantile < 0 ? 0 : quantile > 1 ? 1 : quantile;
    }
}
