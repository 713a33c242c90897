/* SPDX-License-Identifier: BSD-3-Clause */
#include "lstm_spread.h"

#include "status.h"
#include "support/logarithm.h"
#include "support/normal.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

enum { LONGEST = 2000, RECENT = 1000, WINDOW = 100, MOST_NOISE = 200, BETWEEN = 10, CHUNK = 64 };
enum { NEAR = 100, MIDDLE = 200, FAR = 500 }; /* steps ahead */

static const double NOTHING = 1e-12; /* what is moved by less, squared, stays */

/* Found on recorded and simulated runs (tests/bench/interval_coverage.py): variances count by these, doubt as the fourth
 * root of the time ahead in thousands of steps, movement as the root's cube; large errors are more frequent than normal. */
static const double NOISE = 0.97, FADES = 100, DOUBT = 1, MOVEMENT = 1.5, TAIL = 0.015;

/* The network's forecasts end at 2,000 steps, and so does what is said of them. */
static const double LARGEST_AHEAD = 4;

/* ---- make --------------------------------------------------------------------------------------------------------- */

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

/* ---- what the history shows ----------------------------------------------------------------------------------------- */

/* Some of a layer's series side by side. */
struct past {
    const struct panel *panel;
    size_t first, count; /* of the panel's series */
    size_t steps;        /* the last ones */
    double bottom;
    double *sums; /* [steps + 1][count]: of all steps before */
};

MP_VECTORISED static void mp_next_sums(const double *restrict sums, const float *restrict row, double *restrict next,
                                       size_t n)
{
    for (size_t i = 0; i < n; i++)
        next[i] = sums[i] + (double)row[i];
}

static void sum_up(struct past *past)
{
    size_t n = past->count, begin = past->panel->steps - past->steps;
    memset(past->sums, 0, n * sizeof *past->sums);
    for (size_t t = 0; t < past->steps; t++)
        mp_next_sums(past->sums + t * n, mp_panel_row(past->panel, begin + t) + past->first, past->sums + (t + 1) * n,
                     n);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

MP_VECTORISED static void mp_add_squares(const double *restrict before, const double *restrict at,
                                         const double *restrict after, double window, double ahead, double bottom,
                                         double *restrict sum, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double said = (at[i] - before[i]) / window, came = (after[i] - at[i]) / ahead;
        double off = (came - said) / (said + bottom);
        sum[i] += off * off;
    }
}

/* misses[count]: the mean square of what the mean of WINDOW steps was off by as the forecast of the next `ahead`, relative
 * to it, in the last `within` steps. In a short past both are as long as leaves a third of it. */
static void measure(const struct past *past, size_t ahead, size_t within, double *misses)
{
    size_t steps = least(past->steps, within), n = past->count, origins = 0;
    size_t window = least(WINDOW, steps / 3), least_before = past->steps - steps + window;
    ahead = least(ahead, steps / 3);
    memset(misses, 0, n * sizeof *misses);
    for (size_t at = past->steps - ahead; at >= least_before; at -= BETWEEN, origins++) {
        const double *sums = past->sums + at * n;
        mp_add_squares(sums - window * n, sums, sums + ahead * n, (double)window, (double)ahead, past->bottom, misses,
                       n);
    }
    for (size_t i = 0; i < n; i++)
        misses[i] /= (double)origins;
}

static double window_mean(const struct past *past, size_t i, size_t steps)
{
    size_t n = past->count;
    steps = least(steps, past->steps);
    return (past->sums[past->steps * n + i] - past->sums[(past->steps - steps) * n + i]) / (double)steps;
}

/* The variance of the logarithms of three means. */
static double movement_of(const struct past *past, size_t i)
{
    const size_t windows[3] = {WINDOW, FAR, LONGEST};
    double logarithm[3], mean = 0, sum = 0;
    for (size_t w = 0; w < 3; w++) {
        logarithm[w] = mp_logarithm(window_mean(past, i, windows[w]) + past->bottom);
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

/* Leaves in `movement` of the series how much each has moved by itself. */
static void look_at(struct lstm_spread *spread, const struct past *past, struct layer *layer)
{
    double near[CHUNK], far[CHUNK], *middle = spread->movement + past->first;
    for (size_t l = 0; l < MP_LSTM_LENGTHS; l++)
        measure(past, least(spread->lengths[l], MOST_NOISE), RECENT, spread->noise[l] + past->first);
    measure(past, NEAR, LONGEST, near);
    measure(past, MIDDLE, LONGEST, middle);
    measure(past, FAR, LONGEST, far);
    for (size_t i = 0; i < past->count; i++) {
        layer->near += near[i];
        layer->middle += middle[i];
        layer->far += far[i];
        layer->movement += movement_of(past, i);
        spread->level[past->first + i] = window_mean(past, i, FAR);
    }
}

/* A quarter of what is shared out by how each has moved is shared out evenly. */
static void share_out(struct lstm_spread *spread, size_t first, size_t experts, const struct layer *layer)
{
    double n = (double)experts, middle = layer->middle / n, movement = layer->movement / n;
    for (size_t s = first; s < first + experts; s++) {
        spread->movement[s] = movement * (spread->movement[s] + middle / 4 + NOTHING) / (middle * 5 / 4 + NOTHING);
        spread->growth[s] = (layer->far / n + NOTHING) / (layer->near / n + NOTHING);
    }
}

moep_status mp_lstm_spread_make(struct lstm_spread *spread, const struct task *task,
                                const size_t lengths[MP_LSTM_LENGTHS])
{
    const struct memory *memory = &task->runtime->memory;
    size_t experts = task->experts, width = least(experts, CHUNK);
    struct past past = {.panel = &task->panel, .steps = least(task->panel.steps, LONGEST)};
    *spread = (struct lstm_spread){.series = task->panel.series, .bottom = 0.1 / (double)experts};
    memcpy(spread->lengths, lengths, sizeof spread->lengths);
    past.bottom = spread->bottom;
    if (!allocate(spread, memory))
        return mp_out_of_memory("the spread of errors");
    past.sums = mp_allocate(memory, (LONGEST + 1) * width, sizeof *past.sums);
    if (!past.sums) {
        mp_lstm_spread_free(spread, memory);
        return mp_out_of_memory("the sums of steps");
    }
    for (size_t first = 0; first < spread->series; first += experts) {
        struct layer layer = {0};
        for (past.first = first; past.first < first + experts; past.first += past.count) {
            past.count = least(first + experts - past.first, width);
            sum_up(&past);
            look_at(spread, &past, &layer);
        }
        share_out(spread, first, experts, &layer);
    }
    mp_release(memory, past.sums, (LONGEST + 1) * width, sizeof *past.sums);
    return MOEP_OK;
}

/* ---- quantiles ---------------------------------------------------------------------------------------------------- */

/* A span that begins later is as uncertain as the mean of all steps to twice its middle. */
static double thousands_ahead(struct lstm_span span)
{
    double ahead = ((double)span.first + (double)span.last) / 1000;
    return ahead < LARGEST_AHEAD ? ahead : LARGEST_AHEAD;
}

/* Times the load and the bottom, what a quantile is above a load that is `off` of its own spread: never less than -1.
 * Downwards a load shrinks as much as upwards it grows; each step of it rises with `off`, and so do quantiles. */
static double away(double off)
{
    return off < 0 ? 1 / (1 - off) - 1 : off + off * off / 2;
}

void mp_lstm_spread_row(const struct lstm_spread *spread, struct lstm_span span, double probability, double *row)
{
    size_t length = span.last - span.first;
    const double *noise = spread->noise[length == spread->lengths[0] ? 0 : 1];
    double ahead = thousands_ahead(span), root = sqrt(ahead), fourth = sqrt(root);
    double of_noise = NOISE / (1 + (double)length / FADES), z = mp_normal_quantile(probability);
    double normals = z * (1 + TAIL * z * z);
    for (size_t s = 0; s < spread->series; s++) {
        double level = spread->level[s], doubt = (row[s] - level) / (level + spread->bottom);
        double farther = DOUBT * fourth * doubt * doubt + MOVEMENT * root * fourth * spread->movement[s];
        double variance = of_noise * noise[s] + spread->growth[s] * farther;
        double quantile = row[s] + (row[s] + spread->bottom) * away(normals * sqrt(variance));
        row[s] = quantile < 0 ? 0 : quantile > 1 ? 1 : quantile;
    }
}
