/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/model.h"

#include "methods/lstm/joint.h"
#include "methods/lstm/network/shared_net.h"
#include "methods/lstm/pretrained_weights.h"
#include "support/arena.h"

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

static struct lstm_model lay_out(struct arena *arena, const moep_predictor_config *config, size_t series)
{
    struct lstm_shape shape = mp_lstm_shape(config, series);
    struct lstm_model view = {.parameters = mp_lstm_parameters(&shape)};
    view.state = mp_arena_take(arena, 1, sizeof *view.state);
    view.best = mp_arena_take(arena, view.parameters, sizeof *view.best);
    view.candidate = mp_arena_take(arena, view.parameters, sizeof *view.candidate);
    view.m = mp_arena_take(arena, view.parameters, sizeof *view.m);
    view.v = mp_arena_take(arena, view.parameters, sizeof *view.v);
    view.packed = mp_arena_take(arena, packed_size(config, &shape), sizeof *view.packed);
    return view;
}

size_t mp_lstm_model_size(const moep_predictor_config *config, size_t layers, size_t experts)
{
    struct arena arena = {0};
    lay_out(&arena, config, mp_product(layers, experts));
    return arena.used;
}

struct lstm_model mp_lstm_model(const moep_predictor_config *config, size_t series, void *model)
{
    struct arena arena = mp_arena_over(model);
    return lay_out(&arena, config, series);
}

void mp_lstm_model_pack(const moep_predictor_config *config, size_t series, void *model)
{
    struct lstm_model view = mp_lstm_model(config, series, model);
    struct lstm_shape shape = mp_lstm_shape(config, series);
    if (config->lstm_scope == MOEP_LSTM_JOINT)
        mp_lstm_pack(mp_gemm_here(), &shape, view.best, view.packed);
    else
        mp_lstm_shared_net_pack(mp_gemm_here(), &shape, view.best, view.packed);
}

/* ---- start ------------------------------------------------------------------------------------------------------- */

/* Everything but the packed weights. */
static void init_unpacked(const moep_predictor_config *config, size_t series, void *model)
{
    struct lstm_model view = mp_lstm_model(config, series, model);
    struct lstm_shape shape = mp_lstm_shape(config, series);
    struct random random = mp_random(config->seed, 0);
    memset(model, 0, mp_lstm_model_size(config, 1, series));
    view.state->loss = view.state->untrained_loss = NAN;
    view.state->adam = mp_lstm_adam_init();
    if (config->lstm_scope == MOEP_LSTM_JOINT)
        mp_lstm_joint_net_init_parameters(&shape, &random, view.best);
    else
        mp_lstm_shared_net_init_parameters(&shape, &random, view.best);
}

void mp_lstm_model_init_untrained(const moep_predictor_config *config, size_t series, void *model)
{
    init_unpacked(config, series, model);
    mp_lstm_model_pack(config, series, model);
}

/* The shipped weights of the network that the configuration describes; NULL if there are none. */
static const struct lstm_pretrained *shipped_for(const moep_predictor_config *config)
{
    for (size_t i = 0; i < MP_LSTM_PRETRAINED_NETWORKS && config->lstm_scope == MOEP_LSTM_SHARED; i++) {
        const struct lstm_pretrained *shipped = &mp_lstm_pretrained[i];
        if (config->lstm_layers == shipped->layers && (shipped->layers == 0 || config->lstm_hidden == shipped->hidden))
            return shipped;
    }
    return NULL;
}

/* Replaces the initial parameters by the shipped ones, if there are any of this shape. */
static void load_shipped(const moep_predictor_config *config, struct lstm_model *view)
{
    const struct lstm_pretrained *shipped = shipped_for(config);
    if (!shipped || view->parameters != shipped->parameters)
        return;
    for (size_t i = 0; i < shipped->parameters; i++)
        view->best[i] = (real)(shipped->values[i] * MP_LSTM_PRETRAINED_UNIT);
    view->state->weights = MOEP_LSTM_PRETRAINED;
}

void mp_lstm_model_init(const moep_predictor_config *config, size_t series, void *model)
{
    struct lstm_model view = mp_lstm_model(config, series, model);
    init_unpacked(config, series, model);
    load_shipped(config, &view);
    mp_lstm_model_pack(config, series, model);
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

/* Earlier states have tables of residuals here, as doubles: 3 ages x 2 kinds x 40 spans x 19 quantile levels. Quantiles
 * come from spread.h since, so they are ignored when read. Zeros are written for older libraries, which expect the
 * tables. */
static void residual_fields(struct checkpoint *checkpoint)
{
    enum { NUMBERS = 3 * 2 * 40 * 19 };
    mp_field_unused(checkpoint, NUMBERS * sizeof(double) / sizeof(float));
}

void mp_lstm_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                          void *model)
{
    struct lstm_model view = mp_lstm_model(config, series, model);
    state_fields(checkpoint, view.state);
    residual_fields(checkpoint);
    mp_field_floats(checkpoint, view.best, view.parameters, MP_LSTM_MOST_PARAMETER);
    mp_field_floats(checkpoint, view.candidate, view.parameters, MP_LSTM_MOST_PARAMETER);
    mp_field_floats(checkpoint, view.m, view.parameters, MP_LSTM_MOST_PARAMETER);
    mp_field_floats(checkpoint, view.v, view.parameters, MP_LSTM_MOST_PARAMETER);
    if (checkpoint->mode == MP_READ)
        mp_lstm_model_pack(config, series, model);
}
