/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/struct.h"

#include "api/status.h"

#include <string.h>

/* No struct ends in padding, because a later version could add a field there without changing the size. Fields have 4
 * or 8 bytes. Where size_t has 8, the size of every version is a multiple of 8, and no such size splits a field. */
enum { STRUCT_UNIT = sizeof(size_t), STRUCT_LEAST = 2 * sizeof(size_t) };
#define ENDS_WITH(type, field)                                                         \
    _Static_assert(offsetof(type, field) + sizeof((type *)0)->field == sizeof(type) && \
                       sizeof(type) % STRUCT_UNIT == 0,                                \
                   #type " has another last field than " #field ", or ends in padding")
ENDS_WITH(moep_runtime, progress_user);
ENDS_WITH(moep_predictor_config, reserved);
ENDS_WITH(moep_auto_report, since_jump);
ENDS_WITH(moep_lstm_training, untrained_loss);
ENDS_WITH(moep_lstm_weights, bias_hh);
ENDS_WITH(moep_arima_model, aicc);
ENDS_WITH(moep_detector_config, windows);
ENDS_WITH(moep_layout, nodes);
ENDS_WITH(moep_planner_config, risk);
ENDS_WITH(moep_plan_options, layers);
ENDS_WITH(moep_plan_result, net_gain);
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
        return mp_fail_null(name);
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

/* Copies all but struct_size, which each side keeps. */
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
