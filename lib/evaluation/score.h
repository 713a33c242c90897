/* SPDX-License-Identifier: BSD-3-Clause */
/* One layer's forecast from one origin against the steps that came. */
#ifndef MP_EVALUATION_SCORE_H
#define MP_EVALUATION_SCORE_H

#include "moepredict.h"

/* As moep_backtest_result describes them. */
struct score {
    double error, error_of_mean, paper_error, total_variation, floor, floor_of_mean;
    uint64_t left_out;
};

/* Of an origin that cannot be forecast, and of a horizon without tokens. */
extern const struct score mp_no_score;

struct comparison {
    const moep_trace *trace; /* checked; the horizon lies within it */
    uint64_t origin;
    size_t horizon, stride;
    const double *forecast; /* [rows][layers][experts] */
    double assignments;     /* as in moep_backtest_config */
    double *scratch;        /* [3][experts] */
};

struct score mp_score(const struct comparison *comparison, size_t layer);

#endif
