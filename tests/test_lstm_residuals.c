/* SPDX-License-Identifier: BSD-3-Clause */
/* Quantiles of how far forecasts were off. */
#include "lstm_run.h"

#include "methods/lstm/training/residual_quantiles.h"

enum { KNOTS = MP_LSTM_QUANTILE_LEVELS, OUTPUTS = MP_LSTM_OUTPUTS, ROOM = 600 };

struct bench {
    struct lstm_residual_pool sample;
    struct lstm_examples examples; /* room for one */
    struct lstm_residuals residuals;
};

static struct bench *make_bench(void)
{
    static struct bench b;
    memset(&b, 0, sizeof b);
    assert_true(mp_lstm_residual_pool_make(&b.sample, ROOM, &plain_memory));
    assert_true(mp_lstm_examples_make(&b.examples, 1, 1, &plain_memory));
    b.examples.series = 1;
    b.examples.min_load[0] = 0.01F;
    mp_lstm_residual_pool_clear(&b.sample);
    return &b;
}

static void free_bench(struct bench *b)
{
    mp_lstm_residual_pool_free(&b->sample, &plain_memory);
    mp_lstm_examples_free(&b->examples, &plain_memory);
}

/* A series of an age of which so many blocks are known: those with odd numbers are off by `odd`, others by `even`. */
static void add(struct bench *b, double age, size_t n_targets, double even, double odd)
{
    real forecasts[MP_LSTM_OUTPUT_ROW];
    b->examples.age[0] = (real)age;
    b->examples.n_targets[0] = n_targets;
    for (size_t o = 0; o < OUTPUTS; o++) {
        forecasts[o] = 0.125F;
        b->examples.targets[o] = (real)(0.125 * (1 + (o % 2 ? odd : even)));
    }
    mp_lstm_residual_pool_add(&b->sample, &b->examples, 0, forecasts);
}

/* 201 residuals -1 .. 1 in no order: the quantile of p is 2 p - 1. */
static void quantiles_of_a_known_sample_are_its(void **state)
{
    (void)state;
    struct bench *b = make_bench();
    for (size_t i = 0; i < 201; i++) {
        double residual = ((double)(i * 77 % 201) - 100) / 100;
        add(b, 500, OUTPUTS, residual, residual / 2);
    }
    mp_lstm_residual_pool_quantiles(&b->sample, &b->residuals);
    for (size_t k = 0; k < KNOTS; k++) {
        const double p = mp_lstm_quantile_levels[k], *of_block = &b->residuals.quantile[0][MP_LSTM_OF_BLOCK][0][k],
                     *of_mean = &b->residuals.quantile[0][MP_LSTM_OF_MEAN][0][k];
        double at = fmax(2 * p - 1, 0.08 - 1); /* no load is below the bottom of 0.01 */
        assert_near(of_block[0], at, 1e-2);
        if (2 * p - 1 > -0.9) { /* above it all is exact */
            assert_near(of_block[0], 2 * p - 1, 1e-6);
            assert_near(of_block[KNOTS], p - 0.5, 1e-6);
            assert_near(of_mean[0], 2 * p - 1, 1e-6);
            assert_near(of_mean[KNOTS], 0.75 * (2 * p - 1), 1e-6);
            assert_near(of_mean[2 * KNOTS], (2 * p - 1) * 2.5 / 3, 1e-6);
        }
    }
    free_bench(b);
}

static void loads_below_the_bottom_count_as_the_bottom(void **state)
{
    (void)state;
    struct bench *b = make_bench();
    for (size_t i = 0; i < 100; i++) {
        real forecasts[MP_LSTM_OUTPUT_ROW] = {0};
        b->examples.age[0] = 500;
        b->examples.n_targets[0] = 1;
        b->examples.targets[0] = 0.005F;
        mp_lstm_residual_pool_add(&b->sample, &b->examples, 0, forecasts);
    }
    memset(&b->residuals, 0x7f, sizeof b->residuals);
    mp_lstm_residual_pool_quantiles(&b->sample, &b->residuals);
    for (size_t k = 0; k < KNOTS; k++)
        assert_true(b->residuals.quantile[0][MP_LSTM_OF_BLOCK][0][k] == 0);
    free_bench(b);
}

/* Residuals of one age do not enter another's; too few leave an age as it was. */
static void every_age_has_its_own_quantiles_if_enough_were_seen(void **state)
{
    (void)state;
    const double ages[] = {1, 1000, 1001, 3000, 3001, 1e9};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(mp_lstm_age(ages[i]), i / 2);
    struct bench *b = make_bench();
    for (size_t i = 0; i < 300; i++) {
        add(b, 1000, OUTPUTS, 0.25, 0.25);
        add(b, 1001, OUTPUTS, 0.5, 0.5);
        if (i < 99)
            add(b, 3001, OUTPUTS, 0.75, 0.75);
    }
    b->residuals.quantile[2][0][0][0] = 77;
    mp_lstm_residual_pool_quantiles(&b->sample, &b->residuals);
    for (size_t k = 0; k < KNOTS; k++) {
        assert_near(b->residuals.quantile[0][1][OUTPUTS - 1][k], 0.25, 1e-6);
        assert_near(b->residuals.quantile[1][1][OUTPUTS - 1][k], 0.5, 1e-6);
        assert_true(b->residuals.quantile[2][0][0][k] == (k == 0 ? 77 : 0));
    }
    free_bench(b);
}

static void blocks_that_few_have_reached_take_over_the_last_that_enough_have(void **state)
{
    (void)state;
    struct bench *b = make_bench();
    for (size_t i = 0; i < 300; i++)
        add(b, 500, i < 99 ? OUTPUTS : i < 199 ? 30 : 11, (double)i / 300, (double)i / 600);
    mp_lstm_residual_pool_quantiles(&b->sample, &b->residuals);
    for (size_t kind = 0; kind < MP_LSTM_KINDS; kind++) {
        double(*quantile)[KNOTS] = b->residuals.quantile[0][kind];
        assert_memory_not_equal(quantile[9], quantile[29], sizeof *quantile);
        for (size_t o = 30; o < OUTPUTS; o++)
            assert_memory_equal(quantile[o], quantile[29], sizeof *quantile);
    }
    free_bench(b);
}

static void quantiles_are_in_order(void **state)
{
    (void)state;
    struct bench *b = make_bench();
    uint64_t seed = 9;
    for (size_t i = 0; i < ROOM; i++)
        add(b, 500, 1 + i % OUTPUTS, pow(10, 6 * fraction(&seed) - 3) - 0.5, fraction(&seed) - 0.5);
    mp_lstm_residual_pool_quantiles(&b->sample, &b->residuals);
    for (size_t kind = 0; kind < MP_LSTM_KINDS; kind++)
        for (size_t o = 0; o < OUTPUTS; o++)
            for (size_t k = 1; k < KNOTS; k++)
                assert_true(b->residuals.quantile[0][kind][o][k] >= b->residuals.quantile[0][kind][o][k - 1]);
    free_bench(b);
}

int main(void)
{
    const struct CMUnitTest residuals[] = {
        cmocka_unit_test(quantiles_of_a_known_sample_are_its),
        cmocka_unit_test(loads_below_the_bottom_count_as_the_bottom),
        cmocka_unit_test(every_age_has_its_own_quantiles_if_enough_were_seen),
        cmocka_unit_test(blocks_that_few_have_reached_take_over_the_last_that_enough_have),
        cmocka_unit_test(quantiles_are_in_order),
    };
    return cmocka_run_group_tests(residuals, NULL, NULL);
}
