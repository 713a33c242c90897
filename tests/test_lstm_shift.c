/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the load of a layer has jumped. */
#include "support.h"

#include "methods/lstm_shift.h"

enum { EXPERTS = 16, BLOCKS = 200, STEPS = 10 };

/* Sums of blocks, newest first: levels[e] changes by `jump` of itself, up and down by turns, `since` blocks ago and, if
 * `other` is not 0, that many ago once more; it drifts by `drift` of itself per block; noise is a part of the load. */
static size_t since_jump(size_t blocks, double jump, size_t since, size_t other, double drift, double noise)
{
    static double sums[BLOCKS * EXPERTS], scratch[2 * EXPERTS];
    uint64_t state = 7;
    for (size_t b = 0; b < blocks; b++)
        for (size_t e = 0; e < EXPERTS; e++) {
            double side = e % 2 == 0 ? 1 : -1, level = 1 - side * drift * (double)b;
            level += b < since ? side * jump : 0;
            level += b < other ? side * jump : 0;
            level += noise * ((double)(random_number(&state) >> 48) / 65536 - 0.5);
            sums[b * EXPERTS + e] = STEPS * level / EXPERTS;
        }
    return mp_lstm_since_jump(sums, blocks, EXPERTS, STEPS, EXPERTS, scratch);
}

static void noise_is_no_jump(void **state)
{
    (void)state;
    for (size_t blocks = 0; blocks <= BLOCKS; blocks++)
        assert_int_equal(since_jump(blocks, 0, 0, 0, 0, 0.3), blocks);
}

static void a_constant_load_has_no_jump(void **state)
{
    (void)state;
    assert_int_equal(since_jump(BLOCKS, 0, 0, 0, 0, 0), BLOCKS);
}

static void a_jump_is_found_where_it_is(void **state)
{
    (void)state;
    for (size_t since = 5; since <= BLOCKS - 5; since += 3)
        assert_int_equal(since_jump(BLOCKS, 0.2, since, 0, 0, 0.05), since);
}

static void a_jump_of_less_than_the_least_is_none(void **state)
{
    (void)state;
    assert_int_equal(since_jump(BLOCKS, 0.06, 50, 0, 0, 0.01), BLOCKS);
    assert_int_equal(since_jump(BLOCKS, 0.1, 50, 0, 0, 0.01), 50);
}

static void drift_is_no_jump(void **state)
{
    (void)state;
    assert_int_equal(since_jump(BLOCKS, 0, 0, 0, 0.004, 0.05), BLOCKS);
}

static void of_two_jumps_the_later_one_counts(void **state)
{
    (void)state;
    assert_int_equal(since_jump(BLOCKS, 0.2, 120, 60, 0, 0.05), 60);
}

static void a_jump_of_fewer_than_five_blocks_ago_is_not_seen_yet(void **state)
{
    (void)state;
    size_t found = since_jump(BLOCKS, 0.2, 2, 0, 0, 0.05);
    assert_true(found == BLOCKS || found == 5);
}

static void a_part_of_a_layers_experts_shows_the_same_jumps(void **state)
{
    (void)state;
    double sums[40 * EXPERTS], scratch[2 * EXPERTS];
    for (size_t b = 0; b < 40; b++)
        for (size_t e = 0; e < EXPERTS; e++)
            sums[b * EXPERTS + e] = STEPS * (1 + (b < 15 ? e % 2 ? 0.1 : -0.1 : 0)) / (4.0 * EXPERTS);
    assert_int_equal(mp_lstm_since_jump(sums, 40, EXPERTS, STEPS, 4.0 * EXPERTS, scratch), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_no_jump),
        cmocka_unit_test(a_constant_load_has_no_jump),
        cmocka_unit_test(a_jump_is_found_where_it_is),
        cmocka_unit_test(a_jump_of_less_than_the_least_is_none),
        cmocka_unit_test(drift_is_no_jump),
        cmocka_unit_test(of_two_jumps_the_later_one_counts),
        cmocka_unit_test(a_part_of_a_layers_experts_shows_the_same_jumps),
        cmocka_unit_test(a_jump_of_fewer_than_five_blocks_ago_is_not_seen_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
