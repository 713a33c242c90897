/* SPDX-License-Identifier: BSD-3-Clause */
/* The joint form, the paper's: one network that sees the loads of all experts of all layers at once and says all their
 * next ones. Its weights mean the experts of the run that it was trained on. */
#ifndef MP_METHODS_LSTM_JOINT_H
#define MP_METHODS_LSTM_JOINT_H

#include "methods/lstm/model.h"
#include "methods/lstm/network/joint_net.h"
#include "methods/lstm/training/dataset.h"
#include "methods/lstm/training/trainer.h"

enum { MP_LSTM_JOINT_MOST = 2048 }; /* series */

/* By the configuration. */
struct lstm_shape mp_lstm_joint_shape(const moep_predictor_config *config, size_t series);

/* Origins of runs of the network's own shape, MP_LSTM_JOINT_ORIGINS at once; every lesson holds out time, not layers. */
struct lstm_joint {
    const struct lstm_corpus *corpus;
    const struct memory *memory;
    struct lstm_joint_net net;
    struct lstm_examples examples; /* one origin's series after another's; their inputs and features are not used */
    struct lstm_sample sample;
    real *forecasts;
};

/* As lstm_shared.h has them. */
void mp_lstm_joint_school(struct lstm_joint *joint, struct lstm_school *school, const struct lstm_shape *shape,
                          const struct lstm_corpus *corpus);
moep_status mp_lstm_joint_open(struct lstm_joint *joint, const struct lstm_shape *shape, const struct runtime *runtime);
void mp_lstm_joint_close(struct lstm_joint *joint);
moep_status mp_lstm_joint_forecast(const struct task *task, const struct lstm_model *model, real *forecasts);

#endif
