/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the benchmarks of the state detector. All pushes walk through 64 MB or more of different counts, so that
 * these come from memory. */
#ifndef DETECTORS_H
#define DETECTORS_H

#include "bench.h"

enum { PASSES = 21, COUNTS_BYTES = 64 << 20 };

struct bench {
    size_t layers, experts, series, steps; /* steps of counts */
    int64_t *counts;
};

static inline struct bench make_bench(size_t layers, size_t experts)
{
    struct bench bench = {.layers = layers, .experts = experts, .series = layers * experts};
    bench.steps = COUNTS_BYTES / (bench.series * sizeof *bench.counts) + 1;
    bench.counts = make_counts(bench.steps * bench.series);
    return bench;
}

static inline const int64_t *step_of(const struct bench *bench, size_t step)
{
    return bench->counts + step % bench->steps * bench->series;
}

/* A detector with these windows, 0 meaning none. So many steps have been pushed that later pushes cost the same. */
static inline moep_detector *make_detector(const struct bench *bench, uint32_t first_window, uint32_t second_window)
{
    moep_detector_config config = {.struct_size = sizeof config};
    moep_detector *detector = NULL;
    check(moep_detector_config_init(&config));
    config.windows[0] = first_window;
    config.windows[1] = second_window;
    check(moep_detector_create(bench->layers, bench->experts, &config, NULL, &detector));
    for (size_t step = 0; step < 2048 + 400; step++)
        check(moep_detector_push(detector, 1, step_of(bench, step), MOEP_INT64));
    return detector;
}

/* The nanoseconds of one push of every step. */
static inline double detector_pass(const struct bench *bench, moep_detector *detector)
{
    double start = now();
    for (size_t step = 0; step < bench->steps; step++)
        check(moep_detector_push(detector, 1, step_of(bench, step), MOEP_INT64));
    return now() - start;
}

#endif
