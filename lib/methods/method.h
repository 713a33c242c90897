/* SPDX-License-Identifier: BSD-3-Clause */
/* The functions that a forecasting method provides, and the table of methods.
 *
 * A method is one `const struct method`, without state: everything that differs between handles is in the arguments.
 * A method may have two pieces of memory, without pointers into themselves, which the handle owns, copies and saves:
 *
 *     the model    what a fit estimates. adopt takes it over from another handle
 *     the state    what the method has learned from the pushes themselves. reset forgets it
 *
 * To write a method, begin with tests/toy.h, a method of fifty lines. CONTRIBUTING.md lists the places
 * that a new one touches, and tests/test_laws.c tests every method of the table.
 *
 * The members stand in the order in which a handle calls them. A method may leave out only those whose comment says
 * what NULL means. Several threads may call them at once, on different handles. Memory comes from task->runtime alone,
 * errors go through mp_fail (api/status.h), and results must not depend on the number of threads. */
#ifndef MP_METHODS_METHOD_H
#define MP_METHODS_METHOD_H

#include "api/runtime.h"
#include "checkpoint/checkpoint.h"
#include "series/panel.h"

/* The input of a call: everything but the model. */
struct task {
    const moep_predictor_config *config; /* checked */
    struct panel panel;                  /* the history held; in forecast and quantiles at least min_steps */
    size_t experts;                      /* of a layer; the panel's series are layers x experts */
    const void *state;                   /* NULL where the method has none */
    uint64_t next_step;                  /* the handle's: the number of the first step to forecast */
    const struct runtime *runtime;
};

/* Another run, from which a method learns. */
struct run {
    struct panel panel; /* the whole run */
    size_t layers, experts;
    uint64_t first_step; /* the run's own number of the panel's first row */
};

/* The requested quantiles: n probabilities, each more than 0 and less than 1. */
struct quantiles {
    const double *probabilities;
    size_t n;
};

/* One layer, of which only the means of some windows are known. */
struct window_means {
    const double *means; /* [windows][experts], of shares */
    size_t experts;
    double age; /* of the run, in steps */
};

/* Forecasts of a layer from the means of windows alone, for a method that keeps no steps. They are those of `forecast`
 * where that sees the same means and no change point. Nothing is allocated and nothing fails, and several threads may
 * forecast at once with one model, each with its own scratch. */
struct means_forecast {
    size_t windows;
    const size_t *steps; /* [windows]: how many of the last steps each window has, or all where there are fewer */

    /* The bytes of scratch for a layer, which the allocator has aligned. */
    size_t (*scratch_size)(size_t experts);

    /* Fills rows[mp_forecast_rows(horizon, stride)][experts], which lie row_stride apart. The configuration and the
     * model are the method's. */
    void (*forecast)(const moep_predictor_config *config, const void *model, const struct window_means *means,
                     size_t horizon, size_t stride, void *scratch, double *rows, size_t row_stride);
};

/* How much smaller than in memory a model or a state may be in a checkpoint. A reader relies on it before it
 * allocates. */
enum { MP_MODEL_COMPRESSION = 4 };

struct method {
    const char *name; /* as in moep_method_name() and in error messages */

    /* ---- create: the configuration and the shape ---- */

    /* Says in words which of the method's own fields of the configuration is out of range; NULL if none is. */
    const char *(*fault_of)(const moep_predictor_config *config);

    /* The steps of history that a handle keeps by default, and the fewest that forecast can work with. */
    uint64_t (*default_history)(const moep_predictor_config *config);
    uint64_t (*least_history)(const moep_predictor_config *config);

    /* UNSUPPORTED for more series than the method can work with. NULL: any number is supported. */
    moep_status (*check_shape)(const moep_predictor_config *config, size_t series);

    /* The bytes of the model, which the handle zeroes. NULL: the method has no model; init_model, model_fields, fit
     * and fit_traces are NULL too. */
    size_t (*model_size)(const moep_predictor_config *config, size_t layers, size_t experts);

    /* Turns zeroed memory into an unfitted model. NULL: zeroed memory is one already. */
    void (*init_model)(const moep_predictor_config *config, size_t series, void *model);

    /* The bytes of the state. Zeroed memory is the state before the first step. NULL: the method has no state; watch
     * and state_fields are NULL too. */
    size_t (*state_size)(const moep_predictor_config *config, size_t layers, size_t experts);

    /* ---- push ---- */

    /* Sees a step after it was recorded: the panel's last row, number next_step - 1. task->state is NULL, because the
     * state may be written to. It allocates nothing, takes no lock and never fails. */
    void (*watch)(const struct task *task, const void *model, void *state);

    /* ---- fit ---- */

    /* Estimates the model from task->panel, beginning with the model as it is. The handle passes a copy, which it
     * discards on an error. NULL: there is nothing to estimate. */
    moep_status (*fit)(const struct task *task, void *model);

    /* Estimates the model from n other runs, beginning with an unfitted one. NULL: UNSUPPORTED. */
    moep_status (*fit_traces)(const struct task *task, const struct run *runs, size_t n, void *model);

    /* Is a forecast useless before a fit? If so, a backtest fits at its first origin. NULL: yes, if there is a fit. */
    bool (*needs_fit)(const moep_predictor_config *config);

    /* ---- predict ---- */

    /* The steps that must have been pushed before forecast is called. */
    uint64_t (*min_steps)(const moep_predictor_config *config);

    /* Fills rows[mp_forecast_rows(horizon, stride)][series] with shares, each the mean over the row's steps. They need
     * not sum to 1, because the handle scales every layer. NOT_FITTED if a fit is missing. */
    moep_status (*forecast)(const struct task *task, const void *model, size_t horizon, size_t stride, double *rows);

    /* Fills rows[n][mp_forecast_rows(horizon, stride)][series] with quantiles of the mean over each row's steps. A
     * larger probability gives no smaller quantile. NULL: the method has no quantiles. */
    moep_status (*quantiles)(const struct task *task, const void *model, size_t horizon, size_t stride,
                             const struct quantiles *quantiles, double *rows);

    /* Forecasts without a history, where the method's configuration allows them. NULL: it needs the steps. */
    const struct means_forecast *means_forecast;

    /* ---- save and load ---- */

    /* Names the model's fields (checkpoint/checkpoint.h), in at least model_size / MP_MODEL_COMPRESSION bytes: a reader
     * allocates a model only if the input is long enough to hold it. Reading must check everything that forecast relies
     * on. */
    void (*model_fields)(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                         void *model);

    /* The same for the state. */
    void (*state_fields)(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t layers,
                         size_t experts, void *state);
};

/* The rows of a forecast; the last may cover fewer than `stride` steps. */
static inline size_t mp_forecast_rows(size_t horizon, size_t stride)
{
    return horizon == 0 || stride == 0 ? 0 : (horizon - 1) / stride + 1;
}

/* The method of that number; NULL if there is none. */
const struct method *mp_method(moep_method method);

extern const struct method mp_sw_avg, mp_arima, mp_lstm, mp_auto;

#endif
