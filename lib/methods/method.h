/* SPDX-License-Identifier: BSD-3-Clause */
/* What a forecasting method must provide, and the table of those there are. */
#ifndef MP_METHODS_METHOD_H
#define MP_METHODS_METHOD_H

#include "api/runtime.h"
#include "checkpoint/checkpoint.h"
#include "series/panel.h"

/* What the handle hands to a method: everything but the output. */
struct task {
    const moep_predictor_config *config; /* checked */
    struct panel panel;                  /* the history held; min_steps or more where forecast is called */
    size_t experts;                      /* of a layer; the panel's series are layers x experts */
    uint64_t next_step;                  /* of the handle */
    const struct runtime *runtime;
};

/* Another run to learn from. */
struct run {
    struct panel panel; /* all of it */
    size_t layers, experts;
    uint64_t first_step; /* the run's own number of the panel's first row */
};

/* Quantiles that are asked for: n probabilities, each within 0 and 1. */
struct quantiles {
    const double *probabilities;
    size_t n;
};

enum { MP_MODEL_PACKED = 4 };

/* Stateless: what fit learns is a block of memory, without pointers into itself, that the handle owns and copies. */
struct method {
    const char *name;

    /* INVALID_ARGUMENT for a field of its own out of range. */
    moep_status (*check)(const moep_predictor_config *config);

    /* UNSUPPORTED for more series than it can work with. NULL: there are never too many. */
    moep_status (*check_shape)(const moep_predictor_config *config, size_t series);

    /* Steps of history: what it works with by default, what forecast cannot do without, what forecast waits for. */
    uint64_t (*default_history)(const moep_predictor_config *config);
    uint64_t (*least_history)(const moep_predictor_config *config);
    uint64_t (*min_steps)(const moep_predictor_config *config);

    /* Bytes of its model, zeroed at create. NULL: nothing to learn, and model_fields and fit are NULL too. */
    size_t (*model_size)(const moep_predictor_config *config, size_t layers, size_t experts);

    /* Makes a zeroed model what it is before any fit. NULL: zeros are. */
    void (*start_model)(const moep_predictor_config *config, size_t series, void *model);

    /* The model as a checkpoint's fields, in no fewer bytes than model_size / MP_MODEL_PACKED: a reader takes memory
     * for a model only if the input is long enough to hold it. Reading must require what forecast relies on. */
    void (*model_fields)(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                         void *model);

    /* Does it forecast nothing of use before a fit? NULL: yes, if it has one. */
    bool (*needs_fit)(const moep_predictor_config *config);

    /* Estimates the model, which comes in as it is now. On an error the handle throws it away and keeps the old one. */
    moep_status (*fit)(const struct task *task, void *model);

    /* The same from other runs, n of them, and from the beginning. NULL: it cannot learn from these. */
    moep_status (*fit_traces)(const struct task *task, const struct run *runs, size_t n, void *model);

    /* rows[mp_forecast_rows(horizon, stride)][series], need not sum to 1. */
    moep_status (*forecast)(const struct task *task, const void *model, size_t horizon, size_t stride, double *rows);

    /* rows[n][mp_forecast_rows(horizon, stride)][series]: of the mean of the row's steps; not less where the probability
     * is larger. NULL: it has none. */
    moep_status (*quantiles)(const struct task *task, const void *model, size_t horizon, size_t stride,
                             const struct quantiles *quantiles, double *rows);
};

static inline size_t mp_forecast_rows(size_t horizon, size_t stride)
{
    return horizon == 0 || stride == 0 ? 0 : (horizon - 1) / stride + 1;
}

/* NULL for an unknown one. */
const struct method *mp_method(moep_method method);

extern const struct method mp_sw_avg, mp_arima, mp_lstm;

#endif
