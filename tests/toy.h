/* SPDX-License-Identifier: BSD-3-Clause */
/* A method with a model, as small as one can be: the skeleton of a method, and what tests of the handle run on.
 *
 * Its functions stand in the order of struct method (lib/methods/method.h). A real method has a file of its own in
 * lib/methods/, which ends in one `const struct method` and a row of the table in lib/methods/method.c. Here the linker
 * redirects the library's calls of mp_method to the function at the end of this file.
 *
 * fit stores the newest share of the first series, and needs 10 steps. forecast repeats it for the first series and
 * gives 0.1 to every other one. quantiles are the share times the probability. */
#ifndef TESTS_TOY_H
#define TESTS_TOY_H

#include "support.h"

#include "predictor/predictor.h"

/* ---- the model: memory that the handle owns, copies and saves ---------------------------------------------------- */

struct toy_model {
    float share;
    uint32_t fits; /* fits so far: 0 is an unfitted model, as zeroed memory is */
};

/* ---- settings for tests, which no real method has ---------------------------------------------------------------- */

static size_t toy_fits;       /* fits of all handles */
static moep_status toy_fault; /* what fit returns half way through, if it is not OK */
static bool toy_forecasts;    /* without a fit */
static bool toy_reports;      /* fit reports progress half way through */

/* ---- create ------------------------------------------------------------------------------------------------------ */

/* The method has no field in the configuration. */
static const char *toy_fault_of(const moep_predictor_config *config)
{
    (void)config;
    return NULL;
}

/* Steps of history by default and at least, and steps before a forecast. */
static uint64_t toy_steps(const moep_predictor_config *config)
{
    (void)config;
    return 1;
}

static size_t toy_model_size(const moep_predictor_config *config, size_t layers, size_t experts)
{
    (void)config;
    (void)layers;
    (void)experts;
    return sizeof(struct toy_model);
}

/* ---- fit --------------------------------------------------------------------------------------------------------- */

static moep_status toy_fit(const struct task *task, void *memory)
{
    struct toy_model *model = memory;
    model->share = 99; /* the handle must discard this if the fit fails */
    if (toy_fault != MOEP_OK)
        return toy_fault;
    if (toy_reports && mp_runtime_progress(task->runtime, 0.5) != MOEP_OK)
        return MOEP_ERROR_CANCELLED;
    if (task->panel.steps < 10)
        return MOEP_ERROR_TOO_FEW_STEPS;
    model->share = mp_panel_row(&task->panel, task->panel.steps - 1)[0];
    model->fits++;
    toy_fits++;
    return MOEP_OK;
}

static bool toy_needs_fit(const moep_predictor_config *config)
{
    (void)config;
    return !toy_forecasts;
}

/* ---- predict ----------------------------------------------------------------------------------------------------- */

static moep_status toy_forecast(const struct task *task, const void *memory, size_t horizon, size_t stride,
                                double *rows)
{
    const struct toy_model *model = memory;
    if (model->fits == 0)
        return MOEP_ERROR_NOT_FITTED;
    for (size_t i = 0; i < mp_forecast_rows(horizon, stride) * task->panel.series; i++)
        rows[i] = i % task->panel.series ? 0.1 : (double)model->share;
    return MOEP_OK;
}

static moep_status toy_quantiles(const struct task *task, const void *memory, size_t horizon, size_t stride,
                                 const struct quantiles *quantiles, double *rows)
{
    const struct toy_model *model = memory;
    size_t size = mp_forecast_rows(horizon, stride) * task->panel.series;
    if (model->fits == 0)
        return MOEP_ERROR_NOT_FITTED;
    for (size_t i = 0; i < quantiles->n * size; i++)
        rows[i] = quantiles->probabilities[i / size] * (double)model->share;
    return MOEP_OK;
}

/* ---- save and load ----------------------------------------------------------------------------------------------- */

static void toy_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                             void *memory)
{
    struct toy_model *model = memory;
    (void)config;
    (void)series;
    mp_field_shares(checkpoint, &model->share, 1);
    mp_field_u32(checkpoint, &model->fits);
}

/* ---- the method -------------------------------------------------------------------------------------------------- */

static const struct method toy = {
    .name = "toy",
    .fault_of = toy_fault_of,
    .default_history = toy_steps,
    .least_history = toy_steps,
    .model_size = toy_model_size,
    .fit = toy_fit,
    .needs_fit = toy_needs_fit,
    .min_steps = toy_steps,
    .forecast = toy_forecast,
    .quantiles = toy_quantiles,
    .model_fields = toy_model_fields,
};

/* ---- in tests ---------------------------------------------------------------------------------------------------- */

/* Replaces mp_method (--wrap). */
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
    toy_forecasts = toy_reports = false;
    assert_int_equal(moep_predictor_create(layers, experts, &config, runtime, &predictor), MOEP_OK);
    return predictor;
}

#endif
