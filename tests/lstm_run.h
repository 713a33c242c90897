/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs for the tests of the LSTM's parts. */
#ifndef TESTS_LSTM_RUN_H
#define TESTS_LSTM_RUN_H

#include "support.h"

#include "methods/method.h"
#include "methods/lstm/features/examples.h"

static const struct memory plain_memory = {mp_default_allocate, mp_default_release, NULL};

static inline double fraction(uint64_t *state)
{
    return (double)(random_number(state) >> 40) * 0x1p-24;
}

static inline real *reals(size_t n)
{
    real *numbers = calloc(n ? n : 1, sizeof *numbers);
    assert_non_null(numbers);
    return numbers;
}

/* Shares [steps][series] that wander, with noise; layers have `experts` experts. The caller frees them. */
static inline float *wandering_shares(size_t steps, size_t series, size_t experts, uint64_t seed)
{
    float *shares = malloc(steps * series * sizeof *shares);
    double *load = malloc(series * sizeof *load);
    assert_true(shares && load);
    for (size_t s = 0; s < series; s++)
        load[s] = 0.2 + 2 * fraction(&seed);
    for (size_t step = 0; step < steps; step++)
        for (size_t first = 0; first < series; first += experts) {
            float *row = shares + step * series + first, total = 0;
            for (size_t e = 0; e < experts; e++) {
                load[first + e] *= 0.98 + 0.04 * fraction(&seed);
                row[e] = (float)(load[first + e] * (0.8 + 0.4 * fraction(&seed)));
                total += row[e];
            }
            for (size_t e = 0; e < experts; e++)
                row[e] /= total;
        }
    free(load);
    return shares;
}

/* A ring that begins anywhere in its memory, as a history's does. */
static inline struct panel panel_of(const float *shares, size_t steps, size_t series, size_t first)
{
    return (struct panel){.ring = shares, .capacity = steps, .first = first, .steps = steps, .series = series};
}

static inline struct run run_of(const float *shares, size_t steps, size_t layers, size_t experts)
{
    return (struct run){.panel = panel_of(shares, steps, layers * experts, 0), .layers = layers, .experts = experts};
}

/* The share of one series at a step of a panel. */
static inline double share_at(const struct panel *panel, size_t step, size_t series)
{
    return (double)panel->ring[(panel->first + step) % panel->capacity * panel->series + series];
}

static inline struct lstm_sample sample_of(const struct panel *panel, size_t first, size_t count, size_t end)
{
    return (struct lstm_sample){.panel = panel,
                                .first = first,
                                .count = count,
                                .end = end,
                                .steps = end,
                                .age = (double)end,
                                .experts = (double)panel->series};
}

#endif
