/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/features/examples.h"

#include "methods/lstm/features/change_point.h"
#include "support/logarithm.h"
#include "support/simd.h"

#include <string.h>

const size_t mp_lstm_windows[MP_LSTM_WINDOWS] = {20, 100, 500, MP_LSTM_LONGEST_WINDOW};
enum { REFERENCE = 1 }; /* of the windows */
_Static_assert((int)MP_LSTM_HISTORY_BLOCKS <= (int)MP_LSTM_MOST_CHANGE_POINT_BLOCKS, "the test sees all blocks");

/* Limits keep a rare load from carrying the network beyond what it was trained on: ratios to e^2 = 7.4, a load to e^4
 * = 55 times the mean. The shipped weights have learned from runs of 10,000 steps, and a
 * forecast needs 100. MIN_SHARE is less than one token of a step. */
static const double MAX_LOG_RATIO = 2, MAX_LOG_LOAD = 4, MIN_SHARE = 1e-9, MIN_AGE = 100, MAX_AGE = 10000;

/* Every run begins with a jump from its initial loads. One within so many of its first steps is no level shift: a
 * smaller number shrinks the forecasts of young runs, a larger one overlooks shifts. */
static const double YOUNG_STEPS = 200;

static void lay_out(void *self, struct arena *arena)
{
    struct lstm_examples *e = self;
    size_t sums = mp_product(MP_LSTM_HISTORY_BLOCKS + 3, e->sample_room), room = e->room;
    e->scratch = mp_arena_take(arena, sums > room ? sums : room, sizeof *e->scratch);
    e->n_targets = mp_arena_take(arena, room, sizeof *e->n_targets);
    e->inputs = mp_arena_take(arena, room, MP_LSTM_INPUT_BLOCKS * sizeof *e->inputs);
    e->features = mp_arena_take(arena, room, MP_LSTM_FEATURES * sizeof *e->features);
    e->means = mp_arena_take(arena, room, MP_LSTM_WINDOWS * sizeof *e->means);
    e->targets = mp_arena_take(arena, room, MP_LSTM_OUTPUTS * sizeof *e->targets);
    e->min_load = mp_arena_take(arena, room, sizeof *e->min_load);
    e->after_change_point = mp_arena_take(arena, room, sizeof *e->after_change_point);
}

bool mp_lstm_examples_make(struct lstm_examples *e, size_t room, size_t sample_room, const struct memory *memory)
{
    *e = (struct lstm_examples){.room = room, .sample_room = sample_room};
    return mp_arena_make(&e->arena, lay_out, e, memory);
}

void mp_lstm_examples_free(struct lstm_examples *e, const struct memory *memory)
{
    mp_arena_free(&e->arena, memory);
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

MP_VECTORISED static void mp_add_row(double *restrict sum, const float *restrict row, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += (double)row[i];
}

void mp_lstm_add_steps(const struct panel *panel, size_t step, size_t steps, size_t first, size_t count, double *sum)
{
    for (size_t end = step + steps; step < end; step++)
        mp_add_row(sum, mp_panel_row(panel, step) + first, count);
}

/* Adds the share of every series k steps before the origin. */
static void add_step(const struct lstm_sample *sample, size_t k, double *sum)
{
    if (!sample->donor || k <= sample->splice_steps) {
        mp_lstm_add_steps(sample->panel, sample->end - k, 1, sample->first, sample->count, sum);
        return;
    }
    const float *row = mp_panel_row(sample->donor, sample->donor_end - k) + sample->donor_first;
    for (size_t i = 0; i < sample->count; i++)
        sum[i] += (double)row[sample->permutation[i]];
}

static double within(double x, double limit)
{
    return x < -limit ? -limit : x > limit ? limit : x;
}

static double log_share(double share)
{
    return mp_logarithm(share > MIN_SHARE ? share : MIN_SHARE);
}

static double log_age(double age)
{
    return mp_logarithm(age < MIN_AGE ? MIN_AGE : age > MAX_AGE ? MAX_AGE : age) - mp_logarithm(1000);
}

/* sums[block][series], newest first; the oldest block may have fewer steps. */
static void sum_blocks(const struct lstm_sample *sample, size_t steps, double *sums)
{
    size_t n = sample->count, blocks = (steps + MP_LSTM_BLOCK_STEPS - 1) / MP_LSTM_BLOCK_STEPS;
    memset(sums, 0, blocks * n * sizeof *sums);
    for (size_t k = 1; k <= steps; k++)
        add_step(sample, k, sums + (k - 1) / MP_LSTM_BLOCK_STEPS * n);
}

/* How many of the steps are seen: those since the last change point, where the sample asks for that. */
static size_t seen_steps(const struct lstm_sample *sample, size_t steps, const double *sums, double *scratch)
{
    size_t blocks = steps / MP_LSTM_BLOCK_STEPS, since;
    if (!sample->from_change_point)
        return steps;
    since =
        mp_lstm_blocks_since_change_point(sums, blocks, sample->count, MP_LSTM_BLOCK_STEPS, sample->experts, scratch);
    return since < blocks ? since * MP_LSTM_BLOCK_STEPS : steps;
}

/* sum[series] of the last k steps: the means of the windows of that length, and of longer ones where k is all there
 * is. */
static void store_window_means(struct lstm_examples *e, size_t at, size_t n, size_t k, size_t steps, const double *sum)
{
    for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
        if (k == mp_lstm_windows[w] || (k == steps && k < mp_lstm_windows[w]))
            for (size_t i = 0; i < n; i++)
                e->means[(at + i) * MP_LSTM_WINDOWS + w] = (real)(sum[i] / (double)k);
}

static void fill_window_means(struct lstm_examples *e, size_t at, size_t n, size_t steps, const double *sums)
{
    double *sum = e->scratch;
    memset(sum, 0, n * sizeof *sum);
    for (size_t k = 0; k < steps; sums += n) {
        k = steps - k < MP_LSTM_BLOCK_STEPS ? steps : k + MP_LSTM_BLOCK_STEPS;
        for (size_t i = 0; i < n; i++)
            sum[i] += sums[i];
        store_window_means(e, at, n, k, steps, sum);
    }
}

static real *inputs_of(const struct lstm_examples *e, size_t block, size_t at)
{
    return e->inputs + (MP_LSTM_INPUT_BLOCKS - 1 - block) * e->series + at;
}

/* The means of whole blocks, the newest block last, and zeros before them; returns how many whole blocks there are. */
static size_t fill_block_means(struct lstm_examples *e, size_t at, size_t n, size_t steps, const double *sums)
{
    size_t all = steps / MP_LSTM_BLOCK_STEPS, blocks = all < MP_LSTM_INPUT_BLOCKS ? all : MP_LSTM_INPUT_BLOCKS;
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = 0; i < n; i++)
            inputs_of(e, b, at)[i] = (real)(sums[b * n + i] / MP_LSTM_BLOCK_STEPS);
    for (size_t b = blocks; b < MP_LSTM_INPUT_BLOCKS; b++)
        memset(inputs_of(e, b, at), 0, n * sizeof(real));
    return blocks;
}

/* Block means in the place of inputs, and window means; returns how many blocks there are. */
static size_t fill_means(struct lstm_examples *e, size_t at, const struct lstm_sample *sample)
{
    size_t n = sample->count, steps = sample->steps;
    steps = steps < MP_LSTM_LONGEST_WINDOW ? steps : MP_LSTM_LONGEST_WINDOW;
    double *sums = e->scratch + 3 * n; /* the three rows before are scratch of what follows */
    sum_blocks(sample, steps, sums);
    size_t seen = seen_steps(sample, steps, sums, e->scratch);
    bool shifted = seen < steps && sample->age > (double)seen + YOUNG_STEPS;
    memset(e->after_change_point + at, shifted, n * sizeof *e->after_change_point);
    fill_window_means(e, at, n, seen, sums);
    return fill_block_means(e, at, n, seen, sums);
}

MP_VECTORISED static void mp_log_ratios(real *shares, const double *reference, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double share = (double)shares[i];
        double x = mp_logarithm(share > MIN_SHARE ? share : MIN_SHARE) - reference[i];
        shares[i] = (real)(x < -MAX_LOG_RATIO ? -MAX_LOG_RATIO : x > MAX_LOG_RATIO ? MAX_LOG_RATIO : x);
    }
}

static void fill_features(struct lstm_examples *e, size_t series, double reference, const struct lstm_sample *sample)
{
    const real *means = e->means + series * MP_LSTM_WINDOWS;
    real *to = e->features + series * MP_LSTM_FEATURES;
    memset(to, 0, MP_LSTM_FEATURES * sizeof *to);
    for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
        to[w] = (real)within(log_share((double)means[w]) - reference, MAX_LOG_RATIO);
    to[MP_LSTM_WINDOWS] = (real)within(reference + mp_logarithm(sample->experts), MAX_LOG_LOAD);
    to[MP_LSTM_WINDOWS + 1] = (real)log_age(sample->age);
    to[MP_LSTM_WINDOWS + 2] = 1;
}

void mp_lstm_fill_inputs(struct lstm_examples *e, size_t at, const struct lstm_sample *sample)
{
    size_t n = sample->count, blocks = fill_means(e, at, sample);
    double *reference = e->scratch;
    for (size_t i = 0; i < n; i++) {
        reference[i] = log_share((double)e->means[(at + i) * MP_LSTM_WINDOWS + REFERENCE]);
        fill_features(e, at + i, reference[i], sample);
        e->min_load[at + i] = (real)(0.1 / sample->experts);
        e->n_targets[at + i] = 0;
    }
    for (size_t b = 0; b < blocks; b++)
        mp_log_ratios(inputs_of(e, b, at), reference, n);
}

/* ---- targets ----------------------------------------------------------------------------------------------------- */

static void fill_span(struct lstm_examples *e, size_t at, const struct lstm_sample *sample, size_t b)
{
    size_t n = sample->count, first_step = sample->end + b * MP_LSTM_OUTPUT_STEPS;
    double *sum = e->scratch;
    memset(sum, 0, n * sizeof *sum);
    mp_lstm_add_steps(sample->panel, first_step, MP_LSTM_OUTPUT_STEPS, sample->first, n, sum);
    for (size_t i = 0; i < n; i++)
        e->targets[(at + i) * MP_LSTM_OUTPUTS + b] = (real)(sum[i] / MP_LSTM_OUTPUT_STEPS);
}

void mp_lstm_fill_targets(struct lstm_examples *e, size_t at, const struct lstm_sample *sample, size_t until)
{
    size_t known = until > sample->end ? (until - sample->end) / MP_LSTM_OUTPUT_STEPS : 0;
    size_t spans = known < MP_LSTM_OUTPUTS ? known : MP_LSTM_OUTPUTS;
    for (size_t b = 0; b < spans; b++)
        fill_span(e, at, sample, b);
    for (size_t i = 0; i < sample->count; i++)
        e->n_targets[at + i] = spans;
}
