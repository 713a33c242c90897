/* SPDX-License-Identifier: BSD-3-Clause */
#define _POSIX_C_SOURCE 200809L
#include "replay_options.h"

#include "replay_results.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: replay [options] TRACE.npy\n"
    "\n"
    "Backtests a forecasting method on a recorded training run. At step --first, and every\n"
    "--every steps after it, replay forecasts the load of each expert over the next --horizon\n"
    "steps from the steps before, and compares the forecast with the recorded load.\n"
    "\n"
    "TRACE.npy   token counts [steps][layers][experts], saved by numpy.save, of dtype int32,\n"
    "            int64, uint32, uint64, float32 or float64\n"
    "\n"
    "  --method NAME    the forecasting method: %s (auto)\n"
    "  --window W       steps that sw_avg averages (%u)\n"
    "  --order P,D,Q    of arima, each a number or select (%d,%d,%d)\n"
    "  --bucket B       steps that arima averages into one observation (%u)\n"
    "  --train OTHER    a run on which lstm, or auto's network, is trained first; may be given\n"
    "                   several times. Without it they have the shipped weights, which the runs\n"
    "                   small16-seed1 and -seed2 trained\n"
    "  --scope NAME     form of lstm: shared, or joint, which is the paper's (shared)\n"
    "  --layers N       recurrent layers of lstm; 0: none, as in auto's network (%u)\n"
    "  --hidden N       units of each recurrent layer (%u)\n"
    "  --seed N         seed of the training's random numbers (0)\n"
    "  --history N      steps that the predictor keeps (as many as the method needs)\n"
    "  --refit-every N  forecasts between two fits; 0: one fit, if one is needed (arima 10, others 0)\n"
    "  --threads N      threads of a fit (1)\n"
    "  --horizon H      steps ahead that a forecast covers (1000)\n"
    "  --stride S       steps averaged into one forecast row; 1 forecasts every step (the horizon:\n"
    "                   one row, the mean load, which is what placement needs)\n"
    "  --first N        steps seen before the first forecast (300)\n"
    "  --every N        steps between forecasts (100)\n"
    "  --csv FILE       writes one row per forecast and layer, as fractions, not percent; - prints\n"
    "                   them instead of the tables\n"
    "  --help           this text\n"
    "\n"
    "The first table gives means over the forecasts, for each layer and for all:\n"
    "  error            the forecast against each single step of the horizon: the mean over\n"
    "                   experts of |forecast - actual| / actual, where an actual load below a\n"
    "                   tenth of the mean load counts as that tenth\n"
    "  floor            the error of the true mean over the horizon, around which steps scatter\n"
    "  error of mean    the same ratio for the mean over the horizon, forecast against actual:\n"
    "                   this is what matters to placement\n"
    "  floor of mean    the part of it that sampling of independent tokens would cause\n"
    "  paper error      the error without the tenth, for comparison with the paper; it leaves\n"
    "                   out experts without a token in a step\n"
    "  left out         the number of (step, expert) pairs left out\n"
    "\n"
    "The second table groups the forecasts by the detector's state of the layer at that time:\n"
    "warmup, transient or stable. In a stable layer the mean of the last 100 steps is expected\n"
    "to differ from the mean of the next H steps by at most 10 %% of the mean load. Sampling\n"
    "noise is left aside, and the load is assumed to keep moving as it has.\n"
    "\n"
    "The third table describes the end of the run: the state of each layer, the step at which\n"
    "it began, how often it has changed, and how much of the run and how many of the experts\n"
    "are stable. Drift is the error that a forecast must expect, in units of the mean load.\n"
    "Effective tokens is the number of independent tokens per step that would scatter as much.\n"
    "Dispersion is the number of tokens per step divided by that.\n"
    "\n"
    "Examples: the method to begin with, and an average of the last 300 steps beside it\n"
    "  replay --horizon 2000 examples/data/mid32-seed5.npy\n"
    "  replay --horizon 2000 --method sw_avg --window 300 examples/data/mid32-seed5.npy\n";

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
    printf(help, names, config.sw_avg_window, config.arima_p, config.arima_d, config.arima_q, config.arima_bucket,
           config.lstm_layers, config.lstm_hidden);
    exit(output_is_written() ? 0 : 1);
}

static moep_method method_named(const char *text)
{
    const char *name;
    for (moep_method method = 0; (name = moep_method_name(method)); method++)
        if (strcmp(name, text) == 0)
            return method;
    usage_error(text, " is not a method");
    return -1;
}

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value < least || value > most)
        usage_error(text, " is not a number that this option accepts");
    return value;
}

/* Reads one number of P,D,Q, and moves text past the comma after it. */
static int32_t order(const char **text)
{
    char word[16];
    size_t length = strcspn(*text, ",");
    if (length >= sizeof word)
        usage_error(*text, " is not an order");
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
        usage_error(text, " is not an order, three numbers with commas between");
}

static uint32_t scope_named(const char *text)
{
    if (strcmp(text, "shared") != 0 && strcmp(text, "joint") != 0)
        usage_error(text, " is neither shared nor joint");
    return strcmp(text, "joint") == 0 ? MOEP_LSTM_JOINT : MOEP_LSTM_SHARED;
}

static void add_training(struct options *options, const char *path)
{
    if (options->training_runs == MAX_TRAINING_RUNS)
        usage_error(path, " is one run too many to train on");
    options->training[options->training_runs++] = path;
}

enum {
    METHOD = 1,
    WINDOW,
    ORDER,
    BUCKET,
    TRAIN,
    SCOPE,
    LAYERS,
    HIDDEN,
    SEED,
    HISTORY,
    REFIT_EVERY,
    THREADS,
    HORIZON,
    STRIDE,
    FIRST,
    EVERY,
    CSV,
    HELP
};

static const struct option long_options[] = {
    {"method", required_argument, NULL, METHOD},
    {"window", required_argument, NULL, WINDOW},
    {"order", required_argument, NULL, ORDER},
    {"bucket", required_argument, NULL, BUCKET},
    {"train", required_argument, NULL, TRAIN},
    {"scope", required_argument, NULL, SCOPE},
    {"layers", required_argument, NULL, LAYERS},
    {"hidden", required_argument, NULL, HIDDEN},
    {"seed", required_argument, NULL, SEED},
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

static bool serves(int option, moep_method method)
{
    switch (option) {
    case WINDOW: return method == MOEP_SW_AVG;
    case ORDER:
    case BUCKET: return method == MOEP_ARIMA;
    case SCOPE:
    case LAYERS:
    case HIDDEN: return method == MOEP_LSTM;
    case TRAIN:
    case SEED: return method == MOEP_LSTM || method == MOEP_AUTO;
    default: return true;
    }
}

/* An option that the method would ignore was meant for another one. Bit n of `given` stands for option n. */
static void refuse_foreign(moep_method method, uint32_t given)
{
    char text[64];
    for (const struct option *option = long_options; option->name; option++)
        if ((given >> option->val & 1) && !serves(option->val, method)) {
            snprintf(text, sizeof text, "--%s is not an option of ", option->name);
            usage_error(text, moep_method_name(method));
        }
}

void read_options(struct options *options, int argc, char **argv)
{
    static const uint64_t largest = UINT64_C(1) << 40;
    moep_predictor_config *predictor = &options->predictor;
    moep_backtest_config *backtest = &options->backtest;
    *predictor = (moep_predictor_config){.struct_size = sizeof *predictor};
    moep_predictor_config_init(predictor, MOEP_AUTO);
    *backtest = (moep_backtest_config){
        .struct_size = sizeof *backtest, .first = 300, .every = 100, .horizon = 1000, .refit_every = UINT64_MAX};
    uint32_t given = 0;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        given |= UINT32_C(1) << (option & 31);
        switch (option) {
        case METHOD: predictor->method = method_named(optarg); break;
        case WINDOW: predictor->sw_avg_window = (uint32_t)number(optarg, 1, UINT32_MAX); break;
        case ORDER: read_order(predictor, optarg); break;
        case BUCKET: predictor->arima_bucket = (uint32_t)number(optarg, 1, 10000); break;
        case TRAIN: add_training(options, optarg); break;
        case SCOPE: predictor->lstm_scope = scope_named(optarg); break;
        case LAYERS: predictor->lstm_layers = (uint32_t)number(optarg, 0, 4); break;
        case HIDDEN: predictor->lstm_hidden = (uint32_t)number(optarg, 1, 512); break;
        case SEED: predictor->seed = number(optarg, 0, UINT64_MAX); break;
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
    if (backtest->refit_every == UINT64_MAX)
        backtest->refit_every = predictor->method == MOEP_ARIMA ? 10 : 0;
    refuse_foreign(predictor->method, given);
}
