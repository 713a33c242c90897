/* SPDX-License-Identifier: BSD-3-Clause */
/* Detectors that learn, on loads that come back, walk or jump, beside those of constant growth. */
#include "detector_run.h"

#include "detector/detector.h"

#include <float.h>

static void tolerances_of_any_size_give_finite_numbers(void **state)
{
    (void)state;
    const double tolerances[] = {DBL_TRUE_MIN, 1e-200, 1e-150, 1e150, 1e200, DBL_MAX};
    for (size_t i = 0; i < 6; i++) {
        moep_detector_config config = detector_config(MOEP_LEARN);
        config.horizon = 300;
        config.drift_window = 40;
        config.tolerance = tolerances[i];
        config.expert_tolerance = tolerances[5 - i];
        struct run run = begin_with(&config, 16, 65536, 11);
        for (size_t block = 0; block < 30; block++) {
            double values[2][16];
            run.loads[block % 16] *= block % 5 ? 1.05 : 3;
            continue_run(&run, 20);
            if (block < 10)
                continue;
            assert_int_equal(moep_detector_read(run.detector, MOEP_DRIFT, 0, values[0], values[1]), MOEP_OK);
            assert_true(isfinite(values[0][0]));
            for (size_t e = 0; e < 16; e++)
                assert_true(isfinite(values[1][e]));
            struct learned learned = mp_learned_of_layer(&run.detector->learning, 0, (block + 1) / 2);
            assert_true(learned.factor >= 0.18 && learned.factor <= 5 && isfinite(learned.recent));
        }
        assert_int_equal(layer_state(run.detector), i < 3 ? MOEP_TRANSIENT : MOEP_STABLE);
        assert_int_equal(expert_state(run.detector, 0), i < 3 ? MOEP_STABLE : MOEP_TRANSIENT);
        moep_detector_destroy(run.detector);
    }
}

/* The same load for a detector that learns and one that does not. */
struct two {
    struct run learning, constant;
};

static struct two begin_two(uint64_t horizon, size_t experts, uint64_t seed)
{
    moep_detector_config config = detector_config(MOEP_LEARN);
    config.horizon = horizon;
    struct run learning = begin_with(&config, experts, 65536, seed);
    config.growth = 0.3;
    return (struct two){learning, begin_with(&config, experts, 65536, seed)};
}

static void destroy_two(struct two *two)
{
    moep_detector_destroy(two->learning.detector);
    moep_detector_destroy(two->constant.detector);
}

/* Continues both for a block, in which every load is what `base` and `off` say: base x e^off. */
static void continue_two(struct two *two, const double *base, const double *off)
{
    for (size_t e = 0; e < two->learning.experts; e++)
        two->learning.loads[e] = two->constant.loads[e] = base[e] * exp(off[e]);
    continue_run(&two->learning, 20);
    continue_run(&two->constant, 20);
}

static bool read_the_same(const moep_detector *a, const moep_detector *b)
{
    moep_state states[2][1 + 16] = {{0}};
    uint64_t since[2][1 + 16] = {{0}}, changes[2][1 + 16] = {{0}};
    double drifts[2][1 + 16] = {{0}};
    for (int i = 0; i < 2; i++) {
        const moep_detector *detector = i ? b : a;
        moep_detector_states(detector, states[i], states[i] + 1);
        moep_detector_since(detector, since[i], since[i] + 1);
        moep_detector_changes(detector, changes[i], changes[i] + 1);
        moep_detector_read(detector, MOEP_DRIFT, 0, drifts[i], drifts[i] + 1);
    }
    return memcmp(states[0], states[1], sizeof *states) == 0 && memcmp(since[0], since[1], sizeof *since) == 0 &&
           memcmp(changes[0], changes[1], sizeof *changes) == 0 && memcmp(drifts[0], drifts[1], sizeof *drifts) == 0;
}

/* The first error comes two periods after the end of the shortest span. */
static void before_the_first_error_it_is_a_detector_of_constant_growth_to_the_byte(void **state)
{
    (void)state;
    const uint64_t horizons[] = {50, 300, 1000}, spans[] = {1, 3, 5};
    for (size_t i = 0; i < 3; i++) {
        struct two two = begin_two(horizons[i], 16, 21);
        double base[16], off[16] = {0};
        memcpy(base, two.learning.loads, sizeof base);
        for (size_t block = 1; block <= 5 * (spans[i] + 2); block++) {
            off[block % 16] += 0.1;
            continue_two(&two, base, off);
            assert_int_equal(read_the_same(two.learning.detector, two.constant.detector), block < 5 * (spans[i] + 2));
        }
        destroy_two(&two);
    }
}

static void noise_that_a_load_remembers_for_a_window_is_learned_to_be_harmless(void **state)
{
    (void)state;
    struct two two = begin_two(1000, 64, 1);
    double base[64], off[64] = {0}, kept = exp(-20.0 / 100);
    uint64_t seed = 8;
    memcpy(base, two.learning.loads, sizeof base);
    for (size_t block = 0; block < 200; block++) {
        for (size_t e = 0; e < 64; e++)
            off[e] = kept * off[e] + 0.09 * sqrt(1 - kept * kept) * normal(&seed);
        continue_two(&two, base, off);
        assert_true(layer_state(two.learning.detector) == MOEP_STABLE || block < 100);
        assert_true(layer_state(two.constant.detector) != MOEP_STABLE);
    }
    assert_true(mp_learned_of_layer(&two.learning.detector->learning, 0, 40).factor < 0.7);
    destroy_two(&two);
}

/* Both are STABLE until errors have come. Then the one that learns is so in less than a quarter of the blocks. */
static void a_random_walk_is_learned_to_go_on(void **state)
{
    (void)state;
    struct two two = begin_two(1000, 64, 2);
    double base[64], off[64] = {0};
    size_t stable = 0;
    uint64_t seed = 9;
    memcpy(base, two.learning.loads, sizeof base);
    for (size_t block = 0; block < 200; block++) {
        for (size_t e = 0; e < 64; e++)
            off[e] += 0.03 * normal(&seed);
        continue_two(&two, base, off);
        bool is_stable = layer_state(two.learning.detector) == MOEP_STABLE;
        stable += block >= 80 && is_stable;
        assert_true(is_stable || block < 20 || block >= 35);
        assert_true(layer_state(two.constant.detector) == MOEP_STABLE || block < 20);
    }
    assert_true(stable < 120 / 4);
    assert_true(mp_learned_of_layer(&two.learning.detector->learning, 0, 40).factor > 1.5);
    assert_true(layer_value(two.learning.detector, MOEP_DRIFT) > layer_value(two.constant.detector, MOEP_DRIFT));
    destroy_two(&two);
}

static void a_shift_after_a_long_rest_is_left_within_60_steps(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct run run = begin(16, 65536, seed);
        continue_run(&run, 3000);
        assert_int_equal(layer_state(run.detector), MOEP_STABLE);
        for (size_t e = 0; e < 16; e++)
            run.loads[e] *= e % 2 ? 1.3 : 0.7;
        assert_true(steps_until(&run, MOEP_TRANSIENT, 1000) <= 60);
        assert_true(steps_until(&run, MOEP_STABLE, 1000) <= 300);
        moep_detector_destroy(run.detector);
    }
}

static bool all_zero(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        if (at[i])
            return false;
    return true;
}

static bool no_drift(const struct expected_drift *drifts, size_t n)
{
    return all_zero(drifts->smoothed, n * sizeof(double)) && all_zero(drifts->expected, n * sizeof(double));
}

/* The means, N, P, R and r, s and E2. */
static bool has_learned_nothing(const moep_detector *detector)
{
    const struct learning *learning = &detector->learning;
    const struct lessons *lessons[] = {&learning->of_layers, &learning->of_experts};
    bool nothing = all_zero(learning->hindsight.means, 4 * 16 * 12) && learning->errors == 0;
    nothing = nothing && no_drift(&detector->of_layers, 1) && no_drift(&detector->of_experts, 16);
    for (size_t i = 0; i < 2; i++) {
        size_t size = (i ? 16 : 1) * sizeof(double);
        nothing = nothing && all_zero(lessons[i]->predicted, size) && all_zero(lessons[i]->realised, size) &&
                  all_zero(lessons[i]->recent, size);
    }
    return nothing;
}

static void a_long_gap_forgets_all_that_was_learned_and_a_short_one_nothing(void **state)
{
    (void)state;
    const double counts[16] = {1};
    struct run run = begin(16, 65536, 31);
    for (size_t block = 0; block < 60; block++) {
        run.loads[block % 16] *= 1.1;
        continue_run(&run, 20);
    }
    const struct learning *learning = &run.detector->learning;
    struct learned before = mp_learned_of_layer(learning, 0, 12), after;
    assert_int_equal(moep_detector_push_at(run.detector, 1300, 1, counts, MOEP_FLOAT64), MOEP_OK); /* 100 skipped */
    after = mp_learned_of_layer(learning, 0, mp_detector_periods(run.detector));
    assert_true(before.factor == after.factor && before.recent == after.recent && !has_learned_nothing(run.detector));
    assert_int_equal(moep_detector_push_at(run.detector, 1402, 1, counts, MOEP_FLOAT64), MOEP_OK); /* 101 skipped */
    assert_true(has_learned_nothing(run.detector));
    after = mp_learned_of_layer(learning, 0, mp_detector_periods(run.detector));
    assert_true(after.factor == 1 && !after.any);
    moep_detector_destroy(run.detector);
}

int main(void)
{
    const struct CMUnitTest learning[] = {
        cmocka_unit_test(tolerances_of_any_size_give_finite_numbers),
        cmocka_unit_test(before_the_first_error_it_is_a_detector_of_constant_growth_to_the_byte),
        cmocka_unit_test(noise_that_a_load_remembers_for_a_window_is_learned_to_be_harmless),
        cmocka_unit_test(a_random_walk_is_learned_to_go_on),
        cmocka_unit_test(a_shift_after_a_long_rest_is_left_within_60_steps),
        cmocka_unit_test(a_long_gap_forgets_all_that_was_learned_and_a_short_one_nothing),
    };
    return cmocka_run_group_tests(learning, NULL, NULL);
}
