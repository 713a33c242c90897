/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls that read a detector's states and statistics. */
#include "api/status.h"
#include "detector/detector.h"
#include "support/environment.h"

#include <math.h>

/* ---- states ------------------------------------------------------------------------------------------------------ */

moep_status moep_detector_states(const moep_detector *detector, moep_state *layers, moep_state *experts)
{
    MP_BORDER
    if (!detector)
        return mp_fail_null("detector");
    for (size_t i = 0; layers && i < detector->history.layers; i++)
        layers[i] = detector->layers[i].state;
    for (size_t i = 0; experts && i < detector->drift.series; i++)
        experts[i] = detector->experts[i].state;
    return MOEP_OK;
}

moep_status moep_detector_since(const moep_detector *detector, uint64_t *layers, uint64_t *experts)
{
    MP_BORDER
    if (!detector)
        return mp_fail_null("detector");
    for (size_t i = 0; layers && i < detector->history.layers; i++)
        layers[i] = detector->layers[i].since;
    for (size_t i = 0; experts && i < detector->drift.series; i++)
        experts[i] = detector->experts[i].since;
    return MOEP_OK;
}

moep_status moep_detector_changes(const moep_detector *detector, uint64_t *layers, uint64_t *experts)
{
    MP_BORDER
    if (!detector)
        return mp_fail_null("detector");
    for (size_t i = 0; layers && i < detector->history.layers; i++)
        layers[i] = detector->layers[i].changes;
    for (size_t i = 0; experts && i < detector->drift.series; i++)
        experts[i] = detector->experts[i].changes;
    return MOEP_OK;
}

static double sum_of(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

/* ---- statistics of a sliding window ------------------------------------------------------------------------------ */

static double mean_of(const double *experts, size_t n)
{
    return sum_of(experts, n) / (double)n;
}

static double largest_of(const double *experts, size_t n)
{
    double largest = experts[0];
    for (size_t e = 1; e < n; e++)
        largest = fmax(largest, experts[e]);
    return largest;
}

static const struct statistic {
    void (*of_experts)(const struct window *window, double *out);
    double (*of_layer)(const double *experts, size_t n);
} statistics[] = {
    [MOEP_MEAN] = {mp_window_mean, mean_of},
    [MOEP_VARIANCE] = {mp_window_variance, mean_of},
    [MOEP_RANGE] = {mp_window_range, largest_of},
};

static void read_window(const moep_detector *detector, const struct statistic *statistic, const struct window *window,
                        double *layers, double *experts)
{
    size_t n = detector->history.experts;
    statistic->of_experts(window, experts);
    for (size_t layer = 0; layers && layer < detector->history.layers; layer++)
        layers[layer] = statistic->of_layer(experts + layer * n, n);
}

static moep_status check_window(const moep_detector *detector, size_t index)
{
    if (index >= MP_WINDOWS || detector->windows[index].steps == 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "window_index is %zu: the detector has no such window", index);
    if (detector->history.steps == 0)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "no step has been pushed");
    return MOEP_OK;
}

/* ---- drift and noise --------------------------------------------------------------------------------------------- */

static void read_drift(const struct expected_drift *drifts, size_t n, double *out)
{
    for (size_t i = 0; out && i < n; i++)
        out[i] = sqrt(fmax(drifts->expected[i], 0));
}

/* Tokens per step over the 2 m blocks from which the noise is estimated. */
static double tokens_per_step(const moep_detector *detector, size_t layer)
{
    uint64_t blocks_ended = mp_drift_blocks_ended(&detector->drift), blocks = 2 * detector->drift.blocks;
    double sum = 0;
    for (uint64_t back = 1; back <= blocks; back++)
        sum += mp_detector_tokens(detector, blocks_ended - back)[layer];
    return sum / ((double)blocks * detector->config.block);
}

/* N independent tokens per step give a share p the variance v = p (1 - p) / N. So NOISE = p (1 - p) / v is the number
 * of effective tokens, and DISPERSION = tokens per step / NOISE. binomial_variance is p (1 - p), that of a
 * single token. For a layer, it and v are summed over the experts. */
static double noise_of(double binomial_variance, double variance, double tokens, bool dispersion)
{
    double effective = variance > 0 ? binomial_variance / variance : (double)NAN;
    return dispersion ? tokens / effective : effective;
}

static void read_noise(const moep_detector *detector, bool dispersion, double *layers, double *experts)
{
    size_t n = detector->history.experts;
    for (size_t layer = 0; layer < detector->history.layers; layer++) {
        double tokens = tokens_per_step(detector, layer), binomial_variances = 0, variances = 0;
        for (size_t series = layer * n; series < (layer + 1) * n; series++) {
            double p = mp_drift_mean(&detector->drift, series), variance = mp_drift_variance(&detector->drift, series);
            binomial_variances += p * (1 - p);
            variances += variance;
            if (experts)
                experts[series] = noise_of(p * (1 - p), variance, tokens, dispersion);
        }
        if (layers)
            layers[layer] = noise_of(binomial_variances, variances, tokens, dispersion);
    }
}

static moep_status check_blocks(const moep_detector *detector, size_t index)
{
    if (index != 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "window_index is %zu, but must be 0: the quantity has no window",
                       index);
    if (mp_detector_in_warmup(detector))
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "%llu steps pushed since the start or a gap, WARMUP takes %llu",
                       (unsigned long long)detector->drift.pushed,
                       2 * (unsigned long long)detector->config.drift_window);
    return MOEP_OK;
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

/* A layer's statistic is computed from those of its experts, which need memory if the caller does not request them. */
static moep_status read_statistic(const moep_detector *detector, const struct statistic *statistic, size_t index,
                                  double *layers, double *experts)
{
    const struct memory *memory = &detector->runtime.memory;
    size_t series = detector->history.layers * detector->history.experts;
    double *scratch = experts ? NULL : mp_allocate(memory, series, sizeof *scratch);
    if (!experts && !scratch)
        return mp_out_of_memory("a value for each expert");
    read_window(detector, statistic, &detector->windows[index], layers, experts ? experts : scratch);
    mp_release(memory, scratch, series, sizeof *scratch);
    return MOEP_OK;
}

static moep_status read_block(const moep_detector *detector, moep_quantity quantity, double *layers, double *experts)
{
    if (quantity == MOEP_DRIFT) {
        read_drift(&detector->of_layers, detector->history.layers, layers);
        read_drift(&detector->of_experts, detector->history.layers * detector->history.experts, experts);
    } else
        read_noise(detector, quantity == MOEP_DISPERSION, layers, experts);
    return MOEP_OK;
}

moep_status moep_detector_read(const moep_detector *detector, moep_quantity quantity, size_t window_index,
                               double *layers, double *experts)
{
    MP_BORDER
    if (!detector)
        return mp_fail_null("detector");
    if (quantity < MOEP_MEAN || quantity > MOEP_DISPERSION)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "quantity %d is unknown", (int)quantity);
    bool windowed = quantity <= MOEP_RANGE;
    moep_status status = windowed ? check_window(detector, window_index) : check_blocks(detector, window_index);
    if (status != MOEP_OK)
        return status;
    return windowed ? read_statistic(detector, &statistics[quantity], window_index, layers, experts)
                    : read_block(detector, quantity, layers, experts);
}
