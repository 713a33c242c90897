/* SPDX-License-Identifier: BSD-3-Clause */
/* The detector through its public calls: states of loads whose drift is known, and statistics. */
#include "detector_run.h"

/* ---- states of known loads --------------------------------------------------------------------------------------- */

static void a_constant_load_is_stable_after_warmup_and_dwell(void **state)
{
    (void)state;
    const int32_t counts[4] = {1, 2, 3, 500};
    moep_detector *detector = make_detector(1, 4, NULL);
    for (uint64_t steps = 0; steps < 400; steps++) {
        moep_state expected = steps < WARMUP_STEPS ? MOEP_WARMUP : steps < FIRST_STABLE ? MOEP_TRANSIENT : MOEP_STABLE;
        assert_int_equal(layer_state(detector), expected);
        assert_int_equal(expert_state(detector, 3), expected);
        assert_int_equal(layer_changes(detector), expected);
        assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT32), MOEP_OK);
    }
    assert_int_equal(layer_since(detector), FIRST_STABLE - 1);
    assert_int_equal(info_of_detector(detector).min_steps, WARMUP_STEPS);
    assert_true(layer_value(detector, MOEP_DRIFT) == 0);
    assert_true(isnan(layer_value(detector, MOEP_NOISE)) && isnan(layer_value(detector, MOEP_DISPERSION)));
    moep_detector_destroy(detector);
}

/* The detector's purpose: the same answer at every batch size. */
static void noise_is_not_drift_whatever_the_batch_size(void **state)
{
    (void)state;
    const double tokens[] = {512, 8192, 524288, 1e9};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        for (size_t experts = 16; experts <= 128; experts += 112) {
            struct run run = begin(experts, tokens[i], 11 + i);
            assert_true(steps_until(&run, MOEP_STABLE, 1000) <= 400);
            continue_run(&run, 4000);
            assert_int_equal(layer_state(run.detector), MOEP_STABLE);
            assert_int_equal(layer_changes(run.detector), 2);
            moep_detector_destroy(run.detector);
        }
}

static void a_shift_is_left_within_a_window_and_stable_again_after_three(void **state)
{
    (void)state;
    const double tokens[] = {4096, 524288};
    for (size_t i = 0; i < 2; i++) {
        struct run run = begin(16, tokens[i], 21);
        continue_run(&run, 1000);
        assert_int_equal(layer_state(run.detector), MOEP_STABLE);
        for (size_t e = 0; e < 16; e++)
            run.loads[e] *= e % 2 ? 1.3 : 0.7;
        assert_true(steps_until(&run, MOEP_TRANSIENT, 1000) <= 100);
        assert_int_equal(layer_since(run.detector), info_of_detector(run.detector).next_step - 1);
        assert_true(steps_until(&run, MOEP_STABLE, 1000) <= 300);
        continue_run(&run, 2000);
        assert_int_equal(layer_changes(run.detector), 4);
        moep_detector_destroy(run.detector);
    }
}

/* Loads that alternate every 1,000 steps, by 2 % or by half. */
static void the_tolerance_separates_harmless_from_harmful_drift(void **state)
{
    (void)state;
    for (int harmful = 0; harmful <= 1; harmful++) {
        struct run run = begin(16, 65536, 31);
        size_t stable = 0;
        for (size_t block = 0; block < 100; block++) {
            for (size_t e = 0; e < 16; e++)
                run.loads[e] = 1 + (harmful ? 0.5 : 0.02) * sin(6.2832 * ((double)block / 50 + (double)e / 16));
            continue_run(&run, 20);
            stable += layer_state(run.detector) == MOEP_STABLE;
        }
        assert_int_equal(stable, harmful ? 0 : 100 - FIRST_STABLE / 20 + 1);
        moep_detector_destroy(run.detector);
    }
}

/* Every other expert's load grows, and the others' shrink, for 20 steps. */
static void tilt(struct run *run, const double *loads, double by)
{
    for (size_t e = 0; e < run->experts; e++)
        run->loads[e] = loads[e] * (e % 2 ? 1 + by : 1 - by);
    continue_run(run, 20);
}

/* Both loads change by 6 % in 100 steps. One of them goes to and fro, within the tolerance. The drift of the other stays
 * within the limit unless the detector learns that it comes. */
static void a_slow_drift_is_transient_if_it_keeps_its_direction(void **state)
{
    (void)state;
    for (int run_number = 0; run_number < 4; run_number++) {
        bool to_and_fro = run_number % 2, learns = run_number >= 2;
        moep_detector_config config = detector_config(learns ? MOEP_LEARN : 0.3);
        struct run run = begin_with(&config, 16, 524288, 35);
        double by = 0, loads[16];
        memcpy(loads, run.loads, sizeof loads);
        continue_run(&run, 1000);
        for (size_t steps = 0; steps < 1000; steps += 20) {
            by += to_and_fro && steps / 100 % 2 ? -0.012 : 0.012;
            tilt(&run, loads, by);
            if (to_and_fro || steps >= 250)
                assert_int_equal(layer_state(run.detector), to_and_fro ? MOEP_STABLE : MOEP_TRANSIENT);
            assert_true(layer_value(run.detector, MOEP_DRIFT) < (learns && !to_and_fro ? 0.2 : 0.13));
        }
        assert_true((layer_value(run.detector, MOEP_DRIFT) > 0.15) == (learns && !to_and_fro));
        assert_int_equal(layer_changes(run.detector), to_and_fro ? 2 : 3);
        moep_detector_destroy(run.detector);
    }
}

/* Two successive differences share such a jump, which looks like a trend. */
static void a_jump_within_the_tolerance_is_no_direction(void **state)
{
    (void)state;
    moep_detector_config config = detector_config(MOEP_LEARN);
    config.horizon = 10000;
    struct run run = begin_with(&config, 16, 1e9, 36);
    double loads[16];
    memcpy(loads, run.loads, sizeof loads);
    continue_run(&run, 1000);
    for (size_t steps = 0; steps < 500; steps += 20) {
        tilt(&run, loads, 0.03);
        assert_int_equal(layer_state(run.detector), MOEP_STABLE);
    }
    moep_detector_destroy(run.detector);
}

static void a_load_that_keeps_jumping_is_transient(void **state)
{
    (void)state;
    struct run run = begin(16, 65536, 41);
    for (size_t spell = 0; spell < 60; spell++) {
        size_t up = (size_t)(random_number(&run.seed) % 16);
        run.loads[up] = 0.5 + 2 * (double)(random_number(&run.seed) >> 40) / (1 << 24);
        continue_run(&run, 37);
        assert_int_not_equal(layer_state(run.detector), MOEP_STABLE);
    }
    assert_true(layer_value(run.detector, MOEP_DRIFT) > 0.1);
    moep_detector_destroy(run.detector);
}

static void a_jump_of_one_expert_of_many_is_seen(void **state)
{
    (void)state;
    struct run run = begin(128, 524288, 51);
    continue_run(&run, 1000);
    run.loads[77] *= 1.55;
    continue_run(&run, 120);
    uint64_t since[128];
    assert_int_equal(moep_detector_since(run.detector, NULL, since), MOEP_OK);
    assert_true(since[77] >= 1000);
    for (size_t e = 0; e < 128; e++)
        assert_int_equal(expert_state(run.detector, e), e == 77 ? MOEP_TRANSIENT : MOEP_STABLE);
    assert_int_equal(layer_state(run.detector), MOEP_STABLE); /* it has less than a hundredth of the load */
    moep_detector_destroy(run.detector);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static void noise_counts_the_tokens_that_were_routed_independently(void **state)
{
    (void)state;
    enum { EXPERTS = 64, STEPS = 3000 };
    const double tokens = 20000;
    for (double together = 1; together <= 4; together += 3) { /* tokens routed to the same expert */
        moep_detector_config config = detector_config(MOEP_LEARN);
        config.drift_window = 1000; /* many blocks: a good estimate */
        moep_detector *detector = make_detector_of(1, EXPERTS, &config, NULL);
        uint64_t seed = 61;
        double loads[EXPERTS], drawn[EXPERTS];
        for (size_t e = 0; e < EXPERTS; e++)
            loads[e] = 1 + (double)e / 10;
        for (size_t step = 0; step < STEPS; step++) {
            int64_t counts[EXPERTS];
            draw(drawn, loads, EXPERTS, tokens / together, &seed);
            for (size_t e = 0; e < EXPERTS; e++)
                counts[e] = (int64_t)(drawn[e] * together);
            assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT64), MOEP_OK);
        }
        assert_near(layer_value(detector, MOEP_NOISE), tokens / together, 0.1 * tokens / together);
        assert_near(layer_value(detector, MOEP_DISPERSION), together, 0.1 * together);
        moep_detector_destroy(detector);
    }
}

static void statistics_of_a_layer_are_computed_from_its_experts(void **state)
{
    (void)state;
    enum { LAYERS = 3, EXPERTS = 5, SERIES = LAYERS * EXPERTS, STEPS = 60 };
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 71);
    moep_detector *detector = make_detector(LAYERS, EXPERTS, NULL);
    assert_int_equal(moep_detector_push(detector, STEPS, counts, MOEP_INT64), MOEP_OK);
    for (size_t window = 0; window < 2; window++)
        for (moep_quantity quantity = MOEP_MEAN; quantity <= MOEP_RANGE; quantity++) {
            double layers[LAYERS], alone[LAYERS], experts[SERIES];
            assert_int_equal(moep_detector_read(detector, quantity, window, layers, experts), MOEP_OK);
            assert_int_equal(moep_detector_read(detector, quantity, window, alone, NULL), MOEP_OK);
            assert_int_equal(moep_detector_read(detector, quantity, window, NULL, NULL), MOEP_OK);
            assert_memory_equal(layers, alone, sizeof layers);
            for (size_t layer = 0; layer < LAYERS; layer++) {
                double sum = 0, largest = 0;
                for (size_t e = 0; e < EXPERTS; e++) {
                    sum += experts[layer * EXPERTS + e];
                    largest = fmax(largest, experts[layer * EXPERTS + e]);
                }
                assert_near(layers[layer], quantity == MOEP_RANGE ? largest : sum / EXPERTS, 1e-15);
            }
        }
    assert_near(layer_value(detector, MOEP_MEAN), 1.0 / EXPERTS, 1e-8);
    moep_detector_destroy(detector);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest detector[] = {
        cmocka_unit_test(a_constant_load_is_stable_after_warmup_and_dwell),
        cmocka_unit_test(noise_is_not_drift_whatever_the_batch_size),
        cmocka_unit_test(a_shift_is_left_within_a_window_and_stable_again_after_three),
        cmocka_unit_test(the_tolerance_separates_harmless_from_harmful_drift),
        cmocka_unit_test(a_slow_drift_is_transient_if_it_keeps_its_direction),
        cmocka_unit_test(a_jump_within_the_tolerance_is_no_direction),
        cmocka_unit_test(a_load_that_keeps_jumping_is_transient),
        cmocka_unit_test(a_jump_of_one_expert_of_many_is_seen),
        cmocka_unit_test(noise_counts_the_tokens_that_were_routed_independently),
        cmocka_unit_test(statistics_of_a_layer_are_computed_from_its_experts),
    };
    return cmocka_run_group_tests(detector, NULL, NULL);
}
