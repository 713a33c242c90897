/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares the errors of past means, and the errors that were predicted for them, with the definition. */
#include "periods.h"

#include "detector/hindsight.h"

/* Kept apart from the periods, whose means it must remember by itself. */
struct run {
    struct periods periods;
    struct hindsight hindsight;
};

static void make_run(struct run *run, uint64_t horizon)
{
    make_periods(&run->periods, horizon);
    assert_int_equal(mp_hindsight_make(&run->hindsight, LAYERS, EXPERTS, &run->periods.config, &memory), MOEP_OK);
}

static void free_run(struct run *run)
{
    mp_hindsight_free(&run->hindsight, &memory);
    free_periods(&run->periods);
}

static void assert_errors(const struct run *run, size_t spans)
{
    const struct periods *periods = &run->periods;
    uint64_t last = periods->ended - 1;
    for (size_t layer = 0; layer < LAYERS; layer++) {
        for (size_t i = 0; i < spans; i++) {
            double predicted[EXPERTS], realised[EXPERTS];
            mp_hindsight_errors(&run->hindsight, layer, periods->ended, i, periods->noise[last][layer], predicted,
                                realised);
            for (size_t e = 0; e < EXPERTS; e++) {
                struct pair pair = pair_of_expert(periods, layer, e, last, last - run->hindsight.span[i]);
                assert_near(predicted[e], pair.p, 1e-11);
                assert_near(realised[e], pair.e, 1e-11);
            }
        }
    }
}

static void errors_are_as_defined_throughout_a_run(void **state)
{
    (void)state;
    const double steps[] = {0, 0.02, 0.4}, noises[] = {0, 0.01};
    static struct run run;
    uint64_t seed = 3;
    for (size_t c = 0; c < sizeof horizons / sizeof *horizons; c++)
        for (size_t i = 0; i < 6; i++) {
            make_run(&run, horizons[c].horizon);
            for (size_t period = 0; period < PERIODS; period++) {
                size_t spans = 0;
                end_random_period(&run.periods, &seed, steps[i / 2], noises[i % 2]);
                mp_hindsight_end_period(&run.hindsight, &run.periods.drift);
                for (size_t s = 0; s < horizons[c].n; s++)
                    spans += period >= horizons[c].spans[s] + 1; /* the origin and the period before it */
                assert_int_equal(mp_hindsight_spans(&run.hindsight, period + 1), spans);
                assert_errors(&run, spans);
            }
            free_run(&run);
        }
}

static void spans_are_5_periods_and_the_horizon_but_20_at_most(void **state)
{
    (void)state;
    const struct {
        uint64_t horizon;
        size_t spans, first, last;
    } cases[] = {{1, 1, 1, 1},     {199, 1, 1, 1},   {200, 1, 2, 2},   {599, 1, 5, 5},        {600, 2, 5, 6},
                 {1000, 2, 5, 10}, {2000, 2, 5, 20}, {2100, 2, 5, 20}, {UINT64_MAX, 2, 5, 20}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        moep_detector_config config = detector_config(MOEP_LEARN);
        struct hindsight hindsight;
        config.horizon = cases[i].horizon;
        assert_int_equal(mp_hindsight_make(&hindsight, LAYERS, EXPERTS, &config, &memory), MOEP_OK);
        assert_int_equal(hindsight.spans, cases[i].spans);
        assert_int_equal(hindsight.span[0], cases[i].first);
        assert_int_equal(hindsight.span[hindsight.spans - 1], cases[i].last);
        assert_int_equal(mp_hindsight_spans(&hindsight, UINT64_MAX), cases[i].spans);
        mp_hindsight_free(&hindsight, &memory);
    }
}

/* A period's mean is that of its blocks, in their order; the present block does not count. */
static void a_mean_is_that_of_a_periods_blocks(void **state)
{
    (void)state;
    enum { BLOCK = 3, BLOCKS = 4, STEPS = 5 * BLOCK * BLOCKS };
    moep_detector_config config = detector_config(MOEP_LEARN);
    struct hindsight hindsight;
    struct drift drift;
    config.horizon = config.drift_window = BLOCK * BLOCKS;
    config.block = BLOCK;
    assert_int_equal(mp_drift_make(&drift, SERIES, BLOCK, BLOCKS, &memory), MOEP_OK);
    assert_int_equal(mp_hindsight_make(&hindsight, LAYERS, EXPERTS, &config, &memory), MOEP_OK);
    for (size_t step = 0; step < STEPS; step++) {
        float row[SERIES];
        for (size_t s = 0; s < SERIES; s++)
            row[s] = (float)((step * 7 + s * 5) % 32) / 32;
        if (!mp_drift_push(&drift, row) || (step + 1) % (BLOCK * BLOCKS) != 0)
            continue;
        mp_hindsight_end_period(&hindsight, &drift);
        size_t period = step / (BLOCK * BLOCKS);
        for (size_t s = 0; s < SERIES; s++) {
            double mean = 0;
            for (size_t back = 0; back < BLOCK * BLOCKS; back++)
                mean += (double)(((step - back) * 7 + s * 5) % 32) / 32 / (BLOCK * BLOCKS);
            const float *means = hindsight.means + (s / EXPERTS * 3 + period % 3) * EXPERTS; /* a span of 1, and two */
            assert_near((double)means[s % EXPERTS], mean, 1e-7);
        }
    }
    mp_hindsight_free(&hindsight, &memory);
    mp_drift_free(&drift, &memory);
}

int main(void)
{
    const struct CMUnitTest hindsight[] = {
        cmocka_unit_test(errors_are_as_defined_throughout_a_run),
        cmocka_unit_test(spans_are_5_periods_and_the_horizon_but_20_at_most),
        cmocka_unit_test(a_mean_is_that_of_a_periods_blocks),
    };
    return cmocka_run_group_tests(hindsight, NULL, NULL);
}
