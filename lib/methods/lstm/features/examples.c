/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/features/examples.h"

#include "methods/lstm/features/change_point.h"
#include "support/logarithm.h"
#include "support/simd.h"

#include <string.h>

const size_t mp_lstm_windows[MP_LSTM_WINDOWS] = {20, 100, 500, MP_LSTM_LONGEST_WINDOW};
enum { REFERENCE = 1 }; /* of the windows */
_Static_assert((int)MP_LSTM_HISTORY_BLOCKS <= (int)MP_LSTM_MOST_CHANGE_POINT_BLOCKS, "jumps are sought in all blocks");

/* Ratios beyond e^2 are as good as that; a share below LEAST is none. */
static const double MAX_LOG_RATIO = 2, MAX_LOG_LOAD = 4, LEAST = 1e-9, MIN_AGE = 100, MAX_AGE = 10000;
static const double YOUNG = 200; /* steps: every run begins with a jump */

bool mp_lstm_examples_make(struct lstm_examples *e, size_t room, size_t back, const struct memory *memory)
{
    const size_t reals = MP_LSTM_INPUT_BLOCKS + MP_LSTM_FEATURES + MP_LSTM_WINDOWS + MP_LSTM_OUTPUTS + 2;
    const size_t each = sizeof(size_t) + reals * sizeof(real) + sizeof(bool);
    size_t sums = mp_product(MP_LSTM_HISTORY_BLOCKS + 3, back);
    sums = sums > room ? sums : room;
    *e = (struct lstm_examples){.room = room};
    e->arena_size = mp_sum(mp_product(sums, sizeof(double)), mp_product(room, each));
    e->arena = mp_allocate(memory, e->arena_size, 1);
    if (!e->arena)
        return false;
    e->scratch = e->arena;
    e->n_targets = (size_t *)(e->scratch + sums);
    e->inputs = (real *)(e->n_targets + room);
    e->features = e->inputs + MP_LSTM_INPUT_BLOCKS * room;
    e->means = e->features + MP_LSTM_FEATURES * room;
    e->targets = e->means + MP_LSTM_WINDOWS * room;
    e->min_load = e->targets + MP_LSTM_OUTPUTS * room;
    e->age = e->min_load + room;
    e->after_change_point = (bool *)(e->age + room);
    return true;
}

void mp_lstm_examples_free(struct lstm_examples *e, const struct memory *memory)
{
    mp_release(memory, e->arena, e->arena_size, 1);
    e->arena = NULL;
}

/* ---- back --------------------------------------------------------------------------------------------------------- */

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

/* The step that lies `ago` before the origin, 1 the last. */
static void add_step(const struct lstm_sample *sample, size_t ago, double *sum)
{
    if (!sample->donor || ago <= sample->splice_steps) {
        mp_lstm_add_steps(sample->panel, sample->end - ago, 1, sample->first, sample->count, sum);
        return;
    }
    const float *row = mp_panel_row(sample->donor, sample->donor_end - ago) + sample->donor_first;
    for (size_t i = 0; i < sample->count; i++)
        sum[i] += (double)row[sample->permutation[i]];
}

static double within(double x, double limit)
{
    return x < -limit ? -limit : x > limit ? limit : x;
}

static double log_share(double share)
{
    return mp_logarithm(share > LEAST ? share : LEAST);
}

static double log_age(double age)
{
    return mp_logarithm(age < MIN_AGE ? MIN_AGE : age > MAX_AGE ? MAX_AGE : age) - mp_logarithm(1000);
}

/* sums[block][series], newest first; the last one may be of fewer steps. */
static void add_blocks(const struct lstm_sample *sample, size_t steps, double *sums)
{
    size_t n = sample->count, blocks = (steps + MP_LSTM_BLOCK_STEPS - 1) / MP_LSTM_BLOCK_STEPS;
    memset(sums, 0, blocks * n * sizeof *sums);
    for (size_t ago = 1; ago <= steps; ago++)
        add_step(sample, ago, sums + (ago - 1) / MP_LSTM_BLOCK_STEPS * n);
}

/* The steps that count: since the last jump, if they are to be cut there. */
static size_t steps_since_change_point(const struct lstm_sample *sample, size_t steps, const double *sums,
                                       double *scratch)
{
    size_t blocks = steps / MP_LSTM_BLOCK_STEPS, since;
    if (!sample->from_change_point)
        return steps;
    since =
        mp_lstm_blocks_since_change_point(sums, blocks, sample->count, MP_LSTM_BLOCK_STEPS, sample->experts, scratch);
    return since < blocks ? since * MP_LSTM_BLOCK_STEPS : steps;
}

/* The means of the windows that end with step `ago`, and of those that would be longer than all there is. */
static void store_window_means(struct lstm_examples *e, size_t at, size_t n, size_t ago, size_t steps,
                               const double *sum)
{
    for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
        if (ago == mp_lstm_windows[w] || (ago == steps && ago < mp_lstm_windows[w]))
            for (size_t i = 0; i < n; i++)
                e->means[(at + i) * MP_LSTM_WINDOWS + w] = (real)(sum[i] / (double)ago);
}

/* Inputs, as they are, how many blocks of them it says; window means. */
static size_t fill_means(struct lstm_examples *e, size_t at, const struct lstm_sample *sample)
{
    size_t n = sample->count, blocks = 0;
    size_t steps = sample->steps < MP_LSTM_LONGEST_WINDOW ? sample->steps : MP_LSTM_LONGEST_WINDOW;
    double *sum = e->scratch, *sums = sum + 3 * n; /* looking for jumps takes what is between */
    add_blocks(sample, steps, sums);
    size_t counted = steps_since_change_point(sample, steps, sums, sum);
    memset(e->after_change_point + at, counted < steps && sample->age > (double)counted + YOUNG,
           n * sizeof *e->after_change_point);
    steps = counted;
    memset(sum, 0, n * sizeof *sum);
    for (size_t ago = 0; ago < steps; sums += n) {
        ago = steps - ago < MP_LSTM_BLOCK_STEPS ? steps : ago + MP_LSTM_BLOCK_STEPS;
        for (size_t i = 0; i < n; i++)
            sum[i] += sums[i];
        store_window_means(e, at, n, ago, steps, sum);
        if (ago % MP_LSTM_BLOCK_STEPS != 0 || blocks == MP_LSTM_INPUT_BLOCKS)
            continue;
        real *row = e->inputs + (MP_LSTM_INPUT_BLOCKS - 1 - blocks) * e->series + at;
        for (size_t i = 0; i < n; i++)
            row[i] = (real)(sums[i] / MP_LSTM_BLOCK_STEPS);
        blocks++;
    }
    for (size_t b = blocks; b < MP_LSTM_INPUT_BLOCKS; b++)
        memset(e->inputs + (MP_LSTM_INPUT_BLOCKS - 1 - b) * e->series + at, 0, n * sizeof(real));
    return blocks;
}

MP_VECTORISED static void mp_log_ratios(real *shares, const double *reference, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double share = (double)shares[i];
        double x = mp_logarithm(share > LEAST ? share : LEAST) - reference[i];
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
        e->age[at + i] = (real)sample->age;
        e->n_targets[at + i] = 0;
    }
    for (size_t b = MP_LSTM_INPUT_BLOCKS - blocks; b < MP_LSTM_INPUT_BLOCKS; b++)
        mp_log_ratios(e->inputs + b * e->series + at, reference, n);
}

/* ---- ahead -------------------------------------------------------------------------------------------------------- */

void mp_lstm_fill_targets(struct lstm_examples *e, size_t at, const struct lstm_sample *sample, size_t until)
{
    size_t n = sample->count, steps = until > sample->end ? until - sample->end : 0;
    size_t blocks = steps / MP_LSTM_OUTPUT_STEPS < MP_LSTM_OUTPUTS ? steps / MP_LSTM_OUTPUT_STEPS : MP_LSTM_OUTPUTS;
    double *sum = e->scratch;
    for (size_t b = 0; b < blocks; b++) {
        memset(sum, 0, n * sizeof *sum);
        mp_lstm_add_steps(sample->panel, sample->end + b * MP_LSTM_OUTPUT_STEPS, MP_LSTM_OUTPUT_STEPS, sample->first, n,
                          sum);
        for (size_t i = 0; i < n; i++)
            e->targets[(at + i) * MP_LSTM_OUTPUTS + b] = (real)(sum[i] / MP_LSTM_OUTPUT_STEPS);
    }
    for (size_t i = 0; i < n; i++)
        e->n_targets[at + i] = blocks;
}
