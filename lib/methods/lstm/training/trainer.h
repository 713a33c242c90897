/* SPDX-License-Identifier: BSD-3-Clause */
/* Training, whatever the network: updates by Adam on batches of lessons; now and then an exam on what is held out decides
 * whether the parameters take the place of those in use, which are therefore never worse there. */
#ifndef MP_METHODS_LSTM_TRAINING_TRAINER_H
#define MP_METHODS_LSTM_TRAINING_TRAINER_H

#include "api/runtime.h"
#include "methods/lstm/training/train_state.h"
#include "support/random.h"

struct lstm_losses {
    double loss, untrained; /* of the parameters, and of an untrained network, on what is held out */
};

struct lstm_objective {
    void *self;
    size_t parameters;
    double step_cost, validation_cost; /* floating-point operations */

    /* A batch that `random` draws: the gradient of its loss. */
    void (*minibatch_gradient)(void *self, struct random *random, const real *parameters, real *gradient);

    /* residuals: NULL, or they become those of the parameters, as far as enough was seen to tell. */
    struct lstm_losses (*validate)(void *self, const real *parameters, struct lstm_residuals *residuals);
};

struct lstm_schedule {
    uint64_t updates;        /* of a round */
    uint64_t warmup_updates; /* updates in which the rate rises */
    uint64_t eval_interval;  /* exams */
    double learning_rate;
    double acceptance_margin; /* part of their loss by which the parameters in use must be beaten */
};

/* Adds a budget, in 10^6 operations, to the model's credit: is that enough for an update? A budget of 0 always is. */
bool mp_lstm_deposit(struct lstm_model *model, const struct lstm_objective *objective,
                     const struct lstm_schedule *schedule, double budget);

/* Goes on with the model's round, or begins one from the parameters in use, as long as the credit lasts; with a budget of 0
 * to the end of the round. NUMERIC if a gradient is not finite. */
moep_status mp_lstm_train(struct lstm_model *model, const struct lstm_objective *objective,
                          const struct lstm_schedule *schedule, double budget, const struct runtime *runtime,
                          uint64_t seed);

#endif
