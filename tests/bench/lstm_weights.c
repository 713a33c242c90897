/* SPDX-License-Identifier: BSD-3-Clause */
/* Makes lib/methods/lstm/pretrained_weights.c: trains the default network, and its head alone, by
 * moep_predictor_fit_traces on traces. The README in examples/data says how those were made.
 * usage: lstm_weights TRACE.npy... >lib/methods/lstm/pretrained_weights.c */
#include "../../examples/npy.h"

#include "methods/lstm/model.h"
#include "methods/lstm/pretrained_weights.h"
#include "predictor/predictor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_TRACES = 8, PER_LINE = 20, NETWORKS = MP_LSTM_PRETRAINED_NETWORKS };

static const struct {
    const char *name;
    uint32_t layers;
} networks[NETWORKS] = {{"recurrent", 1}, {"head", 0}};

static void check(moep_status status)
{
    if (status != MOEP_OK) {
        fprintf(stderr, "lstm_weights: %s\n", moep_last_error());
        exit(1);
    }
}

static moep_predictor *train(uint32_t layers, const moep_trace *traces, size_t n)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    check(moep_predictor_config_init(&config, MOEP_LSTM));
    config.lstm_layers = layers;
    check(moep_predictor_create(1, 1, &config, NULL, &predictor));
    check(moep_predictor_fit_traces(predictor, traces, n));
    return predictor;
}

/* The nearest multiple of MP_LSTM_PRETRAINED_UNIT. */
static void print_number(size_t i, double value)
{
    long rounded = lrint(value / MP_LSTM_PRETRAINED_UNIT);
    rounded = rounded < -32767 ? -32767 : rounded > 32767 ? 32767 : rounded;
    printf("%s%ld,", i % PER_LINE == 0 ? "\n    " : " ", rounded);
}

static struct lstm_model model_of(const moep_predictor *predictor)
{
    return mp_lstm_model(&predictor->config, 1, predictor->model);
}

static void print_values(const char *name, const moep_predictor *predictor)
{
    struct lstm_model model = model_of(predictor);
    printf("\n/* Loss on held-out layers %.4f, an untrained network's %.4f. */\nstatic const int16_t %s[] = {",
           model.state->loss, model.state->untrained_loss, name);
    for (size_t i = 0; i < model.parameters; i++)
        print_number(i, (double)model.best[i]);
    printf("\n};\n");
}

static void print_file(moep_predictor *predictors[NETWORKS])
{
    printf(
        "/* SPDX-License-Identifier: BSD-3-Clause */\n/* Made by tests/bench/lstm_weights.c. */\n"
        "/* clang-format off */\n#include \"methods/lstm/pretrained_weights.h\"\n");
    for (size_t i = 0; i < NETWORKS; i++)
        print_values(networks[i].name, predictors[i]);
    printf("\nconst struct lstm_pretrained mp_lstm_pretrained[MP_LSTM_PRETRAINED_NETWORKS] = {\n");
    for (size_t i = 0; i < NETWORKS; i++) {
        const moep_predictor_config *config = &predictors[i]->config;
        printf("    {%u, %u, %zu, %s},\n", config->lstm_layers, config->lstm_hidden, model_of(predictors[i]).parameters,
               networks[i].name);
    }
    printf("};\n");
}

int main(int count, char **arguments)
{
    moep_trace traces[MOST_TRACES];
    char message[NPY_MESSAGE];
    size_t n = 0;
    for (; n + 1 < (size_t)count && n < MOST_TRACES; n++)
        if (!npy_read(arguments[n + 1], &traces[n], message)) {
            fprintf(stderr, "lstm_weights: %s: %s\n", arguments[n + 1], message);
            return 1;
        }
    moep_predictor *predictors[NETWORKS];
    for (size_t i = 0; i < NETWORKS; i++)
        predictors[i] = train(networks[i].layers, traces, n);
    print_file(predictors);
    for (size_t i = 0; i < NETWORKS; i++)
        moep_predictor_destroy(predictors[i]);
    for (size_t i = 0; i < n; i++)
        free((void *)traces[i].counts);
    return 0;
}
