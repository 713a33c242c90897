/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay_results.h"

#include "atomic_file.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANY_STATE = -1 };

static const char *const state_names[] = {
    [MOEP_WARMUP] = "warmup", [MOEP_TRANSIENT] = "transient", [MOEP_STABLE] = "stable"};

bool allocate_results(struct results *results, const moep_trace *trace, size_t origins)
{
    size_t layers = trace->layers, n = origins * layers;
    double *numbers = calloc(6 * n + 1, sizeof *numbers);
    *results = (struct results){
        .origins = origins,
        .layers = layers,
        .experts = trace->experts,
        .steps = trace->steps,
        .errors = {sizeof results->errors, numbers, numbers + n, numbers + 2 * n, numbers + 3 * n, numbers + 4 * n,
                   numbers + 5 * n, calloc(n + 1, sizeof(uint64_t))},
        .states = calloc(n + 1, sizeof *results->states),
        .summaries = calloc(layers, sizeof *results->summaries),
    };
    return numbers && results->errors.left_out && results->states && results->summaries;
}

void free_results(struct results *results)
{
    free(results->errors.error);
    free(results->errors.left_out);
    free(results->states);
    free(results->summaries);
}

/* ---- means over forecasts ---------------------------------------------------------------------------------------- */

/* The forecasts of layers first .. end - 1 that were made while the layer was in that state. */
struct selection {
    size_t first, end;
    moep_state state;
};

static bool selects(const struct selection *selection, const struct results *results, size_t i)
{
    size_t layer = i % results->layers;
    return layer >= selection->first && layer < selection->end &&
           (selection->state == ANY_STATE || results->states[i] == selection->state);
}

/* The mean over the selected forecasts, without those that could not be made. */
static double mean(const struct results *results, const double *values, const struct selection *selection)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < results->origins * results->layers; i++) {
        if (!selects(selection, results, i) || isnan(values[i]))
            continue;
        sum += values[i];
        n++;
    }
    return n ? sum / (double)n : NAN;
}

/* Prints a value with its unit in a column of that width, NaN as a dash. */
static void print_value(double value, int width, int digits, const char *unit)
{
    if (isnan(value))
        printf("%*s", width, "-");
    else
        printf("%*.*f%s", width - (int)strlen(unit), digits, value, unit);
}

static void print_errors_of(const struct results *results, const struct selection *selection)
{
    const moep_backtest_result *errors = &results->errors;
    uint64_t left_out = 0;
    for (size_t i = 0; i < results->origins * results->layers; i++)
        left_out += selects(selection, results, i) ? errors->left_out[i] : 0;
    print_value(100 * mean(results, errors->error, selection), 10, 2, " %");
    print_value(100 * mean(results, errors->floor, selection), 10, 2, " %");
    print_value(100 * mean(results, errors->error_of_mean, selection), 16, 2, " %");
    print_value(100 * mean(results, errors->floor_of_mean, selection), 16, 2, " %");
    print_value(100 * mean(results, errors->paper_error, selection), 14, 2, " %");
    printf("%11" PRIu64 "\n", left_out);
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

void print_errors(const struct results *results)
{
    printf("layer     error     floor   error of mean   floor of mean   paper error   left out\n");
    for (size_t layer = 0; layer < results->layers; layer++) {
        printf("%5zu", layer);
        print_errors_of(results, &(struct selection){layer, layer + 1, ANY_STATE});
    }
    printf("%5s", "all");
    print_errors_of(results, &(struct selection){0, results->layers, ANY_STATE});
}

void print_errors_by_state(const struct results *results)
{
    printf(
        "state of the layer   forecasts     error     floor   error of mean   floor of mean   paper error   "
        "left out\n");
    for (moep_state state = MOEP_WARMUP; state <= MOEP_STABLE; state++) {
        struct selection selection = {0, results->layers, state};
        size_t n = 0;
        for (size_t i = 0; i < results->origins * results->layers; i++)
            n += selects(&selection, results, i);
        if (n == 0)
            continue;
        printf("%18s%12zu", state_names[state], n);
        print_errors_of(results, &selection);
    }
}

void print_states(const struct results *results)
{
    printf(
        "layer       state     since   changes   of the run stable   experts stable     drift   effective tokens   "
        "dispersion\n");
    for (size_t layer = 0; layer < results->layers; layer++) {
        const struct layer_summary *of = &results->summaries[layer];
        printf("%5zu%12s%10" PRIu64 "%10" PRIu64, layer, state_names[of->state], of->since, of->changes);
        print_value(100 * (double)of->stable_steps / (double)results->steps, 20, 1, " %");
        printf("%10" PRIu64 " of %-4zu", of->stable_experts, results->experts);
        print_value(100 * of->drift, 8, 1, " %");
        print_value(of->noise, 19, 0, "");
        print_value(of->dispersion, 13, 1, "");
        printf("\n");
    }
}

static void print_csv(FILE *file, const moep_backtest_config *backtest, const struct results *results)
{
    const moep_backtest_result *r = &results->errors;
    fprintf(file, "origin,layer,error,floor,error_of_mean,floor_of_mean,paper_error,left_out,total_variation,state\n");
    for (size_t i = 0; i < results->origins * results->layers; i++)
        fprintf(file, "%" PRIu64 ",%zu,%.17g,%.17g,%.17g,%.17g,%.17g,%" PRIu64 ",%.17g,%s\n",
                backtest->first + i / results->layers * backtest->every, i % results->layers, r->error[i], r->floor[i],
                r->error_of_mean[i], r->floor_of_mean[i], r->paper_error[i], r->left_out[i], r->total_variation[i],
                state_names[results->states[i]]);
}

bool write_csv(const char *path, const moep_backtest_config *backtest, const struct results *results)
{
    struct atomic_file csv;
    if (strcmp(path, "-") == 0) {
        print_csv(stdout, backtest, results);
        return true;
    }
    if (atomic_file_open(&csv, path)) {
        print_csv(csv.file, backtest, results);
        if (atomic_file_commit(&csv))
            return true;
    }
    fprintf(stderr, "replay: cannot write %s: %s\n", path, strerror(errno));
    return false;
}

bool output_is_written(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "replay: cannot write the output: %s\n", strerror(errno));
    return false;
}
