/* SPDX-License-Identifier: BSD-3-Clause */
/* The public calls that only the LSTM supports. */
#include "api/status.h"
#include "api/struct.h"
#include "methods/lstm/model.h"
#include "predictor/predictor.h"
#include "support/environment.h"

#include <math.h>
#include <stdbool.h>

static moep_status check_handle(const moep_predictor *predictor)
{
    if (!predictor)
        return mp_fail_null("predictor");
    if (predictor->config.method != MOEP_LSTM)
        return mp_fail(MOEP_ERROR_UNSUPPORTED, "the method is %s, not lstm", predictor->method->name);
    return MOEP_OK;
}

static size_t series_of(const moep_predictor *predictor)
{
    return predictor->history.layers * predictor->history.experts;
}

static struct lstm_model model_of(const moep_predictor *predictor)
{
    return mp_lstm_model(&predictor->config, series_of(predictor), predictor->model);
}

moep_status moep_predictor_lstm_training(const moep_predictor *predictor, moep_lstm_training *training)
{
    MP_BORDER
    moep_status status = check_handle(predictor);
    if (status != MOEP_OK)
        return status;
    const struct lstm_train_state *state = model_of(predictor).state;
    moep_lstm_training ours = {.weights = (uint32_t)state->weights,
                               .rounds = state->rounds,
                               .updates = state->updates,
                               .length = state->length,
                               .loss = state->loss,
                               .untrained_loss = state->untrained_loss};
    return mp_struct_write(training, &ours, sizeof ours, "moep_lstm_training");
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

/* Copies and checks the caller's struct, and stores the network's shape. */
static moep_status read_weights(moep_lstm_weights *to, const moep_lstm_weights *from, const moep_predictor *predictor,
                                size_t layer, struct lstm_shape *shape)
{
    moep_status status = check_handle(predictor);
    if (status != MOEP_OK)
        return status;
    if (layer >= predictor->config.lstm_layers)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "recurrent layer %zu: the network has %u", layer,
                       predictor->config.lstm_layers);
    *to = (moep_lstm_weights){0};
    *shape = mp_lstm_shape(&predictor->config, series_of(predictor));
    return mp_struct_read(to, sizeof *to, from, "moep_lstm_weights");
}

static bool has_all(const moep_lstm_weights *weights)
{
    return weights->weight_ih && weights->weight_hh && weights->bias_ih && weights->bias_hh;
}

static moep_status check_weights(const moep_lstm_weights *weights, size_t inputs, size_t hidden)
{
    if (!has_all(weights))
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_lstm_weights: some of the four arrays are NULL");
    if (weights->inputs != inputs || weights->hidden != hidden)
        return mp_fail(MOEP_ERROR_INCOMPATIBLE, "the layer has %zu inputs and %zu hidden units, not %u and %u", inputs,
                       hidden, weights->inputs, weights->hidden);
    return MOEP_OK;
}

static struct lstm_weights arrays_of(const moep_lstm_weights *weights)
{
    return (struct lstm_weights){weights->weight_ih, weights->weight_hh, weights->bias_ih, weights->bias_hh};
}

moep_status moep_predictor_lstm_weights(const moep_predictor *predictor, size_t lstm_layer, moep_lstm_weights *weights)
{
    MP_BORDER
    moep_lstm_weights ours;
    struct lstm_shape shape;
    moep_status status = read_weights(&ours, weights, predictor, lstm_layer, &shape);
    if (status != MOEP_OK)
        return status;
    size_t inputs = mp_lstm_layer(&shape, lstm_layer).inputs;
    if (!ours.weight_ih && !ours.weight_hh && !ours.bias_ih && !ours.bias_hh) {
        ours.inputs = (uint32_t)inputs;
        ours.hidden = (uint32_t)shape.hidden;
        return mp_struct_write(weights, &ours, sizeof ours, "moep_lstm_weights");
    }
    status = check_weights(&ours, inputs, shape.hidden);
    if (status == MOEP_OK)
        mp_lstm_export(&shape, lstm_layer, model_of(predictor).best, arrays_of(&ours));
    return status;
}

static bool are_within(const float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(values[i] >= -MP_LSTM_MOST_PARAMETER && values[i] <= MP_LSTM_MOST_PARAMETER))
            return false;
    return true;
}

moep_status moep_predictor_set_lstm_weights(moep_predictor *predictor, size_t lstm_layer,
                                            const moep_lstm_weights *weights)
{
    MP_BORDER
    moep_lstm_weights ours;
    struct lstm_shape shape;
    moep_status status = read_weights(&ours, weights, predictor, lstm_layer, &shape);
    if (status != MOEP_OK)
        return status;
    size_t inputs = mp_lstm_layer(&shape, lstm_layer).inputs, gates = 4 * shape.hidden;
    status = check_weights(&ours, inputs, shape.hidden);
    if (status != MOEP_OK)
        return status;
    if (!are_within(ours.weight_ih, gates * inputs) || !are_within(ours.weight_hh, gates * shape.hidden) ||
        !are_within(ours.bias_ih, gates) || !are_within(ours.bias_hh, gates))
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "a weight is not within -10^6 .. 10^6");
    struct lstm_model model = model_of(predictor);
    mp_lstm_import(&shape, lstm_layer, model.best, arrays_of(&ours));
    mp_lstm_model_pack(&predictor->config, series_of(predictor), predictor->model);
    model.state->updates = model.state->length;
    model.state->weights = MOEP_LSTM_TRAINED;
    model.state->loss = model.state->untrained_loss = NAN; /* the old ones were those of other weights */
    return MOEP_OK;
}
