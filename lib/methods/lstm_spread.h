/* SPDX-License-Identifier: BSD-3-Clause */
/* How far forecasts may be off, by what the history shows: the source of an LSTM's quantiles.
 *
 * What a network was off by on the runs that it learned from says little of another run. So the spread of an error, relative
 * to the forecast, is told from three things that any run shows, in the last 2,000 steps:
 *
 *   noise      by how much the mean of 100 steps missed the mean of the next ones, as many as the row has, of each series by
 *              itself, at all origins of the last 1,000 steps
 *   doubt      by how much the forecast is not the mean of the last 500 steps: what the network makes of a load is off by
 *              about as much as it makes of it
 *   movement   by how much the means of the last 100, 500 and 2,000 steps differ, over a layer, and shared out among its
 *              experts by how much each has moved
 *
 * The last two count the more, the more the misses of the mean of 100 steps have grown with the time ahead: a load that
 * comes back is not one that walks away. */
#ifndef MP_METHODS_LSTM_SPREAD_H
#define MP_METHODS_LSTM_SPREAD_H

#include "method.h"

/* Steps first .. last - 1 ahead, 0 the next one. */
struct lstm_span {
    size_t first, last;
};

enum { MP_LSTM_LENGTHS = 2 }; /* of the rows of a forecast: the last one's may be another */

struct lstm_spread {
    size_t series;
    double bottom;                   /* added to every load, so that none is too small to divide by */
    size_t lengths[MP_LSTM_LENGTHS]; /* steps that noise is known of */
    double *noise[MP_LSTM_LENGTHS];  /* [series] each, and so the others: squared, relative to the load */
    double *movement, *growth;
    double *level; /* the mean of the last 500 steps */
};

/* What the history shows of rows of these lengths. OUT_OF_MEMORY. */
moep_status mp_lstm_spread_make(struct lstm_spread *spread, const struct task *task,
                                const size_t lengths[MP_LSTM_LENGTHS]);
void mp_lstm_spread_free(struct lstm_spread *spread, const struct memory *memory);

/* row comes as the forecast of a span, of one of the lengths, and becomes its quantile of a probability: never above the
 * forecast for one of less than a half, never below for more, within 0 and 1. */
void mp_lstm_spread_row(const struct lstm_spread *spread, struct lstm_span span, double probability, double *row);

#endif
