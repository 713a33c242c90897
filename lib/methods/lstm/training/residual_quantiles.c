/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/residual_quantiles.h"

#include "support/sort.h"

#include <string.h>

enum { FEW = 100 };

const double mp_lstm_quantile_levels[MP_LSTM_QUANTILE_LEVELS] = {
    0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995};

size_t mp_lstm_age(double steps)
{
    return steps <= 1000 ? 0 : steps <= 3000 ? 1 : 2;
}

static size_t rows_of_values(void)
{
    return (size_t)MP_LSTM_AGES * MP_LSTM_KINDS * MP_LSTM_OUTPUTS;
}

bool mp_lstm_residual_pool_make(struct lstm_residual_pool *sample, size_t room, const struct memory *memory)
{
    *sample = (struct lstm_residual_pool){.room = room};
    sample->values = mp_allocate(memory, mp_product(room, rows_of_values()), sizeof(float));
    return sample->values != NULL;
}

void mp_lstm_residual_pool_free(struct lstm_residual_pool *sample, const struct memory *memory)
{
    mp_release(memory, sample->values, mp_product(sample->room, rows_of_values()), sizeof(float));
    sample->values = NULL;
}

void mp_lstm_residual_pool_clear(struct lstm_residual_pool *sample)
{
    memset(sample->count, 0, sizeof sample->count);
}

static float *values_of(const struct lstm_residual_pool *sample, size_t age, size_t kind, size_t output)
{
    return sample->values + ((age * MP_LSTM_KINDS + kind) * MP_LSTM_OUTPUTS + output) * sample->room;
}

static float residual_of(double actual, double forecast, double min_load)
{
    return (float)((actual > min_load ? actual : min_load) / (forecast > min_load ? forecast : min_load) - 1);
}

void mp_lstm_residual_pool_add(struct lstm_residual_pool *sample, const struct lstm_examples *e, size_t series,
                               const real *forecasts)
{
    const real *targets = e->targets + series * MP_LSTM_OUTPUTS;
    double forecast = 0, actual = 0, min_load = (double)e->min_load[series];
    size_t age = mp_lstm_age((double)e->age[series]);
    for (size_t b = 0; b < e->n_targets[series]; b++) {
        size_t at = sample->count[age][b]++;
        double f = (double)forecasts[b], y = (double)targets[b], blocks = (double)(b + 1);
        forecast += f;
        actual += y;
        values_of(sample, age, MP_LSTM_OF_BLOCK, b)[at] = residual_of(y, f, min_load);
        values_of(sample, age, MP_LSTM_OF_MEAN, b)[at] = residual_of(actual / blocks, forecast / blocks, min_load);
    }
}

/* Between the two of n sorted values that are nearest. */
static double quantile_of(const float *values, size_t n, double probability)
{
    double place = probability * (double)(n - 1);
    size_t below = (size_t)place, above = below + 1 < n ? below + 1 : below;
    double part = place - (double)below, low = (double)values[below];
    return low + part * ((double)values[above] - low);
}

static void take_quantiles(float *values, size_t n, double *quantile)
{
    mp_sort(values, n);
    for (size_t k = 0; k < MP_LSTM_QUANTILE_LEVELS; k++)
        quantile[k] = quantile_of(values, n, mp_lstm_quantile_levels[k]);
}

void mp_lstm_residual_pool_quantiles(struct lstm_residual_pool *sample, struct lstm_residuals *residuals)
{
    for (size_t age = 0; age < MP_LSTM_AGES; age++)
        for (size_t kind = 0; kind < MP_LSTM_KINDS && sample->count[age][0] >= FEW; kind++)
            for (size_t b = 0; b < MP_LSTM_OUTPUTS; b++) {
                double(*quantile)[MP_LSTM_QUANTILE_LEVELS] = &residuals->quantile[age][kind][b];
                if (sample->count[age][b] >= FEW)
                    take_quantiles(values_of(sample, age, kind, b), sample->count[age][b], *quantile);
                else
                    memcpy(*quantile, quantile[-1], sizeof *quantile);
            }
}
