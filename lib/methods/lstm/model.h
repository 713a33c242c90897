/* SPDX-License-Identifier: BSD-3-Clause */
/* An LSTM's model is one piece of memory without pointers: the state of training, four arrays of parameters, and `best`
 * a second time, packed as forecasts read it. struct lstm_model (training/train_state.h) is a view of it. */
#ifndef MP_METHODS_LSTM_MODEL_H
#define MP_METHODS_LSTM_MODEL_H

#include "methods/lstm/network/parameters.h"
#include "methods/lstm/training/train_state.h"
#include "methods/method.h"

/* The shape of the network that the configuration describes. */
struct lstm_shape mp_lstm_shape(const moep_predictor_config *config, size_t series);

size_t mp_lstm_model_size(const moep_predictor_config *config, size_t layers, size_t experts);

/* A view of a model: where its parts lie. */
struct lstm_model mp_lstm_model(const moep_predictor_config *config, size_t series, void *model);

/* Initialise a model: the first to an untrained network, the second to the shipped weights where they fit. */
void mp_lstm_model_init_untrained(const moep_predictor_config *config, size_t series, void *model);
void mp_lstm_model_init(const moep_predictor_config *config, size_t series, void *model);

/* Packs `best` again. It must be called between a change of `best` and the next forecast. Clone and adopt need not call
 * it: they copy both arrays. */
void mp_lstm_model_pack(const moep_predictor_config *config, size_t series, void *model);

void mp_lstm_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                          void *model);

#endif
