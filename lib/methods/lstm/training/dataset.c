/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/dataset.h"

enum {
    ORIGINS = MP_LSTM_ORIGINS,
    JUDGED = 2048, /* series of a run to judge by, about */
    SHIFT = 10,
    DOUBLINGS = 8 /* steps since a shift: SHIFT times 1 to 2 times a power of two */
};

/* Parts of the windows that are cut and spliced. More splices cost what is gained where nothing shifts. */
static const double CUT = 0.5, SPLICED = 0.06, AGE_FACTOR = 1.6;

static size_t width_of(const struct run *run)
{
    return run->experts < MP_LSTM_WINDOW_MOST ? run->experts : MP_LSTM_WINDOW_MOST;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The layers of a kind, and the i-th of them. */
static size_t layers_of(const struct lstm_lesson *lesson, bool judged)
{
    size_t layers = lesson->run->layers, every = lesson->every;
    if (every == 0)
        return layers;
    size_t held_out = layers / every + (layers % every > lesson->held_out);
    return judged ? held_out : layers - held_out;
}

static size_t layer_of(const struct lstm_lesson *lesson, bool judged, size_t i)
{
    size_t every = lesson->every, others = every - 1;
    if (every == 0)
        return i;
    return judged ? i * every + lesson->held_out : i / others * every + i % others + (i % others >= lesson->held_out);
}

/* A segment's origins are first .. first + n - 1: with a past before them, and half of the segment or all that a forecast
 * covers after them. */
static size_t first_origin(const struct lstm_segment *segment)
{
    return segment->first > MP_LSTM_LEAST_STEPS ? segment->first : MP_LSTM_LEAST_STEPS;
}

static size_t origins_of(const struct lstm_segment *segment)
{
    size_t first = first_origin(segment), room = segment->last - first;
    return room - smaller(MP_LSTM_HORIZON, room / 2) + 1;
}

static struct lstm_past past_at(const struct run *run, size_t first, size_t count, size_t end)
{
    return (struct lstm_past){.panel = &run->panel,
                              .first = first,
                              .count = count,
                              .end = end,
                              .steps = end,
                              .age = (double)(run->first_step + end),
                              .experts = (double)run->experts,
                              .cut = true};
}

/* ---- training ----------------------------------------------------------------------------------------------------- */

size_t mp_lstm_batch_room(const struct lstm_corpus *corpus)
{
    size_t room = MP_LSTM_BATCH;
    for (size_t i = 0; i < corpus->n; i++)
        if (width_of(corpus->lessons[i].run) > room)
            room = width_of(corpus->lessons[i].run);
    return room;
}

/* Runs differ in how fast they settle. */
static double other_age(double age, struct random *random)
{
    double factor = mp_random_between(random, 1, AGE_FACTOR);
    return mp_random_below(random, 2) ? age * factor : age / factor;
}

/* Half of the time as if the run had begun anywhere before. */
struct lstm_past mp_lstm_draw_origin(const struct lstm_lesson *lesson, struct random *random)
{
    const struct run *run = lesson->run;
    size_t end = first_origin(&lesson->trained) + mp_random_below(random, origins_of(&lesson->trained));
    struct lstm_past past = past_at(run, 0, run->panel.series, end);
    if (mp_random_fraction(random) < CUT) {
        past.steps = MP_LSTM_LEAST_STEPS + mp_random_below(random, end - MP_LSTM_LEAST_STEPS + 1);
        if (mp_random_below(random, 2))
            past.age = (double)past.steps;
    }
    past.age = other_age(past.age, random);
    return past;
}

static size_t draw_series(const struct lstm_lesson *lesson, struct random *random)
{
    const struct run *run = lesson->run;
    size_t layer = layer_of(lesson, false, mp_random_below(random, layers_of(lesson, false)));
    return layer * run->experts + mp_random_below(random, run->experts - width_of(run) + 1);
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
static void splice(const struct lstm_lesson *lesson, struct random *random, struct lstm_past *past, size_t *order)
{
    past->since = (size_t)(SHIFT * mp_random_between(random, 1, 2)) << mp_random_below(random, DOUBLINGS);
    shuffle(random, order, past->count);
    if (past->since >= past->steps)
        return;
    past->before = past->panel;
    past->before_first = past->first;
    past->before_end = past->end;
    past->order = order;
    if (mp_random_below(random, 2))
        return;
    size_t needed = smaller(past->steps, MP_LSTM_LONGEST);
    past->before_first = draw_series(lesson, random);
    past->before_end = needed + mp_random_below(random, lesson->trained.last - needed + 1);
}

void mp_lstm_draw(const struct lstm_corpus *corpus, struct random *random, struct lstm_examples *examples)
{
    struct lstm_past windows[MP_LSTM_BATCH];
    const struct lstm_lesson *lessons[MP_LSTM_BATCH];
    size_t order[MP_LSTM_WINDOW_MOST], n = 0, series = 0;
    while (n < MP_LSTM_BATCH) {
        const struct lstm_lesson *lesson = &corpus->lessons[mp_random_below(random, corpus->n)];
        if (n > 0 && series + width_of(lesson->run) > MP_LSTM_BATCH)
            break;
        lessons[n] = lesson;
        windows[n] = mp_lstm_draw_origin(lesson, random);
        windows[n].first = draw_series(lesson, random);
        windows[n].count = width_of(lesson->run);
        series += windows[n++].count;
    }
    examples->series = series;
    for (size_t i = 0, at = 0; i < n; at += windows[i++].count) {
        if (mp_random_fraction(random) < SPLICED)
            splice(lessons[i], random, &windows[i], order);
        mp_lstm_look_back(examples, at, &windows[i]);
        mp_lstm_look_ahead(examples, at, &windows[i], lessons[i]->trained.last);
    }
}

/* ---- judgement ---------------------------------------------------------------------------------------------------- */

/* Of a run: ORIGINS origins and every held-out layer make a window each; every k-th of them is taken. */
static size_t every_of(const struct lstm_lesson *lesson)
{
    return ORIGINS * layers_of(lesson, true) * width_of(lesson->run) / JUDGED + 1;
}

static size_t taken_of(const struct lstm_lesson *lesson)
{
    return (ORIGINS * layers_of(lesson, true) - 1) / every_of(lesson) + 1;
}

size_t mp_lstm_held_out(const struct lstm_corpus *corpus)
{
    size_t n = 0;
    for (size_t i = 0; i < corpus->n; i++)
        n += taken_of(&corpus->lessons[i]);
    return n;
}

size_t mp_lstm_held_out_series(const struct lstm_corpus *corpus)
{
    size_t n = 0;
    for (size_t i = 0; i < corpus->n; i++)
        n += taken_of(&corpus->lessons[i]) * width_of(corpus->lessons[i].run);
    return n;
}

struct lstm_past mp_lstm_judged_origin(const struct lstm_lesson *lesson, size_t i)
{
    size_t end = first_origin(&lesson->judged) + i * (origins_of(&lesson->judged) - 1) / (ORIGINS - 1);
    return past_at(lesson->run, 0, lesson->run->panel.series, end);
}

/* Window i of those taken of a run. */
static struct lstm_past held_out_window(const struct lstm_lesson *lesson, size_t i)
{
    const struct run *run = lesson->run;
    size_t layers = layers_of(lesson, true), window = i * every_of(lesson);
    struct lstm_past past = mp_lstm_judged_origin(lesson, window / layers);
    past.first = layer_of(lesson, true, window % layers) * run->experts;
    past.count = width_of(run);
    return past;
}

/* The run that window `*window` of all is of; what is left of the number is its own. */
static const struct lstm_lesson *lesson_of(const struct lstm_corpus *corpus, size_t *window)
{
    const struct lstm_lesson *lesson = corpus->lessons;
    for (; *window >= taken_of(lesson); lesson++)
        *window -= taken_of(lesson);
    return lesson;
}

size_t mp_lstm_take_held_out(const struct lstm_corpus *corpus, size_t first, struct lstm_examples *examples)
{
    size_t all = mp_lstm_held_out(corpus), n = 0, series = 0;
    for (; first + n < all; n++) {
        size_t window = first + n, width = width_of(lesson_of(corpus, &window)->run);
        if (series + width > examples->room)
            break;
        series += width;
    }
    examples->series = series;
    for (size_t i = 0, at = 0; i < n; i++) {
        size_t window = first + i;
        const struct lstm_lesson *lesson = lesson_of(corpus, &window);
        struct lstm_past past = held_out_window(lesson, window);
        mp_lstm_look_back(examples, at, &past);
        mp_lstm_look_ahead(examples, at, &past, lesson->judged.last);
        at += past.count;
    }
    return n;
}
