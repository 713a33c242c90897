/* SPDX-License-Identifier: BSD-3-Clause */
/* Edge cases of the rule by which a layer becomes STABLE and ceases to be. */
#include "support.h"

#include "detector/stability.h"

enum { DWELL = 4, BLOCKS = 6 };

static const double tolerance = 0.5; /* whose square is exact */

/* The state of a layer, and its rule. */
struct layer {
    struct stability stability;
    struct stability_rule rule;
    uint64_t ended; /* blocks */
};

static struct layer layer_of(uint64_t ended)
{
    struct layer layer = {.rule = mp_stability_rule(tolerance, DWELL, BLOCKS), .ended = ended};
    mp_stability_restart(&layer.stability, 0);
    return layer;
}

static moep_state update(struct layer *layer, struct expected_drift expected)
{
    layer->ended++;
    mp_stability_update(&layer->stability, &layer->rule, &expected, layer->ended, 10 * layer->ended);
    return layer->stability.state;
}

#define CONSTANT \
    {            \
        1, 0, 0  \
    } /* a growth that is not learned */

static const struct expected_drift within = {0, 0, false, false, CONSTANT}, outside = {100, 0, false, false, CONSTANT};

static struct layer stable_layer(uint64_t ended)
{
    struct layer layer = layer_of(ended - DWELL);
    for (int i = 0; i < DWELL; i++)
        update(&layer, within);
    assert_int_equal(layer.stability.state, MOEP_STABLE);
    assert_true(layer.stability.entered == ended && layer.stability.changes == 2);
    return layer;
}

static void the_limit_is_1_3_times_the_tolerance(void **state)
{
    (void)state;
    struct stability_rule rule = mp_stability_rule(tolerance, DWELL, BLOCKS);
    assert_true(rule.tolerance == 0.25);
    assert_near(sqrt(rule.limit), 1.3 * tolerance, 1e-15);
}

static void a_state_is_entered_after_dwell_blocks_in_a_row_within_the_tolerance(void **state)
{
    (void)state;
    struct layer layer = layer_of(20);
    for (int broken = 0; broken < 3; broken++) {
        for (int i = 0; i + 1 < DWELL; i++)
            assert_int_equal(update(&layer, within), MOEP_TRANSIENT);
        assert_int_equal(update(&layer, outside), MOEP_TRANSIENT);
        layer.stability.predicted = 0;
    }
    for (int i = 0; i + 1 < DWELL; i++)
        assert_int_equal(update(&layer, within), MOEP_TRANSIENT);
    assert_int_equal(update(&layer, within), MOEP_STABLE);
    assert_true(layer.stability.since == 10 * layer.ended && layer.stability.entered == layer.ended);
}

/* The smoothed drift takes half of the last block's. Its positive part plus one standard error must not exceed T^2. */
static void a_block_is_within_while_drift_and_standard_error_are_within_the_tolerance(void **state)
{
    (void)state;
    const struct {
        double before, drift, error;
        bool is_within;
    } cases[] = {
        {0.25, 0.25, 0, true},        {0.25, 0.2500001, 0, false}, {0.5, 0, 0, true},
        {0.5001, 0, 0, false},        {0, 0.5, 0, true},           {0.125, 0.125, 0.125, true},
        {0.125, 0.125, 0.126, false}, {-1, -1, 0.25, true},        {-1, -1, 0.2500001, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct layer layer = layer_of(20);
        update(&layer, within);
        layer.stability.predicted = cases[i].before;
        update(&layer, (struct expected_drift){cases[i].drift, cases[i].error, false, false, CONSTANT});
        assert_int_equal(layer.stability.blocks_within, cases[i].is_within ? 2 : 0);
    }
}

static void the_first_drift_counts_whole_and_a_later_one_by_half(void **state)
{
    (void)state;
    struct layer layer = layer_of(20);
    update(&layer, (struct expected_drift){0.75, 0, false, false, CONSTANT});
    assert_true(layer.stability.predicted == 0.75);
    update(&layer, (struct expected_drift){0.25, 0, false, false, CONSTANT});
    assert_true(layer.stability.predicted == 0.5);
}

static void a_jump_leaves_the_state_immediately(void **state)
{
    (void)state;
    struct layer layer = stable_layer(20);
    assert_int_equal(update(&layer, outside), MOEP_STABLE); /* not certain to exceed the limit */
    assert_int_equal(update(&layer, (struct expected_drift){0, 0, true, false, CONSTANT}), MOEP_TRANSIENT);
    assert_true(layer.stability.since == 10 * layer.ended && layer.stability.changes == 3);
}

/* A trend counts once all 2 x BLOCKS of the last difference lie in the state, and 3 x BLOCKS have ended. */
static void a_trend_ends_a_state_and_prevents_it(void **state)
{
    (void)state;
    const struct expected_drift trend = {0, 0, false, true, CONSTANT};
    struct layer layer = stable_layer(40);
    for (int i = 1; i < 2 * BLOCKS; i++)
        assert_int_equal(update(&layer, trend), MOEP_STABLE);
    assert_int_equal(update(&layer, trend), MOEP_TRANSIENT);
    for (int i = 0; i < 2 * DWELL; i++)
        assert_int_equal(update(&layer, trend), MOEP_TRANSIENT);
    layer = layer_of(2 * BLOCKS);
    for (int i = 1; i < BLOCKS; i++) { /* the trend is not defined yet */
        update(&layer, trend);
        assert_true(i > DWELL || layer.stability.blocks_within == (i < DWELL ? (uint32_t)i : 0));
    }
    assert_int_equal(layer.stability.state, MOEP_STABLE);
    layer = layer_of(3 * BLOCKS - 2);
    update(&layer, trend);
    assert_int_equal(layer.stability.blocks_within, 1);
    update(&layer, trend);
    assert_int_equal(layer.stability.blocks_within, 0);
}

/* E2 is four fifths of c s and one fifth of r. */
static void errors_that_came_lately_keep_a_layer_from_the_state(void **state)
{
    (void)state;
    const struct {
        struct learned learned;
        bool is_within;
    } cases[] = {
        {{1, 0, 0}, false},       {{0.8, 0, 0.2}, true},          {{1, 0.25, 0.2}, false},    {{0.5, 0.25, 0.2}, true},
        {{0.5, 0.65, 0.2}, true}, {{0.5, 0.6500001, 0.2}, false}, {{1.25, 0.05, 0.2}, false}, {{5, -5.1, 0.2}, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct layer layer = layer_of(20);
        update(&layer, (struct expected_drift){0.3, 0, false, false, cases[i].learned});
        assert_int_equal(layer.stability.blocks_within, cases[i].is_within);
    }
}

/* E2 less a standard error exceeds the limit, 0.4225. No error has come while its weight is 0. */
static void errors_that_came_lately_end_a_state(void **state)
{
    (void)state;
    const struct {
        double predicted, error;
        struct learned learned;
        bool ends;
    } cases[] = {
        {0.403, 0, {1, 0.5, 0.2}, false},    {0.4035, 0, {1, 0.5, 0.2}, true},     {0.4035, 4e-4, {1, 0.5, 0.2}, false},
        {0.4035, 0, {1, 0.495, 0.2}, false}, {0.4035, 0, {1.1, 0.495, 0.2}, true}, {2, 0, {1, 0, 0}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct layer layer = stable_layer(20);
        layer.stability.predicted = cases[i].predicted;
        update(&layer, (struct expected_drift){cases[i].predicted, cases[i].error, false, false, cases[i].learned});
        assert_int_equal(layer.stability.state, cases[i].ends ? MOEP_TRANSIENT : MOEP_STABLE);
    }
}

int main(void)
{
    const struct CMUnitTest stability[] = {
        cmocka_unit_test(the_limit_is_1_3_times_the_tolerance),
        cmocka_unit_test(a_state_is_entered_after_dwell_blocks_in_a_row_within_the_tolerance),
        cmocka_unit_test(a_block_is_within_while_drift_and_standard_error_are_within_the_tolerance),
        cmocka_unit_test(the_first_drift_counts_whole_and_a_later_one_by_half),
        cmocka_unit_test(a_jump_leaves_the_state_immediately),
        cmocka_unit_test(a_trend_ends_a_state_and_prevents_it),
        cmocka_unit_test(errors_that_came_lately_keep_a_layer_from_the_state),
        cmocka_unit_test(errors_that_came_lately_end_a_state),
    };
    return cmocka_run_group_tests(stability, NULL, NULL);
}
