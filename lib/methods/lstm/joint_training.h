/* SPDX-License-Identifier: BSD-3-Clause */
/* The training objective of the joint form; shared_training.h has that of the shared form. All runs have the network's
 * own shape, and every split holds out time, not layers. */
#ifndef MP_METHODS_LSTM_JOINT_TRAINING_H
#define MP_METHODS_LSTM_JOINT_TRAINING_H

#include "methods/lstm/network/joint_net.h"
#include "methods/lstm/training/dataset.h"
#include "methods/lstm/training/trainer.h"

struct lstm_joint_training {
    const struct lstm_dataset *dataset;
    const struct memory *memory;
    struct lstm_joint_net net;
    struct lstm_examples examples; /* [MP_LSTM_JOINT_ORIGINS][series]; their inputs and features are not used */
    real *forecasts;               /* [examples.room][MP_LSTM_OUTPUT_ROW] */
};

void mp_lstm_joint_training_init(struct lstm_joint_training *training, struct lstm_objective *objective,
                                 const struct lstm_shape *shape, const struct lstm_dataset *dataset);
moep_status mp_lstm_joint_training_make(struct lstm_joint_training *training, const struct lstm_shape *shape,
                                        const struct runtime *runtime);
void mp_lstm_joint_training_free(struct lstm_joint_training *training);

#endif
