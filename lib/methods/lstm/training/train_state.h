/* SPDX-License-Identifier: BSD-3-Clause */
/* What training reads and writes of a model: the parameters that forecasts use, those that training is at work on with the
 * optimiser's moments, and how far it has come. */
#ifndef MP_METHODS_LSTM_TRAINING_TRAIN_STATE_H
#define MP_METHODS_LSTM_TRAINING_TRAIN_STATE_H

#include "methods/lstm/training/adam.h"
#include "methods/lstm/training/residual_quantiles.h"

struct lstm_train_state {
    uint64_t weights;         /* in use: MOEP_LSTM_UNTRAINED, .. */
    uint64_t rounds, updates; /* begun; made in this one */
    uint64_t length;          /* of this round; 0: none was begun */
    double balance;           /* 10^6 operations that budgets have granted and nothing was spent on yet */
    double loss, untrained_loss;
    struct lstm_adam adam;
};

/* A parameter that is read or set is no larger: no sum of products of such overflows. */
#define MP_LSTM_MOST_PARAMETER 1e6F

/* The parts of a model. */
struct lstm_model {
    struct lstm_train_state *state;
    struct lstm_residuals *residuals;
    size_t parameters;
    real *best, *candidate, *m, *v; /* [parameters] */
};

#endif
