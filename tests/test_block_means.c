/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares means of windows with sums over single steps. */
#include "support.h"

#include "series/block_means.h"

enum { EXPERTS = 3, STEPS = 4, ROWS = 7, BLOCKS = 19, LENGTHS = 6 };

static const size_t lengths[LENGTHS] = {1, 3, 4, 9, 12, 100};

/* Block i of an endless run; the newest ROWS are kept. */
static double value_of(uint64_t block, size_t e)
{
    return (double)((block * 37 + e * 11) % 29) / 32;
}

static double running_value(size_t e)
{
    return 0.25 + (double)e / 8;
}

struct run {
    float means[ROWS * EXPERTS];
    double running[EXPERTS];
    struct block_means blocks;
};

/* A run of so many blocks, and of `phase` steps of the next. */
static void make_run(struct run *run, uint64_t ended, size_t phase)
{
    memset(run, 0, sizeof *run);
    run->blocks = (struct block_means){EXPERTS, ROWS, STEPS, run->means, run->running};
    for (uint64_t block = 0; block < ended; block++)
        for (size_t e = 0; e < EXPERTS; e++)
            mp_block_mean(&run->blocks, block)[e] = (float)value_of(block, e);
    for (size_t e = 0; e < EXPERTS; e++)
        run->running[e] =
            phase > 0 ? (double)phase * running_value(e) : NAN; /* which no origin at a block's end reads */
}

/* The mean of the last `length` steps before an origin, each step having its block's mean. */
static double mean_by_steps(const struct block_origin *origin, size_t length, size_t e)
{
    double sum = 0, steps = 0;
    for (size_t i = 0; i < origin->phase; i++, steps++) /* all of the running block, even if the window is shorter */
        sum += running_value(e);
    for (uint64_t block = origin->blocks; block > origin->start; block--)
        for (size_t i = 0; i < STEPS && steps < (double)length; i++, steps++)
            sum += value_of(block - 1, e);
    return steps > 0 ? sum / steps : 0;
}

static void assert_means(const struct run *run, const struct block_origin *origin)
{
    double sum[EXPERTS], means[LENGTHS][EXPERTS], alone[EXPERTS];
    mp_window_means(&run->blocks, origin, lengths, LENGTHS, sum, means[0]);
    for (size_t i = 0; i < LENGTHS; i++) {
        mp_window_means(&run->blocks, origin, &lengths[i], 1, sum, alone);
        for (size_t e = 0; e < EXPERTS; e++) {
            assert_near(means[i][e], mean_by_steps(origin, lengths[i], e), 1e-15);
            assert_near(alone[e], means[i][e], 1e-15);
        }
    }
}

/* From every origin whose windows the kept blocks hold. */
static void a_window_is_the_mean_of_its_last_steps(void **state)
{
    (void)state;
    struct run run;
    for (uint64_t ended = 0; ended <= BLOCKS; ended++)
        for (size_t phase = 0; phase < STEPS; phase++) {
            make_run(&run, ended, phase);
            uint64_t oldest = ended > ROWS ? ended - ROWS : 0;
            for (uint64_t start = oldest; start <= ended; start++) {
                assert_means(&run, &(struct block_origin){ended, start, phase});
                for (uint64_t past = start; past < ended; past++) /* at the end of a block */
                    assert_means(&run, &(struct block_origin){past, start, 0});
            }
        }
}

static void without_a_step_the_mean_is_0(void **state)
{
    (void)state;
    struct run run;
    double sum[EXPERTS], means[LENGTHS][EXPERTS];
    make_run(&run, 5, 0);
    mp_window_means(&run.blocks, &(struct block_origin){5, 5, 0}, lengths, LENGTHS, sum, means[0]);
    for (size_t i = 0; i < LENGTHS; i++)
        for (size_t e = 0; e < EXPERTS; e++)
            assert_true(means[i][e] == 0);
}

int main(void)
{
    const struct CMUnitTest block_means[] = {
        cmocka_unit_test(a_window_is_the_mean_of_its_last_steps),
        cmocka_unit_test(without_a_step_the_mean_is_0),
    };
    return cmocka_run_group_tests(block_means, NULL, NULL);
}
