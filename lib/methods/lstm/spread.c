/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/spread.h"

#include "api/status.h"
#include "support/logarithm.h"
#include "support/normal.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

enum { LONGEST = 2000, RECENT = 1000, WINDOW = 100, MOST_NOISE = 200, BETWEEN = 10, CHUNK = 64 };
enum { NEAR = 100, MIDDLE = 200, FAR = 500 }; /* steps ahead */

static const double NOTHING = 1e-12; /* what is moved by less, squared, stays */

/* Found on recorded and simulated runs (tests/bench/interval_coverage.py): what each variance counts by. Doubt also
 * grows with the fourth root of the time ahead in thousands of steps, movement with the cube of that root. Large errors
 * are more frequent than a normal distribution has them. */
static const double NOISE = 0.97, FADES = 100, DOUBT = 1, MOVEMENT = 1.5, TAIL = 0.015;

/* The network's forecast ends at 2,000 steps, and its last block is repeated from there on: doubt grows no further. */
static const double MOST_THOUSANDS = 4;

/* ---- make -------------------------------------------------------------------------------------------------------- */

enum { ARRAYS = MP_LSTM_LENGTHS + 3 };

void mp_lstm_spread_free(struct lstm_spread *spread, const struct memory *memory)
{
    mp_release(memory, spread->noise[0], spread->series, ARRAYS * sizeof(double));
}

static bool allocate(struct lstm_spread *spread, const struct memory *memory)
{
    double *array = mp_allocate(memory, spread->series, ARRAYS * sizeof(double));
    for (size_t l = 0; l < MP_LSTM_LENGTHS; l++)
        spread->noise[l] = array + l * spread->series;
    spread->movement = array + MP_LSTM_LENGTHS * spread->series;
    spread->growth = spread->movement + spread->series;
    spread->level = spread->growth + spread->series;
    return array != NULL;
}

/* ---- what the history shows -------------------------------------------------------------------------------------- */

/* Some of a layer's series, side by side. */
struct chunk {
    const struct panel *panel;
    size_t first, count; /* of the panel's series */
    size_t steps;        /* how many of the last steps are looked at */
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

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

MP_VECTORISED static void mp_add_squares(const double *restrict before, const double *restrict at,
                                         const double *restrict after, double window, double length, double min_load,
                                         double *restrict sum, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double said = (at[i] - before[i]) / window, came = (after[i] - at[i]) / length;
        double off = (came - said) / (said + min_load);
        sum[i] += off * off;
    }
}

/* Of how many steps the mean that is target_length is: in a short history no more than a third of it. */
static size_t target_length(const struct chunk *chunk, size_t length, size_t within)
{
    return least(length, least(chunk->steps, within) / 3);
}

/* misses[count]: by how much the mean of WINDOW steps was off as the forecast of the mean of the next `length`,
 * relative to the former; squared, and averaged over origins in the last `within` steps. In a short history the window
 * is a third of it. */
static void measure(const struct chunk *chunk, size_t length, size_t within, double *misses)
{
    size_t steps = least(chunk->steps, within), n = chunk->count, origins = 0;
    size_t window = least(WINDOW, steps / 3), first = chunk->steps - steps + window;
    length = target_length(chunk, length, within);
    memset(misses, 0, n * sizeof *misses);
    for (size_t back = length; first + back <= chunk->steps; back += BETWEEN, origins++) {
        const double *sums = chunk->sums + (chunk->steps - back) * n;
        mp_add_squares(sums - window * n, sums, sums + length * n, (double)window, (double)length, chunk->min_load,
                       misses, n);
    }
    for (size_t i = 0; i < n; i++)
        misses[i] /= (double)origins;
}

static double window_mean(const struct chunk *chunk, size_t i, size_t steps)
{
    size_t n = chunk->count;
    steps = least(steps, chunk->steps);
    return (chunk->sums[chunk->steps * n + i] - chunk->sums[(chunk->steps - steps) * n + i]) / (double)steps;
}

/* The variance of the logarithms of three means. */
static double movement_of(const struct chunk *chunk, size_t i)
{
    const size_t windows[3] = {WINDOW, FAR, LONGEST};
    double logarithm[3], mean = 0, sum = 0;
    for (size_t w = 0; w < 3; w++) {
        logarithm[w] = mp_logarithm(window_mean(chunk, i, windows[w]) + chunk->min_load);
        mean += logarithm[w] / 3;
    }
    for (size_t w = 0; w < 3; w++)
        sum += (logarithm[w] - mean) * (logarithm[w] - mean) / 3;
    return sum;
}

/* Of a layer, sums over its experts. */
struct layer {
    double near, middle, far, movement;
};

/* The rows of most forecasts are of one length, or all longer than what is looked at: then one measurement does. */
static void measure_noise(struct lstm_spread *spread, const struct chunk *chunk)
{
    double *noise[MP_LSTM_LENGTHS];
    size_t length[MP_LSTM_LENGTHS];
    for (size_t l = 0; l < MP_LSTM_LENGTHS; l++) {
        noise[l] = spread->noise[l] + chunk->first;
        length[l] = target_length(chunk, least(spread->lengths[l], MOST_NOISE), RECENT);
        if (l > 0 && length[l] == length[0])
            memcpy(noise[l], noise[0], chunk->count * sizeof *noise[l]);
        else
            measure(chunk, length[l], RECENT, noise[l]);
    }
}

/* Leaves in `movement` of the series how much each has moved by itself. */
static void measure_chunk(struct lstm_spread *spread, const struct chunk *chunk, struct layer *layer)
{
    double near[CHUNK], far[CHUNK], *middle = spread->movement + chunk->first;
    measure_noise(spread, chunk);
    measure(chunk, NEAR, LONGEST, near);
    measure(chunk, MIDDLE, LONGEST, middle);
    measure(chunk, FAR, LONGEST, far);
    for (size_t i = 0; i < chunk->count; i++) {
        layer->near += near[i];
        layer->middle += middle[i];
        layer->far += far[i];
        layer->movement += movement_of(chunk, i);
        spread->level[chunk->first + i] = window_mean(chunk, i, FAR);
    }
}

/* A quarter of what is shared out by how each has moved is shared out evenly. */
static void apportion_movement(struct lstm_spread *spread, size_t first, size_t experts, const struct layer *layer)
{
    double n = (double)experts, middle = layer->middle / n, movement = layer->movement / n;
    for (size_t s = first; s < first + experts; s++) {
        spread->movement[s] = movement * (spread->movement[s] + middle / 4 + NOTHING) / (middle * 5 / 4 + NOTHING);
        spread->growth[s] = (layer->far / n + NOTHING) / (layer->near / n + NOTHING);
    }
}

/* Chunk by chunk, since the sums of all series would take much memory. */
static void measure_layers(struct lstm_spread *spread, struct chunk *chunk, size_t experts, size_t width)
{
    for (size_t first = 0; first < spread->series; first += experts) {
        struct layer layer = {0};
        for (chunk->first = first; chunk->first < first + experts; chunk->first += chunk->count) {
            chunk->count = least(first + experts - chunk->first, width);
            sum_up(chunk);
            measure_chunk(spread, chunk, &layer);
        }
        apportion_movement(spread, first, experts, &layer);
    }
}

moep_status mp_lstm_spread_make(struct lstm_spread *spread, const struct task *task,
                                const size_t lengths[MP_LSTM_LENGTHS])
{
    const struct memory *memory = &task->runtime->memory;
    size_t experts = task->experts, width = least(experts, CHUNK), steps = least(task->panel.steps, LONGEST);
    *spread = (struct lstm_spread){.series = task->panel.series, .min_load = 0.1 / (double)experts};
    memcpy(spread->lengths, lengths, sizeof spread->lengths);
    if (!allocate(spread, memory))
        return mp_out_of_memory("the spread of errors");
    struct chunk chunk = {.panel = &task->panel, .steps = steps, .min_load = spread->min_load};
    chunk.sums = mp_allocate(memory, (steps + 1) * width, sizeof *chunk.sums);
    if (!chunk.sums) {
        mp_lstm_spread_free(spread, memory);
        return mp_out_of_memory("the sums of steps");
    }
    measure_layers(spread, &chunk, experts, width);
    mp_release(memory, chunk.sums, (steps + 1) * width, sizeof *chunk.sums);
    return MOEP_OK;
}

/* ---- quantiles --------------------------------------------------------------------------------------------------- */

/* A span that begins later is as uncertain as the mean of all steps to twice its middle. */
static double thousands_ahead(struct lstm_span span)
{
    double thousands = ((double)span.first + (double)span.last) / 1000;
    return thousands < MOST_THOUSANDS ? thousands : MOST_THOUSANDS;
}

/* How far a quantile lies from its forecast, relative to forecast and bottom, where a normal one would lie `off`. Loads
 * shrink about as much as they grow, and never below 0: the result is at least -1. It rises with `off` step by step of
 * the computation, rounded or not, so that quantiles never cross. */
static double away(double off)
{
    return off < 0 ? 1 / (1 - off) - 1 : off + off * off / 2;
}

void mp_lstm_spread_row(const struct lstm_spread *spread, struct lstm_span span, double probability, double *row)
{
    size_t length = span.last - span.first;
    const double *noise = spread->noise[length == spread->lengths[0] ? 0 : 1];
    double root = sqrt(thousands_ahead(span)), fourth = sqrt(root);
    double of_noise = NOISE / (1 + (double)length / FADES), z = mp_normal_quantile(probability);
    double normals = z * (1 + TAIL * z * z);
    for (size_t s = 0; s < spread->series; s++) {
        double level = spread->level[s], doubt = (row[s] - level) / (level + spread->min_load);
        double farther = DOUBT * fourth * doubt * doubt + MOVEMENT * root * fourth * spread->movement[s];
        double variance = of_noise * noise[s] + spread->growth[s] * farther;
        double quantile = row[s] + (row[s] + spread->min_load) * away(normals * sqrt(variance));
        row[s] = quantile < 0 ? 0 : quantile > 1 ? 1 : quantile;
    }
}
