/* SPDX-License-Identifier: BSD-3-Clause */
/* A season is a peak of the periodogram that stands out from its surroundings and that the autocorrelation confirms.
 *
 * Under a smooth spectrum an ordinate over the mean of its surroundings has nearly an exponential distribution, and
 * there are n / 2 independent ones, so that
 *
 *     P(the highest ratio > x) <= n / 2 exp(-x) = SIGNIFICANCE   at x = log(n / 2 / SIGNIFICANCE).
 *
 * The peak at ordinate k of `size` has the period size / k. The period is the lag within 1 of it with the largest
 * autocorrelation, which must exceed three times its standard deviation 1 / sqrt(n) under noise (Bartlett 1946). */
#include "methods/arima/season.h"

#include "support/logarithm.h"

#include <math.h>

/* A peak of that height occurs by chance in 1 of 1,000 series. */
static const double SIGNIFICANCE = 0.001;

/* PEAK and SURROUNDINGS are in units of 1 / n, the resolution of n values. A peak extends 2 to either side of its
 * frequency. The spectrum counts as smooth within 12: a smaller number averages fewer ordinates, a larger one takes a
 * slope for a peak. A period must occur at least 3 times. */
enum { PEAK = 2, SURROUNDINGS = 12, LEAST_PERIODS = 3 };

/* With fewer observations SURROUNDINGS would be the whole spectrum, which has n / 2 ordinates. */
enum { LEAST_OBSERVATIONS = 2 * SURROUNDINGS };

/* The mean of the ordinates between `inner` and `outer` away from k: the spectrum there. */
static double surroundings(const double *power, size_t size, size_t spacing, size_t k, size_t inner, size_t outer)
{
    double sum = 0;
    size_t count = 0, first = k > outer ? k - outer : 1, last = k + outer < size / 2 ? k + outer : size / 2 - 1;
    for (size_t j = first; j <= last; j++)
        if (j + inner < k || j > k + inner) {
            sum += power[j * spacing];
            count++;
        }
    return count > 0 ? sum / (double)count : INFINITY;
}

/* Returns the highest ratio of an ordinate to its surroundings, and its place in *peak; 0 if there is none. */
static double highest_peak(const double *power, size_t n, size_t size, size_t spacing, size_t *peak)
{
    size_t inner = PEAK * size / n + 1, outer = SURROUNDINGS * size / n;
    double highest = 0;
    for (size_t k = LEAST_PERIODS * size / n; k < size / 2; k++) {
        double ratio = power[k * spacing] / surroundings(power, size, spacing, k, inner, outer);
        if (ratio > highest) {
            highest = ratio;
            *peak = k;
        }
    }
    return highest;
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
    size_t peak = 0, period = 0;
    double mean = 0;
    if (n < LEAST_OBSERVATIONS)
        return 0;
    double highest = highest_peak(power, n, size, spacing, &peak);
    if (peak == 0 || highest < mp_logarithm(0.5 * (double)n / SIGNIFICANCE))
        return 0;
    for (size_t t = 0; t < n; t++)
        mean += values[t] / (double)n;
    size_t around = (size + peak / 2) / peak;
    double best = 3 / sqrt((double)n);
    for (size_t lag = around > 2 ? around - 1 : 2; lag <= around + 1 && lag <= n / LEAST_PERIODS; lag++) {
        double r = autocorrelation(values, n, mean, lag);
        if (r > best) {
            best = r;
            period = lag;
        }
    }
    return (unsigned)period;
}
