/* SPDX-License-Identifier: BSD-3-Clause */
#include "series/error.h"

#include "api/status.h"
#include "moepredict.h"
#include "support/environment.h"
#include "support/memory.h"

#include <float.h>
#include <math.h>

static double larger(double a, double b)
{
    return a > b ? a : b;
}

double mp_error(const double *forecast, const double *actual, size_t experts)
{
    double sum = 0, min_load = mp_min_load((double)experts);
    for (size_t e = 0; e < experts; e++)
        sum += fabs(forecast[e] - actual[e]) / larger(actual[e], min_load);
    return sum / (double)experts;
}

double mp_paper_error(const double *forecast, const double *actual, size_t experts, size_t *left_out)
{
    double sum = 0;
    size_t loaded = 0;
    for (size_t e = 0; e < experts; e++) {
        if (actual[e] > 0) {
            sum += fabs(forecast[e] - actual[e]) / actual[e];
            loaded++;
        }
    }
    *left_out = experts - loaded;
    return loaded > 0 ? sum / (double)loaded : NAN;
}

double mp_total_variation(const double *forecast, const double *actual, size_t experts)
{
    double sum = 0;
    for (size_t e = 0; e < experts; e++)
        sum += fabs(forecast[e] - actual[e]);
    return sum / 2;
}

double mp_sampling_error(const double *shares, size_t experts, double tokens)
{
    const double mean_of_half_normal = 0.79788456080286535588; /* sqrt(2 / pi) */
    double sum = 0, min_load = mp_min_load((double)experts);
    for (size_t e = 0; e < experts; e++) {
        double p = larger(shares[e], min_load);
        sum += sqrt(larger(1 - p, 0) / (p * tokens)); /* a rounded p may exceed 1 */
    }
    return mean_of_half_normal * sum / (double)experts;
}

static moep_status check_loads(size_t layers, size_t experts, const double *forecast, const double *actual)
{
    for (size_t i = 0; i < layers * experts; i++) {
        if (!isfinite(forecast[i]))
            return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "layer %zu, expert %zu: the forecast is not finite",
                           i / experts, i % experts);
        if (!(actual[i] >= 0 && actual[i] <= DBL_MAX))
            return mp_fail(MOEP_ERROR_INVALID_ARGUMENT,
                           "layer %zu, expert %zu: the actual load is not a finite number >= 0", i / experts,
                           i % experts);
    }
    return MOEP_OK;
}

moep_status moep_forecast_error(size_t layers, size_t experts, const double *forecast, const double *actual,
                                double *error, double *paper_error, uint64_t *left_out)
{
    MP_BORDER
    if (layers == 0 || experts == 0 || !forecast || !actual)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT,
                       "moep_forecast_error needs a layer and an expert, a forecast and an actual load");
    if (mp_product(mp_product(layers, experts), sizeof *actual) > PTRDIFF_MAX)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%zu layers of %zu experts: no array is that large", layers,
                       experts);
    moep_status status = check_loads(layers, experts, forecast, actual);
    if (status != MOEP_OK)
        return status;
    for (size_t layer = 0; layer < layers; layer++) {
        const double *f = forecast + layer * experts, *a = actual + layer * experts;
        size_t without_load;
        double ratio = mp_paper_error(f, a, experts, &without_load);
        if (error)
            error[layer] = mp_error(f, a, experts);
        if (paper_error)
            paper_error[layer] = ratio;
        if (left_out)
            left_out[layer] = without_load;
    }
    return MOEP_OK;
}
