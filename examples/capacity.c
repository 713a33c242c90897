/* SPDX-License-Identifier: BSD-3-Clause */
/* How much room must a rank have? A recorded run is pushed into a predictor and a planner. Together they say how far
 * the largest rank load of a step will exceed the mean over the next 1,000 steps, and so the capacity factor of each
 * layer: the room of a rank, in units of the mean rank load, that tokens overflow in about 1 % of steps.
 *
 * usage: capacity [--ranks N] [--slots N] [--plan] TRACE.npy, for instance examples/data/small16-seed1.npy
 *   --ranks N   ranks among which experts are distributed; default 8
 *   --slots N   places for experts on all ranks; default: as many as experts, rounded up to a multiple of the ranks
 *   --plan      experts lie as the planner would place them, not as for equal loads */
#include "npy.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { HORIZON = 1000, SPAN = 500, LEVELS = 2 };

static const double LEVEL[LEVELS] = {0.95, 0.99};

/* What the command line asks. */
struct question {
    const char *trace;
    size_t ranks, slots; /* slots 0: as many as experts, rounded up */
    bool plan;
};

static void check(moep_status status)
{
    if (status == MOEP_OK)
        return;
    fprintf(stderr, "capacity: %s: %s\n", moep_status_string(status), moep_last_error());
    exit(1);
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        perror("capacity");
        exit(1);
    }
    return memory;
}

/* ---- the forecast ------------------------------------------------------------------------------------------------ */

/* The mean shares of the next steps, [layers][experts]. The caller frees them. */
static double *forecast_shares(const moep_trace *run)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    double *shares = allocate(run->layers * run->experts, sizeof *shares);
    check(moep_predictor_config_init(&config, MOEP_AUTO));
    check(moep_predictor_create(run->layers, run->experts, &config, NULL, &predictor));
    check(moep_predictor_push(predictor, run->steps, run->counts, run->dtype));
    check(moep_predictor_predict(predictor, HORIZON, HORIZON, shares, run->layers * run->experts));
    moep_predictor_destroy(predictor);
    return shares;
}

/* A planner that keeps each of the last 500 steps. A p99 needs many of them; plans get along with fewer. */
static moep_planner *watch(const moep_trace *run)
{
    moep_planner_config config = {.struct_size = sizeof config};
    moep_planner *planner = NULL;
    check(moep_planner_config_init(&config));
    config.span = config.scenarios = SPAN;
    check(moep_planner_create(run->layers, run->experts, &config, NULL, &planner));
    check(moep_planner_push(planner, run->steps, run->counts, run->dtype));
    return planner;
}

/* ---- where experts lie ------------------------------------------------------------------------------------------- */

static void place_for_equal_loads(const moep_layout *layout, int64_t *map)
{
    size_t series = layout->layers * layout->experts;
    double *equal = allocate(series, sizeof *equal);
    for (size_t i = 0; i < series; i++)
        equal[i] = 1;
    check(moep_rebalance(layout, equal, MOEP_FLOAT64, map, NULL, 0, NULL));
    free(equal);
}

static void place_by_plan(const moep_planner *planner, const moep_layout *layout, const double *shares, int64_t *map)
{
    moep_plan_result result = {.struct_size = sizeof result, .phy2log = map};
    check(moep_plan(planner, layout, shares, NULL, NULL, &result));
}

/* ---- capacity ---------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Replaces of_all[LEVELS] by the quantiles that the peaks of all layers have together. Each layer is represented by
 * evenly spaced quantiles of its own. */
static void common_quantiles(const moep_planner *planner, const moep_layout *layout, const int64_t *map,
                             const double *shares, double *of_all)
{
    double probabilities[SPAN];
    size_t peaks = SPAN * layout->layers;
    double *peak = allocate(peaks, sizeof *peak);
    for (size_t i = 0; i < SPAN; i++)
        probabilities[i] = ((double)i + 0.5) / SPAN;
    check(moep_planner_predict_ranks(planner, layout, map, shares, SPAN, probabilities, NULL, NULL, peak));
    qsort(peak, peaks, sizeof *peak, ascending);
    for (size_t i = 0; i < LEVELS; i++)
        of_all[i] = peak[(size_t)(LEVEL[i] * (double)peaks)];
    free(peak);
}

static void print_row(const char *name, double mean, double p95, double p99)
{
    printf("%5s   %9.3f   %5.3f   %21.3f\n", name, mean, p95, p99);
}

/* The p99 of the peak is the capacity factor: a rank with that much room overflows in one step of a hundred. */
static void print_capacity(const moep_planner *planner, const moep_layout *layout, const int64_t *map,
                           const double *shares)
{
    size_t layers = layout->layers;
    double *mean = allocate(layers, sizeof *mean), *quantile = allocate(LEVELS * layers, sizeof *quantile);
    double sum = 0, sums[LEVELS] = {0}, of_all[LEVELS];
    check(moep_planner_predict_ranks(planner, layout, map, shares, LEVELS, LEVEL, NULL, mean, quantile));
    common_quantiles(planner, layout, map, shares, of_all);
    printf("layer   mean peak     p95   p99 = capacity factor\n");
    for (size_t layer = 0; layer < layers; layer++) {
        char name[24];
        snprintf(name, sizeof name, "%zu", layer);
        print_row(name, mean[layer], quantile[layer], quantile[layers + layer]);
        sum += mean[layer];
        for (size_t i = 0; i < LEVELS; i++)
            sums[i] += quantile[i * layers + layer];
    }
    print_row("mean", sum / (double)layers, sums[0] / (double)layers, sums[1] / (double)layers);
    print_row("all", sum / (double)layers, of_all[0], of_all[1]);
    free(quantile);
    free(mean);
}

static void answer(const struct question *question, const moep_trace *run)
{
    size_t ranks = question->ranks, rounded_up = (run->experts + ranks - 1) / ranks * ranks;
    moep_layout layout = {.struct_size = sizeof layout,
                          .layers = run->layers,
                          .experts = run->experts,
                          .slots = question->slots ? question->slots : rounded_up,
                          .ranks = ranks};
    int64_t *map = allocate(layout.layers * layout.slots, sizeof *map);
    double *shares = forecast_shares(run);
    moep_planner *planner = watch(run);
    if (question->plan)
        place_by_plan(planner, &layout, shares, map);
    else
        place_for_equal_loads(&layout, map);
    printf("%" PRIu64 " steps, %zu layers of %zu experts; %zu ranks with %zu slots each, experts %s\n", run->steps,
           layout.layers, layout.experts, ranks, layout.slots / ranks,
           question->plan ? "as planned" : "as for equal loads");
    printf(
        "peak: the largest rank load over the mean rank load, in the next %d steps\n"
        "mean: of the layers, each with its own factor; all: one factor that overflows as often\n\n",
        HORIZON);
    print_capacity(planner, &layout, map, shares);
    moep_planner_destroy(planner);
    free(shares);
    free(map);
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

/* 0 where the text is no whole number above 0. */
static size_t number(const char *text)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    return *end || value < 0 || value > 1000000 ? 0 : (size_t)value;
}

static bool read_question(int argc, char **argv, struct question *question)
{
    static const struct option options[] = {{"ranks", required_argument, NULL, 'r'},
                                            {"slots", required_argument, NULL, 's'},
                                            {"plan", no_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    bool understood = true;
    *question = (struct question){.ranks = 8};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 'r': understood &= (question->ranks = number(optarg)) > 0; break;
        case 's': understood &= (question->slots = number(optarg)) > 0; break;
        case 'p': question->plan = true; break;
        default: understood = false;
        }
    question->trace = argv[optind];
    return understood && optind + 1 == argc;
}

int main(int argc, char **argv)
{
    struct question question;
    moep_trace run;
    char message[NPY_MESSAGE];
    if (!read_question(argc, argv, &question)) {
        fprintf(stderr, "usage: capacity [--ranks N] [--slots N] [--plan] TRACE.npy\n");
        return 2;
    }
    if (!npy_read(question.trace, &run, message)) {
        fprintf(stderr, "capacity: %s: %s\n", question.trace, message);
        return 1;
    }
    answer(&question, &run);
    free((void *)run.counts);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    perror("capacity");
    return 1;
}
