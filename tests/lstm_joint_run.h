/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs for the tests of the joint form. */
#ifndef TESTS_LSTM_JOINT_RUN_H
#define TESTS_LSTM_JOINT_RUN_H

#include "support.h"

#include "methods/method.h"
#include "methods/lstm/network/joint_net.h"

enum {
    LAYERS = 3,
    EXPERTS = 6,
    SERIES = LAYERS * EXPERTS,
    HIDDEN = 5,
    ROW = MP_LSTM_OUTPUT_ROW,
    OUTPUTS = MP_LSTM_OUTPUTS
};

static const struct memory plain_memory = {mp_default_allocate, mp_default_release, NULL};

static inline double fraction(uint64_t *state)
{
    return (double)(random_number(state) >> 40) * 0x1p-24;
}

/* Shares of a constant, uneven load: expert e of a layer has e + 1 parts, each with noise. The caller frees them. */
static inline float *uneven_shares(size_t steps, size_t series, size_t experts, double noise)
{
    float *shares = malloc(steps * series * sizeof *shares);
    uint64_t state = 7;
    assert_non_null(shares);
    for (size_t row = 0; row < steps * series / experts; row++) {
        double total = 0, load[64];
        for (size_t e = 0; e < experts; e++)
            total += load[e] = (double)(e + 1) * (1 + noise * (fraction(&state) - 0.5));
        for (size_t e = 0; e < experts; e++)
            shares[row * experts + e] = (float)(load[e] / total);
    }
    return shares;
}

static inline struct run run_of(const float *shares, size_t steps, size_t layers, size_t experts)
{
    struct run run = {.layers = layers, .experts = experts};
    run.panel = (struct panel){.ring = shares, .capacity = steps, .steps = steps, .series = layers * experts};
    return run;
}

static inline struct lstm_sample sample_of(const struct panel *panel, size_t steps)
{
    return (struct lstm_sample){.panel = panel,
                                .count = panel->series,
                                .end = panel->steps,
                                .steps = steps,
                                .age = (double)panel->steps,
                                .experts = EXPERTS};
}

/* ---- networks ---------------------------------------------------------------------------------------------------- */

static inline real *reals(size_t n)
{
    real *numbers = calloc(n, sizeof *numbers);
    assert_non_null(numbers);
    return numbers;
}

/* An untrained network; with a scale, its head is random except for the padding. */
static inline real *parameters_of(const struct lstm_shape *shape, double scale)
{
    real *parameters = reals(mp_lstm_parameters(shape)), *head = parameters + mp_lstm_head(shape);
    size_t units = mp_padded(shape->hidden);
    struct random random = mp_random(11, 0);
    mp_lstm_joint_net_init_parameters(shape, &random, parameters);
    for (size_t row = 0; row < shape->inputs * (units + 1); row++)
        for (size_t b = 0; b < OUTPUTS; b++)
            if (row % (units + 1) < shape->hidden || row % (units + 1) == units)
                head[row * ROW + b] = (real)mp_random_between(&random, -scale, scale);
    return parameters;
}

#endif
