/* SPDX-License-Identifier: BSD-3-Clause */
/* The predictor's costs in a training step: one push, compared with one memcpy of the same counts, and one
 * predict(1000, 1000).
 *
 * Push and memcpy both walk through 64 MB or more of different counts, so that these come from memory. A figure is the
 * median of passes, each the mean over its calls. */
#include "bench.h"

enum { PASSES = 21, COUNTS_BYTES = 64 << 20 };

struct setup {
    size_t layers, experts;
    uint32_t window;
    uint64_t history;
};

struct costs { /* nanoseconds a call */
    double copy, push, ratio, mean, path;
};

/* Alternates copies and pushes, so that both run under the same load. */
static void time_copies_and_pushes(moep_predictor *predictor, const int64_t *counts, size_t steps, size_t series,
                                   struct costs *costs)
{
    double copies[PASSES], pushes[PASSES], ratios[PASSES];
    int64_t *copy = make_counts(series);
    for (size_t pass = 0; pass < PASSES; pass++) {
        double start = now();
        for (size_t step = 0; step < steps; step++) {
            memcpy(copy, counts + step * series, series * sizeof *copy);
            keep(copy);
        }
        double between = now();
        for (size_t step = 0; step < steps; step++)
            check(moep_predictor_push(predictor, 1, counts + step * series, MOEP_INT64));
        copies[pass] = (between - start) / (double)steps;
        pushes[pass] = (now() - between) / (double)steps;
        ratios[pass] = pushes[pass] / copies[pass];
    }
    free(copy);
    costs->copy = median(copies, PASSES);
    costs->push = median(pushes, PASSES);
    costs->ratio = median(ratios, PASSES);
}

static double time_forecasts(const moep_predictor *predictor, size_t stride, size_t series)
{
    double calls[PASSES];
    size_t capacity = moep_forecast_rows(1000, stride) * series;
    double *shares = malloc(capacity * sizeof *shares);
    if (!shares)
        exit(1);
    memset(shares, 0, capacity * sizeof *shares); /* touches the pages before the calls */
    for (size_t call = 0; call < PASSES; call++) {
        double start = now();
        check(moep_predictor_predict(predictor, 1000, stride, shares, capacity));
        calls[call] = now() - start;
    }
    free(shares);
    return median(calls, PASSES);
}

static struct costs measure(struct setup setup, int with_path)
{
    size_t series = setup.layers * setup.experts, steps = COUNTS_BYTES / (series * sizeof(int64_t)) + 1;
    int64_t *counts = make_counts(steps * series);
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    check(moep_predictor_config_init(&config, MOEP_SW_AVG));
    config.sw_avg_window = setup.window;
    config.history = setup.history;
    check(moep_predictor_create(setup.layers, setup.experts, &config, NULL, &predictor));
    for (uint64_t pushed = 0; pushed < setup.history; pushed += steps) /* the ring is full */
        check(moep_predictor_push(predictor, steps, counts, MOEP_INT64));
    struct costs costs = {0};
    time_copies_and_pushes(predictor, counts, steps, series, &costs);
    costs.mean = time_forecasts(predictor, 1000, series);
    if (with_path)
        costs.path = time_forecasts(predictor, 1, series);
    moep_predictor_destroy(predictor);
    free(counts);
    return costs;
}

static void print_costs(struct setup setup, struct costs costs)
{
    double series = (double)(setup.layers * setup.experts);
    printf("%4zu x %-4zu %6u %8llu %9.3f %8.3f %7.2f %9.2f %13.3f\n", setup.layers, setup.experts, setup.window,
           (unsigned long long)setup.history, costs.copy / series, costs.push / series, costs.ratio,
           costs.mean / series, costs.mean / 1e6);
    fflush(stdout);
}

static struct costs row(size_t layers, size_t experts, uint32_t window, uint64_t history)
{
    struct setup setup = {layers, experts, window, history};
    struct costs costs = measure(setup, 0);
    print_costs(setup, costs);
    return costs;
}

static void head(const char *title)
{
    printf(
        "\n%s\n"
        "                                memcpy     push   push /   predict  predict(1000,\n"
        "layers x experts window history  ns/series ns/series memcpy ns/series 1000), ms\n",
        title);
}

int main(void)
{
    printf("libmoepredict %s, int64 counts, one thread\n", moep_version());
    head("real sizes");
    row(6, 16, 100, 100);
    row(58, 256, 100, 100);
    row(60, 384, 100, 100);
    row(94, 128, 100, 100);

    head("the window, at one history: it must not change the time of a push");
    struct costs narrow = row(58, 256, 100, 1000), wide = row(58, 256, 1000, 1000);
    printf("push at window 1000 / at window 100: %.2f\n", wide.push / narrow.push);

    head("the history");
    row(58, 256, 100, 100);
    row(58, 256, 100, 1000);
    row(58, 256, 100, 4000);

    head("the number of series");
    row(1, 256, 100, 100);
    row(8, 256, 100, 100);
    row(64, 256, 100, 100);
    row(512, 256, 100, 100);

    struct costs path = measure((struct setup){58, 256, 200, 200}, 1);
    printf("\nthe whole path, predict(1000, 1), of 58 x 256 at window 200: %.0f ms\n", path.path / 1e6);
    return 0;
}
