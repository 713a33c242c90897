/* SPDX-License-Identifier: BSD-3-Clause */
/* What replay has found out: the errors of the forecasts, and the states of the layers. */
#ifndef REPLAY_RESULTS_H
#define REPLAY_RESULTS_H

#include <moepredict.h>

#include <stdbool.h>

/* Of one layer, at the end of the run. */
struct layer_summary {
    moep_state state;
    uint64_t since, changes, stable_steps, stable_experts;
    double drift, noise, dispersion; /* NaN where not known */
};

struct results {
    size_t origins, layers, experts;
    uint64_t steps;
    moep_backtest_result errors;     /* [origins][layers] each */
    moep_state *states;              /* [origins][layers]: when the forecast was made */
    struct layer_summary *summaries; /* [layers] */
};

/* All zero; free_results copes with what is missing. */
bool allocate_results(struct results *results, const moep_trace *trace, size_t origins);
void free_results(struct results *results);

/* Pushes the trace through a detector for that horizon, and fills in states and summaries. */
moep_status detect_states(const moep_trace *trace, const moep_backtest_config *backtest, struct results *results);

/* The tables, without a title. */
void print_errors(const struct results *results);
void print_errors_by_state(const struct results *results);
void print_states(const struct results *results);

/* One row per forecast and layer; "-" is standard output. */
bool write_csv(const char *path, const moep_backtest_config *backtest, const struct results *results);

/* All that was printed so far has been taken; false after saying why not. */
bool output_is_written(void);

#endif
