/* SPDX-License-Identifier: BSD-3-Clause */
/* The training objective of the shared form: the network and the dataset behind trainer.h.
 *
 * The validation loss is that of the forecasts that predict would make, shrink_to_mean included; the training loss is
 * that of the network alone. */
#ifndef MP_METHODS_LSTM_SHARED_TRAINING_H
#define MP_METHODS_LSTM_SHARED_TRAINING_H

#include "methods/lstm/network/shared_net.h"
#include "methods/lstm/training/dataset.h"
#include "methods/lstm/training/trainer.h"

struct lstm_shared_training {
    const struct lstm_dataset *dataset;
    const struct memory *memory;
    struct lstm_shared_net net;
    struct lstm_examples examples; /* of a minibatch, or of a part of the validation set */
    real *forecasts;               /* [examples.room][MP_LSTM_OUTPUT_ROW] */
};

/* Initialises `objective`, whose self is `training`. Its costs are valid at once, its functions from make to free. */
void mp_lstm_shared_training_init(struct lstm_shared_training *training, struct lstm_objective *objective,
                                  const struct lstm_shape *shape, const struct lstm_dataset *dataset);
moep_status mp_lstm_shared_training_make(struct lstm_shared_training *training, const struct lstm_shape *shape,
                                         const struct runtime *runtime);
void mp_lstm_shared_training_free(struct lstm_shared_training *training);

#endif
