/* SPDX-License-Identifier: BSD-3-Clause */
/* One layer's forecast from one origin, scored against the steps of the horizon that followed.
 *
 * Let x_t be the layer's shares at step t of the horizon, and f_t the forecast row that covers t. x and f are their
 * means over the T steps that hold a token. e, pe and tv are the measures of series/error.h:
 *
 *     error            mean over t of e(f_t, x_t)         floor            mean over t of e(x, x_t)
 *     paper_error      mean over t of pe(f_t, x_t)        floor_of_mean    the sampling error of x (series/error.h)
 *     error_of_mean    e(f, x)                            total_variation  tv(f, x)
 *
 * floor is the error of a forecast that knows the realised mean, around which single steps scatter. */
#ifndef MP_EVALUATION_SCORE_H
#define MP_EVALUATION_SCORE_H

#include "moepredict.h"

/* The fields of moep_backtest_result. */
struct score {
    double error, error_of_mean, paper_error, total_variation, floor, floor_of_mean;
    uint64_t left_out;
};

/* NaN in every error, for an origin that cannot be forecast and for a horizon without tokens. */
extern const struct score mp_no_score;

struct comparison {
    const moep_trace *trace; /* checked; the horizon lies within it */
    uint64_t origin;
    size_t horizon, stride;
    const double *forecast; /* [rows][layers][experts] */
    double assignments;     /* moep_backtest_config's */
    double *scratch;        /* [3][experts] */
};

struct score mp_score(const struct comparison *comparison, size_t layer);

#endif
