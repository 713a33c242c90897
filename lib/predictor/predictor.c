/* SPDX-License-Identifier: BSD-3-Clause */
/* The handle that joins a history and a method: create and destroy, push, predict, and info.
 *
 * allocates: create, and for the call a method's forecast; threads: those that the method starts. */
#include "predictor/predictor.h"

#include "api/probabilities.h"
#include "api/status.h"
#include "api/struct.h"
#include "predictor/config.h"
#include "series/simplex.h"
#include "support/environment.h"

#include <string.h>

/* ---- life -------------------------------------------------------------------------------------------------------- */

static moep_status make_model(moep_predictor *predictor)
{
    const struct method *method = predictor->method;
    if (!method->model_size)
        return MOEP_OK;
    size_t size = method->model_size(&predictor->config, predictor->history.layers, predictor->history.experts);
    predictor->model = mp_allocate(&predictor->runtime.memory, size, 1);
    if (!predictor->model)
        return mp_out_of_memory("the model");
    predictor->model_size = size;
    memset(predictor->model, 0, size);
    if (method->init_model)
        method->init_model(&predictor->config, predictor->history.layers * predictor->history.experts,
                           predictor->model);
    return MOEP_OK;
}

static moep_status make_state(moep_predictor *predictor)
{
    const struct method *method = predictor->method;
    if (!method->state_size)
        return MOEP_OK;
    size_t size = method->state_size(&predictor->config, predictor->history.layers, predictor->history.experts);
    predictor->state = mp_allocate(&predictor->runtime.memory, size, 1);
    if (!predictor->state)
        return mp_out_of_memory("the method's state");
    predictor->state_size = size;
    return MOEP_OK;
}

static moep_status make_parts(moep_predictor *predictor, size_t layers, size_t experts)
{
    const struct method *method = predictor->method;
    const moep_predictor_config *config = &predictor->config;
    const struct memory *memory = &predictor->runtime.memory;
    moep_status status = method->check_shape ? method->check_shape(config, mp_product(layers, experts)) : MOEP_OK;
    if (status == MOEP_OK)
        status = mp_history_make(&predictor->history, layers, experts, config->history, memory);
    if (status == MOEP_OK)
        status = make_model(predictor);
    if (status == MOEP_OK)
        status = make_state(predictor);
    return status;
}

moep_status mp_predictor_make(const struct method *method, size_t layers, size_t experts,
                              const moep_predictor_config *config, const struct runtime *runtime, moep_predictor **out)
{
    moep_predictor *predictor = mp_allocate(&runtime->memory, 1, sizeof *predictor);
    if (!predictor)
        return mp_out_of_memory("the predictor");
    *predictor = (moep_predictor){.method = method, .config = *config, .runtime = *runtime, .fitted_step = MP_NEVER};
    moep_status status = make_parts(predictor, layers, experts);
    if (status == MOEP_OK)
        *out = predictor;
    else
        mp_predictor_destroy(predictor);
    return status;
}

static void clear_state(moep_predictor *predictor)
{
    if (predictor->state)
        memset(predictor->state, 0, predictor->state_size);
}

/* Before the first step. Writes to every page that a push writes to, so that none causes a page fault. */
static void start(moep_predictor *predictor)
{
    mp_history_touch(&predictor->history);
    clear_state(predictor);
}

void mp_predictor_copy_model(moep_predictor *to, const moep_predictor *from)
{
    if (to->model)
        memcpy(to->model, from->model, from->model_size);
    to->fitted_step = from->fitted_step;
}

moep_status mp_predictor_make_like(const moep_predictor *original, const struct runtime *runtime, moep_predictor **out)
{
    const struct history *history = &original->history;
    moep_status status =
        mp_predictor_make(original->method, history->layers, history->experts, &original->config, runtime, out);
    if (status == MOEP_OK) {
        start(*out);
        mp_predictor_copy_model(*out, original);
    }
    return status;
}

moep_status moep_predictor_create(size_t layers, size_t experts, const moep_predictor_config *config,
                                  const moep_runtime *runtime, moep_predictor **out)
{
    MP_BORDER
    if (!out)
        return mp_fail_null("out");
    *out = NULL;
    moep_predictor_config checked;
    struct runtime resolved;
    moep_status status = mp_shape_check(layers, experts);
    if (status == MOEP_OK)
        status = mp_predictor_config_read(&checked, config);
    if (status == MOEP_OK)
        status = mp_runtime_read(&resolved, runtime, &mp_runtime_default);
    if (status == MOEP_OK)
        status = mp_predictor_make(mp_method(checked.method), layers, experts, &checked, &resolved, out);
    if (status == MOEP_OK)
        start(*out);
    return status;
}

void mp_predictor_destroy(moep_predictor *predictor)
{
    if (!predictor)
        return;
    struct memory memory = predictor->runtime.memory;
    mp_history_free(&predictor->history, &memory);
    mp_release(&memory, predictor->model, predictor->model_size, 1);
    mp_release(&memory, predictor->state, predictor->state_size, 1);
    mp_release(&memory, predictor, 1, sizeof *predictor);
}

void moep_predictor_destroy(moep_predictor *predictor)
{
    MP_BORDER
    mp_predictor_destroy(predictor);
}

/* ---- counts in --------------------------------------------------------------------------------------------------- */

/* Shows the newest step to the method. */
static void show(void *handle)
{
    moep_predictor *predictor = handle;
    struct task task = mp_predictor_task(predictor);
    task.state = NULL;
    predictor->method->watch(&task, predictor->model, predictor->state);
}

moep_status mp_predictor_push(moep_predictor *predictor, uint64_t first_step, size_t steps, const void *counts,
                              moep_dtype dtype)
{
    return mp_history_push_each(&predictor->history, first_step, steps, counts, dtype,
                                predictor->method->watch ? show : NULL, predictor);
}

moep_status moep_predictor_push(moep_predictor *predictor, size_t steps, const void *counts, moep_dtype dtype)
{
    MP_BORDER
    if (!predictor)
        return mp_fail_null("predictor");
    return mp_predictor_push(predictor, predictor->history.next_step, steps, counts, dtype);
}

moep_status moep_predictor_push_at(moep_predictor *predictor, uint64_t first_step, size_t steps, const void *counts,
                                   moep_dtype dtype)
{
    MP_BORDER
    return predictor ? mp_predictor_push(predictor, first_step, steps, counts, dtype) : mp_fail_null("predictor");
}

moep_status moep_predictor_reset(moep_predictor *predictor)
{
    MP_BORDER
    if (!predictor)
        return mp_fail_null("predictor");
    mp_history_reset(&predictor->history);
    clear_state(predictor);
    return MOEP_OK;
}

/* ---- forecasts out ----------------------------------------------------------------------------------------------- */

struct task mp_predictor_task(const moep_predictor *predictor)
{
    return (struct task){
        .config = &predictor->config,
        .panel = mp_history_panel(&predictor->history),
        .experts = predictor->history.experts,
        .state = predictor->state,
        .next_step = predictor->history.next_step,
        .runtime = &predictor->runtime,
    };
}

size_t moep_forecast_rows(size_t horizon, size_t stride)
{
    return mp_forecast_rows(horizon, stride);
}

/* Checks a call for n forecasts, which are written to `shares`. */
static moep_status check_forecast(const moep_predictor *predictor, size_t n, size_t horizon, size_t stride,
                                  const double *shares, size_t capacity)
{
    const struct history *history = &predictor->history;
    uint64_t min_steps = predictor->method->min_steps(&predictor->config);
    size_t rows = mp_forecast_rows(horizon, stride);
    size_t size = mp_product(n, mp_product(rows, history->layers * history->experts));
    if (rows == 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "horizon = %zu, stride = %zu: both must be 1 or more", horizon,
                       stride);
    if (!shares)
        return mp_fail_null("shares");
    if (capacity < size)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "capacity is %zu doubles, but %zu rows of %zu x %zu take %zu",
                       capacity, mp_product(n, rows), history->layers, history->experts, size);
    if (history->steps < min_steps)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "%llu steps pushed, %s forecasts from %llu on",
                       (unsigned long long)history->steps, predictor->method->name, (unsigned long long)min_steps);
    return MOEP_OK;
}

moep_status mp_predictor_predict(const moep_predictor *predictor, size_t horizon, size_t stride, double *shares,
                                 size_t capacity)
{
    moep_status status = check_forecast(predictor, 1, horizon, stride, shares, capacity);
    if (status != MOEP_OK)
        return status;
    struct task task = mp_predictor_task(predictor);
    status = predictor->method->forecast(&task, predictor->model, horizon, stride, shares);
    if (status != MOEP_OK)
        return status;
    size_t experts = predictor->history.experts;
    double *end = shares + mp_forecast_rows(horizon, stride) * task.panel.series;
    for (double *layer = shares; layer < end; layer += experts)
        mp_simplex(layer, experts);
    return MOEP_OK;
}

moep_status moep_predictor_predict(const moep_predictor *predictor, size_t horizon, size_t stride, double *shares,
                                   size_t capacity)
{
    MP_BORDER
    return predictor ? mp_predictor_predict(predictor, horizon, stride, shares, capacity) : mp_fail_null("predictor");
}

moep_status moep_predictor_predict_quantiles(const moep_predictor *predictor, size_t horizon, size_t stride,
                                             const double *probabilities, size_t n, double *shares, size_t capacity)
{
    MP_BORDER
    if (!predictor)
        return mp_fail_null("predictor");
    const struct method *method = predictor->method;
    if (!method->quantiles)
        return mp_fail(MOEP_ERROR_UNSUPPORTED, "%s has no quantiles", method->name);
    struct quantiles quantiles = {probabilities, n};
    moep_status status = mp_probabilities_check(probabilities, n);
    if (status == MOEP_OK)
        status = check_forecast(predictor, n, horizon, stride, shares, capacity);
    if (status != MOEP_OK)
        return status;
    struct task task = mp_predictor_task(predictor);
    return method->quantiles(&task, predictor->model, horizon, stride, &quantiles, shares);
}

/* ---- info -------------------------------------------------------------------------------------------------------- */

moep_status moep_predictor_info(const moep_predictor *predictor, moep_info *info)
{
    MP_BORDER
    if (!predictor)
        return mp_fail_null("predictor");
    moep_info ours = mp_history_info(&predictor->history);
    ours.method = predictor->config.method;
    ours.min_steps = predictor->method->min_steps(&predictor->config);
    ours.fitted_step = predictor->fitted_step;
    return mp_struct_write(info, &ours, sizeof ours, "moep_info");
}

moep_status moep_predictor_config_read(const moep_predictor *predictor, moep_predictor_config *config)
{
    MP_BORDER
    if (!predictor)
        return mp_fail_null("predictor");
    return mp_struct_write(config, &predictor->config, sizeof predictor->config, "moep_predictor_config");
}
