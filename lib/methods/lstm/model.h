/* SPDX-License-Identifier: BSD-3-Clause */
/* An LSTM's model as one block of memory without pointers: the state of training, four arrays of parameters, and `best`
 * a second time, packed as forecasts read it. */
#ifndef MP_METHODS_LSTM_MODEL_H
#define MP_METHODS_LSTM_MODEL_H

#include "methods/lstm/network/parameters.h"
#include "methods/lstm/training/train_state.h"
#include "methods/method.h"

/* The network's shape by the configuration. */
struct lstm_shape mp_lstm_shape(const moep_predictor_config *config, size_t series);

size_t mp_lstm_model_size(const moep_predictor_config *config, size_t layers, size_t experts);

/* Where the parts of a model lie in its memory. */
struct lstm_model mp_lstm_model(const moep_predictor_config *config, size_t series, void *model);

/* Initialises the memory: to an untrained network; or, as create does, with the shipped weights where they fit. */
void mp_lstm_model_init_untrained(const moep_predictor_config *config, size_t series, void *model);
void mp_lstm_model_init(const moep_predictor_config *config, size_t series, void *model);

/* Packs `best` anew. Whoever has written to it calls this before the next forecast; clone and adopt copy both
 * arrays. */
void mp_lstm_model_pack(const moep_predictor_config *config, size_t series, void *model);

void mp_lstm_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                          void *model);

#endif
