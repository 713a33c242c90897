/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/learning.h"

#include "api/status.h"
#include "support/simd.h"
#include "support/sum.h"

#include <float.h>
#include <string.h>

static const double KEPT = 0.9771599684342459 /* 2^(-1/30) */, PRIOR = 3, LEAST_FACTOR = 0.18, MOST_FACTOR = 5;
static const double MOST_PREDICTED = 8, MOST_REALISED = 2, MOST_RECENT = 1; /* squared tolerances */
static const double MOST_RATIO = 3;                                         /* of e to p */

/* ---- life -------------------------------------------------------------------------------------------------------- */

static size_t horizon_in_periods(const moep_detector_config *config)
{
    uint64_t periods = config->horizon / config->drift_window;
    return periods < 1 ? 1 : periods < MP_LONGEST_SPAN ? (size_t)periods : MP_LONGEST_SPAN;
}

static size_t longest_span(const struct learning *learning)
{
    return learning->span[learning->spans - 1];
}

/* An error needs the means of its span, of its origin and of the period before that. */
static size_t rows_of(size_t longest)
{
    return longest + 2;
}

size_t mp_learning_means_size(size_t layers, size_t experts, const moep_detector_config *config)
{
    size_t rows = mp_learns(config) ? rows_of(horizon_in_periods(config)) : 0;
    return mp_product(mp_product(layers, experts), rows * sizeof(float));
}

static struct lessons lay_out_lessons(struct arena *arena, size_t n)
{
    struct lessons lessons;
    lessons.predicted = mp_arena_take(arena, n, sizeof *lessons.predicted);
    lessons.realised = mp_arena_take(arena, n, sizeof *lessons.realised);
    lessons.recent = mp_arena_take(arena, n, sizeof *lessons.recent);
    return lessons;
}

static void lay_out_scratch(struct learning_scratch *scratch, struct arena *arena, size_t experts)
{
    scratch->sum = mp_arena_take(arena, experts, sizeof *scratch->sum);
    scratch->predicted = mp_arena_take(arena, experts, sizeof *scratch->predicted);
    scratch->realised = mp_arena_take(arena, experts, sizeof *scratch->realised);
    scratch->came = mp_arena_take(arena, experts, MP_SPANS * sizeof *scratch->came);
    scratch->lessons = lay_out_lessons(arena, experts);
}

static void lay_out(void *self, struct arena *arena)
{
    struct learning *learning = self;
    size_t series = mp_product(learning->layers, learning->experts);
    learning->means = mp_arena_take(arena, series, rows_of(longest_span(learning)) * sizeof *learning->means);
    learning->of_layers = lay_out_lessons(arena, learning->layers);
    learning->of_experts = lay_out_lessons(arena, series);
    lay_out_scratch(&learning->scratch, arena, learning->experts);
}

static void choose_spans(struct learning *learning, const moep_detector_config *config)
{
    size_t horizon = horizon_in_periods(config);
    if (horizon > MP_SHORT_SPAN)
        learning->span[learning->spans++] = MP_SHORT_SPAN;
    learning->span[learning->spans++] = horizon;
    for (size_t i = 0; i < learning->spans; i++) {
        double steps = (double)learning->span[i] * config->drift_window;
        learning->scale[i] = learning->growth / mp_growth_to(config, steps);
    }
}

moep_status mp_learning_make(struct learning *learning, size_t layers, size_t experts,
                             const moep_detector_config *config, const struct memory *memory)
{
    *learning = (struct learning){.layers = layers,
                                  .experts = experts,
                                  .period = config->drift_window,
                                  .growth = mp_growth(config).drift,
                                  .tolerance = mp_squared_tolerance(config->tolerance),
                                  .expert_tolerance = mp_squared_tolerance(config->expert_tolerance)};
    if (!mp_learns(config))
        return MOEP_OK;
    choose_spans(learning, config);
    if (!mp_arena_make(&learning->arena, lay_out, learning, memory))
        return mp_out_of_memory("what is learned: layers x experts x horizon / drift_window is too large");
    return MOEP_OK;
}

void mp_learning_free(struct learning *learning, const struct memory *memory)
{
    mp_arena_free(&learning->arena, memory);
}

void mp_learning_reset(struct learning *learning)
{
    mp_arena_clear(&learning->arena);
}

void mp_learning_copy(struct learning *to, const struct learning *from)
{
    mp_arena_copy(&to->arena, &from->arena);
}

/* ---- periods ----------------------------------------------------------------------------------------------------- */

static struct block_means means_of(const struct learning *learning, size_t layer)
{
    size_t rows = rows_of(longest_span(learning));
    return (struct block_means){.experts = learning->experts,
                                .rows = rows,
                                .steps = learning->period,
                                .means = learning->means + layer * rows * learning->experts};
}

void mp_learning_end_period(struct learning *learning, const struct drift *drift)
{
    uint64_t period = mp_drift_blocks_ended(drift) / drift->blocks - 1;
    for (size_t layer = 0; layer < learning->layers && learning->spans > 0; layer++) {
        struct block_means means = means_of(learning, layer);
        mp_drift_last_means(drift, layer * learning->experts, learning->experts, learning->scratch.sum,
                            mp_block_mean(&means, period));
    }
}

/* The number of spans, of which the shortest come first, whose errors have come; origin 0 has no period before it. */
static size_t spans_over(const struct learning *learning, uint64_t periods)
{
    size_t n = 0;
    while (n < learning->spans && periods >= learning->span[n] + 2)
        n++;
    return n;
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* p and e of a layer's experts. scale: E^2 g / g(S); noise_part: (1 + 1/S) / 2. */
struct span_scale {
    double predicted, realised, noise_part;
};

MP_VECTORISED static void mp_compare(const float *restrict before, const float *restrict past,
                                     const double *restrict came, const double *restrict noise,
                                     const struct span_scale *scale, double *restrict predicted,
                                     double *restrict realised, size_t n)
{
    for (size_t e = 0; e < n; e++) {
        double moved = (double)past[e] - (double)before[e], off = came[e] - (double)past[e];
        predicted[e] = scale->predicted * (moved * moved - noise[e]);
        realised[e] = scale->realised * (off * off - scale->noise_part * noise[e]);
    }
}

/* Adds the errors of a span to the lessons of n series, p and e as far as they count. */
MP_VECTORISED static void mp_add_errors(double *restrict predicted, double *restrict realised, double *restrict recent,
                                        const double *restrict p, const double *restrict e, double tolerance, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double tolerated = MOST_REALISED * tolerance;
        double most = MOST_RATIO * p[i] > tolerated ? MOST_RATIO * p[i] : tolerated;
        predicted[i] += p[i] < MOST_PREDICTED * tolerance ? p[i] : MOST_PREDICTED * tolerance;
        realised[i] += e[i] < most ? e[i] : most;
        recent[i] += e[i] < MOST_RECENT * tolerance ? e[i] : MOST_RECENT * tolerance;
    }
}

static void add_errors(const struct lessons *to, const double *p, const double *e, double tolerance, size_t n)
{
    mp_add_errors(to->predicted, to->realised, to->recent, p, e, tolerance, n);
}

MP_VECTORISED static double mp_total(const double *values, size_t n)
{
    double sum;
    MP_SUM(sum, i, n, values[i]);
    return sum;
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

/* Takes what the errors of `spans` spans add. The first errors of all are r itself. */
MP_VECTORISED static void mp_update(double *restrict predicted, double *restrict realised, double *restrict recent,
                                    const struct lessons *added, double spans, bool first, size_t n)
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
    mp_update(lessons->predicted + at, lessons->realised + at, lessons->recent + at, added, (double)spans, first, n);
}

static void clear(const struct lessons *lessons, size_t n)
{
    memset(lessons->predicted, 0, n * sizeof *lessons->predicted);
    memset(lessons->realised, 0, n * sizeof *lessons->realised);
    memset(lessons->recent, 0, n * sizeof *lessons->recent);
}

/* Adds the errors of span i to the layer's lessons, and those of its experts to the scratch. */
static void add_span(const struct learning *learning, const struct block_means *means, uint64_t periods, size_t i,
                     const double *noise, const struct lessons *of_layer)
{
    size_t n = learning->experts;
    double experts = (double)n, span = (double)learning->span[i];
    const struct learning_scratch *scratch = &learning->scratch;
    struct span_scale scale = {experts * experts * learning->growth, experts * experts * learning->scale[i],
                               (1 + 1 / span) / 2};
    uint64_t past = periods - learning->span[i] - 1;
    mp_compare(mp_block_mean(means, past - 1), mp_block_mean(means, past), scratch->came + i * n, noise, &scale,
               scratch->predicted, scratch->realised, n);
    double p = mp_total(scratch->predicted, n) / experts, e = mp_total(scratch->realised, n) / experts;
    add_errors(of_layer, &p, &e, learning->tolerance, 1);
    add_errors(&scratch->lessons, scratch->predicted, scratch->realised, learning->expert_tolerance, n);
}

/* The means of the newest periods, as many as each span has. */
static void fill_came(const struct learning *learning, const struct block_means *means, uint64_t periods, size_t spans)
{
    size_t steps[MP_SPANS];
    struct block_origin now = {.blocks = periods};
    for (size_t i = 0; i < spans; i++)
        steps[i] = learning->span[i] * learning->period;
    mp_window_means(means, &now, steps, spans, learning->scratch.sum, learning->scratch.came);
}

void mp_learning_learn(struct learning *learning, size_t layer, uint64_t periods, const double *noise)
{
    size_t n = learning->experts, spans = spans_over(learning, periods);
    if (spans == 0)
        return;
    struct block_means means = means_of(learning, layer);
    double sums[3] = {0};
    struct lessons of_layer = {&sums[0], &sums[1], &sums[2]};
    bool first = periods == learning->span[0] + 2;
    fill_came(learning, &means, periods, spans);
    clear(&learning->scratch.lessons, n);
    for (size_t i = 0; i < spans; i++)
        add_span(learning, &means, periods, i, noise, &of_layer);
    update(&learning->of_layers, layer, &of_layer, spans, first, 1);
    update(&learning->of_experts, layer * n, &learning->scratch.lessons, spans, first, n);
}

/* ---- what has been learned --------------------------------------------------------------------------------------- */

static inline double factor_of(double predicted, double realised, double prior, double tolerance)
{
    double above = (realised > 0 ? realised : 0) + PRIOR * tolerance * prior;
    double factor = above / ((predicted > 0 ? predicted : 0) + PRIOR * tolerance);
    factor = factor > LEAST_FACTOR ? factor : LEAST_FACTOR;
    return factor < MOST_FACTOR ? factor : MOST_FACTOR;
}

MP_VECTORISED static void mp_fill_factors(double *restrict factor, const double *restrict predicted,
                                          const double *restrict realised, double prior, double tolerance, size_t n)
{
    for (size_t i = 0; i < n; i++)
        factor[i] = factor_of(predicted[i], realised[i], prior, tolerance);
}

struct learned mp_learned_of_layer(const struct learning *learning, size_t layer, uint64_t periods)
{
    const struct lessons *lessons = &learning->of_layers;
    if (spans_over(learning, periods) == 0)
        return (struct learned){false, 1, 0};
    return (struct learned){true,
                            factor_of(lessons->predicted[layer], lessons->realised[layer], 1, learning->tolerance),
                            lessons->recent[layer]};
}

struct learned_experts mp_learned_of_experts(const struct learning *learning, size_t layer, uint64_t periods,
                                             double *factor)
{
    size_t n = learning->experts, first = layer * n;
    const struct lessons *lessons = &learning->of_experts;
    struct learned of_layer = mp_learned_of_layer(learning, layer, periods);
    if (of_layer.any)
        mp_fill_factors(factor, lessons->predicted + first, lessons->realised + first, of_layer.factor,
                        learning->expert_tolerance, n);
    for (size_t e = 0; e < n && !of_layer.any; e++)
        factor[e] = 1;
    return (struct learned_experts){of_layer.any, factor, lessons->recent + first};
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
    size_t series = learning->layers * learning->experts;
    if (learning->spans == 0)
        return;
    mp_field_shares(checkpoint, learning->means, rows_of(longest_span(learning)) * series);
    lessons_fields(&learning->of_layers, checkpoint, learning->tolerance, learning->layers);
    lessons_fields(&learning->of_experts, checkpoint, learning->expert_tolerance, series);
}
