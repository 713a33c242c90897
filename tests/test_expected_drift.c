/* SPDX-License-Identifier: BSD-3-Clause */
/* Compares the drift to expect, and what it says at a block's end, with the definition. */
#include "support.h"

#include "detector/expected_drift.h"
#include "detector/stability.h"

#include <float.h>

enum { MOST = 17, KINDS = 2, ALL = MP_WITHIN | MP_BEYOND | MP_TREND };

static const struct growth growth = {3, 5};
static const double tolerance = 0.5, tolerated = 0.25, limit = 1.69 * 0.25, little = 1e-9;

/* What is known of a series at a block's end; `first` if nothing was before. */
struct series {
    double squared, trend, noise; /* D^2 - V, D D' + V / 2, V */
    bool learned;
    double factor, recent, usual; /* c, r, u */
    bool first;
    double smoothed;
};

struct outcome {
    unsigned says;
    double smoothed, expected;
};

/* ---- the definition ---------------------------------------------------------------------------------------------- */

static double square(double x)
{
    return x * x;
}

/* unit: what turns squared shares into squared drifts. v: the standard error of c p. */
static struct outcome defined(const struct series *series, double p, double v, bool beyond, bool trend)
{
    double s = series->first ? p : (series->smoothed + p) / 2, expected = s, margin = v;
    if (series->learned) {
        double trust = 0.7 * 2 * tolerated / (2 * tolerated + v);
        expected = 0.75 * (trust * series->factor * s + (1 - trust) * series->recent);
        margin = trust * v / 2;
        beyond |= expected - margin > limit;
    }
    bool within = fmax(expected, 0) + margin <= tolerated;
    return (struct outcome){(within ? MP_WITHIN : 0) | (beyond ? MP_BEYOND : 0) | (trend ? MP_TREND : 0), s, expected};
}

/* sqrt(c g) E (|D| - 3 sqrt(V)) > sqrt(L), with D^2 = q + V */
static bool is_certain(double q, double noise, double unit, double above)
{
    return sqrt(unit) * (sqrt(fmax(q + noise, 0)) - 3 * sqrt(noise)) > sqrt(above);
}

/* What a drift by the constant growth must exceed to be a new one. */
static double unusual(const struct series *series)
{
    return fmax(limit, series->learned ? 4 * series->usual : 0);
}

static struct outcome defined_expert(const struct series *series, double n)
{
    double unit = growth.drift * n * n, c = series->factor;
    return defined(series, unit * series->squared, c * unit * sqrt(2) * series->noise,
                   is_certain(series->squared, series->noise, c * unit, limit) ||
                       is_certain(series->squared, series->noise, unit, unusual(series)),
                   is_certain(series->trend, series->noise, fmax(c, 1) * growth.trend * n * n, limit));
}

/* The layer of n experts, with what is known of itself in the first. */
static struct outcome defined_layer(const struct series *experts, size_t n)
{
    double p = 0, t = 0, variance = 0, c = experts->factor, unit = (double)n * (double)n;
    for (size_t e = 0; e < n; e++) {
        p += unit * experts[e].squared / (double)n;
        t += unit * experts[e].trend / (double)n;
        variance += 2 * square(unit * experts[e].noise / (double)n);
    }
    double d = c * growth.drift * p, v = c * growth.drift * sqrt(variance);
    bool trend = fmax(c, 1) * growth.trend * (t - 3 * sqrt(variance)) > limit;
    bool beyond = d - 3 * v > limit || (d - 3 * v) / c > unusual(experts);
    return defined(experts, growth.drift * p, v, beyond, trend);
}

/* ---- the library's ----------------------------------------------------------------------------------------------- */

static void judge_experts(const struct drift_rule *rule, const struct series *experts, size_t n,
                          struct outcome *outcomes)
{
    double squared[MOST], trend[MOST], noise[MOST], factor[MOST], recent[MOST], usual[MOST], smoothed[MOST],
        expected[MOST];
    int64_t says[MOST];
    for (size_t e = 0; e < n; e++) {
        squared[e] = experts[e].squared, trend[e] = experts[e].trend, noise[e] = experts[e].noise;
        factor[e] = experts[e].factor, recent[e] = experts[e].recent, usual[e] = experts[e].usual;
        smoothed[e] = experts[e].smoothed;
    }
    struct drift_estimate estimate = {squared, trend, noise};
    struct learned_experts learned = {experts->learned, factor, recent, usual};
    mp_expect_of_experts(rule, &estimate, n, &learned, experts->first, smoothed, expected, says);
    for (size_t e = 0; e < n; e++)
        outcomes[e] = (struct outcome){(unsigned)says[e], smoothed[e], expected[e]};
}

static struct outcome judge_layer(const struct drift_rule *rule, const struct series *experts, size_t n)
{
    double squared[MOST], trend[MOST], noise[MOST];
    for (size_t e = 0; e < n; e++)
        squared[e] = experts[e].squared, trend[e] = experts[e].trend, noise[e] = experts[e].noise;
    struct drift_estimate estimate = {squared, trend, noise};
    struct learned learned = {experts->learned, experts->factor, experts->recent,
                              experts->learned ? experts->usual : 0};
    struct outcome outcome = {.smoothed = experts->smoothed};
    outcome.says =
        mp_expect_of_layer(rule, &estimate, n, &learned, experts->first, &outcome.smoothed, &outcome.expected);
    return outcome;
}

/* A single expert, or a layer that has no other. */
static struct outcome judge(bool of_layer, struct series series)
{
    struct drift_rule rule = mp_drift_rule(&growth, tolerance);
    struct outcome outcome;
    if (of_layer)
        return judge_layer(&rule, &series, 1);
    judge_experts(&rule, &series, 1, &outcome);
    return outcome;
}

static void assert_says_flags(bool of_layer, struct series series, unsigned among, unsigned expected)
{
    assert_int_equal(judge(of_layer, series).says & among, expected);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static void the_limit_is_1_3_times_the_tolerance(void **state)
{
    (void)state;
    struct drift_rule rule = mp_drift_rule(&growth, tolerance);
    assert_true(rule.tolerance == tolerated && rule.growth.drift == 3 && rule.growth.trend == 5);
    assert_near(sqrt(rule.limit), 1.3 * tolerance, 1e-15);
}

static void the_first_drift_counts_whole_and_a_later_one_by_half(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++)
        for (int learned = 0; learned < 2; learned++) {
            struct series series = {
                .squared = 0.25, .factor = 1, .learned = learned, .first = true, .smoothed = DBL_MAX};
            assert_true(judge(kind, series).smoothed == 0.75);
            series.first = false;
            series.smoothed = 0.25;
            assert_true(judge(kind, series).smoothed == 0.5);
            series.squared = -0.25;
            assert_true(judge(kind, series).smoothed == -0.25);
        }
}

static void before_an_error_has_come_the_smoothed_drift_is_expected(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct series series = {.squared = -0.5, .noise = 7, .factor = 1, .recent = 77, .smoothed = 3};
        assert_true(judge(kind, series).expected == 0.75);
    }
}

/* Without noise seven tenths are of the drift of now; where there is nothing but noise, all is of the errors. */
static void the_more_noise_the_more_the_errors_that_came_count(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct series drift = {.squared = 1.0 / 3, .factor = 0.5, .learned = true, .smoothed = 1}, error = drift;
        error.squared = error.smoothed = 0;
        error.recent = 1;
        assert_near(judge(kind, drift).expected, 0.75 * 0.7 * 0.5, 1e-15);
        assert_near(judge(kind, error).expected, 0.75 * 0.3, 1e-15);
        double before = 0.75 * 0.3;
        for (double noise = 0.001; noise < 1e9; noise *= 2) {
            error.noise = drift.noise = noise;
            double of_errors = judge(kind, error).expected / 0.75;
            assert_true(of_errors > before || before > 0.999999);
            assert_near(judge(kind, drift).expected, 0.75 * 0.5 * (1 - of_errors), 1e-15);
            before = of_errors;
        }
        assert_near(before, 1, 1e-8);
        error.noise = tolerated * 2 / (0.5 * 3 * sqrt(2)); /* v = 2 T^2 */
        assert_near(judge(kind, error).expected, 0.75 * (1 - 0.35), 1e-15);
    }
}

static void where_there_is_nothing_but_noise_two_fifths_of_the_tolerance_are_left_to_the_errors_that_came(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct series series = {.noise = 1e9, .factor = 1, .learned = true, .first = true};
        series.recent = 0.39 * tolerated; /* E2 approaches 3/4 r, and the margin 7/10 T^2 */
        assert_int_equal(judge(kind, series).says & MP_WITHIN, MP_WITHIN);
        series.recent = 0.41 * tolerated;
        assert_int_equal(judge(kind, series).says & MP_WITHIN, 0);
    }
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

static void a_block_is_within_while_drift_and_margin_are_within_the_tolerance(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++)
        for (double noise = 0; noise < 0.05; noise += 0.01) {
            double error = 3 * sqrt(2) * noise;
            struct series series = {.noise = noise, .factor = 1, .first = true};
            series.squared = (tolerated - error) / 3 - little;
            assert_says_flags(kind, series, ALL, MP_WITHIN);
            series.squared += 2 * little;
            assert_says_flags(kind, series, ALL, 0);
            assert_says_flags(kind, (struct series){.factor = 1, .smoothed = 2 * tolerated}, ALL,
                              MP_WITHIN); /* s = T^2 */
        }
}

static void a_drift_below_nothing_does_not_make_up_for_its_error(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++)
        for (int learned = 0; learned < 2; learned++) {
            /* a v / 2 <= T^2 whatever v is not too large: it approaches 7/10 T^2 */
            double most = tolerated / (3 * sqrt(2));
            struct series series = {.squared = -1, .factor = 1, .recent = -1, .learned = learned, .first = true};
            series.noise = most - little;
            assert_says_flags(kind, series, ALL, MP_WITHIN);
            series.noise = most + little;
            assert_says_flags(kind, series, ALL, learned ? MP_WITHIN : 0);
            series.noise = 1e9;
            assert_says_flags(kind, series, ALL, learned ? MP_WITHIN : 0);
        }
}

/* The error r for which E2 is so far from the margin, by the definition. */
static double recent_for(double expected, double sign_of_margin, const struct series *series, double s)
{
    double error = series->factor * 3 * sqrt(2) * series->noise, trust = 0.7 * 0.5 / (0.5 + error);
    return ((expected + sign_of_margin * trust * error / 2) / 0.75 - trust * series->factor * s) / (1 - trust);
}

static void errors_that_came_lately_keep_a_series_from_the_state_and_end_it(void **state)
{
    (void)state;
    const double noises[] = {0, 0.001, 0.02, 0.5}, factors[] = {0.18, 1, 5}, drifts[] = {-0.02, 0, 0.02};
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < 4 * 3 * 3; i++) {
            struct series series = {
                .noise = noises[i / 9], .factor = factors[i / 3 % 3], .squared = drifts[i % 3], .learned = true};
            double s = (3 * series.squared + series.smoothed) / 2;
            double most_within = recent_for(tolerated, -1, &series, s), most = recent_for(limit, 1, &series, s);
            series.recent = most_within - little;
            assert_says_flags(kind, series, ALL, MP_WITHIN);
            series.recent = most_within + little;
            assert_says_flags(kind, series, ALL, 0);
            series.recent = most - little;
            assert_says_flags(kind, series, ALL, 0);
            series.recent = most + little;
            assert_says_flags(kind, series, ALL, MP_BEYOND);
            series.learned = false;
            series.factor = 1; /* as it is before an error has come */
            assert_says_flags(kind, series, MP_BEYOND, 0);
        }
}

/* The last block's drift alone says so, from there on; the smoothed one is nothing. */
static void assert_beyond_from(bool of_layer, struct series series, double squared)
{
    for (int above = 0; above < 2; above++) {
        series.squared = squared + (above ? little : -little);
        series.smoothed = -3 * series.squared;
        assert_says_flags(of_layer, series, MP_BEYOND | MP_TREND, above ? MP_BEYOND : 0);
    }
}

static void a_drift_is_beyond_the_limit_where_three_deviations_of_noise_do_not_explain_it(void **state)
{
    (void)state;
    const double noises[] = {0, 0.001, 0.1}, factors[] = {0.18, 1, 5};
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < 3 * 3 * 2; i++) {
            double c = factors[i / 2 % 3], noise = noises[i / 6], of_layer = limit / (3 * c) + 3 * sqrt(2) * noise;
            double of_expert = square(sqrt(limit / (3 * c)) + 3 * sqrt(noise)) - noise;
            struct series series = {
                .noise = noise, .factor = c, .learned = i % 2 || c != 1, .recent = -1, .usual = 1e9};
            assert_beyond_from(kind, series, kind ? of_layer : of_expert);
        }
}

/* However little of the usual drifts has come. */
static void a_drift_four_times_the_usual_is_beyond_the_limit_by_the_constant_growth(void **state)
{
    (void)state;
    const double noises[] = {0, 0.001, 0.1}, usuals[] = {0, 0.1, 0.5, 3};
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < 3 * 4; i++) {
            double noise = noises[i % 3], least = fmax(limit, 4 * usuals[i / 3]) / 3;
            double of_expert = square(sqrt(least) + 3 * sqrt(noise)) - noise;
            struct series series = {
                .noise = noise, .factor = 0.18, .learned = true, .recent = -1, .usual = usuals[i / 3]};
            if (3 * least * 0.18 <= limit) /* otherwise c alone says so */
                assert_beyond_from(kind, series, kind ? least + 3 * sqrt(2) * noise : of_expert);
        }
}

static void a_trend_is_certain_likewise(void **state)
{
    (void)state;
    const double noises[] = {0, 0.001, 0.1}, factors[] = {0.18, 1, 5};
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < 3 * 3 * 2; i++) {
            double c = factors[i / 2 % 3], noise = noises[i / 6], scale = 5 * fmax(c, 1); /* c below 1 says nothing */
            double of_layer = limit / scale + 3 * sqrt(2) * noise;
            double of_expert = square(sqrt(limit / scale) + 3 * sqrt(noise)) - noise;
            struct series series = {.noise = noise, .factor = c, .learned = i % 2 || c != 1, .recent = -1};
            series.trend = (kind ? of_layer : of_expert) - little;
            assert_says_flags(kind, series, MP_BEYOND | MP_TREND, 0);
            series.trend += 2 * little;
            assert_says_flags(kind, series, MP_BEYOND | MP_TREND, MP_TREND);
        }
}

/* ---- layers and experts ------------------------------------------------------------------------------------------ */

static double uniform(uint64_t *seed)
{
    return (double)(random_number(seed) >> 11) * 0x1p-53;
}

/* Around what is tolerated, in shares squared. */
static void fill(struct series *experts, size_t n, bool learned, bool first, uint64_t *seed)
{
    double unit = 3 * (double)(n * n), noise = 0.1 * uniform(seed);
    for (size_t e = 0; e < n; e++)
        experts[e] = (struct series){.squared = (2 * uniform(seed) - 0.5) / unit,
                                     .trend = (2 * uniform(seed) - 0.5) / unit,
                                     .noise = noise * uniform(seed) / unit,
                                     .learned = learned,
                                     .factor = learned ? 0.18 + 2 * uniform(seed) : 1,
                                     .recent = 2 * uniform(seed) - 0.5,
                                     .usual = 0.5 * uniform(seed),
                                     .first = first,
                                     .smoothed = uniform(seed) - 0.5};
}

static void assert_same_outcome(struct outcome found, struct outcome expected)
{
    assert_int_equal(found.says, expected.says);
    assert_near(found.smoothed, expected.smoothed, 1e-14);
    assert_near(found.expected, expected.expected, 1e-14);
}

/* Of all numbers of experts up to MOST, so that vectors and what is left over of them are seen. */
static void layers_and_experts_are_as_defined(void **state)
{
    (void)state;
    struct drift_rule rule = mp_drift_rule(&growth, tolerance);
    uint64_t seed = 5;
    unsigned said[KINDS][ALL + 1] = {{0}};
    for (size_t n = 1; n <= MOST; n++)
        for (int run = 0; run < 100; run++) {
            struct series experts[MOST];
            struct outcome outcomes[MOST], of_layer;
            fill(experts, n, run % 2, run % 4 < 2, &seed);
            of_layer = judge_layer(&rule, experts, n);
            judge_experts(&rule, experts, n, outcomes);
            assert_same_outcome(of_layer, defined_layer(experts, n));
            said[1][of_layer.says]++;
            for (size_t e = 0; e < n; e++) {
                assert_same_outcome(outcomes[e], defined_expert(&experts[e], (double)n));
                said[0][outcomes[e].says]++;
            }
        }
    for (int kind = 0; kind < KINDS; kind++) /* every outcome is among them */
        for (unsigned says = 0; says <= ALL; says++)
            assert_true(said[kind][says] > 0);
}

/* An expert's numbers are the same to the byte wherever it is. */
static void an_expert_is_judged_alike_in_a_vector_and_in_what_is_left_over(void **state)
{
    (void)state;
    struct drift_rule rule = mp_drift_rule(&growth, tolerance);
    uint64_t seed = 6;
    for (size_t n = 1; n <= MOST; n++)
        for (int learned = 0; learned < 2; learned++) {
            struct series experts[MOST], turned[MOST];
            struct outcome outcomes[MOST], others[MOST];
            fill(experts, n, learned, false, &seed);
            judge_experts(&rule, experts, n, outcomes);
            for (size_t by = 1; by < n; by++) {
                for (size_t e = 0; e < n; e++)
                    turned[(e + by) % n] = experts[e];
                judge_experts(&rule, turned, n, others);
                for (size_t e = 0; e < n; e++) {
                    const struct outcome *a = &outcomes[e], *b = &others[(e + by) % n];
                    assert_true(a->says == b->says && a->smoothed == b->smoothed && a->expected == b->expected);
                }
            }
        }
}

static void a_layer_is_the_mean_of_its_experts(void **state)
{
    (void)state;
    struct drift_rule rule = mp_drift_rule(&growth, tolerance);
    uint64_t seed = 7;
    for (size_t n = 1; n <= MOST; n++) {
        struct series experts[MOST];
        struct outcome outcomes[MOST];
        double mean = 0;
        fill(experts, n, false, true, &seed);
        for (size_t e = 0; e < n; e++)
            experts[e].smoothed = DBL_MAX; /* whatever was there before the first */
        judge_experts(&rule, experts, n, outcomes);
        for (size_t e = 0; e < n; e++)
            mean += outcomes[e].expected / (double)n;
        assert_near(judge_layer(&rule, experts, n).expected, mean, 1e-14);
    }
}

/* ---- tolerances of any size -------------------------------------------------------------------------------------- */

static void the_tiniest_and_the_largest_tolerances_give_finite_numbers(void **state)
{
    (void)state;
    const double tolerances[] = {DBL_TRUE_MIN, 1e-200, 1e200, DBL_MAX};
    uint64_t seed = 8;
    for (size_t i = 0; i < 4 * 2; i++) {
        struct drift_rule rule = mp_drift_rule(&growth, tolerances[i / 2]);
        struct series experts[MOST];
        struct outcome outcomes[MOST + 1];
        fill(experts, MOST, i % 2, false, &seed);
        experts[0].recent = 1;
        experts[1].squared = experts[1].trend = experts[1].noise = experts[1].recent = experts[1].smoothed = 0;
        judge_experts(&rule, experts, MOST, outcomes);
        outcomes[MOST] = judge_layer(&rule, experts, MOST);
        for (size_t e = 0; e <= MOST; e++) {
            assert_true(isfinite(outcomes[e].smoothed) && isfinite(outcomes[e].expected));
            if (i / 2 >= 2 || e == 1)
                assert_int_equal(outcomes[e].says, MP_WITHIN);
        }
        assert_int_equal(outcomes[MOST].says, i / 2 >= 2 ? MP_WITHIN : MP_BEYOND | MP_TREND);
    }
}

int main(void)
{
    const struct CMUnitTest expected_drift[] = {
        cmocka_unit_test(the_limit_is_1_3_times_the_tolerance),
        cmocka_unit_test(the_first_drift_counts_whole_and_a_later_one_by_half),
        cmocka_unit_test(before_an_error_has_come_the_smoothed_drift_is_expected),
        cmocka_unit_test(the_more_noise_the_more_the_errors_that_came_count),
        cmocka_unit_test(where_there_is_nothing_but_noise_two_fifths_of_the_tolerance_are_left_to_the_errors_that_came),
        cmocka_unit_test(a_block_is_within_while_drift_and_margin_are_within_the_tolerance),
        cmocka_unit_test(a_drift_below_nothing_does_not_make_up_for_its_error),
        cmocka_unit_test(errors_that_came_lately_keep_a_series_from_the_state_and_end_it),
        cmocka_unit_test(a_drift_is_beyond_the_limit_where_three_deviations_of_noise_do_not_explain_it),
        cmocka_unit_test(a_drift_four_times_the_usual_is_beyond_the_limit_by_the_constant_growth),
        cmocka_unit_test(a_trend_is_certain_likewise),
        cmocka_unit_test(layers_and_experts_are_as_defined),
        cmocka_unit_test(an_expert_is_judged_alike_in_a_vector_and_in_what_is_left_over),
        cmocka_unit_test(a_layer_is_the_mean_of_its_experts),
        cmocka_unit_test(the_tiniest_and_the_largest_tolerances_give_finite_numbers),
    };
    return cmocka_run_group_tests(expected_drift, NULL, NULL);
}
