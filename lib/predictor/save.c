/* SPDX-License-Identifier: BSD-3-Clause */
/* The handle as a whole, copied, written out and read back. */
#include "api/status.h"
#include "checkpoint/checkpoint.h"
#include "predictor/config.h"
#include "predictor/predictor.h"
#include "support/environment.h"

/* ---- clone ------------------------------------------------------------------------------------------------------- */

moep_status moep_predictor_clone(const moep_predictor *predictor, const moep_runtime *runtime, moep_predictor **out)
{
    MP_BORDER
    if (!out)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!predictor)
        return mp_predictor_missing();
    struct runtime resolved;
    moep_status status = mp_runtime_read(&resolved, runtime, &predictor->runtime);
    if (status != MOEP_OK)
        return status;
    status = mp_predictor_make_like(predictor, &resolved, out);
    if (status == MOEP_OK)
        mp_history_copy(&(*out)->history, &predictor->history);
    return status;
}

/* ---- what the sections hold -------------------------------------------------------------------------------------- */

static const struct section config_section = {"PCFG", 1}, history_section = {"HIST", 1}, model_section = {"MODL", 1};

/* The shape of the handle, what it was made with, and where the run was joined. */
struct origin {
    size_t layers, experts;
    moep_predictor_config config;
    uint64_t first_step; /* of the history */
};

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

static void lstm_fields(struct checkpoint *checkpoint, moep_predictor_config *config)
{
    mp_field_u64(checkpoint, &config->seed);
    mp_field_u32(checkpoint, &config->lstm_scope);
    mp_field_u32(checkpoint, &config->lstm_layers);
    mp_field_u32(checkpoint, &config->lstm_hidden);
}

/* Fields of methods to come follow at the end, each if mp_checkpoint_more(): they say nothing about the methods
 * here. */
static void origin_fields(struct checkpoint *checkpoint, struct origin *origin)
{
    mp_field_size(checkpoint, &origin->layers);
    mp_field_size(checkpoint, &origin->experts);
    mp_field_i32(checkpoint, &origin->config.method);
    mp_field_u32(checkpoint, &origin->config.sw_avg_window);
    mp_field_u64(checkpoint, &origin->config.history);
    if (mp_checkpoint_more(checkpoint))
        arima_fields(checkpoint, &origin->config);
    if (mp_checkpoint_more(checkpoint))
        lstm_fields(checkpoint, &origin->config);
    if (mp_checkpoint_more(checkpoint))
        mp_field_u64(checkpoint, &origin->first_step);
    mp_checkpoint_skip(checkpoint);
}

static void history_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_predictor *predictor = handle;
    mp_history_fields(&predictor->history, checkpoint);
}

static void model_fields(struct checkpoint *checkpoint, void *handle)
{
    moep_predictor *predictor = handle;
    mp_field_u64(checkpoint, &predictor->fitted_step);
    mp_checkpoint_require(checkpoint, predictor->method->fit || predictor->fitted_step == UINT64_MAX);
    if (predictor->model)
        predictor->method->model_fields(checkpoint, &predictor->config,
                                        predictor->history.layers * predictor->history.experts, predictor->model);
}

static const struct checkpoint_part parts[] = {{&history_section, history_fields}, {&model_section, model_fields}};
enum { PARTS = sizeof parts / sizeof *parts };

/* ---- save -------------------------------------------------------------------------------------------------------- */

static size_t put(struct checkpoint *checkpoint, const void *handle)
{
    moep_predictor *predictor = (moep_predictor *)handle; /* only reading writes to it */
    struct origin origin = {predictor->history.layers, predictor->history.experts, predictor->config,
                            predictor->history.first_step};
    mp_checkpoint_section(checkpoint, &config_section);
    origin_fields(checkpoint, &origin);
    mp_checkpoint_end(checkpoint);
    mp_checkpoint_parts(checkpoint, parts, PARTS, predictor);
    return mp_checkpoint_finish(checkpoint);
}

moep_status moep_predictor_save(const moep_predictor *predictor, void *buffer, size_t capacity, size_t *size)
{
    MP_BORDER
    if (!predictor || !size)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_predictor_save needs a predictor and a size");
    return mp_checkpoint_save(put, predictor, buffer, capacity, size);
}

/* ---- load -------------------------------------------------------------------------------------------------------- */

static moep_status read_origin(struct checkpoint *checkpoint, struct origin *origin)
{
    *origin = (struct origin){.config = mp_predictor_config_defaults};
    origin->config.struct_size = sizeof origin->config;
    mp_checkpoint_section(checkpoint, &config_section);
    origin_fields(checkpoint, origin);
    if (!checkpoint->bad && !mp_method(origin->config.method))
        return mp_fail(MOEP_ERROR_INCOMPATIBLE, "the checkpoint's method, %d, is unknown to this library",
                       (int)origin->config.method);
    moep_predictor_config given = origin->config;
    mp_checkpoint_require(checkpoint, origin->layers > 0 && origin->experts > 0 && given.history > 0);
    mp_checkpoint_require(checkpoint, mp_predictor_config_read(&origin->config, &given) == MOEP_OK);
    return mp_checkpoint_end(checkpoint);
}

/* The input must be long enough for what is going to be allocated to hold it. */
static moep_status check_sizes(struct checkpoint *checkpoint, const struct origin *origin)
{
    const struct method *method = mp_method(origin->config.method);
    size_t ring = mp_history_ring_size(origin->layers, origin->experts, origin->config.history), model = 0;
    mp_checkpoint_section(checkpoint, &history_section);
    bool fits = mp_checkpoint_left(checkpoint) > ring;
    if (fits && method->model_size)
        model = method->model_size(&origin->config, origin->layers, origin->experts);
    mp_checkpoint_section(checkpoint, &model_section);
    fits = fits && mp_checkpoint_left(checkpoint) > model / MP_MODEL_PACKED;
    return fits ? MOEP_OK
                : mp_fail(MOEP_ERROR_CORRUPT, "the checkpoint is damaged: shorter than its configuration says");
}

static moep_status load(const void *buffer, size_t size, const struct runtime *runtime, moep_predictor **out)
{
    const struct section known[] = {config_section, history_section, model_section};
    const size_t n = sizeof known / sizeof *known;
    struct checkpoint checkpoint;
    struct origin origin;
    moep_predictor *predictor = NULL;
    moep_status status = mp_checkpoint_read(&checkpoint, buffer, size, known, n);
    if (status == MOEP_OK)
        status = read_origin(&checkpoint, &origin);
    if (status == MOEP_OK)
        status = check_sizes(&checkpoint, &origin);
    if (status == MOEP_OK)
        status = mp_predictor_make(mp_method(origin.config.method), origin.layers, origin.experts, &origin.config,
                                   runtime, &predictor);
    if (status == MOEP_OK) {
        predictor->history.first_step = origin.first_step;
        status = mp_checkpoint_parts(&checkpoint, parts, PARTS, predictor);
    }
    if (status == MOEP_OK)
        *out = predictor;
    else
        mp_predictor_destroy(predictor);
    return status;
}

moep_status moep_predictor_load(const void *buffer, size_t size, const moep_runtime *runtime, moep_predictor **out)
{
    MP_BORDER
    if (!out)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!buffer)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "buffer is NULL");
    struct runtime resolved;
    moep_status status = mp_runtime_read(&resolved, runtime, &mp_runtime_default);
    return status == MOEP_OK ? load(buffer, size, &resolved, out) : status;
}
