/* SPDX-License-Identifier: BSD-3-Clause */
/* Sizes are exact if they fit; otherwise they are SIZE_MAX, which is never requested. */
#include "support.h"

#include "support/memory.h"

static void sizes_that_fit_are_exact(void **state)
{
    (void)state;
    assert_int_equal(mp_product(6, 7), 42);
    assert_int_equal(mp_product(SIZE_MAX, 0), 0);
    assert_int_equal(mp_product(SIZE_MAX / 3, 3), SIZE_MAX / 3 * 3);
    assert_int_equal(mp_sum(40, 2), 42);
    assert_int_equal(mp_sum(SIZE_MAX - 1, 1), SIZE_MAX);
    assert_int_equal(mp_whole_lines(0, 8), 0);
    assert_int_equal(mp_whole_lines(1, 8), 64);
    assert_int_equal(mp_whole_lines(8, 8), 64);
    assert_int_equal(mp_whole_lines(9, 8), 128);
    assert_int_equal(mp_whole_lines(SIZE_MAX - 63, 1), SIZE_MAX - 63);
}

static void sizes_that_do_not_fit_are_the_largest(void **state)
{
    (void)state;
    assert_int_equal(mp_product(SIZE_MAX / 3 + 1, 3), SIZE_MAX);
    assert_int_equal(mp_product(3, SIZE_MAX / 3 + 1), SIZE_MAX);
    assert_int_equal(mp_sum(SIZE_MAX - 1, 2), SIZE_MAX);
    assert_int_equal(mp_sum(SIZE_MAX, SIZE_MAX), SIZE_MAX);
    assert_int_equal(mp_whole_lines(SIZE_MAX - 62, 1), SIZE_MAX);
    assert_int_equal(mp_whole_lines(SIZE_MAX / 2, 8), SIZE_MAX);
}

static void the_largest_size_is_never_requested(void **state)
{
    (void)state;
    struct test_memory counted = {0};
    moep_runtime runtime = runtime_on(&counted);
    struct memory memory = {runtime.allocate, runtime.release, runtime.allocator_user};
    assert_null(mp_allocate(&memory, SIZE_MAX, 1));
    assert_null(mp_allocate(&memory, SIZE_MAX / 2, 8));
    assert_int_equal(counted.requests, 0);
    void *block = mp_allocate(&memory, 3, 8);
    assert_non_null(block);
    assert_int_equal(counted.live_bytes, 24);
    mp_release(&memory, block, 3, 8);
    mp_release(&memory, NULL, 3, 8);
    assert_int_equal(counted.live_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest memory[] = {
        cmocka_unit_test(sizes_that_fit_are_exact),
        cmocka_unit_test(sizes_that_do_not_fit_are_the_largest),
        cmocka_unit_test(the_largest_size_is_never_requested),
    };
    return cmocka_run_group_tests(memory, NULL, NULL);
}
