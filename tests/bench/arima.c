/* SPDX-License-Identifier: BSD-3-Clause */
/* The processor time of fits of ARIMA to 256 share-like series of 1,000 observations on one thread, and how far their
 * likelihood is below the best known, that of 100 starts. Half of the series are ARIMA(2, 1, 1) around a share. Half
 * are shares whose logit is an autoregression, with the noise of counting tokens.
 *
 * usage: arima [--write FILE] [SERIES [OBSERVATIONS]]
 * --write: only writes the series, one a line, for other programs. */
#define _POSIX_C_SOURCE 200809L
#include "methods/arima/estimate.h"
#include "support/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PASSES = 5, DEFAULT_STARTS = 5, REFERENCE_STARTS = 100 };

static double processor_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

/* The generator is xorshift64* (Vigna 2016). A sum of twelve uniform numbers is nearly normal. */
static double uniform(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)(*state * UINT64_C(2685821657736338717) >> 11) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform(state);
    return sum;
}

static void walk(double *values, size_t n, uint64_t *state)
{
    double level = 1 / (64 + 192 * uniform(state)), phi = 0.3 + 0.4 * uniform(state),
           theta = -0.3 - 0.4 * uniform(state);
    double size = level * 0.01, w[2] = {0}, before = 0, x = level;
    for (size_t t = 0; t < n; t++) {
        double e = size * normal(state), next = phi * w[0] - 0.2 * w[1] + e + theta * before;
        w[1] = w[0];
        w[0] = next;
        before = e;
        values[t] = x += next;
    }
}

static void counted(double *values, size_t n, uint64_t *state)
{
    double phi = 0.9 + 0.095 * uniform(state), tokens = 8192 * pow(2, 4 * uniform(state)), x = 0;
    double level = log(63 + 192 * uniform(state));
    for (size_t t = 0; t < n; t++) {
        x = phi * x + 0.3 * sqrt(1 - phi * phi) * normal(state);
        double p = 1 / (1 + exp(level - x));
        values[t] = p + sqrt(p * (1 - p) / tokens) * normal(state);
    }
}

struct columns {
    double *values;
    size_t series, n;
};

static struct columns make_columns(size_t series, size_t n)
{
    struct columns columns = {malloc(series * n * sizeof(double)), series, n};
    if (!columns.values)
        exit(1);
    for (size_t s = 0; s < series; s++) {
        uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (s + 1);
        (s % 2 == 0 ? walk : counted)(columns.values + s * n, n, &state);
    }
    return columns;
}

static void load(void *user, size_t first, size_t count, double *values)
{
    const struct columns *columns = user;
    memcpy(values, columns->values + first * columns->n, count * columns->n * sizeof *values);
}

static double fit(struct columns *columns, struct arima_order order, unsigned starts, int width,
                  struct arima_estimate *estimates)
{
    static const struct memory memory = {mp_default_allocate, mp_default_release, NULL};
    struct arima_order *orders = malloc(columns->series * sizeof *orders);
    if (!orders)
        exit(1);
    for (size_t s = 0; s < columns->series; s++)
        orders[s] = order;
    struct arima_request request = {.series = columns->series,
                                    .observations = columns->n,
                                    .load = load,
                                    .user = columns,
                                    .orders = orders,
                                    .starts = starts,
                                    .threads = 1,
                                    .lane_bytes = width,
                                    .memory = &memory};
    memset(estimates, 0, columns->series * sizeof *estimates);
    double start = processor_time();
    if (mp_arima_estimate(&request, estimates) != MOEP_OK)
        exit(1);
    double spent = processor_time() - start;
    free(orders);
    return spent / (double)columns->series;
}

static void print_gaps(const struct arima_estimate *estimates, const double *best, size_t series)
{
    double sum = 0, worst = 0;
    size_t close = 0;
    for (size_t s = 0; s < series; s++) {
        double gap = best[s] - estimates[s].loglik;
        sum += gap / (double)series;
        worst = gap > worst ? gap : worst;
        close += gap < 0.1;
    }
    printf(" %8.3f %8.3f %9zu", sum, worst, close);
}

static void measure(struct columns *columns, struct arima_order order)
{
    static const unsigned starts[] = {1, 2, DEFAULT_STARTS, 14};
    static const int widths[] = {64, 32, 16};
    size_t series = columns->series;
    struct arima_estimate *estimates = malloc(series * sizeof *estimates);
    double *best = malloc(series * sizeof *best);
    if (!estimates || !best)
        exit(1);
    fit(columns, order, REFERENCE_STARTS, 0, estimates);
    for (size_t s = 0; s < series; s++)
        best[s] = estimates[s].loglik;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        fit(columns, order, starts[i], 0, estimates);
        for (size_t s = 0; s < series; s++)
            best[s] = estimates[s].loglik > best[s] ? estimates[s].loglik : best[s];
    }
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        fit(columns, order, starts[i], 0, estimates);
        printf("(%u,%u,%u) %6u", order.p, order.d, order.q, starts[i]);
        print_gaps(estimates, best, series);
        for (size_t w = 0; w < 3; w++) {
            double least = INFINITY;
            for (int pass = 0; pass < PASSES && mp_arima_kernel(widths[w]); pass++) {
                double spent = fit(columns, order, starts[i], widths[w], estimates);
                least = spent < least ? spent : least;
            }
            if (isfinite(least))
                printf(" %9.4f", least);
            else
                printf(" %9s", "-");
        }
        printf("\n");
        fflush(stdout);
    }
    free(best);
    free(estimates);
}

static void write_columns(const struct columns *columns, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file)
        exit(1);
    for (size_t s = 0; s < columns->series; s++)
        for (size_t t = 0; t < columns->n; t++)
            fprintf(file, "%.17g%c", columns->values[s * columns->n + t], t + 1 < columns->n ? ' ' : '\n');
    fclose(file);
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    if (argc > 2 && strcmp(argv[1], "--write") == 0) {
        path = argv[2];
        argc -= 2;
        argv += 2;
    }
    size_t series = argc > 1 ? (size_t)atoi(argv[1]) : 256, n = argc > 2 ? (size_t)atoi(argv[2]) : 1000;
    struct columns columns = make_columns(series, n);
    if (path) {
        write_columns(&columns, path);
    } else {
        static const struct arima_order orders[] = {{1, 1, 1, false}, {2, 1, 2, false}, {5, 1, 5, false}};
        printf(
            "%zu series of %zu observations, one thread; log-likelihood below the best known; ms per fit, by width of\n"
            "the vectors in bytes\n"
            "order   starts mean gap    worst  gap < 0.1        64        32        16\n",
            series, n);
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
            measure(&columns, orders[i]);
    }
    free(columns.values);
    return 0;
}
