/* SPDX-License-Identifier: BSD-3-Clause */
/* Predictors and loads for the tests of the LSTM through the public calls. */
#ifndef TESTS_LSTM_H
#define TESTS_LSTM_H

#include "saved.h"

enum { LAYERS = 2, EXPERTS = 4, SERIES = LAYERS * EXPERTS, STEPS = 2500 };

/* ---- predictors -------------------------------------------------------------------------------------------------- */

static inline moep_predictor_config config_of(uint32_t layers, uint32_t hidden)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_predictor_config_init(&config, MOEP_LSTM), MOEP_OK);
    config.lstm_layers = layers;
    config.lstm_hidden = hidden;
    return config;
}

/* The network that trains most quickly: it begins with shipped weights. */
static inline moep_predictor_config small_config(void)
{
    return config_of(0, 1);
}

/* The smallest for which no weights are shipped. */
static inline moep_predictor_config untrained_config(void)
{
    return config_of(1, 1);
}

static inline moep_predictor *make(const moep_predictor_config *config, const moep_runtime *runtime)
{
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_create(LAYERS, EXPERTS, config, runtime, &predictor), MOEP_OK);
    return predictor;
}

static inline moep_predictor *make_and_push(const moep_predictor_config *config, const moep_runtime *runtime,
                                            const double *counts, size_t steps)
{
    moep_predictor *predictor = make(config, runtime);
    assert_int_equal(moep_predictor_push(predictor, steps, counts, MOEP_FLOAT64), MOEP_OK);
    return predictor;
}

static inline moep_lstm_training training_of(const moep_predictor *predictor)
{
    moep_lstm_training training = {.struct_size = sizeof training};
    assert_int_equal(moep_predictor_lstm_training(predictor, &training), MOEP_OK);
    return training;
}

/* ---- loads ------------------------------------------------------------------------------------------------------- */

static inline double fraction(uint64_t *seed)
{
    return (double)(random_number(seed) >> 11) * 0x1p-53;
}

/* Counts [steps][layers][experts] of loads that wander by up to `drift` of themselves a step, with noise. The caller
 * frees them. */
static inline double *wandering(size_t steps, size_t layers, size_t experts, double drift, uint64_t seed)
{
    size_t series = layers * experts;
    double *counts = malloc(steps * series * sizeof *counts), *load = malloc(series * sizeof *load);
    assert_true(counts && load);
    for (size_t s = 0; s < series; s++)
        load[s] = 500 + 3000 * fraction(&seed);
    for (size_t step = 0; step < steps; step++)
        for (size_t s = 0; s < series; s++) {
            load[s] *= 1 + drift * (2 * fraction(&seed) - 1);
            counts[step * series + s] = floor(load[s] * (0.7 + 0.6 * fraction(&seed)));
        }
    free(load);
    return counts;
}

static inline moep_trace trace_of(const double *counts, size_t steps, size_t layers, size_t experts)
{
    return (moep_trace){sizeof(moep_trace), counts, MOEP_FLOAT64, 0, steps, layers, experts};
}

/* ---- quantiles --------------------------------------------------------------------------------------------------- */

static const double probabilities[] = {1e-300, 1e-12, 0.004, 0.005, 0.0051, 0.02,   0.25,  0.4999999, 0.5,
                                       0.501,  0.7,   0.9,   0.95,  0.994,  0.9951, 0.999, 1 - 1e-12, 1 - 0x1p-53};
enum { PROBABILITIES = sizeof probabilities / sizeof *probabilities, MOST_ROWS = 60 };

/* Quantiles rise with the probability and lie within 0 and 1; the forecast lies among them. */
static inline void check_quantiles(const moep_predictor *predictor, size_t horizon, size_t stride)
{
    static double rows[PROBABILITIES * MOST_ROWS * SERIES], forecast[MOST_ROWS * SERIES];
    size_t each = moep_forecast_rows(horizon, stride) * SERIES;
    assert_true(each <= MOST_ROWS * SERIES);
    assert_int_equal(moep_predictor_predict(predictor, horizon, stride, forecast, MOST_ROWS * SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, horizon, stride, probabilities, PROBABILITIES, rows,
                                                      PROBABILITIES * MOST_ROWS * SERIES),
                     MOEP_OK);
    for (size_t i = 0; i < PROBABILITIES * each; i++) {
        assert_true(rows[i] >= 0 && rows[i] <= 1 && (i < each || rows[i] >= rows[i - each]));
        if (probabilities[i / each] <= 0.5)
            assert_true(rows[i] <= forecast[i % each]);
        if (probabilities[i / each] >= 0.5)
            assert_true(rows[i] >= forecast[i % each]);
    }
}

#endif
