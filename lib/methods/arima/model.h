/* SPDX-License-Identifier: BSD-3-Clause */
/* An ARIMA model: the estimates of all series, and the progress of the fit. If a budget ends a fit, the next call
 * continues with the layers whose orders are not selected, then with the series that are not done. Once all are done,
 * the next call begins a new round from these estimates. */
#ifndef MP_METHODS_ARIMA_MODEL_H
#define MP_METHODS_ARIMA_MODEL_H

#include "methods/arima/estimate.h"
#include "methods/arima/horizon_factors.h"
#include "methods/method.h"

struct arima_progress {
    uint64_t rounds;               /* rounds begun */
    uint64_t orders_selected;      /* series whose orders are known in this round */
    uint64_t complete;             /* 1: all series of the round are done */
    uint64_t calibration_horizons; /* how many of 1, 2, 4, .. observations; 0: no calibration */
};

/* A view of the arrays in a model's memory. */
struct arima_model {
    struct arima_progress *progress;
    struct arima_estimate *estimates; /* [series]: the last finished; `done` refers to this round */
    struct arima_order *requested;    /* [series]: in this round */
    struct arima_factors *factors;    /* [series]: of the last complete round */
    uint64_t *has_estimate;           /* [series]: 0 or 1 */
};

size_t mp_arima_model_size(const moep_predictor_config *config, size_t layers, size_t experts);
struct arima_model mp_arima_model(void *model, size_t series);
void mp_arima_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                           void *model);

#endif
