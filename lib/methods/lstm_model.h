/* SPDX-License-Identifier: BSD-3-Clause */
/* What an LSTM's fit learns, as one block of memory: the parameters that forecasts use, those that training is at work on
 * with the optimiser's moments, and how far off forecasts were on what was held out. */
#ifndef MP_METHODS_LSTM_MODEL_H
#define MP_METHODS_LSTM_MODEL_H

#include "lstm_adam.h"
#include "lstm_layout.h"
#include "lstm_residuals.h"
#include "method.h"

struct lstm_state {
    uint64_t weights;         /* in use: MOEP_LSTM_UNTRAINED, .. */
    uint64_t rounds, updates; /* begun; made in this one */
    uint64_t length;          /* of this round; 0: none was begun */
    double credit;            /* 10^6 operations that budgets have granted and nothing was spent on yet */
    double loss, untrained_loss;
    struct lstm_adam adam;
};

/* A parameter that is read or set is no larger: no sum of products of such overflows. */
#define MP_LSTM_LARGEST 1e6F

/* The parts of a model. */
struct lstm_model {
    struct lstm_state *state;
    struct lstm_residuals *residuals;
    size_t parameters;
    real *used, *learning, *first, *second; /* [parameters] */
};

/* The network's shape by the configuration. */
struct lstm_shape mp_lstm_shape(const moep_predictor_config *config, size_t series);

size_t mp_lstm_model_size(const moep_predictor_config *config, size_t layers, size_t experts);
struct lstm_model mp_lstm_model(const moep_predictor_config *config, size_t series, void *block);

/* As create makes it: with the weights that the library ships where the configuration is theirs. */
void mp_lstm_model_start(const moep_predictor_config *config, size_t series, void *block);

/* Without. */
void mp_lstm_model_untrained(const moep_predictor_config *config, size_t series, void *block);

void mp_lstm_visit_model(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                         void *block);

#endif
