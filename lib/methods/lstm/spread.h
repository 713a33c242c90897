/* SPDX-License-Identifier: BSD-3-Clause */
/* The spread of an LSTM's forecast errors, from which its quantiles are made. It is measured on the last 2,000 steps
 * of the run itself: errors on the runs that a network was trained on say little about another run.
 *
 * A row is the mean of n = last - first steps. Its error, relative to forecast + min_load, has the variance
 *
 *     V = 0.97 / (1 + n / 100) noise + persistence (T^(1/4) disagreement^2 + 1.5 T^(3/4) movement)
 *     T = min((first + last) / 1000, 4)
 *
 *   noise         of each series: the mean square of (mean of the next n' steps - m) / (m + min_load) over origins in
 *                 the last 1,000 steps. m is the mean of the 100 steps before, and n' = min(n, 200)
 *   disagreement  (forecast - l) / (l + min_load), l the mean of the last 500 steps: where the network expects a
 *                 change, its error is about as large
 *   movement      the variance of log(mean + min_load) over the means of the last 100, 500 and 2,000 steps: its mean
 *                 over the layer, apportioned to each series by its noise at n' = 200 + a quarter of the layer's
 *   persistence   the layer's noise at n' = 500 over that at n' = 100: more than 1 for loads that wander off, less for
 *                 loads that return
 *
 * The noise in movement and persistence is over origins in all 2,000 steps. In a short history n' and the 100 steps
 * are at most a third of it. The quantile of a probability, z the normal one:
 *
 *     q = f + (f + min_load) g(z (1 + 0.015 z^2) sqrt(V))
 *     g(x) = x + x^2 / 2 for x >= 0, 1 / (1 - x) - 1 below
 *
 * g is about exp(x) - 1: loads shrink by about the same factor as they grow. Large errors are more frequent than
 * normal ones, hence the cube of z.
 *
 * bytes: every layer is computed alone, every sum in a fixed order; threads: none; allocates: in make, once. */
#ifndef MP_METHODS_LSTM_SPREAD_H
#define MP_METHODS_LSTM_SPREAD_H

#include "methods/method.h"
#include "support/arena.h"

/* The steps of a row: first .. last - 1 ahead, where 0 is the next one. */
struct lstm_span {
    size_t first, last;
};

enum { MP_LSTM_LENGTHS = 2 }; /* lengths of a forecast's rows: of all but the last, and of the last */

struct lstm_spread {
    size_t series;
    double min_load;
    size_t lengths[MP_LSTM_LENGTHS]; /* n */
    /* [series] each: */
    double *noise[MP_LSTM_LENGTHS]; /* of each length */
    double *movement;
    double *persistence;
    double *level; /* l */
    double *sums; /* scratch of make: [steps + 1][width] for the last `steps` steps and `width` neighbours of a layer */
    size_t steps, width;
    struct arena arena;
};

/* Measures the history for rows of these lengths. Fails with OUT_OF_MEMORY, and then holds nothing. */
moep_status mp_lstm_spread_make(struct lstm_spread *spread, const struct task *task,
                                const size_t lengths[MP_LSTM_LENGTHS]);
void mp_lstm_spread_free(struct lstm_spread *spread, const struct memory *memory);

/* On entry `row` is the forecast of a span, which has one of the lengths; on return the quantile of a probability. It
 * lies within 0 and 1, below the forecast if the probability is less than a half, and above it if more. */
void mp_lstm_spread_row(const struct lstm_spread *spread, struct lstm_span span, double probability, double *row);

#endif
