/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/observations.h"

#include "support/logarithm.h"

#include <math.h>
#include <string.h>

/* Smaller ratios to the mean load count as LEAST_RATIO: their logarithms would follow single tokens. exp is finite up
 * to 709. */
static const double LEAST_RATIO = 0.01, LARGEST_LOGARITHM = 700;

struct arima_observations mp_arima_observations(const struct task *task)
{
    size_t bucket = task->config->arima_bucket;
    return (struct arima_observations){.panel = &task->panel,
                                       .experts = task->experts,
                                       .bucket = bucket,
                                       .observations = task->panel.steps / bucket,
                                       .logarithms = task->config->arima_scale == MOEP_ARIMA_LOG_RATIOS};
}

static double observe(const struct arima_observations *observed, double share)
{
    return observed->logarithms ? mp_logarithm(fmax(share * (double)observed->experts, LEAST_RATIO)) : share;
}

double mp_arima_finite_exp(double x)
{
    return exp(fmin(x, LARGEST_LOGARITHM));
}

double mp_arima_share(const struct arima_observations *observed, double observation)
{
    return observed->logarithms ? mp_arima_finite_exp(observation) / (double)observed->experts : observation;
}

/* Reads a tile of series at a time: TILE floats are four cache lines. The rows of the panel are long, and the columns
 * of the result far apart. */
enum { TILE = 64 };

void mp_arima_read_observations(const struct arima_observations *observed, size_t first, size_t count, double *values)
{
    size_t n = observed->observations, bucket = observed->bucket, begin = observed->panel->steps - n * bucket;
    for (size_t tile = 0; tile < count; tile += TILE) {
        size_t width = count - tile < TILE ? count - tile : TILE;
        for (size_t i = 0; i < n; i++) {
            double sum[TILE] = {0};
            for (size_t step = begin + i * bucket; step < begin + (i + 1) * bucket; step++) {
                const float *shares = mp_panel_row(observed->panel, step) + first + tile;
                for (size_t s = 0; s < width; s++)
                    sum[s] += (double)shares[s];
            }
            for (size_t s = 0; s < width; s++)
                values[(tile + s) * n + i] = observe(observed, sum[s] / (double)bucket);
        }
    }
}

/* The pooled variance within observations: the sum of (x - mean of its observation)^2, over n (bucket - 1). */
static double step_variance(const struct arima_observations *observed, size_t series)
{
    size_t bucket = observed->bucket, n = observed->observations;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        double total = 0, of_squares = 0;
        for (size_t k = 0; k < bucket; k++) {
            double x = (double)mp_panel_row(observed->panel, observed->panel->steps - (n - i) * bucket + k)[series];
            total += x;
            of_squares += x * x;
        }
        squares += fmax(of_squares - total * total / (double)bucket, 0);
    }
    return squares / (double)(n * (bucket - 1));
}

void mp_arima_step_variance(const struct arima_observations *observed, size_t first, size_t count, double *variance)
{
    for (size_t s = 0; s < count; s++)
        variance[s] = observed->bucket > 1 ? step_variance(observed, first + s) : 0;
}
