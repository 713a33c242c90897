/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/dataset.h"

/* A validation takes about this many series of each run: their forward passes cost as much as seven updates do. */
enum { VALIDATION_SERIES = 2048 };

/* Where a splice lies: (10 .. 20) 2^j steps ago, j = 0 .. 7, so every scale up to the longest window is as frequent. */
enum { SPLICE_STEPS = 10, SPLICE_SCALES = 8 };

/* Half of the samples are truncated: young runs are as frequent as old ones. 1 in 16 is spliced: the loss of the
 * shipped weights (tests/bench/run.sh lstm_weights) is 0.0351 without splices, 0.0348 with these, 0.0366 if a quarter
 * is spliced. Ages are scaled by up to 1.6, for runs that settle faster or slower; on the runs trained on that makes no
 * difference. */
static const double TRUNCATED = 0.5, SPLICED = 0.06, MAX_AGE_FACTOR = 1.6;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t sample_width(const struct run *run)
{
    return smaller(run->experts, MP_LSTM_MOST_SAMPLE_SERIES);
}

/* ---- layers and origins ------------------------------------------------------------------------------------------ */

static size_t validation_layers(const struct lstm_split *split)
{
    size_t layers = split->run->layers, every = split->every;
    return every == 0 ? layers : layers / every + (layers % every > split->held_out);
}

static size_t training_layers(const struct lstm_split *split)
{
    size_t layers = split->run->layers;
    return split->every == 0 ? layers : layers - validation_layers(split);
}

static size_t validation_layer(const struct lstm_split *split, size_t i)
{
    return split->every == 0 ? i : i * split->every + split->held_out;
}

/* Of each `every` layers, every - 1 are for training: those before held_out, and those after it. */
static size_t training_layer(const struct lstm_split *split, size_t i)
{
    size_t every = split->every, others = every - 1;
    return every == 0 ? i : i / others * every + i % others + (i % others >= split->held_out);
}

/* A segment's origins are first .. first + n - 1. Before an origin lie MP_LSTM_MIN_STEPS of the run or more; after
 * it, all targets or half of the segment. */
static size_t first_origin(const struct lstm_segment *segment)
{
    return segment->first > MP_LSTM_MIN_STEPS ? segment->first : MP_LSTM_MIN_STEPS;
}

static size_t n_origins(const struct lstm_segment *segment)
{
    size_t room = segment->last - first_origin(segment);
    return room - smaller(MP_LSTM_HORIZON, room / 2) + 1;
}

static struct lstm_sample sample_at(const struct run *run, size_t first, size_t count, size_t end)
{
    return (struct lstm_sample){.panel = &run->panel,
                                .first = first,
                                .count = count,
                                .end = end,
                                .steps = end,
                                .age = (double)(run->first_step + end),
                                .experts = (double)run->experts,
                                .from_change_point = true};
}

/* ---- training ---------------------------------------------------------------------------------------------------- */

size_t mp_lstm_batch_room(const struct lstm_dataset *dataset)
{
    size_t room = MP_LSTM_BATCH_SERIES;
    for (size_t i = 0; i < dataset->n; i++)
        if (sample_width(dataset->splits[i].run) > room)
            room = sample_width(dataset->splits[i].run);
    return room;
}

static double augment_age(double age, struct random *random)
{
    double factor = mp_random_between(random, 1, MAX_AGE_FACTOR);
    return mp_random_below(random, 2) ? age * factor : age / factor;
}

/* A truncated sample is of a run that began later, or of an old one whose earlier steps were not recorded. */
struct lstm_sample mp_lstm_draw_sample(const struct lstm_split *split, struct random *random)
{
    const struct run *run = split->run;
    size_t end = first_origin(&split->train) + mp_random_below(random, n_origins(&split->train));
    struct lstm_sample sample = sample_at(run, 0, run->panel.series, end);
    if (mp_random_fraction(random) < TRUNCATED) {
        sample.steps = MP_LSTM_MIN_STEPS + mp_random_below(random, end - MP_LSTM_MIN_STEPS + 1);
        if (mp_random_below(random, 2))
            sample.age = (double)sample.steps;
    }
    sample.age = augment_age(sample.age, random);
    return sample;
}

/* The first series of a sample of one layer. */
static size_t draw_series(const struct lstm_split *split, struct random *random)
{
    const struct run *run = split->run;
    size_t layer = training_layer(split, mp_random_below(random, training_layers(split)));
    return layer * run->experts + mp_random_below(random, run->experts - sample_width(run) + 1);
}

/* The algorithm of Fisher and Yates. */
static void shuffle(struct random *random, size_t *permutation, size_t n)
{
    for (size_t i = 0; i < n; i++)
        permutation[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = mp_random_below(random, i), moved = permutation[i - 1];
        permutation[i - 1] = permutation[j];
        permutation[j] = moved;
    }
}

/* In the older part, experts have other places. In half of the splices that part comes from another layer and time. */
static void splice(const struct lstm_split *split, struct random *random, struct lstm_sample *sample,
                   size_t *permutation)
{
    sample->splice_steps = (size_t)(SPLICE_STEPS * mp_random_between(random, 1, 2))
                           << mp_random_below(random, SPLICE_SCALES);
    shuffle(random, permutation, sample->count);
    if (sample->splice_steps >= sample->steps)
        return;
    sample->donor = sample->panel;
    sample->donor_first = sample->first;
    sample->donor_end = sample->end;
    sample->permutation = permutation;
    if (mp_random_below(random, 2))
        return;
    size_t needed = smaller(sample->steps, MP_LSTM_LONGEST_WINDOW);
    sample->donor_first = draw_series(split, random);
    sample->donor_end = needed + mp_random_below(random, split->train.last - needed + 1);
}

/* Draws samples until the next one would exceed MP_LSTM_BATCH_SERIES, but at least one; returns their number. */
static size_t draw_samples(const struct lstm_dataset *dataset, struct random *random, struct lstm_sample *samples,
                           const struct lstm_split **splits, size_t *series)
{
    size_t n = 0;
    for (*series = 0; n < MP_LSTM_BATCH_SERIES; *series += samples[n++].count) {
        const struct lstm_split *split = &dataset->splits[mp_random_below(random, dataset->n)];
        if (n > 0 && *series + sample_width(split->run) > MP_LSTM_BATCH_SERIES)
            break;
        splits[n] = split;
        samples[n] = mp_lstm_draw_sample(split, random);
        samples[n].first = draw_series(split, random);
        samples[n].count = sample_width(split->run);
    }
    return n;
}

void mp_lstm_draw_minibatch(const struct lstm_dataset *dataset, struct random *random, struct lstm_examples *examples)
{
    struct lstm_sample samples[MP_LSTM_BATCH_SERIES];
    const struct lstm_split *splits[MP_LSTM_BATCH_SERIES];
    size_t permutation[MP_LSTM_MOST_SAMPLE_SERIES],
        n = draw_samples(dataset, random, samples, splits, &examples->series);
    for (size_t i = 0, at = 0; i < n; at += samples[i++].count) {
        if (mp_random_fraction(random) < SPLICED)
            splice(splits[i], random, &samples[i], permutation);
        mp_lstm_fill_inputs(examples, at, &samples[i]);
        mp_lstm_fill_targets(examples, at, &samples[i], splits[i]->train.last);
    }
}

/* ---- validation -------------------------------------------------------------------------------------------------- */

struct lstm_sample mp_lstm_validation_sample(const struct lstm_split *split, size_t i)
{
    size_t last = n_origins(&split->validation) - 1;
    size_t end = first_origin(&split->validation) + i * last / (MP_LSTM_VALIDATION_ORIGINS - 1);
    return sample_at(split->run, 0, split->run->panel.series, end);
}

/* Every origin and validation layer of a run make a sample; the set has every stride-th of these. */
static size_t stride_of(const struct lstm_split *split)
{
    size_t series = MP_LSTM_VALIDATION_ORIGINS * validation_layers(split) * sample_width(split->run);
    return series / VALIDATION_SERIES + 1;
}

static size_t samples_of(const struct lstm_split *split)
{
    return (MP_LSTM_VALIDATION_ORIGINS * validation_layers(split) - 1) / stride_of(split) + 1;
}

size_t mp_lstm_validation_samples(const struct lstm_dataset *dataset)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n; i++)
        n += samples_of(&dataset->splits[i]);
    return n;
}

size_t mp_lstm_validation_series(const struct lstm_dataset *dataset)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n; i++)
        n += samples_of(&dataset->splits[i]) * sample_width(dataset->splits[i].run);
    return n;
}

/* The i-th sample of a run. */
static struct lstm_sample layer_sample(const struct lstm_split *split, size_t i)
{
    const struct run *run = split->run;
    size_t layers = validation_layers(split), number = i * stride_of(split);
    struct lstm_sample sample = mp_lstm_validation_sample(split, number / layers);
    sample.first = validation_layer(split, number % layers) * run->experts;
    sample.count = sample_width(run);
    return sample;
}

/* The split that sample *number of the whole set belongs to; *number becomes the sample's number within it. */
static const struct lstm_split *split_of(const struct lstm_dataset *dataset, size_t *number)
{
    const struct lstm_split *split = dataset->splits;
    for (; *number >= samples_of(split); split++)
        *number -= samples_of(split);
    return split;
}

/* The number of samples, from `first` on, for which there is room; adds up their series. */
static size_t fit_samples(const struct lstm_dataset *dataset, size_t first, size_t room, size_t *series)
{
    size_t all = mp_lstm_validation_samples(dataset), n = 0;
    for (*series = 0; first + n < all; n++) {
        size_t number = first + n, width = sample_width(split_of(dataset, &number)->run);
        if (*series + width > room)
            break;
        *series += width;
    }
    return n;
}

size_t mp_lstm_fill_validation(const struct lstm_dataset *dataset, size_t first, struct lstm_examples *examples)
{
    size_t n = fit_samples(dataset, first, examples->room, &examples->series);
    for (size_t i = 0, at = 0; i < n; i++) {
        size_t number = first + i;
        const struct lstm_split *split = split_of(dataset, &number);
        struct lstm_sample sample = layer_sample(split, number);
        mp_lstm_fill_inputs(examples, at, &sample);
        mp_lstm_fill_targets(examples, at, &sample, split->validation.last);
        at += sample.count;
    }
    return n;
}
