/* SPDX-License-Identifier: BSD-3-Clause */
/* What an LSTM's fit learns, as one block of memory: the parameters that forecasts use, those that training is at work on
 * with the optimiser's moments, and how far off forecasts were on what was held out. */
#ifndef MP_METHODS_LSTM_MODEL_H
#define MP_METHODS_LSTM_MODEL_H

#include "methods/lstm/network/parameters.h"
#include "methods/lstm/training/train_state.h"
#include "methods/method.h"

/* The network's shape by the configuration. */
struct lstm_shape mp_lstm_shape(const moep_predictor_config *config, size_t series);

size_t mp_lstm_model_size(const moep_predictor_config *config, size_t layers, size_t experts);
struct lstm_model mp_lstm_model(const moep_predictor_config *config, size_t series, void *block);

/* As create makes it: with the weights that the library ships where the configuration is theirs. */
void mp_lstm_model_start(const moep_predictor_config *config, size_t series, void *block);

/* Without. */
void mp_lstm_model_untrained(const moep_predictor_config *config, size_t series, void *block);

void mp_lstm_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                          void *block);

#endif
