/* SPDX-License-Identifier: BSD-3-Clause */
/* Backtests a forecasting method on a recorded training run: how good would its forecasts have been?
 *
 * usage: replay [options] TRACE.npy    (replay --help explains them)
 *
 * moep_backtest computes the errors here, and replay_states.c the detector's states; replay_results.c prints both. */
#define _POSIX_C_SOURCE 200809L
#include "npy.h"
#include "replay_options.h"
#include "replay_results.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the run --------------------------------------------------------------------------------------------------- */

static int32_t draw_progress(void *user, double fraction)
{
    enum { WIDTH = 50 };
    (void)user;
    int done = (int)(fraction * WIDTH);
    fprintf(stderr, "\r[%.*s%*s] %3.0f %%", done, "##################################################", WIDTH - done,
            "", 100 * fraction);
    if (fraction >= 1)
        fprintf(stderr, "\r%*s\r", WIDTH + 8, "");
    fflush(stderr);
    return 0;
}

static bool read_trace(const char *path, moep_trace *trace)
{
    char message[NPY_MESSAGE];
    bool read = npy_read(path, trace, message);
    if (!read)
        fprintf(stderr, "replay: %s: %s\n", path, message);
    return read;
}

/* Trains the network on the runs that --train names. Prints why if that fails. */
static bool train(const struct options *options, moep_predictor *predictor)
{
    moep_trace traces[MAX_TRAINING_RUNS];
    size_t n = 0;
    while (n < options->training_runs && read_trace(options->training[n], &traces[n]))
        n++;
    bool trained = n == options->training_runs;
    if (trained && moep_predictor_fit_traces(predictor, traces, n) != MOEP_OK) {
        fprintf(stderr, "replay: %s\n", moep_last_error());
        trained = false;
    }
    for (size_t i = 0; i < n; i++)
        free((void *)traces[i].counts);
    return trained;
}

static bool any_evaluated(const struct results *results)
{
    for (size_t i = 0; i < results->origins * results->layers; i++)
        if (!isnan(results->errors.error[i]))
            return true;
    return false;
}

/* Prints why all errors are NaN and the tables full of dashes. The backtest has not changed the predictor. */
static void explain_none(const struct options *options, const moep_trace *trace, const struct results *results,
                         moep_predictor *predictor)
{
    const char *reason = "none of the forecast steps has a token";
    size_t last = options->backtest.first + (results->origins - 1) * options->backtest.every;
    double *shares = calloc(trace->layers * trace->experts, sizeof *shares);
    if (moep_predictor_push(predictor, last, trace->counts, trace->dtype) != MOEP_OK ||
        moep_predictor_predict(predictor, 1, 1, shares, trace->layers * trace->experts) != MOEP_OK)
        reason = moep_last_error();
    fprintf(stderr, "replay: no forecast could be evaluated: %s\n", reason);
    free(shares);
}

static bool backtest(const struct options *options, const moep_trace *trace, struct results *results)
{
    moep_runtime runtime = {.struct_size = sizeof runtime,
                            .threads = options->threads,
                            .progress = isatty(STDERR_FILENO) ? draw_progress : NULL};
    moep_predictor *predictor = NULL;
    moep_status status =
        moep_predictor_create(trace->layers, trace->experts, &options->predictor, &runtime, &predictor);
    bool trained = status == MOEP_OK && (options->training_runs == 0 || train(options, predictor));
    if (trained)
        status = moep_backtest(predictor, trace, &options->backtest, NULL, &results->errors);
    if (trained && status == MOEP_OK && !any_evaluated(results))
        explain_none(options, trace, results, predictor);
    if (trained && status == MOEP_OK)
        status = detect_states(trace, &options->backtest, results);
    moep_predictor_destroy(predictor);
    if (status != MOEP_OK)
        fprintf(stderr, "replay: %s: %s\n", options->trace, moep_last_error());
    return trained && status == MOEP_OK;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void print_order(const moep_predictor_config *config)
{
    const int32_t orders[3] = {config->arima_p, config->arima_d, config->arima_q};
    for (size_t i = 0; i < 3; i++) {
        printf(i ? ", " : " (");
        if (orders[i] == MOEP_SELECT)
            printf("selected");
        else
            printf("%" PRId32, orders[i]);
    }
    if (config->arima_bucket == 1)
        printf("), of single steps");
    else
        printf("), of means of %" PRIu32 " steps", config->arima_bucket);
}

static bool is_shipped(const moep_predictor_config *config)
{
    moep_predictor_config made = {.struct_size = sizeof made};
    moep_predictor_config_init(&made, MOEP_LSTM);
    return config->lstm_scope == made.lstm_scope &&
           (config->lstm_layers == 0 ||
            (config->lstm_layers == made.lstm_layers && config->lstm_hidden == made.lstm_hidden));
}

static void print_weights(const struct options *options, bool shipped)
{
    if (options->training_runs == 0)
        printf(shipped ? ", the library's weights" : ", untrained");
    for (size_t i = 0; i < options->training_runs; i++)
        printf("%s %s", i == 0 ? ", trained on" : ",", base_name(options->training[i]));
}

static void print_network(const struct options *options)
{
    const moep_predictor_config *config = &options->predictor;
    printf(", %s, %" PRIu32 " x %" PRIu32, config->lstm_scope == MOEP_LSTM_JOINT ? "joint" : "shared",
           config->lstm_layers, config->lstm_hidden);
    print_weights(options, is_shipped(config));
    if (options->backtest.refit_every > 0)
        printf(", then in the run");
}

static void print_title(const struct options *options, const moep_trace *trace, size_t origins)
{
    const moep_backtest_config *backtest = &options->backtest;
    printf("%s: %" PRIu64 " steps, %" PRIu64 " layers of %" PRIu64 " experts, %s\n", base_name(options->trace),
           trace->steps, trace->layers, trace->experts, npy_dtype_name(trace->dtype));
    printf("%s", moep_method_name(options->predictor.method));
    switch (options->predictor.method) {
    case MOEP_SW_AVG: printf(", window %" PRIu32, options->predictor.sw_avg_window); break;
    case MOEP_ARIMA: print_order(&options->predictor); break;
    case MOEP_LSTM: print_network(options); break;
    case MOEP_AUTO: print_weights(options, true); break;
    default: break;
    }
    printf(": %zu forecast%s of the next %" PRIu64 " steps, from step %" PRIu64 " on, every %" PRIu64 "\n\n", origins,
           origins == 1 ? "" : "s", backtest->horizon, backtest->first, backtest->every);
}

static int report(const struct options *options, const moep_trace *trace, const struct results *results)
{
    if (!options->csv || strcmp(options->csv, "-") != 0) {
        print_title(options, trace, results->origins);
        print_errors(results);
        printf("\n");
        print_errors_by_state(results);
        printf("\n");
        print_states(results);
    }
    bool written = !options->csv || write_csv(options->csv, &options->backtest, results);
    return output_is_written() && written ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    read_options(&options, argc, argv);
    moep_trace trace;
    if (!read_trace(options.trace, &trace))
        return 1;
    int code = 1;
    struct results results;
    if (!allocate_results(&results, &trace, moep_backtest_origins(trace.steps, &options.backtest)))
        fprintf(stderr, "replay: no memory for the results\n");
    else if (backtest(&options, &trace, &results))
        code = report(&options, &trace, &results);
    free_results(&results);
    free((void *)trace.counts);
    return code;
}
