/* SPDX-License-Identifier: BSD-3-Clause */
/* What an ARIMA fit learns, as one block of memory: the estimates of all series, and how far the fit has come. A fit
 * that its budget has cut short goes on in the next call: through the layers whose orders are still to be selected,
 * then through the series that are not done. When all are, the next call begins a new round, from the estimates that
 * there are. */
#ifndef MP_METHODS_ARIMA_MODEL_H
#define MP_METHODS_ARIMA_MODEL_H

#include "methods/arima/estimate.h"
#include "methods/arima/horizon_factors.h"
#include "methods/method.h"

struct arima_progress {
    uint64_t rounds;  /* begun */
    uint64_t ordered; /* series whose orders are known in this round */
    uint64_t over;    /* 1: all series of the round are done */
    uint64_t rungs;   /* horizons of 1, 2, 4, .. observations that standard errors were calibrated for; 0: none */
};

/* The parts of a model. */
struct arima_model {
    struct arima_progress *progress;
    struct arima_estimate *estimates; /* [series]: the last that was finished; `done` is about this round */
    struct arima_order *asked;        /* [series]: in this round */
    struct arima_factors *factors;    /* [series]: as the last round that was over has left them */
    uint64_t *known;                  /* [series]: 1: there is an estimate */
};

size_t mp_arima_model_size(const moep_predictor_config *config, size_t layers, size_t experts);
struct arima_model mp_arima_model(void *block, size_t series);
void mp_arima_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                           void *block);

#endif
