/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/model.h"

#include "methods/lstm/joint.h"
#include "methods/lstm/network/shared_net.h"
#include "methods/lstm/pretrained_weights.h"

#include <math.h>
#include <string.h>

struct lstm_shape mp_lstm_shape(const moep_predictor_config *config, size_t series)
{
    return config->lstm_scope == MOEP_LSTM_JOINT ? mp_lstm_joint_shape(config, series)
                                                 : mp_lstm_net_shape(config->lstm_layers, config->lstm_hidden);
}

size_t mp_lstm_model_size(const moep_predictor_config *config, size_t layers, size_t experts)
{
    enum { ARRAYS = 4 };
    struct lstm_shape shape = mp_lstm_shape(config, mp_product(layers, experts));
    size_t parameters = mp_product(mp_lstm_parameters(&shape), ARRAYS * sizeof(real));
    return mp_sum(parameters, sizeof(struct lstm_train_state) + sizeof(struct lstm_residuals));
}

struct lstm_model mp_lstm_model(const moep_predictor_config *config, size_t series, void *block)
{
    struct lstm_shape shape = mp_lstm_shape(config, series);
    struct lstm_model model = {.state = block, .parameters = mp_lstm_parameters(&shape)};
    model.residuals = (struct lstm_residuals *)(model.state + 1);
    model.best = (real *)(model.residuals + 1);
    model.candidate = model.best + model.parameters;
    model.m = model.candidate + model.parameters;
    model.v = model.m + model.parameters;
    return model;
}

/* ---- start -------------------------------------------------------------------------------------------------------- */

void mp_lstm_model_untrained(const moep_predictor_config *config, size_t series, void *block)
{
    struct lstm_model model = mp_lstm_model(config, series, block);
    struct lstm_shape shape = mp_lstm_shape(config, series);
    struct random random = mp_random(config->seed, 0);
    memset(block, 0, mp_lstm_model_size(config, 1, series));
    model.state->loss = model.state->untrained_loss = NAN;
    model.state->adam = mp_lstm_adam_start();
    if (config->lstm_scope == MOEP_LSTM_JOINT)
        mp_lstm_joint_start(&shape, &random, model.best);
    else
        mp_lstm_net_start(&shape, &random, model.best);
}

static void read_pretrained(struct lstm_model *model)
{
    const double unit = 1.0 / 4096;
    const int16_t *value = mp_lstm_pretrained.values;
    double *quantile = &model->residuals->quantile[0][0][0][0];
    for (size_t i = 0; i < mp_lstm_pretrained.parameters; i++)
        model->best[i] = (real)(*value++ * unit);
    for (size_t i = 0; i < mp_lstm_pretrained.quantiles; i++)
        quantile[i] = *value++ * unit;
    model->state->weights = MOEP_LSTM_PRETRAINED;
}

void mp_lstm_model_start(const moep_predictor_config *config, size_t series, void *block)
{
    struct lstm_model model = mp_lstm_model(config, series, block);
    mp_lstm_model_untrained(config, series, block);
    bool as_shipped = config->lstm_scope == MOEP_LSTM_SHARED && config->lstm_layers == mp_lstm_pretrained.layers &&
                      config->lstm_hidden == mp_lstm_pretrained.hidden;
    if (as_shipped && model.parameters == mp_lstm_pretrained.parameters)
        read_pretrained(&model);
}

/* ---- checkpoint --------------------------------------------------------------------------------------------------- */

static void state_fields(struct checkpoint *checkpoint, struct lstm_train_state *state)
{
    mp_field_u64(checkpoint, &state->weights);
    mp_field_u64(checkpoint, &state->rounds);
    mp_field_u64(checkpoint, &state->updates);
    mp_field_u64(checkpoint, &state->length);
    mp_field_f64(checkpoint, &state->balance);
    mp_field_f64(checkpoint, &state->loss);
    mp_field_f64(checkpoint, &state->untrained_loss);
    mp_field_u64(checkpoint, &state->adam.updates);
    mp_field_f64(checkpoint, &state->adam.beta1_power);
    mp_field_f64(checkpoint, &state->adam.beta2_power);
    mp_checkpoint_require(checkpoint, state->weights <= MOEP_LSTM_TRAINED && state->updates <= state->length);
    mp_checkpoint_require(checkpoint, state->balance >= 0 && isfinite(state->balance));
    mp_checkpoint_require(checkpoint, state->adam.updates <= state->updates);
    mp_checkpoint_require(checkpoint, state->adam.beta1_power > 0 && state->adam.beta1_power <= 1);
    mp_checkpoint_require(checkpoint, state->adam.beta2_power > 0 && state->adam.beta2_power <= 1);
}

/* Each no smaller than the one before. */
static void quantiles_fields(struct checkpoint *checkpoint, double *quantile)
{
    for (size_t k = 0; k < MP_LSTM_QUANTILE_LEVELS; k++) {
        mp_field_f64(checkpoint, &quantile[k]);
        mp_checkpoint_require(checkpoint, isfinite(quantile[k]) && (k == 0 || quantile[k] >= quantile[k - 1]));
    }
}

void mp_lstm_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                          void *block)
{
    struct lstm_model model = mp_lstm_model(config, series, block);
    state_fields(checkpoint, model.state);
    for (size_t age = 0; age < MP_LSTM_AGES; age++)
        for (size_t kind = 0; kind < MP_LSTM_KINDS; kind++)
            for (size_t b = 0; b < MP_LSTM_OUTPUTS; b++)
                quantiles_fields(checkpoint, model.residuals->quantile[age][kind][b]);
    mp_field_floats(checkpoint, model.best, model.parameters, MP_LSTM_MOST_PARAMETER);
    mp_field_floats(checkpoint, model.candidate, model.parameters, MP_LSTM_MOST_PARAMETER);
    mp_field_floats(checkpoint, model.m, model.parameters, MP_LSTM_MOST_PARAMETER);
    mp_field_floats(checkpoint, model.v, model.parameters, MP_LSTM_MOST_PARAMETER);
}
