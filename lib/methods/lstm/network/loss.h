/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a forecast was off. */
#ifndef MP_METHODS_LSTM_NETWORK_LOSS_H
#define MP_METHODS_LSTM_NETWORK_LOSS_H

#include "support/vectors.h"

/* The error of the mean load over the first 1, 2, .. n blocks, averaged: sum over b of |f - y| / max(y, bottom) / n, f and
 * y the means of forecasts and targets up to b. d, if not NULL, becomes its gradient by the n forecasts, times weight.
 * 0 for n = 0. */
double mp_lstm_loss(size_t n, const real *forecasts, const real *targets, double bottom, double weight, real *d);

#endif
