/* SPDX-License-Identifier: BSD-3-Clause */
/* The choice of a kernel, and the memory that it works in. */
#include "methods/arima/kernel/likelihood.h"

/* The kernels of one width. */
struct built {
    int bytes;
    const struct arima_kernel *kernel;
    const struct arima_start_kernel *start_kernel;
};

/* lib/meson.build says which widths are built (-Dkernel_widths): MP_LANE_WIDTHS is their sum. */
#define DECLARE(bytes)                                        \
    extern const struct arima_kernel mp_arima_kernel_##bytes; \
    extern const struct arima_start_kernel mp_arima_start_kernel_##bytes
DECLARE(16);
DECLARE(32);
DECLARE(64);

#define ROW(bytes)                                                      \
    {                                                                   \
        bytes, &mp_arima_kernel_##bytes, &mp_arima_start_kernel_##bytes \
    }

static const struct built all_built[] = {
#if MP_LANE_WIDTHS & 16
    ROW(16),
#endif
#if MP_LANE_WIDTHS & 32
    ROW(32),
#endif
#if MP_LANE_WIDTHS & 64
    ROW(64),
#endif
};

/* The kernels of that width or, for 0, the widest that this processor runs; NULL if there are none. */
static const struct built *built_for(int bytes)
{
    const struct built *found = NULL;
    int widest = mp_vector_bytes();
    for (size_t i = 0; i < sizeof all_built / sizeof *all_built; i++)
        if (all_built[i].bytes <= widest && (bytes == 0 || all_built[i].bytes == bytes))
            found = &all_built[i];
    return found;
}

const struct arima_kernel *mp_arima_kernel(int bytes)
{
    const struct built *built = built_for(bytes);
    return built ? built->kernel : NULL;
}

const struct arima_start_kernel *mp_arima_start_kernel(int bytes)
{
    const struct built *built = built_for(bytes);
    return built ? built->start_kernel : NULL;
}

/* The numbers of a struct doubling (impulse_gram.h) in all lanes: three matrices. */
enum { DOUBLING = 3 * MP_ARIMA_ORDER * MP_ARIMA_ORDER * MP_LANES };

/* The next power of two: a periodogram may fill it. */
static size_t capacity_for(size_t observations)
{
    size_t capacity = 1;
    while (capacity < observations && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    return capacity < observations ? SIZE_MAX : capacity;
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
    workspace->doublings = mp_arena_take(arena, doublings * DOUBLING, sizeof(double));
    workspace->scratch = mp_arena_take(arena, 1, MP_ARIMA_KERNEL_SCRATCH);
    workspace->optimiser = mp_arena_take(arena, 1, MP_ARIMA_OPTIMISER);
}

/* Three terms: the passes over the observations, the recursion for K with its adjoint, the other small matrices. The
 * factors count multiplications and additions roughly. */
double mp_arima_evaluation_cost(size_t observations, unsigned dimension)
{
    double m = dimension, n = (double)observations, doublings = mp_arima_doublings(observations);
    return n * (20 * m + 4) + doublings * 15 * m * m * m + 20 * m * m * m;
}
