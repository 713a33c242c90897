/* SPDX-License-Identifier: BSD-3-Clause */
/* Edge cases of the rule by which a layer becomes STABLE and ceases to be. */
#include "support.h"

#include "detector/stability.h"

enum { DWELL = 4, BLOCKS = 6 };

/* The state of a layer. */
struct layer {
    struct stability stability;
    uint64_t ended; /* blocks */
};

static struct layer layer_of(uint64_t ended)
{
    struct layer layer = {.ended = ended};
    mp_stability_restart(&layer.stability, 0);
    return layer;
}

static moep_state update(struct layer *layer, unsigned says)
{
    const struct stability_rule rule = {DWELL, BLOCKS};
    layer->ended++;
    mp_stability_update(&layer->stability, &rule, says, layer->ended, 10 * layer->ended);
    return layer->stability.state;
}

static struct layer stable_layer(uint64_t ended)
{
    struct layer layer = layer_of(ended - DWELL);
    for (int i = 0; i < DWELL; i++)
        update(&layer, MP_WITHIN);
    assert_int_equal(layer.stability.state, MOEP_STABLE);
    assert_true(layer.stability.entered == ended && layer.stability.changes == 2);
    return layer;
}

static void the_first_block_ends_warmup(void **state)
{
    (void)state;
    const unsigned all[] = {0, MP_WITHIN, MP_BEYOND, MP_TREND};
    for (size_t i = 0; i < 4; i++) {
        struct layer layer = layer_of(2 * BLOCKS);
        assert_int_equal(layer.stability.state, MOEP_WARMUP);
        assert_int_equal(update(&layer, all[i]), MOEP_TRANSIENT);
        assert_true(layer.stability.since == 10 * layer.ended && layer.stability.changes == 1);
    }
}

static void a_state_is_entered_after_dwell_blocks_in_a_row_within_the_tolerance(void **state)
{
    (void)state;
    const unsigned outside[] = {0, MP_BEYOND, MP_WITHIN | MP_TREND};
    struct layer layer = layer_of(20);
    for (int broken = 0; broken < 3; broken++) {
        for (int i = 0; i + 1 < DWELL; i++)
            assert_int_equal(update(&layer, MP_WITHIN), MOEP_TRANSIENT);
        assert_int_equal(update(&layer, outside[broken]), MOEP_TRANSIENT);
    }
    for (int i = 0; i + 1 < DWELL; i++)
        assert_int_equal(update(&layer, MP_WITHIN), MOEP_TRANSIENT);
    assert_int_equal(update(&layer, MP_WITHIN), MOEP_STABLE);
    assert_true(layer.stability.since == 10 * layer.ended && layer.stability.entered == layer.ended);
}

static void a_jump_leaves_the_state_immediately(void **state)
{
    (void)state;
    struct layer layer = stable_layer(20);
    assert_int_equal(update(&layer, 0), MOEP_STABLE); /* outside the tolerance, but not certain to exceed the limit */
    assert_int_equal(update(&layer, MP_BEYOND), MOEP_TRANSIENT);
    assert_true(layer.stability.since == 10 * layer.ended && layer.stability.changes == 3);
    for (int i = 0; i + 1 < DWELL; i++)
        assert_int_equal(update(&layer, MP_WITHIN), MOEP_TRANSIENT);
    assert_int_equal(update(&layer, MP_WITHIN), MOEP_STABLE);
    assert_int_equal(update(&layer, MP_WITHIN | MP_BEYOND), MOEP_TRANSIENT); /* smoothed, it is still within */
}

/* A trend counts once all 2 x BLOCKS of the last difference lie in the state, and 3 x BLOCKS have ended. */
static void a_trend_ends_a_state_and_prevents_it(void **state)
{
    (void)state;
    const unsigned trend = MP_WITHIN | MP_TREND;
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

static void a_restart_counts_as_a_change_except_in_warmup(void **state)
{
    (void)state;
    struct layer layer = stable_layer(20);
    mp_stability_restart(&layer.stability, 500);
    assert_int_equal(layer.stability.state, MOEP_WARMUP);
    assert_true(layer.stability.since == 500 && layer.stability.changes == 3);
    mp_stability_restart(&layer.stability, 600);
    assert_true(layer.stability.since == 600 && layer.stability.changes == 3);
    layer = layer_of(20);
    for (int i = 0; i + 1 < DWELL; i++)
        update(&layer, MP_WITHIN);
    mp_stability_restart(&layer.stability, 700);
    assert_int_equal(layer.stability.blocks_within, 0);
    for (int i = 0; i + 1 < DWELL; i++) /* those before do not count */
        assert_int_equal(update(&layer, MP_WITHIN), MOEP_TRANSIENT);
    assert_int_equal(update(&layer, MP_WITHIN), MOEP_STABLE);
}

int main(void)
{
    const struct CMUnitTest stability[] = {
        cmocka_unit_test(the_first_block_ends_warmup),
        cmocka_unit_test(a_state_is_entered_after_dwell_blocks_in_a_row_within_the_tolerance),
        cmocka_unit_test(a_jump_leaves_the_state_immediately),
        cmocka_unit_test(a_trend_ends_a_state_and_prevents_it),
        cmocka_unit_test(a_restart_counts_as_a_change_except_in_warmup),
    };
    return cmocka_run_group_tests(stability, NULL, NULL);
}
