/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared form: one network for all series, whatever the run's shape. */
#ifndef MP_METHODS_LSTM_SHARED_H
#define MP_METHODS_LSTM_SHARED_H

#include "methods/lstm/model.h"
#include "methods/lstm/network/shared_net.h"
#include "methods/lstm/training/dataset.h"
#include "methods/lstm/training/trainer.h"

/* Held-out windows through the network: as many at once as there is room for. */
struct lstm_shared {
    const struct lstm_corpus *corpus;
    const struct memory *memory;
    struct lstm_net net;
    struct lstm_examples examples;
    struct lstm_sample sample;
    real *forecasts;
};

/* A school of the corpus, whose self is `shared`: what it costs is known at once, what it works with is there once it is
 * open; close it after that. */
void mp_lstm_shared_school(struct lstm_shared *shared, struct lstm_school *school, const struct lstm_shape *shape,
                           const struct lstm_corpus *corpus);
moep_status mp_lstm_shared_open(struct lstm_shared *shared, const struct lstm_shape *shape,
                                const struct runtime *runtime);
void mp_lstm_shared_close(struct lstm_shared *shared);

/* forecasts[series][MP_LSTM_OUTPUT_ROW] */
moep_status mp_lstm_shared_forecast(const struct task *task, const struct lstm_model *model, real *forecasts);

#endif
