/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/dataset.h"

enum {
    ORIGINS = MP_LSTM_VALIDATION_ORIGINS,
    VALIDATION_SERIES = 2048, /* series of a run to evaluate by, about */
    SHIFT = 10,
    DOUBLINGS = 8 /* steps since a shift: SHIFT times 1 to 2 times a power of two */
};

/* Parts of the windows that are cut and spliced. More splices cost what is gained where nothing shifts. */
static const double TRUNCATE_FRACTION = 0.5, SPLICE_FRACTION = 0.06, MAX_AGE_FACTOR = 1.6;

static size_t sample_width(const struct run *run)
{
    return run->experts < MP_LSTM_MOST_SAMPLE_SERIES ? run->experts : MP_LSTM_MOST_SAMPLE_SERIES;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The layers of a kind, and the i-th of them. */
static size_t layers_of(const struct lstm_split *split, bool validation)
{
    size_t layers = split->run->layers, every = split->every;
    if (every == 0)
        return layers;
    size_t held_out = layers / every + (layers % every > split->held_out);
    return validation ? held_out : layers - held_out;
}

static size_t layer_of(const struct lstm_split *split, bool validation, size_t i)
{
    size_t every = split->every, others = every - 1;
    if (every == 0)
        return i;
    return validation ? i * every + split->held_out : i / others * every + i % others + (i % others >= split->held_out);
}

/* A segment's origins are first .. first + n - 1: with a past before them, and half of the segment or all that a forecast
 * covers after them. */
static size_t first_origin(const struct lstm_segment *segment)
{
    return segment->first > MP_LSTM_MIN_STEPS ? segment->first : MP_LSTM_MIN_STEPS;
}

static size_t origins_of(const struct lstm_segment *segment)
{
    size_t first = first_origin(segment), room = segment->last - first;
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

/* ---- training ----------------------------------------------------------------------------------------------------- */

size_t mp_lstm_batch_room(const struct lstm_dataset *dataset)
{
    size_t room = MP_LSTM_BATCH_SERIES;
    for (size_t i = 0; i < dataset->n; i++)
        if (sample_width(dataset->splits[i].run) > room)
            room = sample_width(dataset->splits[i].run);
    return room;
}

/* Runs differ in how fast they settle. */
static double augment_age(double age, struct random *random)
{
    double factor = mp_random_between(random, 1, MAX_AGE_FACTOR);
    return mp_random_below(random, 2) ? age * factor : age / factor;
}

/* Half of the time as if the run had begun anywhere before. */
struct lstm_sample mp_lstm_draw_sample(const struct lstm_split *split, struct random *random)
{
    const struct run *run = split->run;
    size_t end = first_origin(&split->train) + mp_random_below(random, origins_of(&split->train));
    struct lstm_sample sample = sample_at(run, 0, run->panel.series, end);
    if (mp_random_fraction(random) < TRUNCATE_FRACTION) {
        sample.steps = MP_LSTM_MIN_STEPS + mp_random_below(random, end - MP_LSTM_MIN_STEPS + 1);
        if (mp_random_below(random, 2))
            sample.age = (double)sample.steps;
    }
    sample.age = augment_age(sample.age, random);
    return sample;
}

static size_t draw_series(const struct lstm_split *split, struct random *random)
{
    const struct run *run = split->run;
    size_t layer = layer_of(split, false, mp_random_below(random, layers_of(split, false)));
    return layer * run->experts + mp_random_below(random, run->experts - sample_width(run) + 1);
}

static void shuffle(struct random *random, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = mp_random_below(random, i), moved = order[i - 1];
        order[i - 1] = order[j];
        order[j] = moved;
    }
}

/* Experts change places; half of the time the older part is also of another layer and another time. */
static void splice(const struct lstm_split *split, struct random *random, struct lstm_sample *sample, size_t *order)
{
    sample->splice_steps = (size_t)(SHIFT * mp_random_between(random, 1, 2)) << mp_random_below(random, DOUBLINGS);
    shuffle(random, order, sample->count);
    if (sample->splice_steps >= sample->steps)
        return;
    sample->donor = sample->panel;
    sample->donor_first = sample->first;
    sample->donor_end = sample->end;
    sample->permutation = order;
    if (mp_random_below(random, 2))
        return;
    size_t needed = smaller(sample->steps, MP_LSTM_LONGEST_WINDOW);
    sample->donor_first = draw_series(split, random);
    sample->donor_end = needed + mp_random_below(random, split->train.last - needed + 1);
}

void mp_lstm_draw_minibatch(const struct lstm_dataset *dataset, struct random *random, struct lstm_examples *examples)
{
    struct lstm_sample windows[MP_LSTM_BATCH_SERIES];
    const struct lstm_split *splits[MP_LSTM_BATCH_SERIES];
    size_t order[MP_LSTM_MOST_SAMPLE_SERIES], n = 0, series = 0;
    while (n < MP_LSTM_BATCH_SERIES) {
        const struct lstm_split *split = &dataset->splits[mp_random_below(random, dataset->n)];
        if (n > 0 && series + sample_width(split->run) > MP_LSTM_BATCH_SERIES)
            break;
        splits[n] = split;
        windows[n] = mp_lstm_draw_sample(split, random);
        windows[n].first = draw_series(split, random);
        windows[n].count = sample_width(split->run);
        series += windows[n++].count;
    }
    examples->series = series;
    for (size_t i = 0, at = 0; i < n; at += windows[i++].count) {
        if (mp_random_fraction(random) < SPLICE_FRACTION)
            splice(splits[i], random, &windows[i], order);
        mp_lstm_fill_inputs(examples, at, &windows[i]);
        mp_lstm_fill_targets(examples, at, &windows[i], splits[i]->train.last);
    }
}

/* ---- judgement ---------------------------------------------------------------------------------------------------- */

/* Of a run: ORIGINS origins and every held-out layer make a window each; every k-th of them is taken. */
static size_t validation_stride(const struct lstm_split *split)
{
    return ORIGINS * layers_of(split, true) * sample_width(split->run) / VALIDATION_SERIES + 1;
}

static size_t n_validation_samples(const struct lstm_split *split)
{
    return (ORIGINS * layers_of(split, true) - 1) / validation_stride(split) + 1;
}

size_t mp_lstm_validation_samples(const struct lstm_dataset *dataset)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n; i++)
        n += n_validation_samples(&dataset->splits[i]);
    return n;
}

size_t mp_lstm_validation_series(const struct lstm_dataset *dataset)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->n; i++)
        n += n_validation_samples(&dataset->splits[i]) * sample_width(dataset->splits[i].run);
    return n;
}

struct lstm_sample mp_lstm_validation_sample(const struct lstm_split *split, size_t i)
{
    size_t end = first_origin(&split->validation) + i * (origins_of(&split->validation) - 1) / (ORIGINS - 1);
    return sample_at(split->run, 0, split->run->panel.series, end);
}

/* Window i of those taken of a run. */
static struct lstm_sample validation_sample(const struct lstm_split *split, size_t i)
{
    const struct run *run = split->run;
    size_t layers = layers_of(split, true), window = i * validation_stride(split);
    struct lstm_sample sample = mp_lstm_validation_sample(split, window / layers);
    sample.first = layer_of(split, true, window % layers) * run->experts;
    sample.count = sample_width(run);
    return sample;
}

/* The run that window `*window` of all is of; what is left of the number is its own. */
static const struct lstm_split *split_of(const struct lstm_dataset *dataset, size_t *window)
{
    const struct lstm_split *split = dataset->splits;
    for (; *window >= n_validation_samples(split); split++)
        *window -= n_validation_samples(split);
    return split;
}

size_t mp_lstm_fill_validation(const struct lstm_dataset *dataset, size_t first, struct lstm_examples *examples)
{
    size_t all = mp_lstm_validation_samples(dataset), n = 0, series = 0;
    for (; first + n < all; n++) {
        size_t window = first + n, width = sample_width(split_of(dataset, &window)->run);
        if (series + width > examples->room)
            break;
        series += width;
    }
    examples->series = series;
    for (size_t i = 0, at = 0; i < n; i++) {
        size_t window = first + i;
        const struct lstm_split *split = split_of(dataset, &window);
        struct lstm_sample sample = validation_sample(split, window);
        mp_lstm_fill_inputs(examples, at, &sample);
        mp_lstm_fill_targets(examples, at, &sample, split->validation.last);
        at += sample.count;
    }
    return n;
}
