/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares the running sums over blocks with the definitions of the estimates. */
#include "support.h"

#include "detector/drift.h"

enum { SERIES = 3, STEPS = 5, M = 4, BLOCKS = 60 };

static const struct memory memory = {mp_default_allocate, mp_default_release, NULL};

/* Means of blocks, as whole multiples of 2^-26. */
static double means[BLOCKS][SERIES];

static double mean_of(size_t first, size_t last, size_t s)
{
    double sum = 0;
    for (size_t b = first; b < last; b++)
        sum += means[b][s];
    return sum / (double)(last - first);
}

/* The mean square of the differences of neighbouring blocks, over the last 2 M. */
static double square_of_neighbours(size_t ended, size_t s)
{
    double sum = 0;
    for (size_t b = ended - 2 * M + 1; b < ended; b++)
        sum += pow(means[b][s] - means[b - 1][s], 2);
    return sum / (2 * M - 1);
}

static void check(const struct drift *drift, size_t ended)
{
    double squared[SERIES], trend[SERIES], noise[SERIES];
    mp_drift_estimate(drift, 0, SERIES, &(struct drift_estimate){.squared = squared, .trend = trend, .noise = noise});
    for (size_t s = 0; s < SERIES; s++) {
        double last = mean_of(ended - M, ended, s), before = mean_of(ended - 2 * M, ended - M, s);
        double squares = square_of_neighbours(ended, s), added = squares / M; /* V, by which noise increases D^2 */
        assert_near(mp_drift_mean(drift, s), (last + before) / 2, 1e-12);
        assert_near(mp_drift_variance(drift, s), squares / 2 * STEPS, 1e-12);
        assert_near(noise[s], added, 1e-12);
        assert_near(squared[s], (last - before) * (last - before) - added, 1e-12);
        if (ended >= 3 * M) { /* the middle blocks are in both differences, with opposite signs */
            double earlier = before - mean_of(ended - 3 * M, ended - 2 * M, s);
            assert_near(trend[s], (last - before) * earlier + added / 2, 1e-12);
        }
    }
}

static void estimates_are_those_of_the_last_blocks(void **state)
{
    (void)state;
    struct drift drift;
    uint64_t seed = 3;
    size_t ended = 0;
    assert_int_equal(mp_drift_make(&drift, SERIES, STEPS, M, &memory), MOEP_OK);
    for (size_t step = 0; step < BLOCKS * STEPS; step++) {
        static double sums[SERIES];
        float shares[SERIES];
        for (size_t s = 0; s < SERIES; s++) {
            shares[s] = (float)(random_number(&seed) >> 48) * 0x1p-18F; /* exact in the units of a step */
            sums[s] = step % STEPS == 0 ? (double)shares[s] : sums[s] + (double)shares[s];
        }
        bool ends = mp_drift_push(&drift, shares);
        assert_int_equal(ends, step % STEPS == STEPS - 1);
        if (!ends)
            continue;
        for (size_t s = 0; s < SERIES; s++)
            means[ended][s] = floor(sums[s] / STEPS * 0x1p26 + 0.5) * 0x1p-26;
        ended++;
        assert_int_equal(mp_drift_blocks_ended(&drift), ended);
        if (ended >= 2 * M)
            check(&drift, ended);
    }
    mp_drift_free(&drift, &memory);
}

int main(void)
{
    const struct CMUnitTest drift[] = {
        cmocka_unit_test(estimates_are_those_of_the_last_blocks),
    };
    return cmocka_run_group_tests(drift, NULL, NULL);
}
