/* SPDX-License-Identifier: BSD-3-Clause */
/* Adam's update (adam.h), one kernel per vector width.
 *
 * bytes: the same for every width. */
#ifndef MP_METHODS_LSTM_TRAINING_ADAM_KERNEL_H
#define MP_METHODS_LSTM_TRAINING_ADAM_KERNEL_H

#include "support/vectors.h"

struct lstm_adam_update {
    real scale;            /* of the gradient, to clip it */
    real m_gain, v_gain;   /* 1 - beta1, 1 - beta2 */
    real rate;             /* rate(t) / (1 - beta1^(t+1)) */
    real v_scale, epsilon; /* v_scale = 1 / sqrt(1 - beta2^(t+1)) */
};

/* Updates n numbers, a multiple of MP_ROW. */
#define MP_LSTM_ADAM_KERNELS(bytes)                                                                                  \
    void mp_lstm_adam_update_##bytes(const struct lstm_adam_update *update, size_t n, const real *gradient, real *m, \
                                     real *v, real *parameters)

MP_LSTM_ADAM_KERNELS(16);
MP_LSTM_ADAM_KERNELS(32);
MP_LSTM_ADAM_KERNELS(64);

#endif
