/* SPDX-License-Identifier: BSD-3-Clause */
/* The detector's costs in a training step: its push, compared with one memcpy of the same counts and with a predictor's
 * push, and the slowest of all pushes. */
#include "detectors.h"

enum { REPEATS = 10, SINGLE_PUSHES = 2000 };

static moep_predictor *make_predictor(const struct bench *bench)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    check(moep_predictor_config_init(&config, MOEP_SW_AVG));
    check(moep_predictor_create(bench->layers, bench->experts, &config, NULL, &predictor));
    for (size_t step = 0; step < config.history || step < 1024; step++)
        check(moep_predictor_push(predictor, 1, step_of(bench, step), MOEP_INT64));
    return predictor;
}

/* ---- the mean push ---------------------------------------------------------------------------------------------- */

static double copy_pass(const struct bench *bench, int64_t *copy)
{
    double start = now();
    for (size_t step = 0; step < bench->steps; step++) {
        memcpy(copy, step_of(bench, step), bench->series * sizeof *copy);
        keep(copy);
    }
    return now() - start;
}

static double predictor_pass(const struct bench *bench, moep_predictor *predictor)
{
    double start = now();
    for (size_t step = 0; step < bench->steps; step++)
        check(moep_predictor_push(predictor, 1, step_of(bench, step), MOEP_INT64));
    return now() - start;
}

/* Alternates the passes, so that all run under the same load. */
static double print_pushes(const struct bench *bench, uint32_t first_window, uint32_t second_window)
{
    double copies[PASSES], predictors[PASSES], detectors[PASSES], ratios[PASSES];
    double calls = (double)bench->steps * (double)bench->series;
    int64_t *copy = make_counts(bench->series);
    moep_predictor *predictor = make_predictor(bench);
    moep_detector *detector = make_detector(bench, first_window, second_window);
    for (size_t pass = 0; pass < PASSES; pass++) {
        copies[pass] = copy_pass(bench, copy) / calls;
        predictors[pass] = predictor_pass(bench, predictor) / calls;
        detectors[pass] = detector_pass(bench, detector) / calls;
        ratios[pass] = detectors[pass] / copies[pass];
    }
    double push = median(detectors, PASSES);
    printf("%4zu x %-4zu %5u %5u %10.3f %11.3f %10.3f %8.2f\n", bench->layers, bench->experts, first_window,
           second_window, median(copies, PASSES), median(predictors, PASSES), push, median(ratios, PASSES));
    fflush(stdout);
    moep_detector_destroy(detector);
    moep_predictor_destroy(predictor);
    free(copy);
    return push;
}

static void print_sizes(void)
{
    static const size_t sizes[][2] = {{6, 16}, {58, 256}, {60, 384}, {94, 128}};
    printf(
        "\nnanoseconds per series: medians of passes, each the mean of its pushes\n"
        "                                         predictor's detector's   push /\n"
        "layers x experts  windows      memcpy        push       push   memcpy\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bench bench = make_bench(sizes[i][0], sizes[i][1]);
        print_pushes(&bench, 10, 100);
        free(bench.counts);
    }
}

static void print_windows(const struct bench *bench)
{
    printf("\nthe windows: their length must not change the time of a push, except through memory\n");
    print_pushes(bench, 0, 0);
    double narrow = print_pushes(bench, 10, 0);
    print_pushes(bench, 100, 0);
    double wide = print_pushes(bench, 1024, 0);
    printf("push at window 1024 / at window 10: %.2f\n", wide / narrow);
}

/* ---- the slowest push ------------------------------------------------------------------------------------------- */

/* Times each push by itself. The least of several repeats of the same push leaves out interrupts. */
static void time_single_pushes(const struct bench *bench, const moep_detector *detector, double *least)
{
    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        moep_detector *copy = NULL;
        check(moep_detector_clone(detector, NULL, &copy));
        for (size_t step = 0; step < SINGLE_PUSHES; step++) {
            double start = now();
            check(moep_detector_push(copy, 1, step_of(bench, step), MOEP_INT64));
            double took = now() - start;
            least[step] = repeat == 0 || took < least[step] ? took : least[step];
        }
        moep_detector_destroy(copy);
    }
}

static void print_slowest(const struct bench *bench, uint32_t first_window, uint32_t second_window)
{
    enum { BLOCK = 20, BLOCKS = SINGLE_PUSHES / BLOCK };
    double least[SINGLE_PUSHES], ending[BLOCKS];
    moep_detector *detector = make_detector(bench, first_window, second_window);
    moep_info info = {.struct_size = sizeof info};
    check(moep_detector_info(detector, &info));
    size_t ends_block = (2 * BLOCK - 1 - info.steps % BLOCK) % BLOCK;
    time_single_pushes(bench, detector, least);
    for (size_t block = 0; block < BLOCKS; block++)
        ending[block] = least[block * BLOCK + ends_block];
    double end = median(ending, BLOCKS), middle = median(least, SINGLE_PUSHES); /* least is sorted now */
    double high = least[SINGLE_PUSHES - SINGLE_PUSHES / 1000 - 1], slowest = least[SINGLE_PUSHES - 1];
    printf("%4zu x %-4zu %5u %5u %8.1f %10.1f %8.1f %8.1f %9.2f\n", bench->layers, bench->experts, first_window,
           second_window, middle / 1e3, end / 1e3, high / 1e3, slowest / 1e3, slowest / middle);
    moep_detector_destroy(detector);
}

int main(void)
{
    printf("libmoepredict %s, int64 counts, one thread\n", moep_version());
    print_sizes();
    struct bench small = make_bench(6, 16), bench = make_bench(58, 256);
    print_windows(&bench);
    printf(
        "\nsingle pushes, microseconds: the least of %d repeats of each of %d pushes\n"
        "                                       one that\n"
        "layers x experts  windows    median  ends a block    99.9 %%      max  max / median\n",
        REPEATS, SINGLE_PUSHES);
    print_slowest(&small, 10, 100);
    print_slowest(&bench, 0, 0);
    print_slowest(&bench, 10, 100);
    print_slowest(&bench, 10, 1024);
    free(bench.counts);
    free(small.counts);
    return 0;
}
