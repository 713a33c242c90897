/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the tests of ARIMA through the public calls: predictors, and loads whose model is known. */
#ifndef TESTS_ARIMA_H
#define TESTS_ARIMA_H

#include "saved.h"

enum { LAYERS = 2, EXPERTS = 4, SERIES = LAYERS * EXPERTS, STEPS = 400 };

/* ---- predictors -------------------------------------------------------------------------------------------------- */

static inline moep_predictor_config config_of(int32_t p, int32_t d, int32_t q, uint32_t bucket)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_predictor_config_init(&config, MOEP_ARIMA), MOEP_OK);
    config.arima_p = p;
    config.arima_d = d;
    config.arima_q = q;
    config.arima_bucket = bucket;
    config.history = STEPS;
    config.arima_starts = 2;
    return config;
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

static inline moep_arima_model model_of(const moep_predictor *predictor, size_t series)
{
    moep_arima_model model = {.struct_size = sizeof model};
    assert_int_equal(moep_predictor_arima_model(predictor, series / EXPERTS, series % EXPERTS, &model), MOEP_OK);
    return model;
}

/* ---- loads ------------------------------------------------------------------------------------------------------- */

static inline double noise(uint64_t *seed)
{
    return (double)(random_number(seed) >> 11) * 0x1p-53 - 0.5;
}

/* Autoregressions of the first order; the last expert of a layer has the rest of 1,000,000. */
static inline double *autoregressions(double phi, uint64_t seed)
{
    double *counts = malloc(STEPS * SERIES * sizeof *counts), off[SERIES] = {0};
    for (size_t step = 0; step < STEPS; step++)
        for (size_t layer = 0; layer < LAYERS; layer++) {
            double left = 1e6, *row = counts + (step * LAYERS + layer) * EXPERTS;
            for (size_t e = 0; e + 1 < EXPERTS; e++) {
                size_t s = layer * EXPERTS + e;
                off[s] = phi * off[s] + noise(&seed);
                row[e] = 200000 + 10000 * off[s];
                left -= row[e];
            }
            row[EXPERTS - 1] = left;
        }
    return counts;
}

#endif
