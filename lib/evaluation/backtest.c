/* SPDX-License-Identifier: BSD-3-Clause */
/* Rolling origins: replay a recorded run, forecast at every origin, and score the forecast against the steps that
 * followed. The caller's arrays are written at the end, when nothing can fail.
 *
 * allocates: for the call, a clone of the prototype included; threads: those of the method. */
#include "api/status.h"
#include "api/struct.h"
#include "evaluation/score.h"
#include "predictor/predictor.h"
#include "series/intake.h"
#include "series/trace.h"
#include "support/arena.h"
#include "support/environment.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

struct backtest {
    moep_trace trace;
    moep_backtest_config config;
    size_t origins, layers, experts, horizon, stride, rows;
    struct runtime runtime;
    moep_predictor *predictor;
    size_t at;            /* the present origin */
    struct arena arena;   /* the arrays below */
    double *forecast;     /* [rows][layers][experts] */
    double *scratch;      /* [3][experts] */
    struct score *scores; /* [origins][layers] */
};

/* ---- the replay -------------------------------------------------------------------------------------------------- */

/* An origin from which the method cannot forecast yet is no error. Its results are NaN. */
static bool not_yet(moep_status status)
{
    return status == MOEP_ERROR_TOO_FEW_STEPS || status == MOEP_ERROR_NOT_FITTED;
}

static bool needs_fit(const moep_predictor *predictor)
{
    const struct method *method = predictor->method;
    return method->needs_fit ? method->needs_fit(&predictor->config) : method->fit != NULL;
}

/* index: the origin's number; fitted: the number of the last fit's origin, SIZE_MAX before any. */
static bool fit_is_due(const struct backtest *test, size_t index, size_t fitted)
{
    uint64_t every = test->config.refit_every;
    if (fitted == SIZE_MAX)
        return every > 0 || (test->predictor->fitted_step == MP_NEVER && needs_fit(test->predictor));
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
    return mp_predictor_push(test->predictor, pushed, (size_t)(origin - pushed),
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

/* Converts the progress of the fit at one origin into that of the whole backtest. */
static int32_t report_progress(void *user, double fraction)
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

/* ---- from the call to the replay and back ------------------------------------------------------------------------ */

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
    bool one_row = test->config.stride > test->config.horizon; /* the stride may then not fit a size_t */
    test->stride = one_row ? test->horizon : (size_t)test->config.stride;
    test->rows = mp_forecast_rows(test->horizon, test->stride);
    return mp_runtime_read(&test->runtime, runtime, &prototype->runtime);
}

static void lay_out(void *self, struct arena *arena)
{
    struct backtest *test = self;
    size_t forecast = mp_product(test->rows, test->layers * test->experts);
    test->forecast = mp_arena_take(arena, forecast, sizeof *test->forecast);
    test->scratch = mp_arena_take(arena, mp_product(3, test->experts), sizeof *test->scratch);
    test->scores = mp_arena_take(arena, mp_product(test->origins, test->layers), sizeof *test->scores);
}

static moep_status allocate(struct backtest *test, const moep_predictor *prototype)
{
    struct runtime runtime = test->runtime;
    runtime.progress = report_progress;
    runtime.progress_user = test;
    moep_status status = mp_predictor_make_like(prototype, &runtime, &test->predictor);
    if (status == MOEP_OK && !mp_arena_make(&test->arena, lay_out, test, &test->runtime.memory))
        status = mp_out_of_memory("the forecasts and scores of a backtest");
    return status;
}

static void release(struct backtest *test)
{
    mp_arena_free(&test->arena, &test->runtime.memory);
    mp_predictor_destroy(test->predictor);
}

/* Copies the field at this offset of all scores; `to` may be NULL. */
static void copy_field(const struct backtest *test, size_t offset, double *to)
{
    for (size_t i = 0; to && i < test->origins * test->layers; i++)
        memcpy(&to[i], (const char *)&test->scores[i] + offset, sizeof *to);
}

static void copy_results(const struct backtest *test, const moep_backtest_result *to)
{
    copy_field(test, offsetof(struct score, error), to->error);
    copy_field(test, offsetof(struct score, error_of_mean), to->error_of_mean);
    copy_field(test, offsetof(struct score, paper_error), to->paper_error);
    copy_field(test, offsetof(struct score, total_variation), to->total_variation);
    copy_field(test, offsetof(struct score, floor), to->floor);
    copy_field(test, offsetof(struct score, floor_of_mean), to->floor_of_mean);
    for (size_t i = 0; to->left_out && i < test->origins * test->layers; i++)
        to->left_out[i] = test->scores[i].left_out;
}

moep_status moep_backtest(const moep_predictor *prototype, const moep_trace *trace, const moep_backtest_config *config,
                          const moep_runtime *runtime, moep_backtest_result *result)
{
    MP_BORDER
    if (!prototype)
        return mp_fail_null("prototype");
    moep_backtest_result arrays = {0};
    moep_status status = mp_struct_read(&arrays, sizeof arrays, result, "moep_backtest_result");
    if (status != MOEP_OK)
        return status;
    struct backtest test = {0};
    status = read_call(&test, prototype, trace, config, runtime);
    if (status != MOEP_OK)
        return status;
    status = allocate(&test, prototype);
    if (status == MOEP_OK)
        status = replay(&test);
    if (status == MOEP_OK)
        copy_results(&test, &arrays);
    release(&test);
    return status;
}
