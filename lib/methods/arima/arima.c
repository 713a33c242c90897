/* SPDX-License-Identifier: BSD-3-Clause */
/* ARIMA as a method: the table of its functions, and the limits of its configuration. */
#include "methods/arima/fit.h"
#include "methods/arima/forecast_rows.h"
#include "methods/arima/model.h"
#include "methods/arima/search.h"

static const char *fault_of(const moep_predictor_config *config)
{
    if (config->arima_p < MOEP_SELECT || config->arima_p > MP_ARIMA_ORDER || config->arima_q < MOEP_SELECT ||
        config->arima_q > MP_ARIMA_ORDER)
        return "arima_p and arima_q must be 0 to 8, or MOEP_SELECT";
    if (config->arima_d < MOEP_SELECT || config->arima_d > 2)
        return "arima_d must be 0, 1 or 2, or MOEP_SELECT";
    if (config->arima_order_scope > MOEP_ARIMA_PER_SERIES)
        return "arima_order_scope must be MOEP_ARIMA_PER_LAYER or MOEP_ARIMA_PER_SERIES";
    if (config->arima_bucket < 1 || config->arima_bucket > 10000)
        return "arima_bucket must be 1 to 10000";
    if (config->arima_starts < 1 || config->arima_starts > MP_ARIMA_MOST_STARTS)
        return "arima_starts must be 1 to 1000";
    if (config->arima_scale > MOEP_ARIMA_LOG_RATIOS)
        return "arima_scale must be MOEP_ARIMA_SHARES or MOEP_ARIMA_LOG_RATIOS";
    if (config->arima_mean > 1)
        return "arima_mean must be 0 or 1";
    if (!(config->arima_root_limit > 0 && config->arima_root_limit <= 1))
        return "arima_root_limit must be more than 0 and at most 1";
    return NULL;
}

/* A longer history forecasts no better (arima_accuracy.py, the grid at its end) and takes longer to fit. */
static uint64_t default_history(const moep_predictor_config *config)
{
    return config->arima_bucket <= 5 ? 1000 : 200 * (uint64_t)config->arima_bucket;
}

static uint64_t least_history(const moep_predictor_config *config)
{
    return MP_ARIMA_LEAST_OBSERVATIONS * (uint64_t)config->arima_bucket;
}

static uint64_t min_steps(const moep_predictor_config *config)
{
    return config->arima_bucket;
}

static moep_status forecast(const struct task *task, const void *model, size_t horizon, size_t stride, double *rows)
{
    return mp_arima_forecast_rows(task, model, horizon, stride, NULL, rows);
}

const struct method mp_arima = {
    .name = "arima",
    .fault_of = fault_of,
    .default_history = default_history,
    .least_history = least_history,
    .min_steps = min_steps,
    .model_size = mp_arima_model_size,
    .model_fields = mp_arima_model_fields,
    .fit = mp_arima_fit,
    .forecast = forecast,
    .quantiles = mp_arima_forecast_rows,
};
