/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of replay. */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

#include <moepredict.h>

enum { MAX_TRAINING_RUNS = 8 };

struct options {
    moep_predictor_config predictor;
    uint32_t threads;
    moep_backtest_config backtest;
    const char *trace, *csv;
    const char *training[MAX_TRAINING_RUNS]; /* the names of runs to train the LSTM on */
    size_t training_runs;                    /* how many */
};

/* Ends the program if an option is wrong, or after printing the help. */
void read_options(struct options *options, int argc, char **argv);

#endif
