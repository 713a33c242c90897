/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include "method.h"
#include "status.h"
#include "support/environment.h"

#include <math.h>
#include <string.h>

/* No struct ends in padding, where a later version's field could hide without changing the size. Fields are of 4 or 8
 * bytes: where size_t has 8, the size of every version is a whole number of them, and no such size cuts a field in
 * two. */
enum { STRUCT_UNIT = sizeof(size_t), STRUCT_LEAST = 2 * sizeof(size_t) };
#define ENDS_WITH(type, field)                                                         \
    _Static_assert(offsetof(type, field) + sizeof((type *)0)->field == sizeof(type) && \
                       sizeof(type) % STRUCT_UNIT == 0,                                \
                   #type " ends in padding")
ENDS_WITH(moep_runtime, progress_user);
ENDS_WITH(moep_predictor_config, reserved);
ENDS_WITH(moep_lstm_training, untrained_loss);
ENDS_WITH(moep_lstm_weights, bias_hh);
ENDS_WITH(moep_arima_model, aicc);
ENDS_WITH(moep_detector_config, windows);
ENDS_WITH(moep_info, gaps);
ENDS_WITH(moep_trace, experts);
ENDS_WITH(moep_backtest_config, assignments);
ENDS_WITH(moep_backtest_result, left_out);

static size_t size_of(const void *theirs)
{
    return *(const size_t *)theirs;
}

static moep_status check_size(const void *theirs, size_t known, const char *name)
{
    if (!theirs)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%s is NULL", name);
    size_t given = size_of(theirs);
    if (given > known)
        return mp_fail(MOEP_ERROR_INCOMPATIBLE,
                       "%s.struct_size is %zu, this library knows %zu: set it to sizeof(%s), or use a newer library",
                       name, given, known, name);
    if (given < STRUCT_LEAST || given % STRUCT_UNIT != 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%s.struct_size is %zu: set it to sizeof(%s) before the call", name,
                       given, name);
    return MOEP_OK;
}

/* Past struct_size, which each side keeps. */
static void copy_fields(void *to, const void *from, size_t size)
{
    memcpy((char *)to + sizeof(size_t), (const char *)from + sizeof(size_t), size - sizeof(size_t));
}

moep_status mp_struct_read(void *to, size_t size, const void *from, const char *name)
{
    moep_status status = check_size(from, size, name);
    if (status == MOEP_OK)
        copy_fields(to, from, size_of(from));
    return status;
}

moep_status mp_struct_write(void *to, const void *from, size_t size, const char *name)
{
    moep_status status = check_size(to, size, name);
    if (status == MOEP_OK)
        copy_fields(to, from, size_of(to));
    return status;
}

const struct runtime mp_runtime_default = {
    .memory = {mp_default_allocate, mp_default_release, NULL},
    .threads = 1,
};

moep_status mp_runtime_read(struct runtime *to, const moep_runtime *from, const struct runtime *otherwise)
{
    *to = *otherwise;
    if (!from)
        return MOEP_OK;
    moep_runtime theirs = {0};
    moep_status status = mp_struct_read(&theirs, sizeof theirs, from, "moep_runtime");
    if (status != MOEP_OK)
        return status;
    if (!theirs.allocate != !theirs.release)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_runtime: allocate and release come together or not at all");
    if (theirs.reserved != 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_runtime.reserved must be 0");
    *to = mp_runtime_default;
    if (theirs.allocate)
        to->memory = (struct memory){theirs.allocate, theirs.release, theirs.allocator_user};
    to->threads = theirs.threads > 1 ? theirs.threads : 1;
    to->progress = theirs.progress;
    to->progress_user = theirs.progress_user;
    return MOEP_OK;
}

moep_status mp_runtime_progress(const struct runtime *runtime, double fraction)
{
    if (runtime->progress && runtime->progress(runtime->progress_user, fraction) != 0)
        return mp_fail(MOEP_ERROR_CANCELLED, "the progress callback asked to stop");
    return MOEP_OK;
}

moep_status mp_shape_check(size_t layers, size_t experts)
{
    if (layers == 0 || experts == 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%zu layers of %zu experts: both must be 1 or more", layers,
                       experts);
    return MOEP_OK;
}

/* ---- of a predictor ---------------------------------------------------------------------------------------------- */

const moep_predictor_config mp_predictor_config_defaults = {
    .method = MOEP_SW_AVG,
    .sw_avg_window = 200,
    .history = 0,
    .fit_budget = 0,
    .arima_p = 2,
    .arima_d = 1,
    .arima_q = 2,
    .arima_order_scope = MOEP_ARIMA_PER_LAYER,
    .arima_bucket = 5,
    .arima_starts = 5,
    .arima_scale = MOEP_ARIMA_SHARES,
    .arima_mean = 1,
    .arima_root_limit = 0.995,
    .seed = 0,
    .lstm_scope = MOEP_LSTM_SHARED,
    .lstm_layers = 1,
    .lstm_hidden = 16,
};

moep_status moep_predictor_config_init(moep_predictor_config *config, moep_method method)
{
    MP_BORDER
    if (!mp_method(method))
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "method %d is unknown", (int)method);
    moep_predictor_config ours = mp_predictor_config_defaults;
    ours.method = method;
    return mp_struct_write(config, &ours, sizeof ours, "moep_predictor_config");
}

moep_status mp_predictor_config_read(moep_predictor_config *to, const moep_predictor_config *from)
{
    *to = mp_predictor_config_defaults;
    moep_status status = mp_struct_read(to, sizeof *to, from, "moep_predictor_config");
    if (status != MOEP_OK)
        return status;
    const struct method *method = mp_method(to->method);
    if (!method)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "method %d is unknown", (int)to->method);
    if (!(to->fit_budget >= 0 && isfinite(to->fit_budget)))
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "fit_budget must be finite and >= 0");
    status = method->check(to);
    if (status != MOEP_OK)
        return status;
    uint64_t least = method->least_history(to);
    if (to->history == 0)
        to->history = method->default_history(to);
    if (to->history < least)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "history = %llu, but %s needs %llu steps or more",
                       (unsigned long long)to->history, method->name, (unsigned long long)least);
    return MOEP_OK;
}

/* ---- of a detector ----------------------------------------------------------------------------------------------- */

const moep_detector_config mp_detector_config_defaults = {
    .horizon = 1000,
    .tolerance = 0.10,
    .expert_tolerance = 0.20,
    .growth = 0.3,
    .drift_window = 100,
    .block = 20,
    .dwell = 100,
    .windows = {10, 100},
};

moep_status moep_detector_config_init(moep_detector_config *config)
{
    MP_BORDER
    return mp_struct_write(config, &mp_detector_config_defaults, sizeof *config, "moep_detector_config");
}

/* What is wrong with it, in words; NULL if nothing is. */
static const char *detector_fault(const moep_detector_config *config)
{
    uint32_t block = config->block, blocks = block > 0 ? config->drift_window / block : 0;
    if (config->horizon < 1)
        return "horizon must be 1 or more";
    if (!(config->tolerance > 0 && isfinite(config->tolerance)))
        return "tolerance must be finite and more than 0";
    if (!(config->expert_tolerance > 0 && isfinite(config->expert_tolerance)))
        return "expert_tolerance must be finite and more than 0";
    if (!(config->growth >= 0 && config->growth <= 1))
        return "growth must be within 0 and 1";
    if (blocks < 2 || blocks > MP_MOST_BLOCKS || config->drift_window % block != 0)
        return "drift_window must be 2 to 512 times block";
    if (config->dwell < 1)
        return "dwell must be 1 or more";
    if (config->reserved != 0)
        return "reserved must be 0";
    for (size_t i = 0; i < MP_WINDOWS; i++)
        if (config->windows[i] > MP_LONGEST_WINDOW)
            return "windows must be of 1024 steps or fewer, 0 for none";
    return NULL;
}

moep_status mp_detector_config_read(moep_detector_config *to, const moep_detector_config *from)
{
    *to = mp_detector_config_defaults;
    moep_status status = mp_struct_read(to, sizeof *to, from, "moep_detector_config");
    if (status != MOEP_OK)
        return status;
    const char *fault = detector_fault(to);
    if (fault)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_detector_config: %s", fault);
    return MOEP_OK;
}
