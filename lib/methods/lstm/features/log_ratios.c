/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/features/log_ratios.h"

#include "methods/lstm/features/examples.h"
#include "support/logarithm.h"
#include "support/simd.h"

#include <string.h>

enum { REFERENCE = 1 }; /* of the windows */

/* Limits keep rare loads within the range that the network was trained on: ratios to e^2 = 7.4, a load to e^4 = 55
 * times the mean. The shipped weights have learned from runs of 10,000 steps, and a forecast needs 100. MIN_SHARE is
 * less than one token of a step. */
static const double MAX_LOG_RATIO = 2, MAX_LOG_LOAD = 4, MIN_SHARE = 1e-9, MIN_AGE = 100, MAX_AGE = 10000;

static double clip(double x, double limit)
{
    return x < -limit ? -limit : x > limit ? limit : x;
}

static double log_age(double age)
{
    return mp_logarithm(age < MIN_AGE ? MIN_AGE : age > MAX_AGE ? MAX_AGE : age) - mp_logarithm(1000);
}

/* There are three loops because compilers do not vectorise a choice between conversions. */
MP_VECTORISED static void mp_log_shares(const real *restrict shares, double *restrict logs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        logs[i] = (double)shares[i];
    for (size_t i = 0; i < n; i++)
        logs[i] = logs[i] > MIN_SHARE ? logs[i] : MIN_SHARE;
    for (size_t i = 0; i < n; i++)
        logs[i] = mp_logarithm_scaled(logs[i], 0);
}

void mp_lstm_log_shares(const real *shares, double *logs, size_t n)
{
    mp_log_shares(shares, logs, n);
}

MP_VECTORISED static void mp_log_ratios(double *restrict x, const double *restrict reference, real *restrict to,
                                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double ratio = x[i] - reference[i];
        ratio = ratio < -MAX_LOG_RATIO ? -MAX_LOG_RATIO : ratio;
        x[i] = ratio > MAX_LOG_RATIO ? MAX_LOG_RATIO : ratio;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = (real)x[i];
}

void mp_lstm_log_ratios(double *logs, const double *reference, real *ratios, size_t n)
{
    mp_log_ratios(logs, reference, ratios, n);
}

void mp_lstm_fill_features(const struct lstm_features *of)
{
    double log_experts = mp_logarithm(of->experts), age = log_age(of->age);
    const double *logs = of->logs;
    real *to = of->features;
    mp_log_shares(of->means, of->logs, of->n * MP_LSTM_WINDOWS);
    memset(to, 0, of->n * MP_LSTM_FEATURES * sizeof *to);
    for (size_t i = 0; i < of->n; i++, to += MP_LSTM_FEATURES, logs += MP_LSTM_WINDOWS) {
        of->reference[i] = logs[REFERENCE];
        for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
            to[w] = (real)clip(logs[w] - logs[REFERENCE], MAX_LOG_RATIO);
        to[MP_LSTM_WINDOWS] = (real)clip(logs[REFERENCE] + log_experts, MAX_LOG_LOAD);
        to[MP_LSTM_WINDOWS + 1] = (real)age;
        to[MP_LSTM_WINDOWS + 2] = 1;
    }
}
