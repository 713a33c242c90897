/* SPDX-License-Identifier: BSD-3-Clause */
/* Logarithms of shares, clipped to the range that the network was trained on (the formulas are in examples.h). They are
 * all that examples and forecasts from window means have in common.
 *
 * bytes: the same for every vector width; threads: none; allocates: never. */
#ifndef MP_METHODS_LSTM_FEATURES_LOG_RATIOS_H
#define MP_METHODS_LSTM_FEATURES_LOG_RATIOS_H

#include "support/vectors.h"

/* logs[i] = log(max(shares[i], 1e-9)) */
void mp_lstm_log_shares(const real *shares, double *logs, size_t n);

/* ratios[i] = logs[i] - reference[i], clipped; the logarithms are overwritten. */
void mp_lstm_log_ratios(double *logs, const double *reference, real *ratios, size_t n);

/* Series of one layer, from their window means to their features. */
struct lstm_features {
    const real *means; /* [n][MP_LSTM_WINDOWS] */
    size_t n;
    double experts, age;
    double *logs;      /* scratch, [n][MP_LSTM_WINDOWS] */
    double *reference; /* to: [n], the logarithm of the reference */
    real *features;    /* to: [n][MP_LSTM_FEATURES] */
};

void mp_lstm_fill_features(const struct lstm_features *of);

#endif
