/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/shared_training.h"

#include "api/status.h"
#include "methods/lstm/network/loss.h"
#include "methods/lstm/shared.h"

/* Validation evaluates at least CHUNK series at a time: four tiles of the network, whose numbers stay in the cache. */
enum { CHUNK = 192 };

static void minibatch_gradient(void *self, struct random *random, const real *parameters, real *gradient)
{
    struct lstm_shared_training *training = self;
    mp_lstm_draw_minibatch(training->dataset, random, &training->examples);
    mp_lstm_shared_net_set_parameters(&training->net, parameters);
    mp_lstm_shared_net_gradient(&training->net, &training->examples, gradient);
}

/* ---- validation -------------------------------------------------------------------------------------------------- */

static double loss_of(const struct lstm_examples *e, size_t series, const real *forecasts)
{
    const real *targets = e->targets + series * MP_LSTM_OUTPUTS;
    return mp_lstm_loss(e->n_targets[series], forecasts, targets, (double)e->min_load[series], 1, NULL);
}

static double untrained_loss_of(const struct lstm_examples *e, size_t series)
{
    real mean = mp_lstm_mean_of_windows(e, series), forecasts[MP_LSTM_OUTPUTS];
    for (size_t b = 0; b < MP_LSTM_OUTPUTS; b++)
        forecasts[b] = mean;
    return loss_of(e, series, forecasts);
}

/* Adds the losses of all examples. */
static void evaluate(struct lstm_shared_training *training, struct lstm_losses *sums)
{
    const struct lstm_examples *e = &training->examples;
    mp_lstm_shared_net_forecast(&training->net, e, training->forecasts);
    mp_lstm_shrink_to_mean(e, training->forecasts);
    for (size_t s = 0; s < e->series; s++) {
        sums->loss += loss_of(e, s, training->forecasts + s * MP_LSTM_OUTPUT_ROW);
        sums->untrained += untrained_loss_of(e, s);
    }
}

static struct lstm_losses validate(void *self, const real *parameters)
{
    struct lstm_shared_training *training = self;
    struct lstm_losses sums = {0, 0};
    size_t samples = mp_lstm_validation_samples(training->dataset), series = 0;
    mp_lstm_shared_net_set_parameters(&training->net, parameters);
    for (size_t first = 0; first < samples; series += training->examples.series) {
        first += mp_lstm_fill_validation(training->dataset, first, &training->examples);
        evaluate(training, &sums);
    }
    return (struct lstm_losses){sums.loss / (double)series, sums.untrained / (double)series};
}

/* ---- the objective ----------------------------------------------------------------------------------------------- */

/* A gradient costs three forward passes: two of them for the backward pass. */
void mp_lstm_shared_training_init(struct lstm_shared_training *training, struct lstm_objective *objective,
                                  const struct lstm_shape *shape, const struct lstm_dataset *dataset)
{
    double cost = mp_lstm_shared_net_cost(shape);
    *training = (struct lstm_shared_training){.dataset = dataset};
    *objective =
        (struct lstm_objective){.self = training, .minibatch_gradient = minibatch_gradient, .validate = validate};
    objective->parameters = mp_lstm_parameters(shape);
    objective->update_cost = 3 * cost * (double)mp_lstm_batch_room(dataset);
    objective->validation_cost = cost * (double)mp_lstm_validation_series(dataset);
}

moep_status mp_lstm_shared_training_make(struct lstm_shared_training *training, const struct lstm_shape *shape,
                                         const struct runtime *runtime)
{
    const struct memory *memory = training->memory = &runtime->memory;
    size_t batch = mp_lstm_batch_room(training->dataset), room = batch < CHUNK ? CHUNK : batch;
    struct lstm_plan plan = {.workers = runtime->threads, .series = room, .training = true};
    if (!mp_lstm_shared_net_make(&training->net, shape, &plan, memory))
        return mp_out_of_memory("the network");
    if (mp_lstm_examples_make(&training->examples, room, room, memory))
        training->forecasts = mp_allocate(memory, room, MP_LSTM_OUTPUT_ROW * sizeof(real));
    if (training->forecasts)
        return MOEP_OK;
    mp_lstm_shared_training_free(training);
    return mp_out_of_memory("the examples");
}

void mp_lstm_shared_training_free(struct lstm_shared_training *training)
{
    const struct memory *memory = training->memory;
    mp_release(memory, training->forecasts, training->examples.room, MP_LSTM_OUTPUT_ROW * sizeof(real));
    mp_lstm_examples_free(&training->examples, memory);
    mp_lstm_shared_net_free(&training->net, memory);
}
