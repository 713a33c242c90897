/* SPDX-License-Identifier: BSD-3-Clause */
/* The costs of a detector's readings and checkpoints. Its statistics of sliding windows are compared with GSL's, which
 * see the whole series at once. */
#include "detectors.h"

#if WITH_GSL
#include <gsl/gsl_movstat.h>
#endif

/* ---- readings --------------------------------------------------------------------------------------------------- */

static double time_reading(const moep_detector *detector, moep_quantity quantity, size_t window, double *layers,
                           double *experts)
{
    double calls[PASSES];
    for (size_t call = 0; call < PASSES; call++) {
        double start = now();
        check(moep_detector_read(detector, quantity, window, layers, experts));
        calls[call] = now() - start;
    }
    return median(calls, PASSES);
}

static double time_states(const moep_detector *detector, moep_state *layers, moep_state *experts)
{
    double calls[PASSES];
    for (size_t call = 0; call < PASSES; call++) {
        double start = now();
        check(moep_detector_states(detector, layers, experts));
        calls[call] = now() - start;
    }
    return median(calls, PASSES);
}

static void print_readings(const struct bench *bench)
{
    static const struct {
        const char *title;
        moep_quantity quantity;
        size_t window;
    } readings[] = {
        {"mean, window 100", MOEP_MEAN, 0},
        {"variance, window 100", MOEP_VARIANCE, 0},
        {"range, window 100", MOEP_RANGE, 0},
        {"range, window 1024", MOEP_RANGE, 1},
        {"drift", MOEP_DRIFT, 0},
        {"noise", MOEP_NOISE, 0},
        {"dispersion", MOEP_DISPERSION, 0},
    };
    moep_detector *detector = make_detector(bench, 100, 1024);
    double *experts = calloc(bench->series, sizeof *experts), *layers = calloc(bench->layers, sizeof *layers);
    if (!experts || !layers)
        exit(1);
    printf("\na reading of %zu x %zu, all layers and experts\n                      microseconds  ns/series\n",
           bench->layers, bench->experts);
    for (size_t i = 0; i < sizeof readings / sizeof *readings; i++) {
        double time = time_reading(detector, readings[i].quantity, readings[i].window, layers, experts);
        printf("%-22s %11.1f %10.2f\n", readings[i].title, time / 1e3, time / (double)bench->series);
    }
    double time = time_states(detector, (moep_state *)layers, (moep_state *)experts);
    printf("%-22s %11.1f %10.2f\n", "states", time / 1e3, time / (double)bench->series);
    free(layers);
    free(experts);
    moep_detector_destroy(detector);
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------ */

static void print_checkpoint(const struct bench *bench, uint32_t first_window, uint32_t second_window)
{
    double copies[PASSES], saves[PASSES], loads[PASSES];
    moep_detector *detector = make_detector(bench, first_window, second_window);
    size_t size = 0;
    check(moep_detector_save(detector, NULL, 0, &size));
    unsigned char *state = calloc(size, 1), *copy = calloc(size, 1);
    if (!state || !copy)
        exit(1);
    for (size_t pass = 0; pass < PASSES; pass++) {
        moep_detector *loaded = NULL;
        double start = now();
        check(moep_detector_save(detector, state, size, &size));
        saves[pass] = now() - start;
        start = now();
        memcpy(copy, state, size);
        keep(copy);
        copies[pass] = now() - start;
        start = now();
        check(moep_detector_load(state, size, NULL, &loaded));
        loads[pass] = now() - start;
        moep_detector_destroy(loaded);
    }
    printf("%4zu x %-4zu %5u %5u %10zu %8.2f %8.2f %8.2f\n", bench->layers, bench->experts, first_window, second_window,
           size, median(copies, PASSES) / 1e6, median(saves, PASSES) / 1e6, median(loads, PASSES) / 1e6);
    free(copy);
    free(state);
    moep_detector_destroy(detector);
}

/* ---- GSL -------------------------------------------------------------------------------------------------------- */

#if WITH_GSL
/* The time of the three statistics of one series at each of its steps, in nanoseconds per step. GSL's functions are
 * offline. */
static double time_gsl(size_t window)
{
    enum { STEPS = 20000 };
    double passes[PASSES];
    gsl_vector *x = gsl_vector_alloc(STEPS), *out = gsl_vector_alloc(STEPS), *other = gsl_vector_alloc(STEPS);
    gsl_movstat_workspace *workspace = gsl_movstat_alloc2(window - 1, 0);
    int64_t *counts = make_counts(STEPS);
    for (size_t i = 0; i < STEPS; i++)
        gsl_vector_set(x, i, (double)counts[i] / 4096);
    for (size_t pass = 0; pass < PASSES; pass++) {
        double start = now();
        gsl_movstat_mean(GSL_MOVSTAT_END_TRUNCATE, x, out, workspace);
        gsl_movstat_variance(GSL_MOVSTAT_END_TRUNCATE, x, out, workspace);
        gsl_movstat_minmax(GSL_MOVSTAT_END_TRUNCATE, x, out, other, workspace);
        passes[pass] = (now() - start) / STEPS;
    }
    free(counts);
    gsl_movstat_free(workspace);
    gsl_vector_free(other);
    gsl_vector_free(out);
    gsl_vector_free(x);
    return median(passes, PASSES);
}

/* A push and a reading of all three for every step, less the push of a detector without windows. */
static double time_ours(const struct bench *bench, uint32_t window)
{
    double passes[PASSES], *out = malloc(bench->series * sizeof *out);
    if (!out)
        exit(1);
    moep_detector *detector = make_detector(bench, window, 0), *plain = make_detector(bench, 0, 0);
    for (size_t pass = 0; pass < PASSES; pass++) {
        double without = detector_pass(bench, plain), start = now();
        for (size_t step = 0; step < bench->steps; step++) {
            check(moep_detector_push(detector, 1, step_of(bench, step), MOEP_INT64));
            for (moep_quantity quantity = MOEP_MEAN; quantity <= MOEP_RANGE; quantity++)
                check(moep_detector_read(detector, quantity, 0, NULL, out));
        }
        passes[pass] = (now() - start - without) / (double)bench->steps / (double)bench->series;
    }
    moep_detector_destroy(plain);
    moep_detector_destroy(detector);
    free(out);
    return median(passes, PASSES);
}

static void print_gsl(const struct bench *bench)
{
    printf(
        "\nmean, variance and range at every step, nanoseconds per series and step\n"
        "window       ours, online, read every step        GSL, offline\n");
    for (uint32_t window = 10; window <= 1000; window *= 10)
        printf("%6u %34.2f %19.2f\n", window, time_ours(bench, window), time_gsl(window));
}
#else
static void print_gsl(const struct bench *bench)
{
    (void)bench;
    printf("\nno comparison with GSL: it is not installed\n");
}
#endif

int main(void)
{
    keep_freed_memory();
    printf("libmoepredict %s, int64 counts, one thread\n", moep_version());
    struct bench small = make_bench(6, 16), bench = make_bench(58, 256);
    print_readings(&bench);
    printf("\na checkpoint, milliseconds\nlayers x experts  windows       bytes   memcpy     save     load\n");
    print_checkpoint(&small, 10, 100);
    print_checkpoint(&bench, 10, 100);
    print_checkpoint(&bench, 10, 1024);
    print_gsl(&bench);
    free(bench.counts);
    free(small.counts);
    return 0;
}
