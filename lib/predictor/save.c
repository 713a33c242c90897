/* SPDX-License-Identifier: BSD-3-Clause */
/* How a predictor is cloned, saved and loaded (checkpoint/handle.h). */
#include "api/status.h"
#include "checkpoint/handle.h"
#include "predictor/config.h"
#include "predictor/predictor.h"
#include "support/environment.h"

#include <string.h>

/* ---- header ------------------------------------------------------------------------------------------------------ */

/* A predictor's shape, configuration and the number of its first step. */
struct header {
    size_t layers, experts;
    moep_predictor_config config;
    uint64_t first_step;
};

static struct header header_of(const moep_predictor *predictor)
{
    const struct history *history = &predictor->history;
    return (struct header){history->layers, history->experts, predictor->config, history->first_step};
}

/* The fields that came with ARIMA; fit_budget is used by every method that is fitted. */
static void arima_fields(struct checkpoint *checkpoint, moep_predictor_config *config)
{
    mp_field_f64(checkpoint, &config->fit_budget);
    mp_field_i32(checkpoint, &config->arima_p);
    mp_field_i32(checkpoint, &config->arima_d);
    mp_field_i32(checkpoint, &config->arima_q);
    mp_field_u32(checkpoint, &config->arima_order_scope);
    mp_field_u32(checkpoint, &config->arima_bucket);
    mp_field_u32(checkpoint, &config->arima_starts);
    mp_field_u32(checkpoint, &config->arima_scale);
    mp_field_u32(checkpoint, &config->arima_mean);
    mp_field_f64(checkpoint, &config->arima_root_limit);
}

/* The fields that came with the LSTM; seed is that of any method with random numbers. */
static void lstm_fields(struct checkpoint *checkpoint, moep_predictor_config *config)
{
    mp_field_u64(checkpoint, &config->seed);
    mp_field_u32(checkpoint, &config->lstm_scope);
    mp_field_u32(checkpoint, &config->lstm_layers);
    mp_field_u32(checkpoint, &config->lstm_hidden);
}

/* Fields of later methods go at the end, each if mp_checkpoint_more(). A library without the method may ignore them. */
static void header_fields(struct checkpoint *checkpoint, void *opaque)
{
    struct header *header = opaque;
    mp_field_size(checkpoint, &header->layers);
    mp_field_size(checkpoint, &header->experts);
    mp_field_i32(checkpoint, &header->config.method);
    mp_field_u32(checkpoint, &header->config.sw_avg_window);
    mp_field_u64(checkpoint, &header->config.history);
    if (mp_checkpoint_more(checkpoint))
        arima_fields(checkpoint, &header->config);
    if (mp_checkpoint_more(checkpoint))
        lstm_fields(checkpoint, &header->config);
    if (mp_checkpoint_more(checkpoint))
        mp_field_u64(checkpoint, &header->first_step);
    mp_checkpoint_skip(checkpoint);
}

static moep_status check_header(struct checkpoint *checkpoint, void *opaque)
{
    struct header *header = opaque;
    moep_predictor_config saved_config = header->config;
    if (!checkpoint->bad && !mp_method(saved_config.method))
        return mp_fail(MOEP_ERROR_INCOMPATIBLE, "the checkpoint's method, %d, is unknown to this library",
                       (int)saved_config.method);
    mp_checkpoint_require(checkpoint, header->layers > 0 && header->experts > 0 && saved_config.history > 0);
    mp_checkpoint_require(checkpoint, mp_predictor_config_read(&header->config, &saved_config) == MOEP_OK);
    return MOEP_OK;
}

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static void history_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_predictor *predictor = handle;
    mp_history_fields(&predictor->history, checkpoint);
}

static size_t history_size(const void *opaque)
{
    const struct header *header = opaque;
    return mp_history_ring_size(header->layers, header->experts, header->config.history);
}

static void model_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_predictor *predictor = handle;
    mp_field_u64(checkpoint, &predictor->fitted_step);
    const struct method *method = predictor->method;
    const struct history *history = &predictor->history;
    mp_checkpoint_require(checkpoint, method->fit || method->fit_traces || predictor->fitted_step == MP_NEVER);
    if (predictor->model)
        method->model_fields(checkpoint, &predictor->config, history->layers * history->experts, predictor->model);
    if (predictor->state)
        method->state_fields(checkpoint, &predictor->config, history->layers, history->experts, predictor->state);
}

/* Of the model and the state. */
static size_t least_model_size(const void *opaque)
{
    const struct header *header = opaque;
    const struct method *method = mp_method(header->config.method);
    size_t model = method->model_size ? method->model_size(&header->config, header->layers, header->experts) : 0;
    size_t state = method->state_size ? method->state_size(&header->config, header->layers, header->experts) : 0;
    return mp_sum(model, state) / MP_MODEL_COMPRESSION;
}

static const struct handle_part parts[] = {
    {{"HIST", 1}, history_fields, history_size},
    {{"MODL", 1}, model_fields, least_model_size},
};

/* ---- the kind of handle ------------------------------------------------------------------------------------------ */

static moep_status make(const void *opaque, const struct runtime *runtime, void **out)
{
    const struct header *header = opaque;
    moep_predictor *predictor = NULL;
    moep_status status = mp_predictor_make(mp_method(header->config.method), header->layers, header->experts,
                                           &header->config, runtime, &predictor);
    if (status != MOEP_OK)
        return status;
    predictor->history.first_step = header->first_step;
    *out = predictor;
    return MOEP_OK;
}

static void copy(void *clone, const void *original)
{
    moep_predictor *to = clone;
    const moep_predictor *from = original;
    mp_history_copy(&to->history, &from->history);
    mp_predictor_copy_model(to, from);
    if (to->state)
        memcpy(to->state, from->state, from->state_size);
}

static void destroy(void *handle)
{
    mp_predictor_destroy(handle);
}

static const struct handle_kind kind = {
    .section = {"PCFG", 1},
    .header_fields = header_fields,
    .check_header = check_header,
    .parts = parts,
    .n = sizeof parts / sizeof *parts,
    .make = make,
    .copy = copy,
    .destroy = destroy,
};

/* ---- the public calls -------------------------------------------------------------------------------------------- */

moep_status moep_predictor_clone(const moep_predictor *predictor, const moep_runtime *runtime, moep_predictor **out)
{
    MP_BORDER
    if (!out)
        return mp_fail_null("out");
    *out = NULL;
    if (!predictor)
        return mp_fail_null("predictor");
    struct header header = header_of(predictor);
    void *clone = NULL;
    moep_status status = mp_handle_clone(&kind, &header, predictor, runtime, &predictor->runtime, &clone);
    *out = clone;
    return status;
}

moep_status moep_predictor_save(const moep_predictor *predictor, void *buffer, size_t capacity, size_t *size)
{
    MP_BORDER
    if (!predictor || !size)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_predictor_save needs a predictor and a size");
    struct header header = header_of(predictor);
    return mp_handle_save(&kind, &header, predictor, buffer, capacity, size);
}

moep_status moep_predictor_load(const void *buffer, size_t size, const moep_runtime *runtime, moep_predictor **out)
{
    MP_BORDER
    if (!out)
        return mp_fail_null("out");
    *out = NULL;
    struct header header = {.config = mp_predictor_config_defaults};
    header.config.struct_size = sizeof header.config;
    void *loaded = NULL;
    moep_status status = mp_handle_load(&kind, &header, buffer, size, runtime, &loaded);
    *out = loaded;
    return status;
}
