/* SPDX-License-Identifier: BSD-3-Clause */
/* What recurrent layers begin with: numbers as PyTorch draws them, and gates that forget little. */
#ifndef MP_METHODS_LSTM_START_H
#define MP_METHODS_LSTM_START_H

#include "lstm_layout.h"
#include "support/random.h"

/* The layers' parameters, in an array that holds zeros: what is padded stays so. */
void mp_lstm_start_layers(const struct lstm_shape *shape, struct random *random, real *parameters);

/* n numbers between -limit and limit. */
void mp_lstm_start_numbers(struct random *random, double limit, real *to, size_t n);

#endif
