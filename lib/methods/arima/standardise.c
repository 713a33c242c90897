/* SPDX-License-Identifier: BSD-3-Clause */
/* With w = level + scale x, the log-likelihood of n values w is that of x less n log(scale). The optimiser's objective
 * omits the constant. So for w, with k = p + q + 1 parameters and one more for a mean,
 *
 *     loglik = n / 2 (log(n) - log(2 pi) - 1) - objective - n log(scale),
 *     AICc   = -2 loglik + 2 k n / (n - k - 1)   (Hurvich and Tsai 1989).
 *
 * For p = q = 0 the objective is n / 2 log(sum of x^2). */
#include "methods/arima/standardise.h"

#include "support/logarithm.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

static const double LOG_2_PI = 1.8378770664093453;

static void difference(double *values, size_t steps, unsigned d)
{
    for (unsigned k = 0; k < d; k++)
        for (size_t t = 0; t + 1 < steps - k; t++)
            values[t] = values[t + 1] - values[t];
}

/* The largest |x - level|; infinite if one is not finite. Compares bit patterns, which have the order of the moduli.
 * Such comparisons vectorise, and a NaN counts as the largest. */
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

/* Sums run in eight parts, as many as the widest vector has, so that every width adds in the same order. */
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

/* Replaces every x by (x - level) factor; returns the sum of squares. */
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

/* A series whose largest value is above LARGEST counts as not finite: squares would overflow. Deviations within
 * ROUNDING of it are rounding errors of a constant. Below TINY the inverse of a deviation may overflow: such
 * differences are first multiplied by LIFT. */
static const double LARGEST = 1e150, ROUNDING = 1e-14, TINY = 1e-300, LIFT = 0x1p+300;

/* Divides by the largest deviation before it squares, because squares of tiny or huge numbers lose their digits. */
bool mp_arima_standardise(struct arima_standardised *series, double *values, size_t steps, unsigned d, bool mean)
{
    double largest = mp_largest_deviation(values, steps, 0);
    *series = (struct arima_standardised){.values = values, .n = steps > d ? steps - d : 0};
    size_t n = series->n;
    if (n == 0 || !(largest > 0 && largest < LARGEST))
        return false;
    difference(values, steps, d);
    series->level = mean ? mp_total(values, n) / (double)n : 0;
    double deviation = mp_largest_deviation(values, n, series->level), level = series->level, lift = 1;
    if (!(deviation > ROUNDING * largest))
        return false;
    if (deviation < TINY) {
        lift = LIFT;
        mp_shift_and_scale(values, n, level, lift);
        deviation *= lift;
        level = 0;
    }
    double root = sqrt(mp_shift_and_scale(values, n, level, 1 / deviation) / (double)n);
    mp_shift_and_scale(values, n, 0, 1 / root);
    series->scale = deviation * root / lift;
    return true;
}

/* At least three observations per coefficient, and 5 more, so that n - k - 1 of AICc is positive. */
struct arima_order mp_arima_supported_order(struct arima_order order, size_t n)
{
    while (order.p + order.q > 0 && 3 * (order.p + order.q) + 5 > n) {
        if (order.p >= order.q)
            order.p--;
        else
            order.q--;
    }
    return order;
}

static void fill_criteria(const struct arima_standardised *series, double objective, double squares,
                          struct arima_estimate *estimate)
{
    double n = (double)series->n, k = estimate->order.p + estimate->order.q + estimate->order.mean + 1;
    estimate->sigma2 = squares / n * series->scale * series->scale;
    estimate->loglik = 0.5 * n * (mp_logarithm(n) - LOG_2_PI - 1) - objective - n * mp_logarithm(series->scale);
    estimate->aicc = n > k + 1 ? -2 * estimate->loglik + 2 * k * n / (n - k - 1) : INFINITY;
}

void mp_arima_fill_estimate(const struct arima_standardised *series, const struct arima_candidate *candidate,
                            struct arima_order order, struct arima_estimate *estimate)
{
    estimate->order = order;
    memcpy(estimate->phi, candidate->at.phi, sizeof estimate->phi);
    memcpy(estimate->theta, candidate->at.theta, sizeof estimate->theta);
    memcpy(estimate->phi_error, candidate->standard_error, order.p * sizeof *candidate->standard_error);
    memcpy(estimate->theta_error, candidate->standard_error + order.p, order.q * sizeof *candidate->standard_error);
    estimate->mean = series->level + series->scale * candidate->mean_value;
    fill_criteria(series, candidate->objective, candidate->sum_of_squares, estimate);
}

void mp_arima_fill_noise_estimate(const struct arima_standardised *series, struct arima_order order,
                                  struct arima_estimate *estimate)
{
    double squares = 0;
    for (size_t t = 0; t < series->n; t++)
        squares += series->values[t] * series->values[t];
    order.p = order.q = 0;
    estimate->order = order;
    estimate->mean = series->level;
    fill_criteria(series, 0.5 * (double)series->n * mp_logarithm(squares), squares, estimate);
}
