/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs to learn from: windows of them drawn at random to train on, and held-out windows to evaluate by.
 *
 * A window is one layer of a run at one origin: its past, and what came after. */
#ifndef MP_METHODS_LSTM_TRAINING_DATASET_H
#define MP_METHODS_LSTM_TRAINING_DATASET_H

#include "methods/lstm/features/examples.h"
#include "methods/method.h"
#include "support/random.h"

enum {
    MP_LSTM_VALIDATION_ORIGINS = 32, /* of a run to evaluate by */
    MP_LSTM_BATCH_SERIES = 96,       /* series of a batch, about */
    MP_LSTM_MOST_SAMPLE_SERIES = 256 /* series of a window: of more experts, so many beside each other */
};

/* Steps first .. last - 1 of a run. */
struct lstm_segment {
    size_t first, last;
};

struct lstm_split {
    const struct run *run;
    struct lstm_segment train, validation; /* origins and what comes after them are in these */
    /* Of every so many layers this one is judged by only, the others are trained on only; 0: all are for both. */
    size_t every, held_out;
};

struct lstm_dataset {
    const struct lstm_split *splits;
    size_t n;
};

/* Series that a batch may have at most. */
size_t mp_lstm_batch_room(const struct lstm_dataset *dataset);

/* One batch of windows, each of any run, layer and origin that is not held out; some as if the run had begun later, some
 * as if loads had just shifted. */
void mp_lstm_draw_minibatch(const struct lstm_dataset *dataset, struct random *random, struct lstm_examples *examples);

/* The same for all layers of one run at one origin. */
struct lstm_sample mp_lstm_draw_sample(const struct lstm_split *split, struct random *random);

/* All layers of one run at the i-th of the MP_LSTM_VALIDATION_ORIGINS origins to evaluate by, which are spread evenly. */
struct lstm_sample mp_lstm_validation_sample(const struct lstm_split *split, size_t i);

/* The held-out windows and their series; examples of as many from the one numbered `first` on as there is room for, which
 * are how many. */
size_t mp_lstm_validation_samples(const struct lstm_dataset *dataset);
size_t mp_lstm_validation_series(const struct lstm_dataset *dataset);
size_t mp_lstm_fill_validation(const struct lstm_dataset *dataset, size_t first, struct lstm_examples *examples);

#endif
