/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares what is learned from the errors of past means with the definition. */
#include "support.h"

#include "detector/learning.h"

/* ---- periods by hand --------------------------------------------------------------------------------------------- */

enum { LAYERS = 2, EXPERTS = 3, W = 2, PERIODS = 60 };

static const struct memory memory = {mp_default_allocate, mp_default_release, NULL};

/* Periods of known means and noise, and what is learned from them. */
struct lesson_run {
    moep_detector_config config;
    struct drift drift;
    struct learning learning;
    double means[PERIODS][LAYERS][EXPERTS], noise[PERIODS][LAYERS][EXPERTS];
    uint64_t ended;
};

static moep_detector_config config_of(uint64_t horizon)
{
    moep_detector_config config = detector_config(MOEP_LEARN);
    config.horizon = horizon;
    config.drift_window = W;
    config.block = 1;
    config.tolerance = 0.5;
    config.expert_tolerance = 1;
    return config;
}

static void make_run(struct lesson_run *run, uint64_t horizon)
{
    *run = (struct lesson_run){.config = config_of(horizon)};
    assert_int_equal(mp_drift_make(&run->drift, LAYERS * EXPERTS, 1, W, &memory), MOEP_OK);
    assert_int_equal(mp_learning_make(&run->learning, LAYERS, EXPERTS, &run->config, &memory), MOEP_OK);
}

static void free_run(struct lesson_run *run)
{
    mp_learning_free(&run->learning, &memory);
    mp_drift_free(&run->drift, &memory);
}

/* Ends a period whose steps all have these shares. */
static void end_period(struct lesson_run *run, const double shares[LAYERS][EXPERTS], double noise)
{
    float row[LAYERS * EXPERTS];
    for (size_t s = 0; s < LAYERS * EXPERTS; s++) {
        row[s] = (float)shares[s / EXPERTS][s % EXPERTS];
        run->means[run->ended][s / EXPERTS][s % EXPERTS] = (double)row[s];
        run->noise[run->ended][s / EXPERTS][s % EXPERTS] = noise * (double)(1 + s);
    }
    for (size_t step = 0; step < W; step++)
        mp_drift_push(&run->drift, row);
    mp_learning_end_period(&run->learning, &run->drift);
    run->ended++;
    for (size_t layer = 0; layer < LAYERS; layer++)
        mp_learning_learn(&run->learning, layer, run->ended, run->noise[run->ended - 1][layer]);
}

/* Shares that walk, as multiples of 2^-20, so that means are exact. */
static void end_random_period(struct lesson_run *run, uint64_t *seed, double step, double noise)
{
    double shares[LAYERS][EXPERTS];
    for (size_t layer = 0; layer < LAYERS; layer++)
        for (size_t e = 0; e < EXPERTS; e++) {
            double before = run->ended > 0 ? run->means[run->ended - 1][layer][e] : 0.5;
            double moved = before + step * ((double)(random_number(seed) >> 11) * 0x1p-52 - 1);
            shares[layer][e] = floor(fmin(fmax(moved, 0), 1) * 0x1p20) * 0x1p-20;
        }
    end_period(run, (const double(*)[EXPERTS])shares, noise);
}

/* ---- the definition ---------------------------------------------------------------------------------------------- */

static double growth_over(double steps)
{
    return (double)(float)pow((W + steps) / (2 * W), 2 * 0.3);
}

static double square(double x)
{
    return x * x;
}

/* p and e of an expert when period i ends, by the mean of period o. */
struct pair {
    double p, e;
};

static struct pair pair_of_expert(const struct lesson_run *run, size_t layer, size_t e, uint64_t i, uint64_t o)
{
    double span = (double)(i - o), came = 0, g = growth_over((double)run->config.horizon);
    double v = run->noise[i][layer][e], past = run->means[o][layer][e], before = run->means[o - 1][layer][e];
    for (uint64_t period = o + 1; period <= i; period++)
        came += run->means[period][layer][e] / span;
    return (struct pair){g * EXPERTS * EXPERTS * (square(past - before) - v),
                         g / growth_over(span * W) * EXPERTS * EXPERTS *
                             (square(came - past) - (1 + 1 / span) * v / 2)};
}

static struct pair pair_of_layer(const struct lesson_run *run, size_t layer, uint64_t i, uint64_t o)
{
    struct pair mean = {0};
    for (size_t e = 0; e < EXPERTS; e++) {
        struct pair of_expert = pair_of_expert(run, layer, e, i, o);
        mean.p += of_expert.p / EXPERTS;
        mean.e += of_expert.e / EXPERTS;
    }
    return mean;
}

/* P, R, r and c after all periods so far; e: an expert, or EXPERTS for the layer. */
struct expected {
    double predicted, realised, recent, factor;
};

static struct expected expect(const struct lesson_run *run, const size_t *spans, size_t n, size_t layer, size_t e)
{
    struct expected expected = {0, 0, NAN, 1};
    double tolerance = square(e == EXPERTS ? run->config.tolerance : run->config.expert_tolerance);
    for (uint64_t i = 0; i < run->ended; i++) {
        double came = 0, predicted = 0, pairs = 0;
        for (size_t s = 0; s < n; s++) {
            if (i < spans[s] + 1)
                continue;
            uint64_t o = i - spans[s];
            struct pair pair = e == EXPERTS ? pair_of_layer(run, layer, i, o) : pair_of_expert(run, layer, e, i, o);
            predicted += fmin(pair.p, 8 * tolerance);
            came += fmin(pair.e, 2 * tolerance);
            pairs++;
        }
        if (pairs == 0)
            continue;
        expected.predicted = expected.predicted * pow(0.5, 1.0 / 30) + predicted;
        expected.realised = expected.realised * pow(0.5, 1.0 / 30) + came;
        expected.recent = isnan(expected.recent) ? came / pairs : (expected.recent + came / pairs) / 2;
    }
    double prior = e == EXPERTS ? 1 : expect(run, spans, n, layer, EXPERTS).factor;
    expected.factor =
        (fmax(expected.realised, 0) + 3 * tolerance * prior) / (fmax(expected.predicted, 0) + 3 * tolerance);
    expected.factor = fmin(fmax(expected.factor, 0.18), 5);
    return expected;
}

static void assert_learned(const struct lesson_run *run, const size_t *spans, size_t n)
{
    double factors[EXPERTS];
    for (size_t layer = 0; layer < LAYERS; layer++) {
        struct expected of_layer = expect(run, spans, n, layer, EXPERTS);
        const struct lessons *layers = &run->learning.of_layers, *experts = &run->learning.of_experts;
        struct learned learned = mp_learned_of_layer(&run->learning, layer, run->ended);
        struct learned_experts all = mp_learned_of_experts(&run->learning, layer, run->ended, factors);
        bool any = run->ended >= spans[0] + 2;
        assert_true(learned.weight == (any ? 0.2 : 0) && all.weight == learned.weight);
        assert_near(learned.factor, any ? of_layer.factor : 1, 1e-12);
        assert_near(layers->predicted[layer], of_layer.predicted, 1e-11);
        assert_near(layers->realised[layer], of_layer.realised, 1e-11);
        assert_near(learned.recent, any ? of_layer.recent : 0, 1e-12);
        for (size_t e = 0; e < EXPERTS; e++) {
            struct expected of_expert = expect(run, spans, n, layer, e);
            struct learned of_one = mp_learned_of_expert(&all, e);
            assert_near(of_one.factor, any ? of_expert.factor : 1, 1e-12);
            assert_near(of_one.recent, any ? of_expert.recent : 0, 1e-12);
            assert_near(experts->predicted[layer * EXPERTS + e], of_expert.predicted, 1e-11);
            assert_near(experts->realised[layer * EXPERTS + e], of_expert.realised, 1e-11);
        }
    }
}

/* Loads that stay, that move as far as is tolerated, and that move further than an error counts; less noise or more. */
static void what_is_learned_is_as_defined(void **state)
{
    (void)state;
    const struct {
        uint64_t horizon;
        size_t spans[2], n;
    } cases[] = {{1, {1}, 1}, {3 * W, {3}, 1}, {7 * W, {5, 7}, 2}, {100 * W, {5, 20}, 2}};
    const double steps[] = {0, 0.02, 0.1, 0.4}, noises[] = {0, 1e-4, 0.01};
    static struct lesson_run run;
    uint64_t seed = 3;
    for (size_t c = 0; c < 4; c++)
        for (size_t i = 0; i < 12; i++) {
            make_run(&run, cases[c].horizon);
            for (size_t period = 0; period < PERIODS; period++) {
                end_random_period(&run, &seed, steps[i / 3], noises[i % 3]);
                if (period < 10 || period % 7 == 0)
                    assert_learned(&run, cases[c].spans, cases[c].n);
            }
            free_run(&run);
        }
}

/* ---- spans ------------------------------------------------------------------------------------------------------- */

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
        struct learning learning;
        config.horizon = cases[i].horizon;
        assert_int_equal(mp_learning_make(&learning, LAYERS, EXPERTS, &config, &memory), MOEP_OK);
        assert_int_equal(learning.spans, cases[i].spans);
        assert_int_equal(learning.span[0], cases[i].first);
        assert_int_equal(learning.span[learning.spans - 1], cases[i].last);
        assert_int_equal(mp_learning_means_size(LAYERS, EXPERTS, &config), 4 * LAYERS * EXPERTS * (cases[i].last + 2));
        mp_learning_free(&learning, &memory);
    }
}

static void a_constant_growth_learns_nothing_and_keeps_nothing(void **state)
{
    (void)state;
    const double growths[] = {0, 0.3, 1};
    for (size_t i = 0; i < 3; i++) {
        moep_detector_config config = detector_config(growths[i]);
        struct test_memory counted = {0};
        struct memory on = {test_allocate, test_release, &counted};
        struct learning learning;
        assert_int_equal(mp_learning_make(&learning, LAYERS, EXPERTS, &config, &on), MOEP_OK);
        assert_int_equal(learning.spans, 0);
        assert_int_equal(mp_learning_means_size(LAYERS, EXPERTS, &config), 0);
        struct learned learned = mp_learned_of_layer(&learning, 0, 1000);
        assert_true(learned.factor == 1 && learned.recent == 0 && learned.weight == 0);
        mp_learning_free(&learning, &on);
        assert_int_equal(counted.requests, 0);
    }
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

/* One span: each period adds at most 8 T^2 to P and 2 T^2 to R. */
static void a_huge_shift_counts_as_twice_the_squared_tolerance_and_as_eight_times_if_predicted(void **state)
{
    (void)state;
    const double low[LAYERS][EXPERTS] = {{0}}, high[LAYERS][EXPERTS] = {{1, 1, 1}, {1, 1, 1}};
    static struct lesson_run run;
    make_run(&run, 3 * W);
    for (size_t period = 0; period < 12; period++)
        end_period(&run, period < 6 ? low : high, 0);
    const struct lessons *layers = &run.learning.of_layers, *experts = &run.learning.of_experts;
    /* The spans that see a third, two thirds and all of it ended 5, 4 and 3 periods ago; the one that begins with it
     * ended 2 periods ago. An error is 1 after a third, in units of the mean load. */
    double kept = pow(0.5, 1.0 / 30), whole = pow(kept, 3) + pow(kept, 4), third = pow(kept, 5), begins = pow(kept, 2);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        assert_near(layers->realised[layer], 2 * 0.25 * (whole + third), 1e-12);
        assert_near(layers->predicted[layer], 8 * 0.25 * begins, 1e-12);
        for (size_t e = 0; e < EXPERTS; e++) {
            assert_near(experts->realised[layer * EXPERTS + e], 2 * whole + third, 1e-12);
            assert_near(experts->predicted[layer * EXPERTS + e], 8 * begins, 1e-12);
        }
    }
    free_run(&run);
}

static void set_lessons(struct lesson_run *run, double predicted, double realised)
{
    for (size_t layer = 0; layer < LAYERS; layer++) {
        run->learning.of_layers.predicted[layer] = predicted;
        run->learning.of_layers.realised[layer] = realised;
    }
}

static double factor_of_layer(const struct lesson_run *run)
{
    return mp_learned_of_layer(&run->learning, 1, PERIODS).factor;
}

static void a_factor_is_kept_within_0_18_and_5_and_is_1_without_evidence(void **state)
{
    (void)state;
    static struct lesson_run run;
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
    static struct lesson_run run;
    double factors[EXPERTS];
    make_run(&run, 3 * W);
    set_lessons(&run, 0.75, 2.25);
    run.learning.of_experts.predicted[EXPERTS + 1] = 3; /* of the second layer; the prior's weight is 3 */
    mp_learned_of_experts(&run.learning, 1, PERIODS, factors);
    assert_true(factor_of_layer(&run) == 2 && factors[0] == 2 && factors[1] == 1 && factors[2] == 2);
    mp_learned_of_experts(&run.learning, 0, PERIODS, factors);
    assert_true(factors[0] == 2 && factors[1] == 2 && factors[2] == 2);
    free_run(&run);
}

int main(void)
{
    const struct CMUnitTest learning[] = {
        cmocka_unit_test(what_is_learned_is_as_defined),
        cmocka_unit_test(spans_are_5_periods_and_the_horizon_but_20_at_most),
        cmocka_unit_test(a_constant_growth_learns_nothing_and_keeps_nothing),
        cmocka_unit_test(a_huge_shift_counts_as_twice_the_squared_tolerance_and_as_eight_times_if_predicted),
        cmocka_unit_test(a_factor_is_kept_within_0_18_and_5_and_is_1_without_evidence),
        cmocka_unit_test(an_expert_without_evidence_takes_its_layers_factor),
    };
    return cmocka_run_group_tests(learning, NULL, NULL);
}
