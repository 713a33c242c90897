/* SPDX-License-Identifier: BSD-3-Clause */
/* AUTO's costs, on one thread: a push beside one memcpy of the same counts, the slowest of all pushes, a forecast and
 * its quantiles, and the state: its bytes, save and load beside one memcpy of it.
 *
 * Loads drift as real ones do, so that layers jump now and then. Push and memcpy walk through 64 MB of counts. A mean
 * is the median of passes of whole blocks of 50 pushes; the slowest push is the largest of each push's least processor
 * time in several repeats, which leaves out interrupts. */
#include "bench.h"

enum { PASSES = 11, BLOCK = 50, COUNTS_BYTES = 64 << 20, WARM_UP = 2600, REPEATS = 7, SINGLE_PUSHES = 500, CALLS = 21 };

struct bench {
    size_t layers, experts, series, steps;
    int64_t *counts; /* [steps][series] */
};

static double processor_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double uniform(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (double)(*state >> 40) / (1 << 24);
}

static struct bench make_bench(size_t layers, size_t experts)
{
    struct bench bench = {.layers = layers, .experts = experts, .series = layers * experts};
    bench.steps = (COUNTS_BYTES / (bench.series * sizeof *bench.counts) / BLOCK + 1) * BLOCK;
    bench.counts = malloc(bench.steps * bench.series * sizeof *bench.counts);
    double *load = malloc(bench.series * sizeof *load);
    uint64_t state = 1;
    if (!bench.counts || !load)
        exit(1);
    for (size_t s = 0; s < bench.series; s++)
        load[s] = 200 + 2000 * uniform(&state);
    for (size_t i = 0; i < bench.steps * bench.series; i++) {
        size_t s = i % bench.series;
        load[s] *= 0.99 + 0.02 * uniform(&state);
        bench.counts[i] = (int64_t)(load[s] * (0.9 + 0.2 * uniform(&state)));
    }
    free(load);
    return bench;
}

static const int64_t *step_of(const struct bench *bench, size_t step)
{
    return bench->counts + step % bench->steps * bench->series;
}

static void push(moep_predictor *predictor, const struct bench *bench, size_t step)
{
    check(moep_predictor_push(predictor, 1, step_of(bench, step), MOEP_INT64));
}

static moep_predictor *make_predictor(const struct bench *bench, moep_method method)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    check(moep_predictor_config_init(&config, method));
    check(moep_predictor_create(bench->layers, bench->experts, &config, NULL, &predictor));
    for (size_t step = 0; step < WARM_UP; step++)
        push(predictor, bench, step);
    return predictor;
}

/* ---- push -------------------------------------------------------------------------------------------------------- */

static double pushes(moep_predictor *predictor, const struct bench *bench)
{
    double start = now();
    for (size_t step = 0; step < bench->steps; step++)
        push(predictor, bench, step);
    return (now() - start) / (double)bench->steps;
}

static double copies(int64_t *copy, const struct bench *bench)
{
    double start = now();
    for (size_t step = 0; step < bench->steps; step++) {
        memcpy(copy, step_of(bench, step), bench->series * sizeof *copy);
        keep(copy);
    }
    return (now() - start) / (double)bench->steps;
}

/* Alternates the passes, so that all run under the same load. */
static void print_mean(moep_predictor *predictor, const struct bench *bench)
{
    double copy[PASSES], window[PASSES], own[PASSES], ratio[PASSES];
    int64_t *room = make_counts(bench->series);
    moep_predictor *sw_avg = make_predictor(bench, MOEP_SW_AVG);
    for (size_t pass = 0; pass < PASSES; pass++) {
        copy[pass] = copies(room, bench) / 1e3;
        window[pass] = pushes(sw_avg, bench) / 1e3;
        own[pass] = pushes(predictor, bench) / 1e3;
        ratio[pass] = own[pass] / copy[pass];
    }
    printf("%4zu x %-5zu %8.2f %8.2f %8.2f %8.1f", bench->layers, bench->experts, median(copy, PASSES),
           median(window, PASSES), median(own, PASSES), median(ratio, PASSES));
    moep_predictor_destroy(sw_avg);
    free(room);
}

static void print_slowest(const moep_predictor *predictor, const struct bench *bench)
{
    double least[SINGLE_PUSHES];
    for (size_t repeat = 0; repeat < REPEATS; repeat++) {
        moep_predictor *copy = NULL;
        check(moep_predictor_clone(predictor, NULL, &copy));
        for (size_t step = 0; step < SINGLE_PUSHES; step++) {
            double start = processor_time();
            push(copy, bench, step);
            double took = (processor_time() - start) / 1e3;
            least[step] = repeat == 0 || took < least[step] ? took : least[step];
        }
        moep_predictor_destroy(copy);
    }
    double middle = median(least, SINGLE_PUSHES);
    printf(" %8.1f %8.1f", middle, least[SINGLE_PUSHES - 1]);
}

/* ---- predict ----------------------------------------------------------------------------------------------------- */

static void print_forecasts(moep_predictor *predictor, const struct bench *bench)
{
    static const double probabilities[] = {0.1, 0.9};
    double settled[CALLS], pending[CALLS], quantiles[CALLS], *shares = malloc(2 * bench->series * sizeof *shares);
    if (!shares)
        exit(1);
    moep_info info = {.struct_size = sizeof info};
    check(moep_predictor_info(predictor, &info));
    for (size_t call = 0, step = (size_t)info.steps; call < CALLS; call++) {
        do
            push(predictor, bench, step++); /* to the end of a block, where the work of almost all layers is pending */
        while (step % BLOCK != 0);
        double start = now();
        check(moep_predictor_predict(predictor, 1000, 1000, shares, bench->series));
        pending[call] = (now() - start) / 1e6;
        for (size_t i = 0; i < BLOCK - 1; i++)
            push(predictor, bench, step++);
        start = now();
        check(moep_predictor_predict(predictor, 1000, 1000, shares, bench->series));
        settled[call] = (now() - start) / 1e6;
        start = now();
        moep_predictor_predict_quantiles(predictor, 1000, 1000, probabilities, 2, shares, 2 * bench->series);
        quantiles[call] = (now() - start) / 1e6;
    }
    printf(" %8.2f %8.2f %8.2f", median(settled, CALLS), median(pending, CALLS), median(quantiles, CALLS));
    free(shares);
}

/* ---- the state --------------------------------------------------------------------------------------------------- */

static void print_state(const moep_predictor *predictor, const struct bench *bench)
{
    size_t size = 0;
    check(moep_predictor_save(predictor, NULL, 0, &size));
    unsigned char *state = calloc(size, 1), *copy = calloc(size, 1);
    double both[CALLS];
    if (!state || !copy)
        exit(1);
    for (size_t call = 0; call < CALLS; call++) {
        moep_predictor *loaded = NULL;
        double start = now();
        memcpy(copy, state, size);
        keep(copy);
        double copied = now();
        check(moep_predictor_save(predictor, state, size, &size));
        check(moep_predictor_load(state, size, NULL, &loaded));
        both[call] = (now() - copied) / (copied - start);
        moep_predictor_destroy(loaded);
    }
    printf(" %8.2f %8.0f %8.1f\n", (double)size / 1e6, (double)size / (double)bench->series, median(both, CALLS));
    free(copy);
    free(state);
}

static void print_row(size_t layers, size_t experts)
{
    struct bench bench = make_bench(layers, experts);
    moep_predictor *predictor = make_predictor(&bench, MOEP_AUTO);
    print_mean(predictor, &bench);
    print_slowest(predictor, &bench);
    print_forecasts(predictor, &bench);
    print_state(predictor, &bench);
    fflush(stdout);
    moep_predictor_destroy(predictor);
    free(bench.counts);
}

int main(void)
{
    keep_freed_memory();
    printf(
        "libmoepredict %s, AUTO, int64 counts, one thread\n\n"
        "                 microseconds a push, mean         single pushes, us  predict(1000, 1000), ms         state "
        "     save + load\n"
        "layers x            memcpy  SW_Avg     AUTO   AUTO /  median  slowest  settled  pending  two    MB bytes per "
        " / memcpy\n"
        "       experts                                memcpy                                 quantiles      series\n",
        moep_version());
    print_row(6, 16);
    print_row(58, 256);
    print_row(94, 128);
    print_row(1, 4096);
    return 0;
}
