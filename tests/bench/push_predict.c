/* SPDX-License-Identifier: BSD-3-Clause */
/* The costs of a training step: one push of the predictor and of the planner, compared with one memcpy of the same
 * counts, and one predict(1000, 1000).
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

typedef moep_status push_step(void *handle, const int64_t *counts);

static moep_status push_predictor(void *predictor, const int64_t *counts)
{
    return moep_predictor_push(predictor, 1, counts, MOEP_INT64);
}

static moep_status push_planner(void *planner, const int64_t *counts)
{
    return moep_planner_push(planner, 1, counts, MOEP_INT64);
}

static size_t steps_of(size_t series)
{
    return COUNTS_BYTES / (series * sizeof(int64_t)) + 1;
}

/* Alternates copies and pushes, so that both run under the same load. */
static void time_copies_and_pushes(push_step *push, void *handle, const int64_t *counts, size_t series,
                                   struct costs *costs)
{
    double copies[PASSES], pushes[PASSES], ratios[PASSES];
    size_t steps = steps_of(series);
    int64_t *copy = make_counts(series);
    for (size_t pass = 0; pass < PASSES; pass++) {
        double start = now();
        for (size_t step = 0; step < steps; step++) {
            memcpy(copy, counts + step * series, series * sizeof *copy);
            keep(copy);
        }
        double between = now();
        for (size_t step = 0; step < steps; step++)
            check(push(handle, counts + step * series));
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
    size_t series = setup.layers * setup.experts, steps = steps_of(series);
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
    time_copies_and_pushes(push_predictor, predictor, counts, series, &costs);
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

/* ---- the planner ------------------------------------------------------------------------------------------------- */

static void *allocate(void *bytes, size_t size)
{
    *(size_t *)bytes += size;
    return malloc(size);
}

static void release(void *bytes, void *pointer, size_t size)
{
    *(size_t *)bytes -= size;
    free(pointer);
}

/* By default. All that it keeps has been written once before the first pass. */
static void planner_row(size_t layers, size_t experts)
{
    size_t series = layers * experts, bytes = 0;
    int64_t *counts = make_counts(steps_of(series) * series);
    moep_runtime runtime = {
        .struct_size = sizeof runtime, .allocate = allocate, .release = release, .allocator_user = &bytes};
    moep_planner_config config = {.struct_size = sizeof config};
    moep_planner *planner = NULL;
    struct costs costs = {0};
    check(moep_planner_config_init(&config));
    check(moep_planner_create(layers, experts, &config, &runtime, &planner));
    for (uint32_t pushed = 0; pushed < config.span; pushed++)
        check(moep_planner_push(planner, 1, counts, MOEP_INT64));
    time_copies_and_pushes(push_planner, planner, counts, series, &costs);
    printf("%4zu x %-4zu %24.3f %8.3f %7.2f %13.1f\n", layers, experts, costs.copy / (double)series,
           costs.push / (double)series, costs.ratio, (double)bytes / (double)series);
    moep_planner_destroy(planner);
    free(counts);
}

static void planner_rows(void)
{
    printf(
        "\nthe planner\n"
        "                                memcpy     push   push /     state,\n"
        "layers x experts              ns/series ns/series memcpy bytes/series\n");
    planner_row(58, 256);
    planner_row(60, 384);
    planner_row(94, 128);
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
    planner_rows();
    return 0;
}
