/* SPDX-License-Identifier: BSD-3-Clause */
/* The training loop, whatever the network.
 *
 * A round trains a candidate, which begins as a copy of the best parameters, by Adam on minibatches. The loss L is that
 * of loss.h: F_b and Y_b are the means of an example's forecasts and targets over the first b of its n output spans.
 *
 *     L = mean over the minibatch's examples of 1 / n sum over b = 1 .. n of |F_b - Y_b| / max(Y_b, min_load)
 *
 * At every eval_interval-th update and at the last one, L is computed on the validation set for both. The candidate
 * becomes the best if its loss is below (1 - acceptance_margin) times that of the best, so a fit never makes the
 * validation loss larger.
 *
 * A budget is in 10^6 floating-point operations. Every fit deposits its budget; an update is made while the balance
 * covers its cost, that of a validation included where one is due. The rest stays for the next fit, so the result
 * does not depend on how a budget is divided among fits.
 *
 * bytes: the minibatch is drawn from (seed, round, update), so a round may be interrupted anywhere; allocates: the
 * gradient, for the call. */
#ifndef MP_METHODS_LSTM_TRAINING_TRAINER_H
#define MP_METHODS_LSTM_TRAINING_TRAINER_H

#include "api/runtime.h"
#include "methods/lstm/training/train_state.h"
#include "support/random.h"

/* Losses on the validation set: of the parameters, and of an untrained network. */
struct lstm_losses {
    double loss, untrained;
};

/* The loss as a function, and its cost. */
struct lstm_objective {
    void *self;
    size_t parameters;
    double update_cost, validation_cost; /* floating-point operations of the two functions below */

    /* The gradient of the loss of a minibatch that `random` draws. */
    void (*minibatch_gradient)(void *self, struct random *random, const real *parameters, real *gradient);

    struct lstm_losses (*validate)(void *self, const real *parameters);
};

/* The course of one round. */
struct lstm_schedule {
    uint64_t updates, warmup_updates, eval_interval;
    double learning_rate;
    double acceptance_margin;
};

/* Deposits a budget. True if the balance then covers an update; a budget of 0 means a whole round, which is always
 * covered. */
bool mp_lstm_deposit(struct lstm_model *model, const struct lstm_objective *objective,
                     const struct lstm_schedule *schedule, double budget);

/* Continues the model's round, or begins one, while the balance lasts; with a budget of 0, until the end of the round.
 * NUMERIC if a gradient is not finite. */
moep_status mp_lstm_train(struct lstm_model *model, const struct lstm_objective *objective,
                          const struct lstm_schedule *schedule, double budget, const struct runtime *runtime,
                          uint64_t seed);

#endif
