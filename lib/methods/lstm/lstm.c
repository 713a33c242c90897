/* SPDX-License-Identifier: BSD-3-Clause */
/* The LSTM as a method. The files beside this one fit and forecast, in the shared form or in the joint one; features/,
 * network/ and training/ know nothing of the configuration. */
#include "api/status.h"
#include "methods/lstm/fit.h"
#include "methods/lstm/forecast_rows.h"
#include "methods/lstm/joint.h"
#include "methods/lstm/means_forecast.h"
#include "methods/lstm/model.h"

/* A layer of 512 units has 8 MiB of weights. A history of 2,048 steps holds the longest window, 2,000; a longer one
 * gives fits more to learn from, and takes more memory (section 5 of tests/bench/run.sh lstm_accuracy). */
enum { MOST_HIDDEN = 512, HISTORY = 2048 };

static const char *fault_of(const moep_predictor_config *config)
{
    if (config->lstm_scope > MOEP_LSTM_JOINT)
        return "lstm_scope must be MOEP_LSTM_SHARED or MOEP_LSTM_JOINT";
    if (config->lstm_layers > MP_LSTM_MOST_LAYERS)
        return "lstm_layers must be 0 to 4";
    if (config->lstm_scope == MOEP_LSTM_JOINT && config->lstm_layers < 1)
        return "lstm_layers must be 1 to 4 in the joint form";
    if (config->lstm_hidden < 1 || config->lstm_hidden > MOST_HIDDEN)
        return "lstm_hidden must be 1 to 512";
    return NULL;
}

static uint64_t default_history(const moep_predictor_config *config)
{
    (void)config;
    return HISTORY;
}

static uint64_t least_history(const moep_predictor_config *config)
{
    (void)config;
    return MP_LSTM_LONGEST_WINDOW;
}

static uint64_t min_steps(const moep_predictor_config *config)
{
    (void)config;
    return MP_LSTM_MIN_STEPS;
}

static moep_status check_shape(const moep_predictor_config *config, size_t series)
{
    if (config->lstm_scope == MOEP_LSTM_JOINT && series > MP_LSTM_JOINT_MOST)
        return mp_fail(MOEP_ERROR_UNSUPPORTED, "the joint form takes at most %d series, not %zu", MP_LSTM_JOINT_MOST,
                       series);
    return MOEP_OK;
}

static bool needs_fit(const moep_predictor_config *config)
{
    return config->lstm_scope == MOEP_LSTM_JOINT;
}

const struct method mp_lstm = {
    .name = "lstm",
    .fault_of = fault_of,
    .check_shape = check_shape,
    .default_history = default_history,
    .least_history = least_history,
    .min_steps = min_steps,
    .model_size = mp_lstm_model_size,
    .init_model = mp_lstm_model_init,
    .model_fields = mp_lstm_model_fields,
    .needs_fit = needs_fit,
    .fit = mp_lstm_fit,
    .fit_traces = mp_lstm_fit_traces,
    .forecast = mp_lstm_forecast,
    .quantiles = mp_lstm_quantiles,
    .means_forecast = &mp_lstm_means_forecast,
};
