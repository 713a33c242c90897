/* SPDX-License-Identifier: BSD-3-Clause */
/* The training loss: the relative error of the mean load from the origin on, over every horizon. */
#ifndef MP_METHODS_LSTM_NETWORK_LOSS_H
#define MP_METHODS_LSTM_NETWORK_LOSS_H

#include "support/vectors.h"

/* The loss over n output spans. F_b and Y_b are the means of the first b forecasts and targets, and
 * u_b = max(Y_b, min_load):
 *
 *     loss = 1/n sum over b of |F_b - Y_b| / u_b
 *
 * d, if not NULL, becomes weight times its gradient. A forecast is part of every mean from its own span on:
 *
 *     d_i = weight/n sum over b >= i of sign(F_b - Y_b) / (b u_b)
 *
 * sign(0) = 0 is a subgradient of the kink. For n = 0 the loss is 0. Sums are in double, in the order of spans. */
double mp_lstm_loss(size_t n, const real *forecasts, const real *targets, double min_load, double weight, real *d);

#endif
