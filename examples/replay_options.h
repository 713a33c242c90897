/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of replay. */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

#include <moepredict.h>

enum { MOST_TRAININGS = 8 };

struct options {
    moep_predictor_config predictor;
    uint32_t threads;
    moep_backtest_config backtest;
    const char *trace, *csv;
    const char *training[MOST_TRAININGS]; /* runs to learn from */
    size_t trainings;
};

/* Ends the program where they are wrong, and where help is asked for. */
void read_options(struct options *options, int argc, char **argv);

#endif
