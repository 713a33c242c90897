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
    "  --train OTHER    another run that lstm learns from first; more than once: several. Without\n"
    "                   it the weights are the library's, made of small16-seed1 and -seed2\n"
    "  --scope NAME     of lstm: shared, or joint, the paper's form (shared)\n"
    "  --layers N       recurrent layers of lstm; 0: a gate alone (%u)\n"
    "  --hidden N       units of each (%u)\n"
    "  --seed N         of lstm's random numbers (0)\n"
    "  --history N      steps kept (what the method needs)\n"
    "  --refit-every N  forecasts between two fits; 0: one fit, if one is needed (arima 10, lstm 0)\n"
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

static uint32_t scope_named(const char *text)
{
    if (strcmp(text, "shared") != 0 && strcmp(text, "joint") != 0)
        usage_error(text, " is neither shared nor joint");
    return strcmp(text, "joint") == 0 ? MOEP_LSTM_JOINT : MOEP_LSTM_SHARED;
}

static void add_training(struct options *options, const char *path)
{
    if (options->trainings == MOST_TRAININGS)
        usage_error(path, " is one too many to train on");
    options->training[options->trainings++] = path;
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

void read_options(struct options *options, int argc, char **argv)
{
    static const uint64_t largest = UINT64_C(1) << 40;
    moep_predictor_config *predictor = &options->predictor;
    moep_backtest_config *backtest = &options->backtest;
    *predictor = (moep_predictor_config){.struct_size = sizeof *predictor};
    moep_predictor_config_init(predictor, MOEP_SW_AVG);
    *backtest = (moep_backtest_config){
        .struct_size = sizeof *backtest, .first = 300, .every = 100, .horizon = 1000, .refit_every = UINT64_MAX};
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
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
        backtest->refit_every = predictor->method == MOEP_LSTM ? 0 : 10;
    if (options->trainings > 0 && predictor->method != MOEP_LSTM)
        usage_error("--train", " is for lstm alone");
}
