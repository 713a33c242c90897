/* SPDX-License-Identifier: BSD-3-Clause */
/* A model as training reads and writes it: the parameters that forecasts use, the candidate in training with Adam's
 * moments, and the progress of training. */
#ifndef MP_METHODS_LSTM_TRAINING_TRAIN_STATE_H
#define MP_METHODS_LSTM_TRAINING_TRAIN_STATE_H

#include "methods/lstm/training/adam.h"

struct lstm_train_state {
    uint64_t weights;            /* of `best`: MOEP_LSTM_UNTRAINED, .. */
    uint64_t rounds, updates;    /* rounds begun; updates made in this one */
    uint64_t length;             /* updates of this round; 0: none was begun */
    double balance;              /* of the budget, in 10^6 operations: deposited and not spent yet */
    double loss, untrained_loss; /* of `best` and of an untrained network, at the last validation */
    struct lstm_adam adam;
};

/* No parameter that is read or set is larger, so that no sum of products overflows. */
#define MP_LSTM_MOST_PARAMETER 1e6F

struct lstm_model {
    struct lstm_train_state *state;
    size_t parameters;
    real *best, *candidate, *m, *v; /* [parameters] */
    real *packed;                   /* best, as forecasts read it; derived, so never saved */
};

#endif
