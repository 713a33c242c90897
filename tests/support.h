/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the unit tests. */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "moepredict.h"

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

#define assert_near(actual, expected, tolerance)                                                                \
    do {                                                                                                        \
        double actual_ = (actual), expected_ = (expected);                                                      \
        if (!(fabs(actual_ - expected_) <= (tolerance)))                                                        \
            fail_msg("%s = %.17g, expected %.17g within %g", #actual, actual_, expected_, (double)(tolerance)); \
    } while (0)

#define assert_says(words)                                                    \
    do {                                                                      \
        if (!strstr(moep_last_error(), words))                                \
            fail_msg("\"%s\" does not say \"%s\"", moep_last_error(), words); \
    } while (0)

/* A seeded generator (xorshift64*, Vigna 2016): the same numbers on every machine. */
static inline uint64_t random_number(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* Counts below 10,000 [steps][layers][experts]; the caller frees them. */
static inline int64_t *random_counts(size_t steps, size_t layers, size_t experts, uint64_t seed)
{
    size_t n = steps * layers * experts;
    int64_t *counts = malloc(n * sizeof *counts);
    uint64_t state = seed;
    for (size_t i = 0; i < n; i++)
        counts[i] = (int64_t)(random_number(&state) >> 40) % 10000;
    return counts;
}

/* FNV-1a */
#define HASH_START UINT64_C(14695981039346656037)

static inline uint64_t hash_of(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
    return hash;
}

/* ---- handles ----------------------------------------------------------------------------------------------------- */

static inline moep_predictor *make_predictor(moep_method method, size_t layers, size_t experts, uint32_t window,
                                             const moep_runtime *runtime)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_config_init(&config, method), MOEP_OK);
    if (window)
        config.sw_avg_window = window;
    assert_int_equal(moep_predictor_create(layers, experts, &config, runtime, &predictor), MOEP_OK);
    return predictor;
}

/* The defaults but for the growth. */
static inline moep_detector_config detector_config(double growth)
{
    moep_detector_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_detector_config_init(&config), MOEP_OK);
    config.growth = growth;
    return config;
}

static inline moep_detector *make_detector_of(size_t layers, size_t experts, const moep_detector_config *config,
                                              const moep_runtime *runtime)
{
    moep_detector *detector = NULL;
    assert_int_equal(moep_detector_create(layers, experts, config, runtime, &detector), MOEP_OK);
    return detector;
}

static inline moep_detector *make_detector(size_t layers, size_t experts, const moep_runtime *runtime)
{
    moep_detector_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_detector_config_init(&config), MOEP_OK);
    return make_detector_of(layers, experts, &config, runtime);
}

static inline moep_planner_config planner_config(uint32_t span, uint32_t scenarios)
{
    moep_planner_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_planner_config_init(&config), MOEP_OK);
    config.span = span;
    config.scenarios = scenarios;
    return config;
}

static inline moep_planner *make_planner_of(size_t layers, size_t experts, const moep_planner_config *config,
                                            const moep_runtime *runtime)
{
    moep_planner *planner = NULL;
    assert_int_equal(moep_planner_create(layers, experts, config, runtime, &planner), MOEP_OK);
    return planner;
}

static inline moep_planner *make_planner(size_t layers, size_t experts, const moep_runtime *runtime)
{
    moep_planner_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_planner_config_init(&config), MOEP_OK);
    return make_planner_of(layers, experts, &config, runtime);
}

static inline moep_info info_of(const moep_predictor *predictor)
{
    moep_info info = {.struct_size = sizeof info};
    assert_int_equal(moep_predictor_info(predictor, &info), MOEP_OK);
    return info;
}

/* ---- an allocator that counts, refuses the n-th request, and detects writing past the end ------------------------ */

struct test_memory {
    size_t requests, live_blocks, live_bytes, peak_bytes;
    size_t refuse_at;  /* the request that is refused, from 1; 0: none */
    bool refuse_after; /* and all after it */
};

enum { TEST_GUARD = 64, TEST_GUARDED = 0x5a };

static inline void *test_allocate(void *user, size_t size)
{
    struct test_memory *memory = user;
    memory->requests++;
    if (memory->refuse_at &&
        (memory->requests == memory->refuse_at || (memory->refuse_after && memory->requests > memory->refuse_at)))
        return NULL;
    memory->live_blocks++;
    memory->live_bytes += size;
    if (memory->live_bytes > memory->peak_bytes)
        memory->peak_bytes = memory->live_bytes;
    unsigned char *block = malloc(size + TEST_GUARD);
    if (block) {
        memset(block, 0xa5, size); /* no code may rely on zeroed memory */
        memset(block + size, TEST_GUARDED, TEST_GUARD);
    }
    return block;
}

static inline void test_release(void *user, void *pointer, size_t size)
{
    struct test_memory *memory = user;
    memory->live_blocks--;
    memory->live_bytes -= size; /* wraps, and stays so, if a released size differs from the allocated one */
    for (size_t i = 0; pointer && i < TEST_GUARD; i++)
        if (((unsigned char *)pointer)[size + i] != TEST_GUARDED)
            fail_msg("%zu bytes of memory were written past their end", size);
    free(pointer);
}

static inline moep_runtime runtime_on(struct test_memory *memory)
{
    return (moep_runtime){.struct_size = sizeof(moep_runtime),
                          .allocate = test_allocate,
                          .release = test_release,
                          .allocator_user = memory};
}

#endif
