/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/kernel/likelihood.h"

#include <string.h>

extern const struct arima_kernel mp_arima_kernel_16;
extern const struct arima_start_kernel mp_arima_start_kernel_16;
#if defined(MP_LANES_X86) && !defined(MP_ONE_LANE_WIDTH)
#define ALL_WIDTHS
extern const struct arima_kernel mp_arima_kernel_32, mp_arima_kernel_64;
extern const struct arima_start_kernel mp_arima_start_kernel_32, mp_arima_start_kernel_64;
#endif

/* 0, 1, 2 for 16, 32, 64 bytes; -1 for what this processor or this build has not. */
static int width_index(int bytes)
{
#ifdef ALL_WIDTHS
    int width = mp_vector_bytes();
#else
    int width = 16;
#endif
    if (bytes == 0)
        bytes = width;
    return bytes > width ? -1 : bytes == 16 ? 0 : bytes == 32 ? 1 : bytes == 64 ? 2 : -1;
}

const struct arima_kernel *mp_arima_kernel(int bytes)
{
    static const struct arima_kernel *const kernels[] = {
        &mp_arima_kernel_16,
#ifdef ALL_WIDTHS
        &mp_arima_kernel_32,
        &mp_arima_kernel_64,
#endif
    };
    int index = width_index(bytes);
    return index < 0 ? NULL : kernels[index];
}

const struct arima_start_kernel *mp_arima_start_kernel(int bytes)
{
    static const struct arima_start_kernel *const kernels[] = {
        &mp_arima_start_kernel_16,
#ifdef ALL_WIDTHS
        &mp_arima_start_kernel_32,
        &mp_arima_start_kernel_64,
#endif
    };
    int index = width_index(bytes);
    return index < 0 ? NULL : kernels[index];
}

enum { ARRAYS = 4, DOUBLING = 3 * MP_ARIMA_ORDER * MP_ARIMA_ORDER * MP_LANES, DOUBLINGS = 48 };
enum { POWERS = DOUBLINGS * DOUBLING * sizeof(double) };

/* A periodogram wants a power of two. */
static size_t capacity_for(size_t observations)
{
    size_t capacity = 1;
    while (capacity < observations && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    return capacity < observations ? SIZE_MAX : capacity;
}

static size_t array_size(size_t observations)
{
    return mp_product(capacity_for(observations), MP_LANES * sizeof(double));
}

void mp_arima_workspace_lay_out(struct arima_workspace *workspace, struct arena *arena, size_t observations)
{
    size_t capacity = capacity_for(observations), numbers = mp_product(capacity, MP_LANES);
    size_t doublings = (size_t)mp_arima_doublings(observations);
    workspace->capacity = capacity;
    workspace->n = observations;
    workspace->used = MP_ALL_LANES;
    workspace->series = mp_arena_take(arena, numbers, sizeof(double));
    workspace->filtered_series = mp_arena_take(arena, numbers, sizeof(double));
    workspace->residuals = mp_arena_take(arena, numbers, sizeof(double));
    workspace->filtered_residuals = mp_arena_take(arena, numbers, sizeof(double));
    workspace->powers = mp_arena_take(arena, doublings * DOUBLING, sizeof(double));
    workspace->scratch = mp_arena_take(arena, 1, MP_ARIMA_KERNEL_SCRATCH);
    workspace->optimiser = mp_arena_take(arena, 1, MP_ARIMA_OPTIMISER);
}

size_t mp_arima_workspace_size(size_t observations)
{
    size_t arrays = mp_product(array_size(observations), ARRAYS);
    return mp_sum(arrays, POWERS + MP_ARIMA_KERNEL_SCRATCH + MP_ARIMA_OPTIMISER + MP_CACHE_LINE);
}

void mp_arima_workspace_init(struct arima_workspace *workspace, void *memory, size_t observations)
{
    char *start = (char *)memory + (MP_CACHE_LINE - (uintptr_t)memory % MP_CACHE_LINE) % MP_CACHE_LINE;
    size_t size = array_size(observations);
    memset(start, 0, size * ARRAYS);
    workspace->capacity = capacity_for(observations);
    workspace->n = observations;
    workspace->used = MP_ALL_LANES;
    workspace->series = (double *)start;
    workspace->filtered_series = (double *)(start + size);
    workspace->residuals = (double *)(start + 2 * size);
    workspace->filtered_residuals = (double *)(start + 3 * size);
    workspace->powers = (double *)(start + 4 * size);
    workspace->scratch = start + 4 * size + POWERS;
    workspace->optimiser = start + 4 * size + POWERS + MP_ARIMA_KERNEL_SCRATCH;
}

/* Multiplications and additions: the passes over the observations, then the small matrices. */
double mp_arima_evaluation_cost(size_t observations, unsigned order)
{
    double m = order, n = (double)observations, doublings = mp_arima_doublings(observations);
    return n * (2 * (9 * m + m - 1 + 1) + 4) + doublings * 15 * m * m * m + 20 * m * m * m;
}
