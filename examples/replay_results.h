/* SPDX-License-Identifier: BSD-3-Clause */
/* The results of replay, the errors of forecasts and the states of layers, and the tables that show them. */
#ifndef REPLAY_RESULTS_H
#define REPLAY_RESULTS_H

#include <moepredict.h>

#include <stdbool.h>

/* A layer at the end of the run. */
struct layer_summary {
    moep_state state;
    uint64_t since, changes, stable_steps, stable_experts;
    double drift, noise, dispersion; /* NaN until known */
};

struct results {
    size_t origins, layers, experts;
    uint64_t steps;
    moep_backtest_result errors;     /* [origins][layers] each */
    moep_state *states;              /* [origins][layers], at the time of the forecast */
    struct layer_summary *summaries; /* [layers] */
};

/* Fills everything with zeros. False without memory; free_results may be called either way. */
bool allocate_results(struct results *results, const moep_trace *trace, size_t origins);
void free_results(struct results *results);

/* Pushes the trace through a detector with that horizon, and fills in the states and the summaries. */
moep_status detect_states(const moep_trace *trace, const moep_backtest_config *backtest, struct results *results);

/* Print the tables, without a title. */
void print_errors(const struct results *results);
void print_errors_by_state(const struct results *results);
void print_states(const struct results *results);

/* Writes one row per forecast and layer; "-" is standard output. Prints why if that fails. */
bool write_csv(const char *path, const moep_backtest_config *backtest, const struct results *results);

/* Flushes standard output. Prints why if not everything could be written. */
bool output_is_written(void);

#endif
