/* SPDX-License-Identifier: BSD-3-Clause */
/* Adam (Kingma and Ba, 2015), with a bound on the gradient's length and a rate that falls as a cosine does. */
#ifndef MP_METHODS_LSTM_TRAINING_ADAM_H
#define MP_METHODS_LSTM_TRAINING_ADAM_H

#include "support/vectors.h"

/* The state beside the moments, part of a model: its fields are all there is to save. */
struct lstm_adam {
    uint64_t updates;
    double beta1_power, beta2_power; /* beta^updates of the moments; 1 at the start */
};

struct lstm_adam_rule {
    double learning_rate;    /* at the first update, but for the rise */
    double max_norm;         /* the gradient is scaled down to this length; INFINITY: never */
    uint64_t warmup_updates; /* over so many updates the rate rises in equal steps */
    uint64_t decay_updates;  /* the rate is 0 from this many updates on, half at half of them; 0: it does not fall */
};

struct lstm_adam mp_lstm_adam_start(void);

/* One update of n parameters (a multiple of MP_ROW) and their moments. False, and nothing changed, if the gradient is
 * not finite. */
bool mp_lstm_adam_update(struct lstm_adam *adam, const struct lstm_adam_rule *rule, size_t n, const real *gradient,
                         real *m, real *v, real *parameters);

#endif
