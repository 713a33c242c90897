/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/hindsight.h"

#include "api/status.h"
#include "support/simd.h"

/* ---- life -------------------------------------------------------------------------------------------------------- */

static size_t horizon_in_periods(const moep_detector_config *config)
{
    uint64_t periods = config->horizon / config->drift_window;
    return periods < 1 ? 1 : periods < MP_LONGEST_SPAN ? (size_t)periods : MP_LONGEST_SPAN;
}

/* An error needs the means of its span, of its origin and of the period before that. */
static size_t rows(const struct hindsight *hindsight)
{
    return hindsight->span[hindsight->spans - 1] + 2;
}

static void lay_out(void *self, struct arena *arena)
{
    struct hindsight *hindsight = self;
    size_t series = mp_product(hindsight->layers, hindsight->experts);
    hindsight->means = mp_arena_take(arena, series, rows(hindsight) * sizeof *hindsight->means);
    hindsight->sum = mp_arena_take(arena, hindsight->experts, sizeof *hindsight->sum);
    hindsight->came = mp_arena_take(arena, hindsight->experts, sizeof *hindsight->came);
}

static void add_span(struct hindsight *hindsight, size_t span, const moep_detector_config *config)
{
    size_t i = hindsight->spans++;
    hindsight->span[i] = span;
    hindsight->scale[i] = hindsight->growth / mp_growth_to(config, (double)span * config->drift_window);
}

moep_status mp_hindsight_make(struct hindsight *hindsight, size_t layers, size_t experts,
                              const moep_detector_config *config, const struct memory *memory)
{
    size_t horizon = horizon_in_periods(config);
    *hindsight = (struct hindsight){
        .layers = layers, .experts = experts, .period = config->drift_window, .growth = mp_growth(config).drift};
    if (horizon > MP_SHORT_SPAN)
        add_span(hindsight, MP_SHORT_SPAN, config);
    add_span(hindsight, horizon, config);
    if (!mp_arena_make(&hindsight->arena, lay_out, hindsight, memory))
        return mp_out_of_memory("past means: layers x experts x horizon / drift_window is too large");
    return MOEP_OK;
}

void mp_hindsight_free(struct hindsight *hindsight, const struct memory *memory)
{
    mp_arena_free(&hindsight->arena, memory);
}

/* ---- means ------------------------------------------------------------------------------------------------------- */

static struct block_means means_of(const struct hindsight *hindsight, size_t layer)
{
    return (struct block_means){.experts = hindsight->experts,
                                .rows = rows(hindsight),
                                .steps = hindsight->period,
                                .means = hindsight->means + layer * rows(hindsight) * hindsight->experts};
}

void mp_hindsight_end_period(struct hindsight *hindsight, const struct drift *drift)
{
    size_t n = hindsight->experts;
    uint64_t period = mp_drift_blocks_ended(drift) / drift->blocks - 1;
    for (size_t layer = 0; layer < hindsight->layers; layer++) {
        struct block_means means = means_of(hindsight, layer);
        mp_drift_last_means(drift, layer * n, n, hindsight->sum, mp_block_mean(&means, period));
    }
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* The first origin is the end of the second period: p needs the one before it. */
size_t mp_hindsight_spans(const struct hindsight *hindsight, uint64_t periods)
{
    size_t n = 0;
    while (n < hindsight->spans && periods >= hindsight->span[n] + 2)
        n++;
    return n;
}

/* What squared shares are multiplied by, and the part (1 + 1/S) / 2 of V. */
struct scale {
    double predicted, realised, noise;
};

MP_VECTORISED static void mp_hindsight_compare(const float *restrict before, const float *restrict past,
                                               const double *restrict came, const double *restrict noise,
                                               struct scale scale, double *restrict predicted,
                                               double *restrict realised, size_t n)
{
    for (size_t e = 0; e < n; e++) {
        double moved = (double)past[e] - (double)before[e], off = came[e] - (double)past[e];
        predicted[e] = scale.predicted * (moved * moved - noise[e]);
        realised[e] = scale.realised * (off * off - scale.noise * noise[e]);
    }
}

void mp_hindsight_errors(const struct hindsight *hindsight, size_t layer, uint64_t periods, size_t i,
                         const double *noise, double *predicted, double *realised)
{
    size_t n = hindsight->experts, span = hindsight->span[i], steps = span * hindsight->period;
    struct block_origin now = {.blocks = periods};
    double unit = (double)n * (double)n;
    struct scale scale = {unit * hindsight->growth, unit * hindsight->scale[i], (1 + 1 / (double)span) / 2};
    struct block_means means = means_of(hindsight, layer);
    uint64_t past = periods - span - 1;
    mp_window_means(&means, &now, &steps, 1, hindsight->sum, hindsight->came);
    mp_hindsight_compare(mp_block_mean(&means, past - 1), mp_block_mean(&means, past), hindsight->came, noise, scale,
                         predicted, realised, n);
}

/* ---- checkpoint -------------------------------------------------------------------------------------------------- */

void mp_hindsight_fields(struct hindsight *hindsight, struct checkpoint *checkpoint)
{
    mp_field_shares(checkpoint, hindsight->means, rows(hindsight) * hindsight->layers * hindsight->experts);
}
