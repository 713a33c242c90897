/* SPDX-License-Identifier: BSD-3-Clause */
/* Training examples: the inputs and features of a series at an origin, and the targets of its forecast.
 *
 * A sample is one layer of a run (or some of its series) at one origin; every series in it makes one example. The
 * origin is the step from which the forecast is made. With x(k) the share of a series k steps before the origin (1
 * the last), E the experts of a layer, and log x = log(max(x, 1e-9)):
 *
 *   means     m_w = mean of x(1) .. x(min(w, steps)) for the windows w = 20, 100, 500, 2000; r = m_100 is the reference
 *   inputs    log(mean of a block of 10 steps / r), within +-2, of the last 100 blocks, oldest first; 0 where there
 *             is none
 *   features  log(m_w / r), within +-2, of the four windows; log(r E), within +-4;
 *             log(age / 1000), age within 100 .. 10,000; 1
 *   targets   means of the 40 spans of 50 steps from the origin on, where they are known
 *
 * Everything is a ratio of shares, so the scale of counts has no influence.
 *
 * threads: a call writes to its own examples only; allocates: in make, once. */
#ifndef MP_METHODS_LSTM_FEATURES_EXAMPLES_H
#define MP_METHODS_LSTM_FEATURES_EXAMPLES_H

#include "series/panel.h"
#include "support/arena.h"
#include "support/vectors.h"

/* Each window is four or five times as long as the one before: short ones follow changes, long ones average noise out.
 * The shipped weights' validation loss (tests/bench/run.sh lstm_weights) is 0.0348, and 0.0354 with windows of 50, 100,
 * 300 and 2,000 steps. With 50 and 200 blocks as inputs it is 0.0353 and 0.0352. The 40 output spans reach
 * 2,000 steps ahead, as far as the longest window looks back. */
enum {
    MP_LSTM_BLOCK_STEPS = 10, /* of an input */
    MP_LSTM_INPUT_BLOCKS = 100,
    MP_LSTM_WINDOWS = 4,
    MP_LSTM_LONGEST_WINDOW = 2000,
    MP_LSTM_HISTORY_BLOCKS = MP_LSTM_LONGEST_WINDOW / MP_LSTM_BLOCK_STEPS,
    MP_LSTM_FEATURE_COUNT = MP_LSTM_WINDOWS + 3,
    MP_LSTM_FEATURES = 16, /* MP_LSTM_FEATURE_COUNT, padded with zeros */
    MP_LSTM_OUTPUTS = 40,
    MP_LSTM_OUTPUT_ROW = 48, /* MP_LSTM_OUTPUTS, padded */
    MP_LSTM_OUTPUT_STEPS = 50,
    MP_LSTM_HORIZON = MP_LSTM_OUTPUTS * MP_LSTM_OUTPUT_STEPS,
    MP_LSTM_MIN_STEPS = 100 /* before an origin: those of the reference */
};

extern const size_t mp_lstm_windows[MP_LSTM_WINDOWS];

/* Series first .. first + count - 1 of a panel, whole layers or a part of one, at an origin that has `end` of the
 * panel's steps before it. */
struct lstm_sample {
    const struct panel *panel;
    size_t first, count, end;
    size_t steps;           /* the last steps before the origin, which are seen */
    double age;             /* of the run, in steps */
    double experts;         /* of a layer: the mean load is 1 / experts */
    bool from_change_point; /* steps before the last change point are not seen either */

    /* An artificial level shift: only the last splice_steps steps are the sample's own. Older ones come from `count`
     * series of a donor, in the order of `permutation`, before the step donor_end. donor NULL: no splice. */
    size_t splice_steps;
    const struct panel *donor;
    size_t donor_first, donor_end;
    const size_t *permutation;
};

struct lstm_examples {
    size_t room, series;      /* at most; now */
    size_t sample_room;       /* series of a sample, at most */
    real *inputs;             /* [MP_LSTM_INPUT_BLOCKS][series] */
    real *features;           /* [series][MP_LSTM_FEATURES] */
    real *means;              /* [series][MP_LSTM_WINDOWS] */
    real *targets;            /* [series][MP_LSTM_OUTPUTS] */
    size_t *n_targets;        /* [series]: the number of targets that are known */
    real *min_load;           /* [series]: mp_min_load, the least load that an error is divided by */
    bool *after_change_point; /* [series]: the sample begins at a change point that is not the start of the run */
    double *scratch;          /* sums of blocks; logarithms */
    struct arena arena;
};

/* False if memory is refused. */
bool mp_lstm_examples_make(struct lstm_examples *examples, size_t room, size_t sample_room,
                           const struct memory *memory);
void mp_lstm_examples_free(struct lstm_examples *examples, const struct memory *memory);

/* Adds to sum[count] the shares of the series first .. first + count - 1 over `steps` steps of a panel, from `step`
 * on. */
void mp_lstm_add_steps(const struct panel *panel, size_t step, size_t steps, size_t first, size_t count, double *sum);

/* Writes all but the targets of the examples at .. at + sample->count - 1 of `series`. */
void mp_lstm_fill_inputs(struct lstm_examples *examples, size_t at, const struct lstm_sample *sample);

/* Writes their targets from the sample's panel, of whole spans before its step `until`. */
void mp_lstm_fill_targets(struct lstm_examples *examples, size_t at, const struct lstm_sample *sample, size_t until);

#endif
