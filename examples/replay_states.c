/* SPDX-License-Identifier: BSD-3-Clause */
/* The states of a detector that is pushed to beside the predictor. */
#include "replay_results.h"

#include <math.h>
#include <stdlib.h>

/* Counts the stable steps. If a forecast was made after this many steps, it also stores the states of that time. */
static moep_status record_step(const moep_detector *detector, uint64_t pushed, const moep_backtest_config *backtest,
                               moep_state *states, struct results *results)
{
    moep_status status = moep_detector_states(detector, states, NULL);
    bool origin = pushed >= backtest->first && (pushed - backtest->first) % backtest->every == 0;
    uint64_t index = origin ? (pushed - backtest->first) / backtest->every : 0;
    for (size_t layer = 0; layer < results->layers; layer++) {
        results->summaries[layer].stable_steps += states[layer] == MOEP_STABLE;
        if (origin && index < results->origins)
            results->states[index * results->layers + layer] = states[layer];
    }
    return status;
}

/* Reads a quantity of each layer, NaN where it is not known yet. */
static void read_layers(const moep_detector *detector, moep_quantity quantity, double *values, size_t layers)
{
    for (size_t layer = 0; layer < layers; layer++)
        values[layer] = NAN;
    moep_detector_read(detector, quantity, 0, values, NULL);
}

/* values: [3][layers]; experts: [layers][experts] */
static void summarise(const moep_detector *detector, double *values, uint64_t *numbers, moep_state *layers,
                      moep_state *experts, struct results *results)
{
    size_t n = results->layers;
    double *drift = values, *noise = values + n, *dispersion = values + 2 * n;
    uint64_t *since = numbers, *changes = numbers + n;
    read_layers(detector, MOEP_DRIFT, drift, n);
    read_layers(detector, MOEP_NOISE, noise, n);
    read_layers(detector, MOEP_DISPERSION, dispersion, n);
    moep_detector_states(detector, layers, experts);
    moep_detector_since(detector, since, NULL);
    moep_detector_changes(detector, changes, NULL);
    for (size_t layer = 0; layer < n; layer++) {
        struct layer_summary *of = &results->summaries[layer];
        of->state = layers[layer];
        of->since = since[layer];
        of->changes = changes[layer];
        of->drift = drift[layer];
        of->noise = noise[layer];
        of->dispersion = dispersion[layer];
        for (size_t e = 0; e < results->experts; e++)
            of->stable_experts += experts[layer * results->experts + e] == MOEP_STABLE;
    }
}

static moep_status make_detector(const moep_trace *trace, uint64_t horizon, moep_detector **detector)
{
    moep_detector_config config = {.struct_size = sizeof config};
    moep_status status = moep_detector_config_init(&config);
    config.horizon = horizon;
    return status == MOEP_OK ? moep_detector_create(trace->layers, trace->experts, &config, NULL, detector) : status;
}

moep_status detect_states(const moep_trace *trace, const moep_backtest_config *backtest, struct results *results)
{
    size_t layers = trace->layers, series = layers * trace->experts;
    size_t size = moep_dtype_size(trace->dtype);
    double *values = calloc(3 * layers, sizeof *values);
    uint64_t *numbers = calloc(2 * layers, sizeof *numbers);
    moep_state *states = calloc(layers + series, sizeof *states);
    moep_detector *detector = NULL;
    moep_status status = MOEP_ERROR_OUT_OF_MEMORY;
    if (values && numbers && states)
        status = make_detector(trace, backtest->horizon, &detector);
    for (uint64_t step = 0; step < trace->steps && status == MOEP_OK; step++) {
        status = moep_detector_push(detector, 1, (const char *)trace->counts + step * series * size, trace->dtype);
        if (status == MOEP_OK)
            status = record_step(detector, step + 1, backtest, states, results);
    }
    if (status == MOEP_OK)
        summarise(detector, values, numbers, states, states + layers, results);
    moep_detector_destroy(detector);
    free(values);
    free(numbers);
    free(states);
    return status;
}
