/* SPDX-License-Identifier: BSD-3-Clause */
/* Defaults, and the checks that all methods share; a method checks its own fields (method.h). */
#include "predictor/config.h"

#include "api/status.h"
#include "api/struct.h"
#include "methods/method.h"
#include "support/environment.h"

#include <math.h>

/* The programs that measure other choices: examples/windows.sh (sw_avg_window), tests/bench/arima_accuracy.py (order,
 * bucket), tests/bench/arima_peers.py (starts), tests/bench/lstm_accuracy.py (scope). */
const moep_predictor_config mp_predictor_config_defaults = {
    .method = MOEP_SW_AVG,
    .sw_avg_window = 200, /* longer: less noise; shorter: less lag behind a changing load */
    .history = 0,
    .fit_budget = 0,
    .arima_p = 2,
    .arima_d = 1,
    .arima_q = 2,
    .arima_order_scope = MOEP_ARIMA_PER_LAYER, /* the order of most experts is less noisy than each one's own */
    .arima_bucket = 5,                         /* larger: less noise and faster fits; smaller: more observations */
    .arima_starts = 5,                         /* more: better maxima of large orders; fewer: faster fits */
    .arima_scale = MOEP_ARIMA_SHARES,
    .arima_mean = 1,
    .arima_root_limit = 0.995, /* lower: less of a real trend; 1: roots that nearly cancel distort forecasts */
    .seed = 0,
    .lstm_scope = MOEP_LSTM_SHARED,
    .lstm_layers = 1,
    .lstm_hidden = 16, /* the size of the shipped weights */
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
    if (to->reserved != 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_predictor_config.reserved must be 0");
    const char *fault = method->fault_of(to);
    if (fault)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_predictor_config: %s", fault);
    uint64_t least = method->least_history(to);
    if (to->history == 0)
        to->history = method->default_history(to);
    if (to->history < least)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "history = %llu, but %s needs %llu steps or more",
                       (unsigned long long)to->history, method->name, (unsigned long long)least);
    return MOEP_OK;
}
