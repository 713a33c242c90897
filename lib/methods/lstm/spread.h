/* SPDX-License-Identifier: BSD-3-Clause */
/* How far forecasts may be off, by what the history shows: the source of an LSTM's quantiles.
 *
 * By how much a network was off on the runs that it learned from says little of another run. So the spread of an error,
 * relative to the forecast, is told from three things that any run shows, all in its last 2,000 steps:
 *
 *   noise      by how much the mean of 100 steps missed the mean of the next ones, of each series by itself, averaged
 *              over origins in the last 1,000 steps. The next ones are as many as the row has, but at most 200, and in
 *              a short history at most a third of it; noise counts by 0.97 / (1 + n / 100) in a row of n steps
 *   doubt      by how much the forecast differs from the mean of the last 500 steps: where the network expects a
 *              change, it is off by about as much
 *   movement   by how much the means of the last 100, 500 and 2,000 steps differ: the mean over a layer, shared out
 *              among its experts by how much each has moved
 *
 * Doubt and movement grow with the time ahead. They also count the more, the more the misses of the mean of 100 steps
 * grow from 100 steps ahead to 500: those of a load that comes back do not, those of one that wanders off do. */
#ifndef MP_METHODS_LSTM_SPREAD_H
#define MP_METHODS_LSTM_SPREAD_H

#include "methods/method.h"

/* The steps of a row: first .. last - 1 ahead, where 0 is the next one. */
struct lstm_span {
    size_t first, last;
};

enum { MP_LSTM_LENGTHS = 2 }; /* the lengths of a forecast's rows: that of all but the last, and the last one's */

struct lstm_spread {
    size_t series;
    double min_load;                 /* added to every load, so that none is too small to divide by */
    size_t lengths[MP_LSTM_LENGTHS]; /* of the rows that noise is known of, in steps */
    /* [series] each: */
    double *noise[MP_LSTM_LENGTHS]; /* the mean square of misses, relative to the load */
    double *movement;               /* the variance of the logarithms of the three means */
    double *growth;                 /* misses 500 steps ahead to those 100 ahead */
    double *level;                  /* the mean of the last 500 steps */
};

/* Measures what the history shows of rows of these lengths. Fails with OUT_OF_MEMORY, and then holds nothing. */
moep_status mp_lstm_spread_make(struct lstm_spread *spread, const struct task *task,
                                const size_t lengths[MP_LSTM_LENGTHS]);
void mp_lstm_spread_free(struct lstm_spread *spread, const struct memory *memory);

/* On entry `row` is the forecast of a span, which is of one of the lengths; on return, the quantile of a probability:
 * never above the forecast if that is less than a half, never below it if more, and within 0 and 1. */
void mp_lstm_spread_row(const struct lstm_spread *spread, struct lstm_span span, double probability, double *row);

#endif
