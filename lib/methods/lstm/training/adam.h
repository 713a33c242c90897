/* SPDX-License-Identifier: BSD-3-Clause */
/* Adam (Kingma and Ba, 2015) with gradient clipping, linear warm-up and cosine decay. For the update after t others:
 *
 *     g <- g min(1, max_norm / |g|)                                               |g| over all parameters
 *     m <- m + (1 - beta1) (g - m),   v <- v + (1 - beta2) (g^2 - v)              beta1 = 0.9, beta2 = 0.999
 *     p <- p - rate(t) (m / (1 - beta1^(t+1))) / (sqrt(v / (1 - beta2^(t+1))) + epsilon)
 *     rate(t) = learning_rate min(1, (t + 1) / warmup_updates) (1 + cos(pi t / decay_updates)) / 2
 *
 * bytes: |g| is summed in MP_ROW lanes, in a fixed order; threads: none; allocates: nothing. */
#ifndef MP_METHODS_LSTM_TRAINING_ADAM_H
#define MP_METHODS_LSTM_TRAINING_ADAM_H

#include "support/vectors.h"

/* Adam's state beside m and v. */
struct lstm_adam {
    uint64_t updates;                /* t */
    double beta1_power, beta2_power; /* beta1^t, beta2^t */
};

struct lstm_adam_rule {
    double learning_rate;
    double max_norm;         /* INFINITY: no clipping */
    uint64_t warmup_updates; /* 0: none */
    uint64_t decay_updates;  /* after these the rate is 0; 0: no decay */
};

struct lstm_adam mp_lstm_adam_init(void);

/* Updates n parameters (a multiple of MP_ROW) and their moments. Returns false, and changes nothing, if the gradient is
 * not finite. */
bool mp_lstm_adam_update(struct lstm_adam *adam, const struct lstm_adam_rule *rule, size_t n, const real *gradient,
                         real *m, real *v, real *parameters);

#endif
