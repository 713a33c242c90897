/* SPDX-License-Identifier: BSD-3-Clause */
/* The change point of a layer's load. */
#include "support.h"

#include "methods/lstm/features/change_point.h"

enum { EXPERTS = 16, BLOCKS = 200, STEPS = 10 };

static double fraction(uint64_t *state)
{
    return (double)(random_number(state) >> 11) * 0x1p-53;
}

/* Blocks since the change point of a load that jumps `since` blocks ago and, unless `other` is 0, `other` blocks ago.
 * Even experts jump up by `jump` of the load, odd ones down. Drift (per block) and noise are parts of the load, too. */
static size_t blocks_since(size_t blocks, double jump, size_t since, size_t other, double drift, double noise)
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
    return mp_lstm_blocks_since_change_point(sums, EXPERTS, blocks, EXPERTS, STEPS, EXPERTS, scratch);
}

static void noise_is_no_change_point(void **state)
{
    (void)state;
    for (size_t blocks = 0; blocks <= BLOCKS; blocks++)
        assert_int_equal(blocks_since(blocks, 0, 0, 0, 0, 0.3), blocks);
}

static void a_constant_load_has_no_change_point(void **state)
{
    (void)state;
    assert_int_equal(blocks_since(BLOCKS, 0, 0, 0, 0, 0), BLOCKS);
}

static void a_jump_is_found_where_it_is(void **state)
{
    (void)state;
    for (size_t since = 5; since <= BLOCKS - 5; since += 3)
        assert_int_equal(blocks_since(BLOCKS, 0.2, since, 0, 0, 0.05), since);
}

static void a_jump_below_8_percent_is_none(void **state)
{
    (void)state;
    assert_int_equal(blocks_since(BLOCKS, 0.06, 50, 0, 0, 0.01), BLOCKS);
    assert_int_equal(blocks_since(BLOCKS, 0.1, 50, 0, 0, 0.01), 50);
}

static void drift_is_no_change_point(void **state)
{
    (void)state;
    assert_int_equal(blocks_since(BLOCKS, 0, 0, 0, 0.004, 0.05), BLOCKS);
}

static void of_two_jumps_the_later_one_counts(void **state)
{
    (void)state;
    assert_int_equal(blocks_since(BLOCKS, 0.2, 120, 60, 0, 0.05), 60);
}

static void a_jump_within_the_last_five_blocks_is_not_seen_yet(void **state)
{
    (void)state;
    size_t found = blocks_since(BLOCKS, 0.2, 2, 0, 0, 0.05);
    assert_true(found == BLOCKS || found == 5);
}

static void a_part_of_a_layers_experts_shows_the_same_jumps(void **state)
{
    (void)state;
    double sums[40 * EXPERTS], scratch[2 * EXPERTS];
    for (size_t b = 0; b < 40; b++)
        for (size_t e = 0; e < EXPERTS; e++)
            sums[b * EXPERTS + e] = STEPS * (1 + (b < 15 ? e % 2 ? 0.1 : -0.1 : 0)) / (4.0 * EXPERTS);
    assert_int_equal(mp_lstm_blocks_since_change_point(sums, EXPERTS, 40, EXPERTS, STEPS, 4.0 * EXPERTS, scratch), 15);
}

/* ---- by the definition ------------------------------------------------------------------------------------------- */

/* The distance at the split after the newest `split` blocks, from the sums of each side themselves. */
static double distance_at(const double *sums, size_t blocks, size_t split)
{
    double squares = 0, noise = 0;
    for (size_t e = 0; e < EXPERTS; e++) {
        double difference = 0;
        for (size_t b = 0; b < 5; b++)
            difference += sums[(split - 1 - b) * EXPERTS + e] - sums[(split + b) * EXPERTS + e];
        squares += difference * difference;
    }
    for (size_t b = 1; b < blocks; b++)
        for (size_t e = 0; e < EXPERTS; e++)
            noise += pow(sums[b * EXPERTS + e] - sums[(b - 1) * EXPERTS + e], 2);
    double scale = 5.0 * STEPS / EXPERTS;
    return fmax(squares - 5 * noise / (double)(blocks - 1), 0) / (EXPERTS * scale * scale);
}

static size_t since_by_definition(const double *sums, size_t blocks)
{
    while (blocks >= 10) {
        double most = -1, elsewhere = 0;
        size_t at = 0, others = 0;
        for (size_t k = 5; k + 5 <= blocks; k++)
            if (distance_at(sums, blocks, k) > most) {
                most = distance_at(sums, blocks, k);
                at = k;
            }
        for (size_t k = 5; k + 5 <= blocks; k++)
            if (k + 5 < at || k > at + 5) {
                elsewhere += distance_at(sums, blocks, k);
                others++;
            }
        if (others < 10 || !(most > 0.08 * 0.08) || !(most * (double)others > 16 * elsewhere))
            break;
        blocks = at;
    }
    return blocks;
}

/* Loads have up to three jumps of any size anywhere, and noise. Numbers after the last block are not read, and the
 * contents of the scratch do not matter: both are NaN. */
static void a_jump_is_where_the_definition_says(void **state)
{
    (void)state;
    static double sums[(BLOCKS + 6) * EXPERTS], scratch[2 * EXPERTS];
    uint64_t random = 11;
    size_t jumps = 0, none = 0;
    for (size_t sample = 0; sample < 3000; sample++) {
        size_t blocks = (size_t)(fraction(&random) * (sample % 8 ? 50 : BLOCKS + 1)), at[3];
        double size = 0.4 * fraction(&random), noise = 0.6 * fraction(&random), levels[EXPERTS];
        for (size_t i = 0; i < 3; i++)
            at[i] = (size_t)(fraction(&random) * 2 * (double)blocks);
        for (size_t e = 0; e < EXPERTS; e++)
            levels[e] = 1;
        for (size_t b = 0; b < BLOCKS + 6; b++)
            for (size_t e = 0; e < EXPERTS; e++) {
                if (b == at[0] || b == at[1] || b == at[2])
                    levels[e] += size * (2 * fraction(&random) - 1);
                double load = levels[e] + noise * (fraction(&random) - 0.5);
                sums[b * EXPERTS + e] = b < blocks ? STEPS * load / EXPERTS : NAN;
            }
        for (size_t i = 0; i < 2 * EXPERTS; i++)
            scratch[i] = NAN;
        size_t expected = since_by_definition(sums, blocks);
        assert_int_equal(mp_lstm_blocks_since_change_point(sums, EXPERTS, blocks, EXPERTS, STEPS, EXPERTS, scratch),
                         expected);
        jumps += expected < blocks;
        none += expected == blocks;
    }
    assert_true(jumps > 500 && none > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_no_change_point),
        cmocka_unit_test(a_constant_load_has_no_change_point),
        cmocka_unit_test(a_jump_is_found_where_it_is),
        cmocka_unit_test(a_jump_below_8_percent_is_none),
        cmocka_unit_test(drift_is_no_change_point),
        cmocka_unit_test(of_two_jumps_the_later_one_counts),
        cmocka_unit_test(a_part_of_a_layers_experts_shows_the_same_jumps),
        cmocka_unit_test(a_jump_within_the_last_five_blocks_is_not_seen_yet),
        cmocka_unit_test(a_jump_is_where_the_definition_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
