/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "support/select.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The values fill their allocation, so that sanitizers and valgrind see any access past its end. */
static void the_value_of_a_rank_is_that_of_the_sorted_values(void **state)
{
    (void)state;
    enum { MOST = 40, TRIALS = 400 };
    uint64_t seed = 7;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        size_t n = 1 + trial % MOST, size = n * sizeof(double);
        double *values = malloc(size), *sorted = malloc(size), *copy = malloc(size);
        for (size_t i = 0; i < n; i++) /* few different ones in every second trial */
            values[i] = sorted[i] = (double)(random_number(&seed) >> (trial % 2 ? 61 : 11));
        qsort(sorted, n, sizeof *sorted, ascending);
        for (size_t rank = 0; rank < n; rank++) {
            memcpy(copy, values, size);
            assert_true(mp_select(copy, n, rank) == sorted[rank]);
        }
        free(values);
        free(sorted);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest select[] = {
        cmocka_unit_test(the_value_of_a_rank_is_that_of_the_sorted_values),
    };
    return cmocka_run_group_tests(select, NULL, NULL);
}
