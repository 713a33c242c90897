/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/season.h"

#include "support/logarithm.h"

#include <math.h>

/* Ordinates over the spectrum are exponential, nearly: one of m is above x with a probability of m exp(-x) at most. */
static const double significance = 0.001;

/* The mean of the ordinates around k but next to it: the spectrum there. */
static double surroundings(const double *power, size_t size, size_t spacing, size_t k, size_t leave, size_t reach)
{
    double sum = 0;
    size_t count = 0, first = k > reach ? k - reach : 1, last = k + reach < size / 2 ? k + reach : size / 2 - 1;
    for (size_t j = first; j <= last; j++)
        if (j + leave < k || j > k + leave) {
            sum += power[j * spacing];
            count++;
        }
    return count > 0 ? sum / (double)count : INFINITY;
}

static double autocorrelation(const double *values, size_t n, double mean, size_t lag)
{
    double product = 0, squares = 0;
    for (size_t t = 0; t < n; t++)
        squares += (values[t] - mean) * (values[t] - mean);
    for (size_t t = lag; t < n; t++)
        product += (values[t] - mean) * (values[t - lag] - mean);
    return squares > 0 ? product / squares : 0;
}

unsigned mp_arima_period(const double *values, size_t n, const double *power, size_t size, size_t spacing)
{
    size_t leave = 2 * size / n + 1, reach = 12 * size / n, peak = 0;
    double highest = 0, mean = 0;
    if (n < 24)
        return 0;
    for (size_t k = 3 * size / n; k < size / 2; k++) { /* three periods at least */
        double over = power[k * spacing] / surroundings(power, size, spacing, k, leave, reach);
        if (over > highest) {
            highest = over;
            peak = k;
        }
    }
    if (peak == 0 || highest < mp_logarithm(0.5 * (double)n / significance))
        return 0;
    for (size_t t = 0; t < n; t++)
        mean += values[t] / (double)n;
    size_t around = (size + peak / 2) / peak, period = 0;
    double best = 3 / sqrt((double)n);
    for (size_t lag = around > 2 ? around - 1 : 2; lag <= around + 1 && lag <= n / 3; lag++) {
        double r = autocorrelation(values, n, mean, lag);
        if (r > best) {
            best = r;
            period = lag;
        }
    }
    return (unsigned)period;
}
