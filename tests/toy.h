/* SPDX-License-Identifier: BSD-3-Clause */
/* A method with a model, as small as one can be: what the handle does with models is tested on it. */
#ifndef TESTS_TOY_H
#define TESTS_TOY_H

#include "support.h"

#include "predictor/predictor.h"

/* fit stores the newest share of the first series, and needs 10 steps. predict forecasts it for every series. */
struct toy_model {
    float share;
    uint32_t fits; /* how often it was called */
};
static size_t toy_fits;       /* of all handles */
static moep_status toy_fault; /* what fit answers, half way through, if it is not OK */
static bool toy_forecasts;    /* it says that it has no need of a fit */
static bool toy_tells;        /* fit says when it is half way through */

static uint64_t toy_steps(const moep_predictor_config *config)
{
    (void)config;
    return 1;
}

static moep_status toy_check(const moep_predictor_config *config)
{
    (void)config;
    return MOEP_OK;
}

static bool toy_needs_fit(const moep_predictor_config *config)
{
    (void)config;
    return !toy_forecasts;
}

static size_t toy_model_size(const moep_predictor_config *config, size_t layers, size_t experts)
{
    (void)config;
    (void)layers;
    (void)experts;
    return sizeof(struct toy_model);
}

static void toy_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                             void *block)
{
    struct toy_model *model = block;
    (void)config;
    (void)series;
    mp_field_shares(checkpoint, &model->share, 1);
    mp_field_u32(checkpoint, &model->fits);
}

static moep_status toy_fit(const struct task *task, void *block)
{
    struct toy_model *model = block;
    model->share = 99; /* a fit that fails half way must not be seen */
    if (toy_fault != MOEP_OK)
        return toy_fault;
    if (toy_tells && mp_runtime_progress(task->runtime, 0.5) != MOEP_OK)
        return MOEP_ERROR_CANCELLED;
    if (task->panel.steps < 10)
        return MOEP_ERROR_TOO_FEW_STEPS;
    model->share = mp_panel_row(&task->panel, task->panel.steps - 1)[0];
    model->fits++;
    toy_fits++;
    return MOEP_OK;
}

static moep_status toy_forecast(const struct task *task, const void *block, size_t horizon, size_t stride, double *rows)
{
    const struct toy_model *model = block;
    if (model->fits == 0)
        return MOEP_ERROR_NOT_FITTED;
    for (size_t i = 0; i < mp_forecast_rows(horizon, stride) * task->panel.series; i++)
        rows[i] = i % task->panel.series ? 0.1 : (double)model->share;
    return MOEP_OK;
}

/* The share times the probability. */
static moep_status toy_quantiles(const struct task *task, const void *block, size_t horizon, size_t stride,
                                 const struct quantiles *quantiles, double *rows)
{
    const struct toy_model *model = block;
    size_t size = mp_forecast_rows(horizon, stride) * task->panel.series;
    if (model->fits == 0)
        return MOEP_ERROR_NOT_FITTED;
    for (size_t i = 0; i < quantiles->n * size; i++)
        rows[i] = quantiles->probabilities[i / size] * (double)model->share;
    return MOEP_OK;
}

static const struct method toy = {
    .name = "toy",
    .check = toy_check,
    .default_history = toy_steps,
    .least_history = toy_steps,
    .min_steps = toy_steps,
    .model_size = toy_model_size,
    .model_fields = toy_model_fields,
    .needs_fit = toy_needs_fit,
    .fit = toy_fit,
    .forecast = toy_forecast,
    .quantiles = toy_quantiles,
};

/* The linker turns the library's calls of mp_method into calls of this one (--wrap). */
enum { TOY = 1000 };
const struct method *__real_mp_method(moep_method method);
const struct method *__wrap_mp_method(moep_method method);
const struct method *__wrap_mp_method(moep_method method)
{
    return method == TOY ? &toy : __real_mp_method(method);
}

static inline moep_predictor *make_toy(size_t layers, size_t experts, const moep_runtime *runtime)
{
    moep_predictor_config config = {.struct_size = sizeof config, .method = TOY, .sw_avg_window = 1, .history = 10};
    moep_predictor *predictor = NULL;
    toy_fits = 0;
    toy_fault = MOEP_OK;
    toy_forecasts = toy_tells = false;
    assert_int_equal(moep_predictor_create(layers, experts, &config, runtime, &predictor), MOEP_OK);
    return predictor;
}

#endif
