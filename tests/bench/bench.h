/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the benchmarks. Times are in nanoseconds. */
#ifndef BENCH_H
#define BENCH_H

#define _POSIX_C_SOURCE 200809L
#include <moepredict.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Keeps freed memory in the process. Then a call that allocates causes no page faults, just as a memcpy into an old
 * buffer causes none. Only glibc's allocator has this option. */
static inline void keep_freed_memory(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

static inline int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_size);
    return values[n / 2];
}

static inline void check(moep_status status)
{
    if (status == MOEP_OK)
        return;
    fprintf(stderr, "%s\n", moep_last_error());
    exit(1);
}

static inline int64_t *make_counts(size_t n)
{
    int64_t *counts = malloc(n * sizeof *counts);
    if (!counts)
        exit(1);
    uint64_t state = 1;
    for (size_t i = 0; i < n; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        counts[i] = (int64_t)(state >> 52);
    }
    return counts;
}

/* Stops the compiler from removing a copy that is never read. */
static inline void keep(const void *memory)
{
    __asm__ volatile("" : : "r"(memory) : "memory");
}

#endif
