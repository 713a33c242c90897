/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/standardise.h"

#include "support/logarithm.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

static void difference(double *values, size_t steps, unsigned d)
{
    for (unsigned k = 0; k < d; k++)
        for (size_t t = 0; t + 1 < steps - k; t++)
            values[t] = values[t + 1] - values[t];
}

/* The largest modulus of x - level; infinite if one is not finite. Compares patterns of bits, in which moduli are
 * ordered as numbers are. */
MP_VECTORISED static double mp_largest_deviation(const double *values, size_t n, double level)
{
    uint64_t largest = 0;
    for (size_t t = 0; t < n; t++) {
        double x = values[t] - level;
        uint64_t bits;
        memcpy(&bits, &x, sizeof bits);
        bits &= UINT64_MAX >> 1;
        largest = bits > largest ? bits : largest;
    }
    double found;
    memcpy(&found, &largest, sizeof found);
    return isfinite(found) ? found : INFINITY;
}

/* By eights, as vectors are wide, in a fixed order. */
enum { PARTS = 8 };

static double sum_of_parts(const double *parts)
{
    return ((parts[0] + parts[4]) + (parts[2] + parts[6])) + ((parts[1] + parts[5]) + (parts[3] + parts[7]));
}

MP_VECTORISED static double mp_total(const double *values, size_t n)
{
    double parts[PARTS] = {0};
    size_t t = 0;
    for (; t + PARTS <= n; t += PARTS)
        for (size_t i = 0; i < PARTS; i++)
            parts[i] += values[t + i];
    for (; t < n; t++)
        parts[t % PARTS] += values[t];
    return sum_of_parts(parts);
}

/* (x - level) x factor in place; the sum of squares of that. */
MP_VECTORISED static double mp_shift_and_scale(double *values, size_t n, double level, double factor)
{
    double parts[PARTS] = {0};
    size_t t = 0;
    for (; t + PARTS <= n; t += PARTS)
        for (size_t i = 0; i < PARTS; i++) {
            double x = (values[t + i] - level) * factor;
            values[t + i] = x;
            parts[i] += x * x;
        }
    for (; t < n; t++) {
        double x = (values[t] - level) * factor;
        values[t] = x;
        parts[t % PARTS] += x * x;
    }
    return sum_of_parts(parts);
}

/* By the largest deviation first: squares of very small or large numbers have no digits. */
bool mp_arima_standardise(struct arima_series *series, double *values, size_t steps, unsigned d, bool mean)
{
    double largest = mp_largest_deviation(values, steps, 0);
    *series = (struct arima_series){.values = values, .n = steps > d ? steps - d : 0};
    size_t n = series->n;
    if (n == 0 || !(largest > 0 && largest < 1e150))
        return false;
    difference(values, steps, d);
    series->level = mean ? mp_total(values, n) / (double)n : 0;
    double deviation = mp_largest_deviation(values, n, series->level), level = series->level, lift = 1;
    if (!(deviation > 1e-14 * largest))
        return false;
    if (deviation < 1e-300) { /* whose inverse may be no number */
        lift = 0x1p+300;
        mp_shift_and_scale(values, n, level, lift);
        deviation *= lift;
        level = 0;
    }
    double root = sqrt(mp_shift_and_scale(values, n, level, 1 / deviation) / (double)n);
    mp_shift_and_scale(values, n, 0, 1 / root);
    series->scale = deviation * root / lift;
    return true;
}

struct arima_order mp_arima_bearable(struct arima_order order, size_t n)
{
    while (order.p + order.q > 0 && 3 * (order.p + order.q) + 5 > n) {
        if (order.p >= order.q)
            order.p--;
        else
            order.q--;
    }
    return order;
}

static void criteria(const struct arima_series *series, double objective, double squares,
                     struct arima_estimate *estimate)
{
    static const double log_2_pi = 1.8378770664093453;
    double n = (double)series->n, k = estimate->order.p + estimate->order.q + estimate->order.mean + 1;
    estimate->sigma2 = squares / n * series->scale * series->scale;
    estimate->loglik = 0.5 * n * (mp_logarithm(n) - log_2_pi - 1) - objective - n * mp_logarithm(series->scale);
    estimate->aicc = n > k + 1 ? -2 * estimate->loglik + 2 * k * n / (n - k - 1) : INFINITY;
}

void mp_arima_describe(const struct arima_series *series, const struct arima_run *run, struct arima_order order,
                       struct arima_estimate *estimate)
{
    estimate->order = order;
    memcpy(estimate->phi, run->at.phi, sizeof estimate->phi);
    memcpy(estimate->theta, run->at.theta, sizeof estimate->theta);
    memcpy(estimate->phi_error, run->error, order.p * sizeof *run->error);
    memcpy(estimate->theta_error, run->error + order.p, order.q * sizeof *run->error);
    estimate->mean = series->level + series->scale * run->mean_value;
    criteria(series, run->objective, run->sum_of_squares, estimate);
}

void mp_arima_describe_noise(const struct arima_series *series, struct arima_order order,
                             struct arima_estimate *estimate)
{
    double squares = 0;
    for (size_t t = 0; t < series->n; t++)
        squares += series->values[t] * series->values[t];
    order.p = order.q = 0;
    estimate->order = order;
    estimate->mean = series->level;
    criteria(series, 0.5 * (double)series->n * mp_logarithm(squares), squares, estimate);
}
