/* SPDX-License-Identifier: BSD-3-Clause */
/* Rolling origins: replay a recorded run, forecast at every origin, score what came. */
#include "api/status.h"
#include "api/struct.h"
#include "evaluation/score.h"
#include "predictor/predictor.h"
#include "series/intake.h"
#include "series/trace.h"
#include "support/environment.h"

#include <math.h>

struct backtest {
    moep_trace trace;
    moep_backtest_config config;
    size_t origins, layers, experts, horizon, stride, rows;
    struct runtime runtime;
    moep_predictor *predictor;
    double *forecast;     /* [rows][layers][experts] */
    double *scratch;      /* [3][experts] */
    size_t at;            /* the origin */
    struct score *scores; /* [origins][layers]: the caller's arrays are written when nothing can fail any more */
};

/* ---- the replay ------------------------------------------------------------------------------------------------ */

static bool not_yet(moep_status status)
{
    return status == MOEP_ERROR_TOO_FEW_STEPS || status == MOEP_ERROR_NOT_FITTED;
}

static bool needs_fit(const moep_predictor *predictor)
{
    const struct method *method = predictor->method;
    return method->needs_fit ? method->needs_fit(&predictor->config) : method->fit != NULL;
}

/* index: of the origin; fitted: of the origin of the last fit, or SIZE_MAX. */
static bool fit_is_due(const struct backtest *test, size_t index, size_t fitted)
{
    uint64_t every = test->config.refit_every;
    if (fitted == SIZE_MAX)
        return every > 0 || (test->predictor->fitted_step == UINT64_MAX && needs_fit(test->predictor));
    return every > 0 && index - fitted >= every;
}

static moep_status fit_if_due(struct backtest *test, size_t index, size_t *fitted)
{
    if (!test->predictor->method->fit || !fit_is_due(test, index, *fitted))
        return MOEP_OK;
    moep_status status = mp_predictor_fit(test->predictor);
    if (status == MOEP_OK)
        *fitted = index;
    return not_yet(status) ? MOEP_OK : status;
}

static moep_status push_up_to(struct backtest *test, uint64_t origin)
{
    uint64_t pushed = test->predictor->history.next_step;
    return mp_history_push(&test->predictor->history, pushed, (size_t)(origin - pushed),
                           mp_trace_counts(&test->trace, pushed, 0), test->trace.dtype);
}

static moep_status forecast_origin(struct backtest *test, uint64_t origin, struct score *scores)
{
    size_t capacity = test->rows * test->layers * test->experts;
    moep_status status = mp_predictor_predict(test->predictor, test->horizon, test->stride, test->forecast, capacity);
    if (status != MOEP_OK && !not_yet(status))
        return status;
    struct comparison comparison = {
        .trace = &test->trace,
        .origin = origin,
        .horizon = test->horizon,
        .stride = test->stride,
        .forecast = test->forecast,
        .assignments = test->config.assignments,
        .scratch = test->scratch,
    };
    for (size_t layer = 0; layer < test->layers; layer++)
        scores[layer] = status == MOEP_OK ? mp_score(&comparison, layer) : mp_no_score;
    return MOEP_OK;
}

/* Of a fit at an origin, as a part of the whole. */
static int32_t tell(void *user, double fraction)
{
    const struct backtest *test = user;
    double done = ((double)test->at + fraction) / (double)test->origins;
    return test->runtime.progress ? test->runtime.progress(test->runtime.progress_user, done) : 0;
}

static moep_status replay(struct backtest *test)
{
    size_t fitted = SIZE_MAX;
    moep_status status = MOEP_OK;
    for (size_t i = 0; i < test->origins && status == MOEP_OK; i++) {
        uint64_t origin = test->config.first + i * test->config.every;
        test->at = i;
        status = push_up_to(test, origin);
        if (status == MOEP_OK)
            status = fit_if_due(test, i, &fitted);
        if (status == MOEP_OK)
            status = forecast_origin(test, origin, test->scores + i * test->layers);
        if (status == MOEP_OK)
            status = mp_runtime_progress(&test->runtime, (double)(i + 1) / (double)test->origins);
    }
    return status;
}

/* ---- from the call to the replay and back ---------------------------------------------------------------------- */

static moep_status check_config(const moep_backtest_config *config)
{
    if (config->every == 0 || config->horizon == 0 || config->stride == 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT,
                       "moep_backtest_config: every, horizon and stride must be 1 or more");
    if (!(config->assignments >= 0 && isfinite(config->assignments)))
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_backtest_config.assignments must be finite and >= 0");
    return MOEP_OK;
}

static moep_status read_config(moep_backtest_config *to, const moep_backtest_config *from)
{
    *to = (moep_backtest_config){0};
    moep_status status = mp_struct_read(to, sizeof *to, from, "moep_backtest_config");
    return status == MOEP_OK ? check_config(to) : status;
}

static uint64_t count_origins(uint64_t steps, const moep_backtest_config *config)
{
    if (config->horizon > steps || config->first > steps - config->horizon)
        return 0;
    return (steps - config->horizon - config->first) / config->every + 1;
}

size_t moep_backtest_origins(uint64_t steps, const moep_backtest_config *config)
{
    MP_BORDER
    moep_backtest_config ours;
    if (read_config(&ours, config) != MOEP_OK)
        return 0;
    uint64_t origins = count_origins(steps, &ours);
    return origins < SIZE_MAX ? (size_t)origins : SIZE_MAX;
}

static moep_status read_trace(moep_trace *to, const moep_trace *from, const moep_predictor *prototype)
{
    moep_status status = mp_trace_read(to, from);
    if (status != MOEP_OK)
        return status;
    const struct history *history = &prototype->history;
    if (to->layers != history->layers || to->experts != history->experts)
        return mp_fail(
            MOEP_ERROR_INVALID_ARGUMENT, "the trace has %llu layers of %llu experts, the predictor %zu of %zu",
            (unsigned long long)to->layers, (unsigned long long)to->experts, history->layers, history->experts);
    return mp_intake_check(to->counts, to->dtype, to->steps, history->layers, history->experts);
}

static moep_status read_call(struct backtest *test, const moep_predictor *prototype, const moep_trace *trace,
                             const moep_backtest_config *config, const moep_runtime *runtime)
{
    moep_status status = read_config(&test->config, config);
    if (status != MOEP_OK)
        return status;
    status = read_trace(&test->trace, trace, prototype);
    if (status != MOEP_OK)
        return status;
    test->origins = (size_t)count_origins(test->trace.steps, &test->config);
    if (test->origins == 0)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS,
                       "a trace of %llu steps has no origin from %llu on with %llu steps after",
                       (unsigned long long)test->trace.steps, (unsigned long long)test->config.first,
                       (unsigned long long)test->config.horizon);
    test->layers = prototype->history.layers;
    test->experts = prototype->history.experts;
    test->horizon = (size_t)test->config.horizon;
    bool one_row = test->config.stride > test->config.horizon; /* and the stride perhaps no size_t */
    test->stride = one_row ? test->horizon : (size_t)test->config.stride;
    test->rows = mp_forecast_rows(test->horizon, test->stride);
    return mp_runtime_read(&test->runtime, runtime, &prototype->runtime);
}

static size_t forecast_size(const struct backtest *test)
{
    return mp_product(test->rows, test->layers * test->experts);
}

static moep_status take_memory(struct backtest *test, const moep_predictor *prototype)
{
    const struct memory *memory = &test->runtime.memory;
    struct runtime runtime = test->runtime;
    runtime.progress = tell;
    runtime.progress_user = test;
    moep_status status = mp_predictor_make_like(prototype, &runtime, &test->predictor);
    if (status != MOEP_OK)
        return status;
    test->forecast = mp_allocate(memory, forecast_size(test), sizeof *test->forecast);
    test->scratch = mp_allocate(memory, mp_product(3, test->experts), sizeof *test->scratch);
    test->scores = mp_allocate(memory, mp_product(test->origins, test->layers), sizeof *test->scores);
    if (!test->forecast || !test->scratch || !test->scores)
        return mp_out_of_memory("the forecasts and scores of a backtest");
    return MOEP_OK;
}

static void give_memory_back(struct backtest *test)
{
    const struct memory *memory = &test->runtime.memory;
    mp_release(memory, test->scores, mp_product(test->origins, test->layers), sizeof *test->scores);
    mp_release(memory, test->scratch, mp_product(3, test->experts), sizeof *test->scratch);
    mp_release(memory, test->forecast, forecast_size(test), sizeof *test->forecast);
    mp_predictor_destroy(test->predictor);
}

#define HAND_OUT(field)                \
    if (result.field)                  \
        for (size_t i = 0; i < n; i++) \
            result.field[i] = test->scores[i].field;

static void hand_out(const struct backtest *test, moep_backtest_result result)
{
    size_t n = test->origins * test->layers;
    HAND_OUT(error)
    HAND_OUT(error_of_mean)
    HAND_OUT(paper_error)
    HAND_OUT(total_variation)
    HAND_OUT(floor)
    HAND_OUT(floor_of_mean)
    HAND_OUT(left_out)
}

moep_status moep_backtest(const moep_predictor *prototype, const moep_trace *trace, const moep_backtest_config *config,
                          const moep_runtime *runtime, moep_backtest_result *result)
{
    MP_BORDER
    if (!prototype)
        return mp_fail_null("the prototype");
    moep_backtest_result arrays = {0};
    moep_status status = mp_struct_read(&arrays, sizeof arrays, result, "moep_backtest_result");
    if (status != MOEP_OK)
        return status;
    struct backtest test = {0};
    status = read_call(&test, prototype, trace, config, runtime);
    if (status != MOEP_OK)
        return status;
    status = take_memory(&test, prototype);
    if (status == MOEP_OK)
        status = replay(&test);
    if (status == MOEP_OK)
        hand_out(&test, arrays);
    give_memory_back(&test);
    return status;
}
