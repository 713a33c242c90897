/* SPDX-License-Identifier: BSD-3-Clause */
/* What the shared network sees of a series at an origin, and what it should have said.
 *
 *   inputs    log(block mean / reference) of 100 blocks of 10 steps, oldest first; 0 for a block that is not there yet
 *   features  log(window mean / reference) of the windows, log(reference / mean load), log(age / 1000), 1
 *   means     of the last 20, 100, 500 and 2,000 steps, each of what there is of it; that of 100 is the reference
 *
 * All are about shares alone: the scale of counts has no part in them. */
#ifndef MP_METHODS_LSTM_FEATURES_EXAMPLES_H
#define MP_METHODS_LSTM_FEATURES_EXAMPLES_H

#include "series/panel.h"
#include "support/memory.h"
#include "support/vectors.h"

enum {
    MP_LSTM_BLOCK_STEPS = 10, /* of an input */
    MP_LSTM_INPUT_BLOCKS = 100,
    MP_LSTM_WINDOWS = 4,
    MP_LSTM_LONGEST_WINDOW = 2000, /* window */
    MP_LSTM_HISTORY_BLOCKS = MP_LSTM_LONGEST_WINDOW / MP_LSTM_BLOCK_STEPS,
    MP_LSTM_FEATURES = 16, /* 7, and zeros to a whole row */
    MP_LSTM_OUTPUTS = 40,
    MP_LSTM_OUTPUT_ROW = 48, /* numbers that 40 outputs take: whole rows */
    MP_LSTM_OUTPUT_STEPS = 50,
    MP_LSTM_HORIZON = MP_LSTM_OUTPUTS * MP_LSTM_OUTPUT_STEPS,
    MP_LSTM_MIN_STEPS = 100 /* of a past */
};

extern const size_t mp_lstm_windows[MP_LSTM_WINDOWS];

/* Series first .. first + count - 1 of a panel, at an origin that has `end` of its steps before it. */
struct lstm_sample {
    const struct panel *panel;
    size_t first, count, end;
    size_t steps;           /* of those before, the ones that count */
    double age;             /* of the run, in steps */
    double experts;         /* of a layer: their number is 1 / the mean load */
    bool from_change_point; /* what was before a jump of the load does not count */

    /* A shift of load: only the last `since` steps are those, older ones are `count` other series, in that order, whose
     * own origin is as far ahead. before NULL: none. */
    size_t splice_steps;
    const struct panel *donor;
    size_t donor_first, donor_end;
    const size_t *permutation;
};

struct lstm_examples {
    size_t room, series;
    real *inputs;             /* [MP_LSTM_INPUT_BLOCKS][series] */
    real *features;           /* [series][MP_LSTM_FEATURES] */
    real *means;              /* [series][MP_LSTM_WINDOWS] */
    real *targets;            /* [series][MP_LSTM_OUTPUTS]: block means that came after; */
    size_t *n_targets;        /* [series]: so many of them are known */
    real *min_load;           /* [series]: least load that an error is divided by */
    real *age;                /* [series]: of the run */
    bool *after_change_point; /* [series]: its past was cut, and not where the run began */
    double *scratch;          /* sums of series; [MP_LSTM_HISTORY_BLOCKS + 3][back] */
    void *arena;
    size_t arena_size;
};

/* At most `back` series in a call of mp_lstm_fill_inputs. False if memory is refused. */
bool mp_lstm_examples_make(struct lstm_examples *examples, size_t room, size_t back, const struct memory *memory);
void mp_lstm_examples_free(struct lstm_examples *examples, const struct memory *memory);

/* sum[count] += shares of the series first .. first + count - 1 over so many steps of a panel, from `step` on. */
void mp_lstm_add_steps(const struct panel *panel, size_t step, size_t steps, size_t first, size_t count, double *sum);

/* Writes the examples at .. at + past->count - 1 of `series`. */
void mp_lstm_fill_inputs(struct lstm_examples *examples, size_t at, const struct lstm_sample *sample);

/* And what came after them, from the panel, before step `until` of it: at most MP_LSTM_HORIZON steps. */
void mp_lstm_fill_targets(struct lstm_examples *examples, size_t at, const struct lstm_sample *sample, size_t until);

#endif
