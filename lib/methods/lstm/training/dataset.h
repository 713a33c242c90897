/* SPDX-License-Identifier: BSD-3-Clause */
/* The runs that a network learns from: minibatches of samples drawn at random, and fixed samples for validation.
 *
 * Augmentation shows the network more kinds of histories than the runs have. o is the origin, - are the steps seen:
 *
 *     as recorded  |-----------------------------------|o|  targets
 *     truncated    |                   |-- steps ------|o|  targets    as if the run had begun later
 *     spliced      |-- of a donor --------|-- its own -|o|  targets    as if loads had shifted splice_steps ago
 *
 * The age of a run is scaled at random as well. Validation samples are as recorded.
 *
 * bytes: the order in which numbers are drawn decides every later result; threads: none; allocates: nothing. */
#ifndef MP_METHODS_LSTM_TRAINING_DATASET_H
#define MP_METHODS_LSTM_TRAINING_DATASET_H

#include "methods/lstm/features/examples.h"
#include "methods/method.h"
#include "support/random.h"

/* With minibatches of 48, 96 and 192 series the shipped weights' validation loss is 0.0364, 0.0348 and 0.0339, but time
 * grows as well (tests/bench/run.sh lstm_weights). A sample of a larger layer is some neighbours, so that a minibatch
 * stays small. */
enum {
    MP_LSTM_VALIDATION_ORIGINS = 32, /* of a run: two whole batches of the joint form */
    MP_LSTM_BATCH_SERIES = 96,       /* of a minibatch, about: two tiles */
    MP_LSTM_MOST_SAMPLE_SERIES = 256,
};

/* Steps first .. last - 1 of a run. */
struct lstm_segment {
    size_t first, last;
};

/* The split of a run into training and validation: by time, where the segments differ, or by layer. */
struct lstm_split {
    const struct run *run;
    struct lstm_segment train, validation; /* origins and their targets lie within */
    /* Layers held_out, held_out + every, .. are for validation only, the others for training only. every 0: all are for
     * both. */
    size_t every, held_out;
};

struct lstm_dataset {
    const struct lstm_split *splits;
    size_t n;
};

/* The most series that a minibatch has. */
size_t mp_lstm_batch_room(const struct lstm_dataset *dataset);

/* Fills examples with a minibatch: samples of random runs, training layers and training origins. */
void mp_lstm_draw_minibatch(const struct lstm_dataset *dataset, struct random *random, struct lstm_examples *examples);

/* All layers of a run at a random training origin, truncated and aged but never spliced. */
struct lstm_sample mp_lstm_draw_sample(const struct lstm_split *split, struct random *random);

/* All layers of a run at the i-th of its MP_LSTM_VALIDATION_ORIGINS origins, which are spread evenly. */
struct lstm_sample mp_lstm_validation_sample(const struct lstm_split *split, size_t i);

/* The numbers of samples and of series in the validation set. */
size_t mp_lstm_validation_samples(const struct lstm_dataset *dataset);
size_t mp_lstm_validation_series(const struct lstm_dataset *dataset);

/* Fills examples with validation samples, the first being number `first`, while there is room; returns their number. */
size_t mp_lstm_fill_validation(const struct lstm_dataset *dataset, size_t first, struct lstm_examples *examples);

#endif
