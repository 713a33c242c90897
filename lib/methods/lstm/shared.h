/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared form: one network for all series, whatever the run's shape. */
#ifndef MP_METHODS_LSTM_SHARED_H
#define MP_METHODS_LSTM_SHARED_H

#include "methods/lstm/model.h"
#include "methods/lstm/network/shared_net.h"

/* The mean of an example's four window means, which is what an untrained network forecasts. */
real mp_lstm_mean_of_windows(const struct lstm_examples *examples, size_t series);

/* Where a sample begins at a change point, the forecast becomes the average of the network's forecast and the mean of
 * the windows. The traces that networks train on have few level shifts that last, so networks expect the old level to
 * return. forecasts[series][MP_LSTM_OUTPUT_ROW] */
void mp_lstm_shrink_to_mean(const struct lstm_examples *examples, real *forecasts);

/* forecasts[series][MP_LSTM_OUTPUT_ROW] */
moep_status mp_lstm_shared_forecast(const struct task *task, const struct lstm_model *model, real *forecasts);

#endif
