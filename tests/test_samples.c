/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares what a planner keeps with the whole run, of which the test remembers every step. */
#include "support.h"

#include "placement/samples.h"

enum { LAYERS = 2, EXPERTS = 3, SERIES = LAYERS * EXPERTS, STEPS = 1130 };

static const struct memory heap = {mp_default_allocate, mp_default_release, NULL};

/* span, scenarios: all that divide, none that does, blocks of one step, all steps kept, the defaults. */
static const struct {
    uint32_t span, scenarios;
} shapes[] = {{100, 20}, {47, 6}, {20, 2}, {60, 60}, {1000, 100}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

struct run {
    float shares[STEPS][SERIES];
    struct samples samples;
    uint64_t stride, block; /* as the header has them */
};

static void begin(struct run *run, size_t shape)
{
    uint64_t seed = 71 + shape;
    for (size_t step = 0; step < STEPS; step++)
        for (size_t series = 0; series < SERIES; series++)
            run->shares[step][series] = (float)(random_number(&seed) >> 40) * 0x1p-24f;
    moep_planner_config config = planner_config(shapes[shape].span, shapes[shape].scenarios);
    assert_int_equal(mp_samples_make(&run->samples, LAYERS, EXPERTS, &config, &heap), MOEP_OK);
    run->stride = config.span / config.scenarios;
    run->block = config.span / 20;
}

static void push(struct run *run)
{
    mp_samples_push(&run->samples, run->shares[run->samples.pushed]);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static void assert_kept(const struct run *run, size_t scenarios)
{
    const struct samples *samples = &run->samples;
    uint64_t kept = 0;
    for (uint64_t step = 0; step < samples->pushed; step += run->stride)
        kept++;
    assert_int_equal(mp_samples_end(samples), kept);
    assert_int_equal(mp_samples_first(samples), kept > scenarios ? kept - scenarios : 0);
    for (uint64_t number = mp_samples_first(samples); number < kept; number++)
        for (size_t layer = 0; layer < LAYERS; layer++)
            assert_memory_equal(mp_samples_step(samples, number, layer),
                                run->shares[number * run->stride] + layer * EXPERTS, EXPERTS * sizeof(float));
}

static void of_every_stride_steps_the_first_is_kept_until_newer_ones_take_its_place(void **state)
{
    (void)state;
    static struct run run;
    for (size_t shape = 0; shape < SHAPES; shape++) {
        begin(&run, shape);
        assert_kept(&run, shapes[shape].scenarios);
        while (run.samples.pushed < STEPS) {
            push(&run);
            if (run.samples.pushed < 300 || run.samples.pushed % 97 < 2)
                assert_kept(&run, shapes[shape].scenarios);
        }
        mp_samples_free(&run.samples, &heap);
    }
}

/* ---- means ------------------------------------------------------------------------------------------------------- */

static double sum_of(const struct run *run, uint64_t from, uint64_t to, size_t series)
{
    double sum = 0;
    for (uint64_t step = from; step < to; step++)
        sum += (double)run->shares[step][series];
    return sum;
}

static void assert_blocks(const struct run *run)
{
    uint64_t pushed = run->samples.pushed, ended = pushed / run->block;
    struct block_origin now = mp_samples_now(&run->samples);
    assert_int_equal(now.blocks, ended);
    assert_int_equal(now.start, ended > 20 ? ended - 20 : 0);
    assert_int_equal(now.phase, pushed - ended * run->block);
    for (size_t series = 0; series < SERIES; series++) {
        struct block_means blocks = mp_samples_blocks(&run->samples, series / EXPERTS);
        for (uint64_t i = now.start; i < ended; i++) {
            double sum = sum_of(run, i * run->block, (i + 1) * run->block, series);
            assert_true(mp_block_mean(&blocks, i)[series % EXPERTS] == (float)(sum / (double)run->block));
        }
        assert_true(blocks.running[series % EXPERTS] == sum_of(run, ended * run->block, pushed, series));
    }
}

static void the_last_twenty_blocks_have_the_means_of_their_steps(void **state)
{
    (void)state;
    static struct run run;
    for (size_t shape = 0; shape < SHAPES; shape++) {
        begin(&run, shape);
        assert_blocks(&run);
        while (run.samples.pushed < STEPS) {
            push(&run);
            if (run.samples.pushed < 120 || run.samples.pushed % 97 < 2)
                assert_blocks(&run);
        }
        mp_samples_free(&run.samples, &heap);
    }
}

/* A window that ends now, and begins where a block does. A block's mean is a float. */
static void windows_that_end_now_are_means_of_all_their_steps(void **state)
{
    (void)state;
    static struct run run;
    double sum[EXPERTS], means[EXPERTS];
    begin(&run, 0);
    while (run.samples.pushed < 300) {
        push(&run);
        struct block_origin now = mp_samples_now(&run.samples);
        for (uint64_t blocks = 0; blocks <= now.blocks - now.start; blocks += 4) {
            size_t length = blocks * run.block + now.phase;
            for (size_t layer = 0; layer < LAYERS && length > 0; layer++) {
                struct block_means kept = mp_samples_blocks(&run.samples, layer);
                uint64_t end = run.samples.pushed;
                mp_window_means(&kept, &now, &length, 1, sum, means);
                for (size_t e = 0; e < EXPERTS; e++)
                    assert_near(means[e], sum_of(&run, end - length, end, layer * EXPERTS + e) / (double)length, 1e-7);
            }
        }
    }
    mp_samples_free(&run.samples, &heap);
}

int main(void)
{
    const struct CMUnitTest samples[] = {
        cmocka_unit_test(of_every_stride_steps_the_first_is_kept_until_newer_ones_take_its_place),
        cmocka_unit_test(the_last_twenty_blocks_have_the_means_of_their_steps),
        cmocka_unit_test(windows_that_end_now_are_means_of_all_their_steps),
    };
    return cmocka_run_group_tests(samples, NULL, NULL);
}
