/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by tests of the detector: runs of one layer whose load is known, and readings of that layer. */
#ifndef TESTS_DETECTOR_RUN_H
#define TESTS_DETECTOR_RUN_H

#include "support.h"

enum { MOST_SERIES = 128, WARMUP_STEPS = 200, FIRST_STABLE = 280 };

/* ---- loads ------------------------------------------------------------------------------------------------------- */

/* A normal number, approximately: a sum of twelve uniform numbers has mean 6 and variance 1. */
static inline double normal(uint64_t *seed)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (double)(random_number(seed) >> 11) * 0x1p-53;
    return sum;
}

/* Draws the counts of tokens that are routed independently, each expert's by itself. The tokens are many enough for a
 * normal distribution. */
static inline void draw(double *counts, const double *loads, size_t n, double tokens, uint64_t *seed)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += loads[i];
    for (size_t i = 0; i < n; i++) {
        double mean = tokens * loads[i] / total;
        counts[i] = fmax(0, round(mean + sqrt(mean) * normal(seed)));
    }
}

/* ---- readings of the first layer --------------------------------------------------------------------------------- */

static inline moep_state layer_state(const moep_detector *detector)
{
    moep_state states[MOST_SERIES];
    assert_int_equal(moep_detector_states(detector, states, NULL), MOEP_OK);
    return states[0];
}

static inline moep_state expert_state(const moep_detector *detector, size_t expert)
{
    moep_state states[MOST_SERIES];
    assert_int_equal(moep_detector_states(detector, NULL, states), MOEP_OK);
    return states[expert];
}

static inline uint64_t layer_changes(const moep_detector *detector)
{
    uint64_t changes[MOST_SERIES];
    assert_int_equal(moep_detector_changes(detector, changes, NULL), MOEP_OK);
    return changes[0];
}

static inline uint64_t layer_since(const moep_detector *detector)
{
    uint64_t since[MOST_SERIES];
    assert_int_equal(moep_detector_since(detector, since, NULL), MOEP_OK);
    return since[0];
}

static inline double layer_value(const moep_detector *detector, moep_quantity quantity)
{
    double values[MOST_SERIES];
    assert_int_equal(moep_detector_read(detector, quantity, 0, values, NULL), MOEP_OK);
    return values[0];
}

static inline moep_info info_of_detector(const moep_detector *detector)
{
    moep_info info = {.struct_size = sizeof info};
    assert_int_equal(moep_detector_info(detector, &info), MOEP_OK);
    return info;
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

/* A run of one layer. */
struct run {
    moep_detector *detector;
    size_t experts;
    double loads[MOST_SERIES], tokens;
    uint64_t seed;
};

static inline struct run begin_with(const moep_detector_config *config, size_t experts, double tokens, uint64_t seed)
{
    struct run run = {.experts = experts, .tokens = tokens, .seed = seed};
    run.detector = make_detector_of(1, experts, config, NULL);
    for (size_t e = 0; e < experts; e++)
        run.loads[e] = 0.5 + (double)(random_number(&run.seed) >> 40) / (1 << 24);
    return run;
}

static inline struct run begin(size_t experts, double tokens, uint64_t seed)
{
    moep_detector_config config = detector_config(MOEP_LEARN);
    return begin_with(&config, experts, tokens, seed);
}

static inline void continue_run(struct run *run, size_t steps)
{
    double counts[MOST_SERIES];
    for (size_t step = 0; step < steps; step++) {
        draw(counts, run->loads, run->experts, run->tokens, &run->seed);
        assert_int_equal(moep_detector_push(run->detector, 1, counts, MOEP_FLOAT64), MOEP_OK);
    }
}

/* Continues the run, block by block, until the layer has that state; returns the steps. */
static inline size_t steps_until(struct run *run, moep_state state, size_t most)
{
    size_t steps = 0;
    while (layer_state(run->detector) != state && steps < most) {
        continue_run(run, 20);
        steps += 20;
    }
    return steps;
}

#endif
