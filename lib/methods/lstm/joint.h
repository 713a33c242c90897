/* SPDX-License-Identifier: BSD-3-Clause */
/* The joint form, the paper's: one network that sees the loads of all experts of all layers at once and forecasts all
 * of them. Its weights belong to the experts of the run that it was trained on. */
#ifndef MP_METHODS_LSTM_JOINT_H
#define MP_METHODS_LSTM_JOINT_H

#include "methods/lstm/model.h"
#include "methods/lstm/network/joint_net.h"

/* Series, at most. The head has 48 (units + 1) parameters for each: with 64 units 26 MB, of which a model holds four
 * arrays. */
enum { MP_LSTM_JOINT_MOST = 2048 };

/* The shape of the network that the configuration describes. */
struct lstm_shape mp_lstm_joint_shape(const moep_predictor_config *config, size_t series);

/* forecasts[series][MP_LSTM_OUTPUT_ROW] */
moep_status mp_lstm_joint_forecast(const struct task *task, const struct lstm_model *model, real *forecasts);

#endif
