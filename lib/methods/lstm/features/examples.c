/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/features/examples.h"

#include "methods/lstm/features/change_point.h"
#include "methods/lstm/features/log_ratios.h"
#include "series/error.h"
#include "support/simd.h"

#include <string.h>

const size_t mp_lstm_windows[MP_LSTM_WINDOWS] = {20, 100, 500, MP_LSTM_LONGEST_WINDOW};
_Static_assert((int)MP_LSTM_HISTORY_BLOCKS <= (int)MP_LSTM_MOST_CHANGE_POINT_BLOCKS, "the test sees all blocks");

/* Every run begins with a jump from its initial loads. So a jump within the first YOUNG_STEPS is no level shift: a
 * smaller number shrinks the forecasts of young runs, a larger one misses shifts. */
static const double YOUNG_STEPS = 200;

/* Rows of scratch beside the sums of blocks: a reference and the logarithms of the windows. */
enum { SCRATCH_ROWS = 1 + MP_LSTM_WINDOWS };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void lay_out(void *self, struct arena *arena)
{
    struct lstm_examples *e = self;
    size_t sums = mp_product(MP_LSTM_HISTORY_BLOCKS + SCRATCH_ROWS, e->sample_room), room = e->room;
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

/* Reads all rows side by side, since a panel is much larger than the cache: ten reads are in flight at once. Every sum
 * begins with the first row. */
MP_VECTORISED static void mp_sum_rows(const float *const rows[MP_LSTM_BLOCK_STEPS], size_t n, double *restrict sum)
{
    for (size_t i = 0; i < n; i++) {
        double total = 0;
        for (size_t k = 0; k < MP_LSTM_BLOCK_STEPS; k++)
            total += (double)rows[k][i];
        sum[i] = total;
    }
}

static void sum_block(const struct lstm_sample *sample, size_t block, double *sum)
{
    const float *rows[MP_LSTM_BLOCK_STEPS];
    size_t last = sample->end - 1 - block * MP_LSTM_BLOCK_STEPS;
    for (size_t k = 0; k < MP_LSTM_BLOCK_STEPS; k++)
        rows[k] = mp_panel_row(sample->panel, last - k) + sample->first;
    mp_sum_rows(rows, sample->count, sum);
}

/* sums[block][series], newest first; the oldest block may have fewer steps. */
static void sum_blocks(const struct lstm_sample *sample, size_t steps, double *sums)
{
    size_t n = sample->count;
    for (size_t k = 0; k < steps; k += MP_LSTM_BLOCK_STEPS, sums += n) {
        size_t end = smaller(k + MP_LSTM_BLOCK_STEPS, steps);
        if (!sample->donor && end - k == MP_LSTM_BLOCK_STEPS) {
            sum_block(sample, k / MP_LSTM_BLOCK_STEPS, sums);
            continue;
        }
        memset(sums, 0, n * sizeof *sums);
        for (size_t ago = k + 1; ago <= end; ago++)
            add_step(sample, ago, sums);
    }
}

/* Series of a sample, all of one layer, which become the examples from `at` on. */
struct slice {
    struct lstm_examples *e;
    const struct lstm_sample *sample;
    size_t at, n;
    const double *sums; /* of block b: sums + b * stride */
    size_t stride;
};

/* The number of steps that are seen: where the sample asks for that, those since the last change point. */
static size_t seen_steps(const struct slice *slice, size_t steps)
{
    size_t blocks = steps / MP_LSTM_BLOCK_STEPS, since;
    if (!slice->sample->from_change_point)
        return steps;
    since = mp_lstm_blocks_since_change_point(slice->sums, slice->stride, blocks, slice->n, MP_LSTM_BLOCK_STEPS,
                                              slice->sample->experts, slice->e->scratch);
    return since < blocks ? since * MP_LSTM_BLOCK_STEPS : steps;
}

/* From sum[series] of the last k steps, stores the means of windows of that length, and of longer windows if there are
 * no more steps. */
static void store_window_means(const struct slice *slice, size_t k, size_t steps, const double *sum)
{
    real *means = slice->e->means + slice->at * MP_LSTM_WINDOWS;
    for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
        if (k == mp_lstm_windows[w] || (k == steps && k < mp_lstm_windows[w]))
            for (size_t i = 0; i < slice->n; i++)
                means[i * MP_LSTM_WINDOWS + w] = (real)(sum[i] / (double)k);
}

MP_VECTORISED static void mp_add_terms(double *restrict sum, const double *restrict terms, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += terms[i];
}

static void fill_window_means(const struct slice *slice, size_t steps)
{
    double *sum = slice->e->scratch;
    const double *block = slice->sums;
    memset(sum, 0, slice->n * sizeof *sum);
    for (size_t k = 0; k < steps; block += slice->stride) {
        k = smaller(k + MP_LSTM_BLOCK_STEPS, steps);
        mp_add_terms(sum, block, slice->n);
        store_window_means(slice, k, steps, sum);
    }
}

static real *inputs_of(const struct slice *slice, size_t block)
{
    return slice->e->inputs + (MP_LSTM_INPUT_BLOCKS - 1 - block) * slice->e->series + slice->at;
}

MP_VECTORISED static void mp_divide(const double *restrict sum, double count, real *restrict means, size_t n)
{
    for (size_t i = 0; i < n; i++)
        means[i] = (real)(sum[i] / count);
}

/* Stores the logarithms of whole blocks, the newest block last, and zeros before them. */
static void fill_block_inputs(const struct slice *slice, size_t steps, const double *reference, double *logs)
{
    size_t n = slice->n, blocks = smaller(steps / MP_LSTM_BLOCK_STEPS, MP_LSTM_INPUT_BLOCKS);
    for (size_t b = 0; b < MP_LSTM_INPUT_BLOCKS; b++) {
        real *inputs = inputs_of(slice, b);
        if (b < blocks) {
            mp_divide(slice->sums + b * slice->stride, MP_LSTM_BLOCK_STEPS, inputs, n);
            mp_lstm_log_shares(inputs, logs, n);
            mp_lstm_log_ratios(logs, reference, inputs, n);
        } else {
            memset(inputs, 0, n * sizeof *inputs);
        }
    }
}

static void fill_slice(const struct slice *slice, size_t steps)
{
    struct lstm_examples *e = slice->e;
    const struct lstm_sample *sample = slice->sample;
    size_t at = slice->at, n = slice->n, seen = seen_steps(slice, steps);
    double *reference = e->scratch, *logs = reference + n;
    fill_window_means(slice, seen);
    mp_lstm_fill_features(&(struct lstm_features){e->means + at * MP_LSTM_WINDOWS, n, sample->experts, sample->age,
                                                  logs, reference, e->features + at * MP_LSTM_FEATURES});
    fill_block_inputs(slice, seen, reference, logs);
    for (size_t i = at; i < at + n; i++) {
        e->after_change_point[i] = seen < steps && sample->age > (double)seen + YOUNG_STEPS;
        e->min_load[i] = (real)mp_min_load(sample->experts);
        e->n_targets[i] = 0;
    }
}

/* One pass over the panel sums the blocks of all layers; the rest is computed layer by layer. */
void mp_lstm_fill_inputs(struct lstm_examples *e, size_t at, const struct lstm_sample *sample)
{
    size_t n = sample->count, layer = smaller(n, (size_t)sample->experts);
    size_t steps = smaller(sample->steps, MP_LSTM_LONGEST_WINDOW);
    double *sums = e->scratch + SCRATCH_ROWS * n;
    sum_blocks(sample, steps, sums);
    for (size_t first = 0; first < n; first += layer) {
        struct slice slice = {e, sample, at + first, smaller(layer, n - first), sums + first, n};
        fill_slice(&slice, steps);
    }
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
