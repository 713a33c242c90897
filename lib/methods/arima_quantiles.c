/* SPDX-License-Identifier: BSD-3-Clause */
#include "arima_quantiles.h"
#include "support/normal.h"

#include <math.h>
#include <string.h>

/* The variance of single steps about the mean of their bucket, which a row shorter than one has more of. */
static void find_scatter(const struct arima_call *call, struct arima_scratch *scratch, size_t first)
{
    const struct arima_source *source = &call->source;
    size_t experts = source->experts, bucket = source->bucket, n = source->observations;
    memset(scratch->scatter, 0, experts * sizeof *scratch->scatter);
    if (bucket == 1)
        return;
    for (size_t e = 0; e < experts; e++) {
        double squares = 0;
        for (size_t i = 0; i < n; i++) {
            double total = 0, of_squares = 0;
            for (size_t k = 0; k < bucket; k++) {
                size_t step = source->panel->steps - (n - i) * bucket + k;
                double x = (double)mp_panel_row(source->panel, step)[first + e];
                total += x;
                of_squares += x * x;
            }
            squares += fmax(of_squares - total * total / (double)bucket, 0);
        }
        scratch->scatter[e] = squares / (double)(n * (bucket - 1));
    }
}

/* Beyond the formula's, for a row that ends so many steps ahead: drift grows more slowly than a random walk's, whose
 * variance grows as the time. */
static double calibrated(const struct arima_call *call, size_t series, double variance, size_t ahead)
{
    double far = (double)call->model.progress->far;
    if (far == 0 || !call->model.known[series])
        return variance;
    double extra = call->model.calibration[series] * pow((double)ahead / far, 0.6);
    return fmax(variance + extra, variance / 4);
}

static double quantile(const struct arima_call *call, double centre, double z, double variance, double scatter)
{
    double value = call->source.logarithms ? centre * exp(fmin(z * sqrt(variance), 700)) + z * sqrt(scatter)
                                           : centre + z * sqrt(variance + scatter);
    return fmin(fmax(value, 0), 1);
}

/* Of the row of standard errors in which that row ends. */
static size_t error_row(const struct arima_call *call, size_t row)
{
    return (mp_arima_end_of_row(call, row) - 1) / call->source.bucket / call->width;
}

/* The steps that it is about: the last has what is left. */
static double steps_of_error(const struct arima_call *call, size_t index)
{
    size_t left = call->ahead - index * call->width;
    return (double)((left < call->width ? left : call->width) * call->source.bucket);
}

static void quantiles_of_expert(const struct arima_call *call, const struct arima_scratch *scratch, size_t first,
                                size_t expert)
{
    size_t experts = call->source.experts, series = call->task->panel.series;
    for (size_t row = 0; row < call->count; row++) {
        size_t end = mp_arima_end_of_row(call, row);
        size_t index = error_row(call, row);
        double error = scratch->errors[index], steps = (double)(end - row * call->stride);
        double variance = calibrated(call, first + expert, error * error, end);
        double scatter = scratch->scatter[expert] * fmax(1 / steps - 1 / steps_of_error(call, index), 0);
        for (size_t i = 0; i < call->quantiles->n; i++) {
            double z = mp_normal_quantile(call->quantiles->probabilities[i]);
            call->rows[(i * call->count + row) * series + first + expert] =
                quantile(call, scratch->centre[row * experts + expert], z, isfinite(variance) ? variance : 1, scatter);
        }
    }
}

void mp_arima_quantiles(const struct arima_call *call, struct arima_scratch *scratch, size_t first)
{
    size_t experts = call->source.experts;
    find_scatter(call, scratch, first);
    for (size_t e = 0; e < experts; e++) {
        mp_arima_forecast(&scratch->present[e], call->ahead, call->width, scratch->path, scratch->errors, 1,
                          scratch->sums);
        quantiles_of_expert(call, scratch, first, e);
    }
}
