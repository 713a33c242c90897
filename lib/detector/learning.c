/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/learning.h"

#include "api/status.h"
#include "support/simd.h"
#include "support/sum.h"

#include <float.h>
#include <string.h>

static const double KEPT = 0.9659363289248456 /* 2^(-1/20) */, PRIOR = 3, LEAST_FACTOR = 0.18, MOST_FACTOR = 5;
static const double MOST_PREDICTED = 8, MOST_REALISED = 2, MOST_RECENT = 1.5; /* squared tolerances */
static const double MOST_RATIO = 3;                                           /* of e to p */

/* ---- life -------------------------------------------------------------------------------------------------------- */

static struct lessons lay_out_lessons(struct arena *arena, size_t n)
{
    struct lessons lessons;
    lessons.predicted = mp_arena_take(arena, n, sizeof *lessons.predicted);
    lessons.realised = mp_arena_take(arena, n, sizeof *lessons.realised);
    lessons.recent = mp_arena_take(arena, n, sizeof *lessons.recent);
    return lessons;
}

static void lay_out(void *self, struct arena *arena)
{
    struct learning *learning = self;
    size_t layers = learning->hindsight.layers, experts = learning->hindsight.experts;
    learning->of_layers = lay_out_lessons(arena, layers);
    learning->of_experts = lay_out_lessons(arena, mp_product(layers, experts));
    learning->added = lay_out_lessons(arena, experts);
    learning->predicted = mp_arena_take(arena, experts, sizeof *learning->predicted);
    learning->realised = mp_arena_take(arena, experts, sizeof *learning->realised);
}

moep_status mp_learning_make(struct learning *learning, size_t layers, size_t experts,
                             const moep_detector_config *config, const struct memory *memory)
{
    *learning = (struct learning){.enabled = mp_learns(config),
                                  .tolerance = mp_squared_tolerance(config->tolerance),
                                  .expert_tolerance = mp_squared_tolerance(config->expert_tolerance)};
    if (!learning->enabled)
        return MOEP_OK;
    moep_status status = mp_hindsight_make(&learning->hindsight, layers, experts, config, memory);
    if (status == MOEP_OK && !mp_arena_make(&learning->arena, lay_out, learning, memory))
        status = mp_out_of_memory("what is learned: layers x experts is too large");
    return status;
}

void mp_learning_free(struct learning *learning, const struct memory *memory)
{
    mp_arena_free(&learning->arena, memory);
    mp_hindsight_free(&learning->hindsight, memory);
}

void mp_learning_reset(struct learning *learning)
{
    learning->errors = 0;
    mp_arena_clear(&learning->arena);
    mp_arena_clear(&learning->hindsight.arena);
}

void mp_learning_copy(struct learning *to, const struct learning *from)
{
    to->errors = from->errors;
    mp_arena_copy(&to->arena, &from->arena);
    mp_arena_copy(&to->hindsight.arena, &from->hindsight.arena);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* Adds the errors of a span to the lessons of n series, p and e as far as they count. */
MP_VECTORISED static void mp_learning_add(double *restrict predicted, double *restrict realised,
                                          double *restrict recent, const double *restrict p, const double *restrict e,
                                          double tolerance, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double counted = p[i] < MOST_PREDICTED * tolerance ? p[i] : MOST_PREDICTED * tolerance;
        double tolerated = MOST_REALISED * tolerance;
        double most = MOST_RATIO * counted > tolerated ? MOST_RATIO * counted : tolerated;
        predicted[i] += counted;
        realised[i] += e[i] < most ? e[i] : most;
        recent[i] += e[i] < MOST_RECENT * tolerance ? e[i] : MOST_RECENT * tolerance;
    }
}

static void add_errors(const struct lessons *to, const double *p, const double *e, double tolerance, size_t n)
{
    mp_learning_add(to->predicted, to->realised, to->recent, p, e, tolerance, n);
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* Takes what the errors of `spans` spans add. The first errors of all are r itself. */
MP_VECTORISED static void mp_learning_update(double *restrict predicted, double *restrict realised,
                                             double *restrict recent, const struct lessons *added, double spans,
                                             bool first, size_t n)
{
    const double *restrict of_predicted = added->predicted, *restrict of_realised = added->realised;
    const double *restrict of_recent = added->recent;
    double kept = first ? 0 : 0.5, part = (1 - kept) / spans;
    for (size_t i = 0; i < n; i++) {
        predicted[i] = KEPT * predicted[i] + of_predicted[i];
        realised[i] = KEPT * realised[i] + of_realised[i];
        recent[i] = kept * recent[i] + part * of_recent[i];
    }
}

static void update(const struct lessons *lessons, size_t at, const struct lessons *added, size_t spans, bool first,
                   size_t n)
{
    mp_learning_update(lessons->predicted + at, lessons->realised + at, lessons->recent + at, added, (double)spans,
                       first, n);
}

static void clear(const struct lessons *lessons, size_t n)
{
    memset(lessons->predicted, 0, n * sizeof *lessons->predicted);
    memset(lessons->realised, 0, n * sizeof *lessons->realised);
    memset(lessons->recent, 0, n * sizeof *lessons->recent);
}

MP_VECTORISED static double mp_learning_total(const double *values, size_t n)
{
    double sum;
    MP_SUM(sum, i, n, values[i]);
    return sum;
}

/* Adds the errors of span i to the layer's lessons, and those of its experts to learning->added. */
static void add_span(const struct learning *learning, size_t layer, uint64_t periods, size_t i, const double *noise,
                     const struct lessons *of_layer)
{
    size_t n = learning->hindsight.experts;
    mp_hindsight_errors(&learning->hindsight, layer, periods, i, noise, learning->predicted, learning->realised);
    double p = mp_learning_total(learning->predicted, n) / (double)n,
           e = mp_learning_total(learning->realised, n) / (double)n;
    add_errors(of_layer, &p, &e, learning->tolerance, 1);
    add_errors(&learning->added, learning->predicted, learning->realised, learning->expert_tolerance, n);
}

static void learn(struct learning *learning, size_t layer, uint64_t periods, size_t spans, const double *noise)
{
    size_t n = learning->hindsight.experts;
    double sums[3] = {0};
    struct lessons of_layer = {&sums[0], &sums[1], &sums[2]};
    bool first = learning->errors == (double)spans; /* none has come before */
    clear(&learning->added, n);
    for (size_t i = 0; i < spans; i++)
        add_span(learning, layer, periods, i, noise, &of_layer);
    update(&learning->of_layers, layer, &of_layer, spans, first, 1);
    update(&learning->of_experts, layer * n, &learning->added, spans, first, n);
}

static size_t spans_over(const struct learning *learning, uint64_t periods)
{
    return learning->enabled ? mp_hindsight_spans(&learning->hindsight, periods) : 0;
}

void mp_learning_learn(struct learning *learning, size_t layer, uint64_t periods, const double *noise)
{
    size_t spans = spans_over(learning, periods);
    if (spans > 0)
        learn(learning, layer, periods, spans, noise);
}

void mp_learning_end_period(struct learning *learning, const struct drift *drift)
{
    if (!learning->enabled)
        return;
    uint64_t periods = mp_drift_blocks_ended(drift) / drift->blocks;
    mp_hindsight_end_period(&learning->hindsight, drift);
    learning->errors = KEPT * learning->errors + (double)spans_over(learning, periods);
}

/* ---- what has been learned --------------------------------------------------------------------------------------- */

static inline double factor_of(double predicted, double realised, double prior, double tolerance)
{
    double above = (realised > 0 ? realised : 0) + PRIOR * tolerance * prior;
    double factor = above / ((predicted > 0 ? predicted : 0) + PRIOR * tolerance);
    factor = factor > LEAST_FACTOR ? factor : LEAST_FACTOR;
    return factor < MOST_FACTOR ? factor : MOST_FACTOR;
}

static inline double usual_of(double predicted, double errors)
{
    return (predicted > 0 ? predicted : 0) / errors;
}

MP_VECTORISED static void mp_learning_fill(double *restrict factor, double *restrict usual,
                                           const double *restrict predicted, const double *restrict realised,
                                           double prior, double tolerance, double errors, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        factor[i] = factor_of(predicted[i], realised[i], prior, tolerance);
        usual[i] = usual_of(predicted[i], errors);
    }
}

struct learned mp_learned_of_layer(const struct learning *learning, size_t layer, uint64_t periods)
{
    if (spans_over(learning, periods) == 0)
        return (struct learned){.factor = 1};
    double predicted = learning->of_layers.predicted[layer], realised = learning->of_layers.realised[layer];
    return (struct learned){true, factor_of(predicted, realised, 1, learning->tolerance),
                            learning->of_layers.recent[layer], usual_of(predicted, learning->errors)};
}

struct learned_experts mp_learned_of_experts(const struct learning *learning, size_t layer, uint64_t periods, size_t n,
                                             double *factor, double *usual)
{
    const struct lessons *lessons = &learning->of_experts;
    struct learned of_layer = mp_learned_of_layer(learning, layer, periods);
    if (!of_layer.any)
        return (struct learned_experts){0};
    mp_learning_fill(factor, usual, lessons->predicted + layer * n, lessons->realised + layer * n, of_layer.factor,
                     learning->expert_tolerance, learning->errors, n);
    return (struct learned_experts){true, factor, lessons->recent + layer * n, usual};
}

/* ---- checkpoint -------------------------------------------------------------------------------------------------- */

static void lessons_fields(const struct lessons *lessons, struct checkpoint *checkpoint, double tolerance, size_t n)
{
    mp_field_doubles(checkpoint, lessons->predicted, n, -DBL_MAX, DBL_MAX);
    mp_field_doubles(checkpoint, lessons->realised, n, -DBL_MAX, DBL_MAX);
    mp_field_doubles(checkpoint, lessons->recent, n, -DBL_MAX, MOST_RECENT * tolerance);
}

void mp_learning_fields(struct learning *learning, struct checkpoint *checkpoint)
{
    size_t layers = learning->hindsight.layers, series = layers * learning->hindsight.experts;
    if (!learning->enabled)
        return;
    mp_field_doubles(checkpoint, &learning->errors, 1, 0, DBL_MAX);
    mp_hindsight_fields(&learning->hindsight, checkpoint);
    lessons_fields(&learning->of_layers, checkpoint, learning->tolerance, layers);
    lessons_fields(&learning->of_experts, checkpoint, learning->expert_tolerance, series);
}
