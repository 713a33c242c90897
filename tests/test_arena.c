/* SPDX-License-Identifier: BSD-3-Clause */
/* An arena's arrays do not overlap, begin at whole cache lines, are zeroed, and fill its memory. */
#include "support.h"

#include "support/arena.h"

struct arrays {
    size_t bytes, doubles;
    unsigned char *byte;
    double *number;
    struct arena arena;
};

static void lay_out(void *self, struct arena *arena)
{
    struct arrays *arrays = self;
    arrays->byte = mp_arena_take(arena, arrays->bytes, 1);
    arrays->number = mp_arena_take(arena, arrays->doubles, sizeof *arrays->number);
}

/* An allocator whose blocks begin `gap` bytes into a cache line. */
struct shifted {
    size_t gap, requests, bytes;
    unsigned char room[1024];
};

static void *allocate_shifted(void *user, size_t size)
{
    struct shifted *shifted = user;
    shifted->requests++;
    shifted->bytes = size;
    if (size > sizeof shifted->room - 2 * MP_CACHE_LINE)
        return NULL;
    size_t past = (uintptr_t)shifted->room % MP_CACHE_LINE;
    unsigned char *block = shifted->room + (MP_CACHE_LINE - past) % MP_CACHE_LINE + shifted->gap;
    memset(block, 0xAA, size);
    return block;
}

static void release_shifted(void *user, void *pointer, size_t size)
{
    struct shifted *shifted = user;
    assert_true((unsigned char *)pointer >= shifted->room);
    assert_int_equal(size, shifted->bytes);
    shifted->bytes = 0;
}

static void arrays_are_apart_on_whole_cache_lines_and_zero(void **state)
{
    (void)state;
    for (size_t gap = 0; gap < MP_CACHE_LINE; gap++) {
        struct shifted shifted = {.gap = gap};
        struct memory memory = {allocate_shifted, release_shifted, &shifted};
        struct arrays arrays = {.bytes = 65, .doubles = 3};
        assert_true(mp_arena_make(&arrays.arena, lay_out, &arrays, &memory));
        assert_int_equal((uintptr_t)arrays.byte % MP_CACHE_LINE, 0);
        assert_int_equal((unsigned char *)arrays.number - arrays.byte, 2 * MP_CACHE_LINE);
        unsigned char *block = arrays.arena.memory, *end = (unsigned char *)(arrays.number + arrays.doubles);
        assert_true(arrays.byte >= block && end <= block + shifted.bytes);
        for (size_t i = 0; i < 65; i++)
            assert_int_equal(arrays.byte[i], 0);
        for (size_t i = 0; i < 3; i++)
            assert_true(arrays.number[i] == 0);
        mp_arena_free(&arrays.arena, &memory);
        assert_int_equal(shifted.bytes, 0);
    }
}

static void a_copy_has_the_same_numbers_wherever_its_memory_begins(void **state)
{
    (void)state;
    struct shifted one = {.gap = 8}, other = {.gap = 40};
    struct memory here = {allocate_shifted, release_shifted, &one}, there = {allocate_shifted, release_shifted, &other};
    struct arrays from = {.bytes = 7, .doubles = 2}, to = from;
    assert_true(mp_arena_make(&from.arena, lay_out, &from, &here));
    assert_true(mp_arena_make(&to.arena, lay_out, &to, &there));
    from.byte[6] = 5;
    from.number[1] = 0.5;
    mp_arena_copy(&to.arena, &from.arena);
    assert_int_equal(to.byte[6], 5);
    assert_true(to.number[1] == 0.5);
    mp_arena_clear(&to.arena);
    assert_true(to.number[1] == 0 && to.byte[6] == 0);
    assert_true(from.number[1] == 0.5);
}

static void sizes_that_overflow_are_never_requested(void **state)
{
    (void)state;
    struct shifted shifted = {0};
    struct memory memory = {allocate_shifted, release_shifted, &shifted};
    const struct arrays too_large[] = {
        {.bytes = SIZE_MAX}, {.doubles = SIZE_MAX / 8 + 1}, {.bytes = SIZE_MAX - 63, .doubles = 8}};
    for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++) {
        struct arrays arrays = too_large[i];
        assert_false(mp_arena_make(&arrays.arena, lay_out, &arrays, &memory));
        assert_int_equal(shifted.requests, 0);
        mp_arena_free(&arrays.arena, &memory);
    }
}

static void a_refusal_leaves_nothing(void **state)
{
    (void)state;
    struct shifted shifted = {0};
    struct memory memory = {allocate_shifted, release_shifted, &shifted};
    struct arrays arrays = {.bytes = sizeof shifted.room};
    assert_false(mp_arena_make(&arrays.arena, lay_out, &arrays, &memory));
    assert_int_equal(shifted.requests, 1);
    assert_null(arrays.arena.memory);
    mp_arena_free(&arrays.arena, &memory);
}

/* No array: NULL goes to no function of the C library, which the sanitizer sees. */
static void an_arena_that_was_never_made_is_copied_cleared_and_freed(void **state)
{
    (void)state;
    struct shifted shifted = {.gap = 0};
    struct memory memory = {allocate_shifted, release_shifted, &shifted};
    struct arena arena = {0}, other = {0};
    mp_arena_copy(&arena, &other);
    mp_arena_clear(&arena);
    mp_arena_free(&arena, &memory);
    assert_null(arena.memory);
    assert_int_equal(shifted.requests, 0);
}

static void arrays_over_existing_memory_begin_where_it_does(void **state)
{
    (void)state;
    static unsigned char memory[512];
    struct arrays arrays = {.bytes = 65, .doubles = 3};
    struct arena counted = {0}, over = mp_arena_over(memory);
    lay_out(&arrays, &counted);
    assert_null(arrays.byte);
    lay_out(&arrays, &over);
    assert_ptr_equal(arrays.byte, memory);
    assert_int_equal((unsigned char *)arrays.number - memory, 2 * MP_CACHE_LINE);
    assert_int_equal(over.used, counted.used);
    assert_in_range(counted.used, 2 * MP_CACHE_LINE + 3 * sizeof(double), sizeof memory);
}

int main(void)
{
    const struct CMUnitTest arena[] = {
        cmocka_unit_test(arrays_are_apart_on_whole_cache_lines_and_zero),
        cmocka_unit_test(a_copy_has_the_same_numbers_wherever_its_memory_begins),
        cmocka_unit_test(sizes_that_overflow_are_never_requested),
        cmocka_unit_test(a_refusal_leaves_nothing),
        cmocka_unit_test(an_arena_that_was_never_made_is_copied_cleared_and_freed),
        cmocka_unit_test(arrays_over_existing_memory_begin_where_it_does),
    };
    return cmocka_run_group_tests(arena, NULL, NULL);
}
