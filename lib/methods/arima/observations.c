/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/observations.h"

#include "support/logarithm.h"

#include <math.h>
#include <string.h>

/* Of the mean load: below that a logarithm would be about single tokens. */
static const double least_ratio = 0.01;

struct arima_source mp_arima_source(const struct task *task)
{
    size_t bucket = task->config->arima_bucket;
    return (struct arima_source){.panel = &task->panel,
                                 .experts = task->experts,
                                 .bucket = bucket,
                                 .observations = task->panel.steps / bucket,
                                 .logarithms = task->config->arima_scale == MOEP_ARIMA_LOG_RATIOS};
}

static double observe(const struct arima_source *source, double share)
{
    return source->logarithms ? mp_logarithm(fmax(share * (double)source->experts, least_ratio)) : share;
}

double mp_arima_share(const struct arima_source *source, double observation)
{
    return source->logarithms ? exp(fmin(observation, 700)) / (double)source->experts : observation;
}

/* Series by blocks: the rows of the ring are long, the columns of the result far apart. */
enum { BLOCK = 64 };

void mp_arima_load(const struct arima_source *source, size_t first, size_t count, double *values)
{
    size_t n = source->observations, bucket = source->bucket, begin = source->panel->steps - n * bucket;
    for (size_t block = 0; block < count; block += BLOCK) {
        size_t width = count - block < BLOCK ? count - block : BLOCK;
        for (size_t i = 0; i < n; i++) {
            double sum[BLOCK] = {0};
            for (size_t step = begin + i * bucket; step < begin + (i + 1) * bucket; step++) {
                const float *shares = mp_panel_row(source->panel, step) + first + block;
                for (size_t s = 0; s < width; s++)
                    sum[s] += (double)shares[s];
            }
            for (size_t s = 0; s < width; s++)
                values[(block + s) * n + i] = observe(source, sum[s] / (double)bucket);
        }
    }
}

static double scatter_of(const struct arima_source *source, size_t series)
{
    size_t bucket = source->bucket, n = source->observations;
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        double total = 0, of_squares = 0;
        for (size_t k = 0; k < bucket; k++) {
            double x = (double)mp_panel_row(source->panel, source->panel->steps - (n - i) * bucket + k)[series];
            total += x;
            of_squares += x * x;
        }
        squares += fmax(of_squares - total * total / (double)bucket, 0);
    }
    return squares / (double)(n * (bucket - 1));
}

void mp_arima_scatter(const struct arima_source *source, size_t first, size_t count, double *scatter)
{
    for (size_t s = 0; s < count; s++)
        scatter[s] = source->bucket > 1 ? scatter_of(source, first + s) : 0;
}
