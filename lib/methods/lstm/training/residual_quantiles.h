/* SPDX-License-Identifier: BSD-3-Clause */
/* How far forecasts were off on what was held out. Nothing reads these tables: quantiles are made from the run's own
 * past (lstm_spread.h), since errors on another run may be ten times as large, or a tenth. They are still collected
 * because they are part of a state's format since 0.1.0. */
#ifndef MP_METHODS_LSTM_TRAINING_RESIDUAL_QUANTILES_H
#define MP_METHODS_LSTM_TRAINING_RESIDUAL_QUANTILES_H

#include "methods/lstm/features/examples.h"

enum { MP_LSTM_QUANTILE_LEVELS = 19 };
extern const double mp_lstm_quantile_levels[MP_LSTM_QUANTILE_LEVELS]; /* probabilities, ascending */

/* Quantiles at the knots, ascending, of actual / forecast - 1, both not below 0.1 / experts: by the age of the run, of each
 * block ahead and of the mean of all blocks up to it. */
enum { MP_LSTM_OF_BLOCK, MP_LSTM_OF_MEAN, MP_LSTM_KINDS };
enum { MP_LSTM_AGES = 3 }; /* up to 1,000 steps, up to 3,000, more */
struct lstm_residuals {
    double quantile[MP_LSTM_AGES][MP_LSTM_KINDS][MP_LSTM_OUTPUTS][MP_LSTM_QUANTILE_LEVELS];
};

size_t mp_lstm_age(double steps);

/* Collects them, of at most `room` series. */
struct lstm_residual_pool {
    size_t room, count[MP_LSTM_AGES][MP_LSTM_OUTPUTS];
    float *values; /* [ages][kinds][outputs][room] */
};

/* False if memory is refused. */
bool mp_lstm_residual_pool_make(struct lstm_residual_pool *sample, size_t room, const struct memory *memory);
void mp_lstm_residual_pool_free(struct lstm_residual_pool *sample, const struct memory *memory);

void mp_lstm_residual_pool_clear(struct lstm_residual_pool *sample);

/* Of one of the examples. */
void mp_lstm_residual_pool_add(struct lstm_residual_pool *sample, const struct lstm_examples *examples, size_t series,
                               const real *forecasts);

/* Of an age that too few series were of: nothing changes. Blocks that too few have reached take over the quantiles of the
 * last that enough have. */
void mp_lstm_residual_pool_quantiles(struct lstm_residual_pool *sample, struct lstm_residuals *residuals);

#endif
