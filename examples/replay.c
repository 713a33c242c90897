/* SPDX-License-Identifier: BSD-3-Clause */
/* Replays a recorded training run: how well would its loads have been forecast? */
#define _POSIX_C_SOURCE 200809L
#include "npy.h"
#include "replay_results.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: replay [options] TRACE.npy\n"
    "\n"
    "Replays a recorded training run through a predictor. At step --first, and every --every\n"
    "steps after, the load of each expert over the next --horizon steps is forecast from the\n"
    "steps before, and compared with what then came.\n"
    "\n"
    "TRACE.npy   token counts [steps][layers][experts], saved by numpy.save; int32, int64,\n"
    "            uint32, uint64, float32 or float64\n"
    "\n"
    "  --method NAME    the forecasting method: %s (sw_avg)\n"
    "  --window W       steps that sw_avg averages (%u)\n"
    "  --order P,D,Q    of arima, each a number or select (%d,%d,%d)\n"
    "  --bucket B       steps that arima averages into one observation (%u)\n"
    "  --history N      steps kept (what the method needs)\n"
    "  --refit-every N  forecasts between two fits of arima; 0: one fit (10)\n"
    "  --threads N      that a fit may work on (1)\n"
    "  --horizon H      steps ahead that a forecast covers (1000)\n"
    "  --stride S       steps averaged into one forecast row (the horizon: one row, the mean\n"
    "                   load, which is what placement needs; 1: every step by itself)\n"
    "  --first N        steps seen before the first forecast (300)\n"
    "  --every N        steps between forecasts (100)\n"
    "  --csv FILE       one row per forecast and layer, as fractions, not percent; - prints\n"
    "                   them in place of the tables\n"
    "  --help           this text\n"
    "\n"
    "The first table, by layer and in all, each the mean over the forecasts:\n"
    "  error            the forecast against each single step of the horizon: the mean over\n"
    "                   experts of |forecast - actual| / actual, where an actual load below a\n"
    "                   tenth of the mean load counts as that tenth\n"
    "  floor            what the error would be had the forecast known the mean over the\n"
    "                   horizon: the steps scatter around it\n"
    "  error of mean    the same ratio for the forecast's mean over the horizon against the\n"
    "                   mean that came: what matters to placement\n"
    "  floor of mean    what the sampling of independent tokens alone would leave of it\n"
    "  paper error      the error without the tenth, for comparison with the paper: experts\n"
    "                   without a token in a step are left out of it\n"
    "  left out         how many (step, expert) pairs that were\n"
    "\n"
    "The second table is the same by the state that a detector told of the layer when the\n"
    "forecast was made. It says of every layer whether it is still in warmup, or its load\n"
    "transient, or stable: then the mean of the last 100 steps is expected to be within 10 %%\n"
    "of the mean load of the mean over the next H steps, sampling noise aside, if the load\n"
    "goes on as it has.\n"
    "\n"
    "The third table is about the end of the run: each layer's state, the step with which it\n"
    "began, how often it has changed, how much of the run and how many of the experts are\n"
    "stable; the drift that a forecast must expect, in units of the mean load; the sampling\n"
    "noise, as the number of independent tokens that would scatter as much; and dispersion,\n"
    "the tokens there were over those.\n"
    "\n"
    "Example: forecasts of the next 2,000 steps from the last 300\n"
    "  replay --window 300 --horizon 2000 examples/data/small16-seed1.npy\n";

struct options {
    moep_predictor_config predictor;
    uint32_t threads;
    moep_backtest_config backtest;
    const char *trace, *csv;
};

/* ---- the command line ------------------------------------------------------------------------------------------ */

static void usage_error(const char *text, const char *fault)
{
    fprintf(stderr, "replay: %s%s; replay --help explains\n", text, fault);
    exit(2);
}

static void print_help(void)
{
    char names[256] = "";
    const char *name;
    for (moep_method method = 0; (name = moep_method_name(method)); method++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", name);
    }
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor_config_init(&config, MOEP_SW_AVG);
    printf(help, names, config.sw_avg_window, config.arima_p, config.arima_d, config.arima_q, config.arima_bucket);
    exit(0);
}

static moep_method method_named(const char *text)
{
    const char *name;
    for (moep_method method = 0; (name = moep_method_name(method)); method++)
        if (strcmp(name, text) == 0)
            return method;
    usage_error(text, " is no method");
    return -1;
}

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < least || value > most)
        usage_error(text, " is not a number that this option can have");
    return value;
}

/* One of P,D,Q; leaves text at what follows its comma. */
static int32_t order(const char **text)
{
    char word[16];
    size_t length = strcspn(*text, ",");
    if (length >= sizeof word)
        usage_error(*text, " is no order");
    memcpy(word, *text, length);
    word[length] = '\0';
    *text += length + ((*text)[length] == ',');
    return strcmp(word, "select") == 0 ? MOEP_SELECT : (int32_t)number(word, 0, 8);
}

static void read_order(moep_predictor_config *config, const char *text)
{
    const char *rest = text;
    config->arima_p = order(&rest);
    config->arima_d = order(&rest);
    config->arima_q = order(&rest);
    if (*rest)
        usage_error(text, " is no order: three of them, with commas");
}

enum { METHOD = 1, WINDOW, ORDER, BUCKET, HISTORY, REFIT_EVERY, THREADS, HORIZON, STRIDE, FIRST, EVERY, CSV, HELP };

static const struct option long_options[] = {
    {"method", required_argument, NULL, METHOD},
    {"window", required_argument, NULL, WINDOW},
    {"order", required_argument, NULL, ORDER},
    {"bucket", required_argument, NULL, BUCKET},
    {"history", required_argument, NULL, HISTORY},
    {"refit-every", required_argument, NULL, REFIT_EVERY},
    {"threads", required_argument, NULL, THREADS},
    {"horizon", required_argument, NULL, HORIZON},
    {"stride", required_argument, NULL, STRIDE},
    {"first", required_argument, NULL, FIRST},
    {"every", required_argument, NULL, EVERY},
    {"csv", required_argument, NULL, CSV},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

static void read_options(struct options *options, int argc, char **argv)
{
    static const uint64_t largest = UINT64_C(1) << 40;
    moep_predictor_config *predictor = &options->predictor;
    moep_backtest_config *backtest = &options->backtest;
    *predictor = (moep_predictor_config){.struct_size = sizeof *predictor};
    moep_predictor_config_init(predictor, MOEP_SW_AVG);
    *backtest = (moep_backtest_config){
        .struct_size = sizeof *backtest, .first = 300, .every = 100, .horizon = 1000, .refit_every = 10};
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (option) {
        case METHOD: predictor->method = method_named(optarg); break;
        case WINDOW: predictor->sw_avg_window = (uint32_t)number(optarg, 1, UINT32_MAX); break;
        case ORDER: read_order(predictor, optarg); break;
        case BUCKET: predictor->arima_bucket = (uint32_t)number(optarg, 1, 10000); break;
        case HISTORY: predictor->history = number(optarg, 1, largest); break;
        case REFIT_EVERY: backtest->refit_every = number(optarg, 0, largest); break;
        case THREADS: options->threads = (uint32_t)number(optarg, 1, 64); break;
        case HORIZON: backtest->horizon = number(optarg, 1, largest); break;
        case STRIDE: backtest->stride = number(optarg, 1, largest); break;
        case FIRST: backtest->first = number(optarg, 0, largest); break;
        case EVERY: backtest->every = number(optarg, 1, largest); break;
        case CSV: options->csv = optarg; break;
        case HELP: print_help(); break;
        default: exit(2);
        }
    }
    if (optind + 1 != argc)
        usage_error(optind < argc ? "one trace at a time" : "which trace?", "");
    options->trace = argv[optind];
    if (!backtest->stride)
        backtest->stride = backtest->horizon;
}

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

static moep_status backtest(const struct options *options, const moep_trace *trace, struct results *results)
{
    moep_runtime runtime = {.struct_size = sizeof runtime,
                            .threads = options->threads,
                            .progress = isatty(STDERR_FILENO) ? draw_progress : NULL};
    moep_predictor *predictor = NULL;
    moep_status status =
        moep_predictor_create(trace->layers, trace->experts, &options->predictor, &runtime, &predictor);
    if (status == MOEP_OK)
        status = moep_backtest(predictor, trace, &options->backtest, NULL, &results->errors);
    if (status == MOEP_OK)
        status = detect_states(trace, &options->backtest, results);
    moep_predictor_destroy(predictor);
    return status;
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

static void print_title(const struct options *options, const moep_trace *trace, size_t origins)
{
    const moep_backtest_config *backtest = &options->backtest;
    const char *slash = strrchr(options->trace, '/');
    printf("%s: %" PRIu64 " steps, %" PRIu64 " layers of %" PRIu64 " experts, %s\n", slash ? slash + 1 : options->trace,
           trace->steps, trace->layers, trace->experts, npy_dtype_name(trace->dtype));
    printf("%s", moep_method_name(options->predictor.method));
    if (options->predictor.method == MOEP_SW_AVG)
        printf(", window %" PRIu32, options->predictor.sw_avg_window);
    else
        print_order(&options->predictor);
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
    if (options->csv && !write_csv(options->csv, &options->backtest, results)) {
        fprintf(stderr, "replay: cannot write %s\n", options->csv);
        return 1;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "replay: cannot write the tables\n");
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    read_options(&options, argc, argv);
    moep_trace trace;
    char message[NPY_MESSAGE];
    if (!npy_read(options.trace, &trace, message)) {
        fprintf(stderr, "replay: %s: %s\n", options.trace, message);
        return 1;
    }
    int code = 1;
    struct results results;
    if (!allocate_results(&results, &trace, moep_backtest_origins(trace.steps, &options.backtest)))
        fprintf(stderr, "replay: no memory for the results\n");
    else if (backtest(&options, &trace, &results) != MOEP_OK)
        fprintf(stderr, "replay: %s: %s\n", options.trace, moep_last_error());
    else
        code = report(&options, &trace, &results);
    free_results(&results);
    free((void *)trace.counts);
    return code;
}
