/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/joint.h"

#include "api/status.h"

struct lstm_shape mp_lstm_joint_shape(const moep_predictor_config *config, size_t series)
{
    return mp_lstm_joint_net_shape(config->lstm_layers, config->lstm_hidden, series);
}

moep_status mp_lstm_joint_forecast(const struct task *task, const struct lstm_model *model, real *forecasts)
{
    const struct memory *memory = &task->runtime->memory;
    size_t series = task->panel.series, steps = task->panel.steps;
    struct lstm_shape shape = mp_lstm_joint_shape(task->config, series);
    struct lstm_sample sample = {.panel = &task->panel, .count = series, .end = steps, .steps = steps};
    struct lstm_joint_net net;
    sample.age = (double)task->next_step;
    sample.experts = (double)task->experts;
    if (!mp_lstm_joint_net_make(&net, &shape, task->experts, false, model->packed, memory))
        return mp_out_of_memory("the joint network");
    mp_lstm_joint_net_set_parameters(&net, model->best);
    mp_lstm_joint_net_fill_inputs(&net, 0, 1, &sample);
    mp_lstm_joint_net_forecast(&net, 1, forecasts);
    mp_lstm_joint_net_free(&net, memory);
    return MOEP_OK;
}
