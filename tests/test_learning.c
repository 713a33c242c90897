/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares what is learned from the errors of past means with the definition. */
#include "periods.h"

#include "detector/learning.h"

struct run {
    struct periods periods;
    struct learning learning;
};

static void make_run(struct run *run, uint64_t horizon)
{
    make_periods(&run->periods, horizon);
    assert_int_equal(mp_learning_make(&run->learning, LAYERS, EXPERTS, &run->periods.config, &memory), MOEP_OK);
}

static void free_run(struct run *run)
{
    mp_learning_free(&run->learning, &memory);
    free_periods(&run->periods);
}

/* Learns from the period that has ended. */
static void learn(struct run *run)
{
    const struct periods *periods = &run->periods;
    mp_learning_end_period(&run->learning, &periods->drift);
    for (size_t layer = 0; layer < LAYERS; layer++)
        mp_learning_learn(&run->learning, layer, periods->ended, periods->noise[periods->ended - 1][layer]);
}

/* ---- the definition ---------------------------------------------------------------------------------------------- */

/* P, R, r and c after all periods so far; e: an expert, or EXPERTS for the layer. prior: c'. */
struct expected {
    double predicted, realised, recent, factor, errors;
};

static struct expected expect(const struct periods *periods, const size_t *spans, size_t n, size_t layer, size_t e,
                              double prior)
{
    struct expected expected = {0, 0, NAN, 1, 0};
    double tolerance = square(e == EXPERTS ? periods->config.tolerance : periods->config.expert_tolerance);
    for (uint64_t i = 0; i < periods->ended; i++) {
        double predicted = 0, realised = 0, recent = 0, pairs = 0;
        for (size_t s = 0; s < n; s++) {
            if (i < spans[s] + 1)
                continue;
            uint64_t o = i - spans[s];
            struct pair pair =
                e == EXPERTS ? pair_of_layer(periods, layer, i, o) : pair_of_expert(periods, layer, e, i, o);
            predicted += fmin(pair.p, 8 * tolerance);
            realised += fmin(pair.e, fmax(2 * tolerance, 3 * fmin(pair.p, 8 * tolerance)));
            recent += fmin(pair.e, 1.5 * tolerance);
            pairs++;
        }
        if (pairs == 0)
            continue;
        expected.predicted = expected.predicted * pow(0.5, 1.0 / 20) + predicted;
        expected.realised = expected.realised * pow(0.5, 1.0 / 20) + realised;
        expected.errors = expected.errors * pow(0.5, 1.0 / 20) + pairs;
        expected.recent = isnan(expected.recent) ? recent / pairs : (expected.recent + recent / pairs) / 2;
    }
    expected.factor =
        (fmax(expected.realised, 0) + 3 * tolerance * prior) / (fmax(expected.predicted, 0) + 3 * tolerance);
    expected.factor = fmin(fmax(expected.factor, 0.18), 5);
    return expected;
}

static void assert_learned(const struct run *run, const size_t *spans, size_t n)
{
    const struct lessons *layers = &run->learning.of_layers, *experts = &run->learning.of_experts;
    double factors[EXPERTS], usuals[EXPERTS];
    for (size_t layer = 0; layer < LAYERS; layer++) {
        struct expected of_layer = expect(&run->periods, spans, n, layer, EXPERTS, 1);
        struct learned learned = mp_learned_of_layer(&run->learning, layer, run->periods.ended);
        struct learned_experts all =
            mp_learned_of_experts(&run->learning, layer, run->periods.ended, EXPERTS, factors, usuals);
        bool any = run->periods.ended >= spans[0] + 2;
        assert_true(learned.any == any && all.any == any);
        assert_near(learned.factor, any ? of_layer.factor : 1, 1e-12);
        assert_near(layers->predicted[layer], of_layer.predicted, 1e-10);
        assert_near(layers->realised[layer], of_layer.realised, 1e-10);
        assert_near(learned.recent, any ? of_layer.recent : 0, 1e-12);
        assert_near(learned.usual, any ? fmax(of_layer.predicted, 0) / of_layer.errors : 0, 1e-10);
        for (size_t e = 0; e < EXPERTS; e++) {
            struct expected of_expert = expect(&run->periods, spans, n, layer, e, of_layer.factor);
            if (any) {
                assert_near(all.factor[e], of_expert.factor, 1e-12);
                assert_near(all.recent[e], of_expert.recent, 1e-12);
                assert_near(all.usual[e], fmax(of_expert.predicted, 0) / of_expert.errors, 1e-10);
            }
            assert_near(experts->predicted[layer * EXPERTS + e], of_expert.predicted, 1e-10);
            assert_near(experts->realised[layer * EXPERTS + e], of_expert.realised, 1e-10);
        }
    }
}

/* Loads that stay, that move as far as is tolerated, and that move further than an error counts; less noise or more. */
static void what_is_learned_is_as_defined(void **state)
{
    (void)state;
    const double steps[] = {0, 0.005, 0.03, 0.4}, noises[] = {0, 1e-5, 0.001};
    static struct run run;
    uint64_t seed = 3;
    for (size_t c = 0; c < sizeof horizons / sizeof *horizons; c++)
        for (size_t i = 0; i < 12; i++) {
            make_run(&run, horizons[c].horizon);
            for (size_t period = 0; period < PERIODS; period++) {
                end_random_period(&run.periods, &seed, steps[i / 3], noises[i % 3]);
                learn(&run);
                if (period < 10 || period % 11 == 0)
                    assert_learned(&run, horizons[c].spans, horizons[c].n);
            }
            free_run(&run);
        }
}

static void a_constant_growth_learns_nothing_and_keeps_nothing(void **state)
{
    (void)state;
    const double growths[] = {0, 0.3, 1}, noise[EXPERTS] = {0};
    for (size_t i = 0; i < 3; i++) {
        moep_detector_config config = detector_config(growths[i]);
        struct test_memory counted = {0};
        struct memory on = {test_allocate, test_release, &counted};
        struct learning learning;
        double factors[EXPERTS], usuals[EXPERTS];
        assert_int_equal(mp_learning_make(&learning, LAYERS, EXPERTS, &config, &on), MOEP_OK);
        mp_learning_end_period(&learning, NULL);
        mp_learning_learn(&learning, 0, 1000, noise);
        struct learned learned = mp_learned_of_layer(&learning, 0, 1000);
        assert_true(learned.factor == 1 && !learned.any);
        assert_false(mp_learned_of_experts(&learning, 0, 1000, EXPERTS, factors, usuals).any);
        mp_learning_free(&learning, &on);
        assert_int_equal(counted.requests, 0);
    }
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

/* expected: in squared tolerances. */
static void assert_lessons(const struct lessons *lessons, double tolerance, const struct expected *expected, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_near(lessons->predicted[i], expected->predicted * tolerance, 1e-4);
        assert_near(lessons->realised[i], expected->realised * tolerance, 1e-4);
        assert_near(lessons->recent[i], expected->recent * tolerance, 1e-4);
    }
}

static double kept_for(double periods)
{
    return pow(0.5, periods / 20);
}

/* One span, of 3 periods. Its means are these multiples of a share that is one tolerance in units of the mean load. */
static void learn_steps(struct run *run, const double *multiples, size_t n)
{
    make_run(run, 3 * W);
    run->learning.expert_tolerance = run->learning.tolerance;
    for (size_t period = 0; period < n; period++) {
        end_even_period(&run->periods, multiples[period] * run->periods.config.tolerance / EXPERTS);
        learn(run);
    }
}

static void assert_all_learned(struct run *run, struct expected expected)
{
    assert_lessons(&run->learning.of_layers, 0.25, &expected, LAYERS);
    assert_lessons(&run->learning.of_experts, 0.25, &expected, SERIES);
    free_run(run);
}

/* The spans that see a third, two thirds and all of the shift ended 5, 4 and 3 periods ago; the one that begins with it
 * ended 2 periods ago. */
static void a_shift_counts_up_to_twice_the_squared_tolerance_and_lately_up_to_one_and_a_half(void **state)
{
    (void)state;
    const double multiples[12] = {0, 0, 0, 0, 0, 0, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9};
    static struct run run;
    learn_steps(&run, multiples, 12);
    assert_all_learned(&run, (struct expected){.predicted = 8 * kept_for(2),
                                               .realised = 1.69 * kept_for(5) + 2 * (kept_for(4) + kept_for(3)),
                                               .recent = 1.5 * 0.875 / 8});
}

/* The origin whose error is predicted is that of the sixth period; its error came with the ninth. */
static void an_error_counts_up_to_three_times_what_was_predicted(void **state)
{
    (void)state;
    const double multiples[11] = {0, 0, 0, 0, 0, 0, 1, 4, 4, 4, 4}, g = growth_over(3 * W);
    static struct run run;
    learn_steps(&run, multiples, 11);
    assert_all_learned(
        &run, (struct expected){.predicted = g * kept_for(1) + 8,
                                .realised = kept_for(4) / 9 + 2 * (kept_for(3) + kept_for(2)) + 3 * g * kept_for(1),
                                .recent = ((((1.0 / 9 / 2 + 1.5) / 2 + 1.5) / 2 + 1.5) / 2) / 2});
}

static void set_lessons(struct run *run, double predicted, double realised)
{
    for (size_t layer = 0; layer < LAYERS; layer++) {
        run->learning.of_layers.predicted[layer] = predicted;
        run->learning.of_layers.realised[layer] = realised;
    }
    run->learning.errors = 1;
}

static double factor_of_layer(const struct run *run)
{
    return mp_learned_of_layer(&run->learning, 1, PERIODS).factor;
}

static void a_factor_is_kept_within_0_18_and_5_and_is_1_without_evidence(void **state)
{
    (void)state;
    static struct run run;
    make_run(&run, 3 * W);
    assert_true(factor_of_layer(&run) == 1);
    set_lessons(&run, 100, 0);
    assert_true(factor_of_layer(&run) == 0.18);
    set_lessons(&run, 0, 100);
    assert_true(factor_of_layer(&run) == 5);
    set_lessons(&run, -100, -100); /* noise makes them less than nothing */
    assert_true(factor_of_layer(&run) == 1);
    set_lessons(&run, 3 * 0.25, 0); /* as much as the prior's weight */
    assert_true(factor_of_layer(&run) == 0.5);
    set_lessons(&run, 0, 3 * 0.25);
    assert_true(factor_of_layer(&run) == 2);
    free_run(&run);
}

static void an_expert_without_evidence_takes_its_layers_factor(void **state)
{
    (void)state;
    static struct run run;
    double factors[EXPERTS], usuals[EXPERTS];
    make_run(&run, 3 * W);
    set_lessons(&run, 0.75, 2.25);
    run.learning.of_experts.predicted[EXPERTS + 1] = 3; /* of the second layer; the prior's weight is 3 */
    mp_learned_of_experts(&run.learning, 1, PERIODS, EXPERTS, factors, usuals);
    for (size_t e = 0; e < EXPERTS; e++)
        assert_true(factors[e] == (e == 1 ? 1 : 2));
    mp_learned_of_experts(&run.learning, 0, PERIODS, EXPERTS, factors, usuals);
    for (size_t e = 0; e < EXPERTS; e++)
        assert_true(factors[e] == 2);
    free_run(&run);
}

int main(void)
{
    const struct CMUnitTest learning[] = {
        cmocka_unit_test(what_is_learned_is_as_defined),
        cmocka_unit_test(a_constant_growth_learns_nothing_and_keeps_nothing),
        cmocka_unit_test(a_shift_counts_up_to_twice_the_squared_tolerance_and_lately_up_to_one_and_a_half),
        cmocka_unit_test(an_error_counts_up_to_three_times_what_was_predicted),
        cmocka_unit_test(a_factor_is_kept_within_0_18_and_5_and_is_1_without_evidence),
        cmocka_unit_test(an_expert_without_evidence_takes_its_layers_factor),
    };
    return cmocka_run_group_tests(learning, NULL, NULL);
}
