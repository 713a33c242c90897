/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "support/sort.h"

#include <float.h>

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The keys fill their allocation, so that sanitizers and valgrind see any access past its end. */
static void keys_are_sorted_ascending_also_equal_ones(void **state)
{
    (void)state;
    enum { MOST = 70, TRIALS = 500 };
    uint64_t seed = 7;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        size_t n = trial % MOST, size = n * sizeof(uint64_t);
        uint64_t *keys = malloc(size + !size), *sorted = malloc(size + !size);
        for (size_t i = 0; i < n; i++) /* few different ones in every second trial */
            keys[i] = sorted[i] = random_number(&seed) >> (trial % 2 ? 61 : 0);
        qsort(sorted, n, sizeof *sorted, ascending);
        mp_sort_keys(keys, n);
        assert_memory_equal(keys, sorted, size);
        free(keys);
        free(sorted);
    }
}

static void a_heap_gives_the_largest_key_while_keys_change_and_leave(void **state)
{
    (void)state;
    enum { N = 37 };
    uint64_t heap[N], left[N], seed = 5;
    for (size_t i = 0; i < N; i++)
        heap[i] = left[i] = random_number(&seed);
    mp_heap_make(heap, N);
    for (size_t n = N; n > 0; n--) {
        for (int change = 0; change < 3; change++) { /* the last of the sorted ones is replaced */
            qsort(left, n, sizeof *left, ascending);
            assert_true(heap[0] == left[n - 1]);
            left[n - 1] = random_number(&seed);
            mp_heap_replace(heap, n, 0, left[n - 1]);
        }
        qsort(left, n, sizeof *left, ascending);
        mp_heap_remove(heap, n);
    }
}

static void keys_order_values_and_equal_values_by_index(void **state)
{
    (void)state;
    const float values[] = {0, 0x1p-149F, FLT_MIN, 1, 1.5F, 65536, FLT_MAX, INFINITY};
    enum { N = sizeof values / sizeof *values };
    for (uint32_t i = 0; i < N; i++) {
        assert_true(mp_largest_key(values[i], 3) > mp_largest_key(values[i], 4));
        assert_true(mp_least_key(values[i], 3) > mp_least_key(values[i], 4));
        assert_int_equal(mp_key_index(mp_largest_key(values[i], i)), i);
        assert_int_equal(mp_key_index(mp_least_key(values[i], i)), i);
        assert_true(mp_least_key_value(mp_least_key(values[i], i)) == values[i]);
        for (uint32_t j = i + 1; j < N; j++) {
            assert_true(mp_largest_key(values[j], 9) > mp_largest_key(values[i], 1));
            assert_true(mp_least_key(values[i], 9) > mp_least_key(values[j], 1));
        }
    }
    assert_true(mp_largest_key(-0.0F, 1) == mp_largest_key(0, 1));
}

int main(void)
{
    const struct CMUnitTest sort[] = {
        cmocka_unit_test(keys_are_sorted_ascending_also_equal_ones),
        cmocka_unit_test(a_heap_gives_the_largest_key_while_keys_change_and_leave),
        cmocka_unit_test(keys_order_values_and_equal_values_by_index),
    };
    return cmocka_run_group_tests(sort, NULL, NULL);
}
