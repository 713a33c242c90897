/* SPDX-License-Identifier: BSD-3-Clause */
/* Random numbers. */
#include "support.h"

#include "support/random.h"

enum { DRAWS = 100000 };

/* ---- random numbers ---------------------------------------------------------------------------------------------- */

/* The first three of SplitMix64 from state 1234567, as its authors' program and many others print them. */
static void bits_are_splitmix64s(void **state)
{
    (void)state;
    struct random random = {1234567};
    assert_true(mp_random_bits(&random) == UINT64_C(6457827717110365317));
    assert_true(mp_random_bits(&random) == UINT64_C(3203168211198807973));
    assert_true(mp_random_bits(&random) == UINT64_C(9817491932198370423));
}

static void numbers_are_in_range_and_uniform(void **state)
{
    (void)state;
    enum { FACES = 7 };
    struct random random = mp_random(1, 2);
    size_t faces[FACES] = {0};
    double sum = 0, squares = 0;
    for (size_t i = 0; i < DRAWS; i++) {
        double x = mp_random_fraction(&random), y = mp_random_between(&random, -3, 5);
        size_t face = mp_random_below(&random, FACES);
        assert_true(x >= 0 && x < 1 && y >= -3 && y < 5 && face < FACES);
        assert_int_equal(mp_random_below(&random, 1), 0);
        sum += x;
        squares += x * x;
        faces[face]++;
    }
    assert_near(sum / DRAWS, 0.5, 0.004); /* four standard errors */
    assert_near(squares / DRAWS, 1.0 / 3, 0.004);
    for (size_t f = 0; f < FACES; f++)
        assert_near((double)faces[f], (double)DRAWS / FACES, 450);
}

static void a_seed_and_a_sequence_decide_all_numbers(void **state)
{
    (void)state;
    struct random one = mp_random(5, 6), same = mp_random(5, 6);
    for (size_t i = 0; i < 100; i++)
        assert_true(mp_random_bits(&one) == mp_random_bits(&same));
}

/* Neighbouring pairs of seed and sequence. No two sequences share a number among their first eight. */
static void every_pair_has_numbers_of_its_own(void **state)
{
    (void)state;
    enum { SEEDS = 12, SEQUENCES = 12, FIRST = 8, ALL = SEEDS * SEQUENCES * FIRST };
    static uint64_t seen[ALL];
    size_t n = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (uint64_t sequence = 0; sequence < SEQUENCES; sequence++) {
            struct random random = mp_random(seed, sequence);
            for (size_t i = 0; i < FIRST; i++, n++) {
                seen[n] = mp_random_bits(&random);
                for (size_t j = 0; j < n; j++)
                    assert_true(seen[j] != seen[n]);
            }
        }
}

int main(void)
{
    const struct CMUnitTest random[] = {
        cmocka_unit_test(bits_are_splitmix64s),
        cmocka_unit_test(numbers_are_in_range_and_uniform),
        cmocka_unit_test(a_seed_and_a_sequence_decide_all_numbers),
        cmocka_unit_test(every_pair_has_numbers_of_its_own),
    };
    return cmocka_run_group_tests(random, NULL, NULL);
}
