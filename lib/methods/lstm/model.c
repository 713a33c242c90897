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
                                                 : mp_lstm_shared_net_shape(config->lstm_layers, config->lstm_hidden);
}

/* Numbers of `packed`. A joint network's head is read as it lies. */
static size_t packed_size(const moep_predictor_config *config, const struct lstm_shape *shape)
{
    size_t parameters = mp_lstm_parameters(shape);
    return config->lstm_scope == MOEP_LSTM_JOINT && parameters < SIZE_MAX ? mp_lstm_head(shape) : parameters;
}

size_t mp_lstm_model_size(const moep_predictor_config *config, size_t layers, size_t experts)
{
    enum { ARRAYS = 4 };
    struct lstm_shape shape = mp_lstm_shape(config, mp_product(layers, experts));
    size_t numbers = mp_sum(mp_product(mp_lstm_parameters(&shape), ARRAYS), packed_size(config, &shape));
    return mp_sum(mp_product(numbers, sizeof(real)), sizeof(struct lstm_train_state));
}

struct lstm_model mp_lstm_model(const moep_predictor_config *config, size_t series, void *fitted)
{
    struct lstm_shape shape = mp_lstm_shape(config, series);
    struct lstm_model model = {.state = fitted, .parameters = mp_lstm_parameters(&shape)};
    model.best = (real *)(model.state + 1);
    model.candidate = model.best + model.parameters;
    model.m = model.candidate + model.parameters;
    model.v = model.m + model.parameters;
    model.packed = model.v + model.parameters;
    return model;
}

void mp_lstm_model_pack(const moep_predictor_config *config, size_t series, void *fitted)
{
    struct lstm_model model = mp_lstm_model(config, series, fitted);
    struct lstm_shape shape = mp_lstm_shape(config, series);
    if (config->lstm_scope == MOEP_LSTM_JOINT)
        mp_lstm_pack(mp_gemm_here(), &shape, model.best, model.packed);
    else
        mp_lstm_shared_net_pack(mp_gemm_here(), &shape, model.best, model.packed);
}

/* ---- start ------------------------------------------------------------------------------------------------------- */

void mp_lstm_model_init_untrained(const moep_predictor_config *config, size_t series, void *fitted)
{
    struct lstm_model model = mp_lstm_model(config, series, fitted);
    struct lstm_shape shape = mp_lstm_shape(config, series);
    struct random random = mp_random(config->seed, 0);
    memset(fitted, 0, mp_lstm_model_size(config, 1, series));
    model.state->loss = model.state->untrained_loss = NAN;
    model.state->adam = mp_lstm_adam_init();
    if (config->lstm_scope == MOEP_LSTM_JOINT)
        mp_lstm_joint_net_init_parameters(&shape, &random, model.best);
    else
        mp_lstm_shared_net_init_parameters(&shape, &random, model.best);
    mp_lstm_model_pack(config, series, fitted);
}

void mp_lstm_model_init(const moep_predictor_config *config, size_t series, void *fitted)
{
    struct lstm_model model = mp_lstm_model(config, series, fitted);
    const struct lstm_pretrained *shipped = &mp_lstm_pretrained;
    mp_lstm_model_init_untrained(config, series, fitted);
    if (config->lstm_scope != MOEP_LSTM_SHARED || config->lstm_layers != shipped->layers ||
        config->lstm_hidden != shipped->hidden || model.parameters != shipped->parameters)
        return;
    for (size_t i = 0; i < shipped->parameters; i++)
        model.best[i] = (real)(shipped->values[i] * MP_LSTM_PRETRAINED_UNIT);
    mp_lstm_model_pack(config, series, fitted);
    model.state->weights = MOEP_LSTM_PRETRAINED;
}

/* ---- checkpoint -------------------------------------------------------------------------------------------------- */

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

/* Earlier states have tables of residuals here: 3 ages x 2 kinds x 40 spans x 19 quantile levels. Quantiles come from
 * spread.h since, so they are passed over when read. Zeros are written for the libraries that expect the tables. */
static void residual_fields(struct checkpoint *checkpoint)
{
    enum { NUMBERS = 3 * 2 * 40 * 19 };
    for (size_t i = 0; i < NUMBERS; i++) {
        double unused = 0;
        mp_field_f64(checkpoint, &unused);
    }
}

void mp_lstm_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                          void *fitted)
{
    struct lstm_model model = mp_lstm_model(config, series, fitted);
    state_fields(checkpoint, model.state);
    residual_fields(checkpoint);
    mp_field_floats(checkpoint, model.best, model.parameters, MP_LSTM_MOST_PARAMETER);
    mp_field_floats(checkpoint, model.candidate, model.parameters, MP_LSTM_MOST_PARAMETER);
    mp_field_floats(checkpoint, model.m, model.parameters, MP_LSTM_MOST_PARAMETER);
    mp_field_floats(checkpoint, model.v, model.parameters, MP_LSTM_MOST_PARAMETER);
    if (checkpoint->mode == MP_READ)
        mp_lstm_model_pack(config, series, fitted);
}
