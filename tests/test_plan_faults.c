/* SPDX-License-Identifier: BSD-3-Clause */
/* Plans in corners that once went wrong. */
#include "support.h"

enum { MOST_SLOTS = 64 };

static const moep_plan_method methods[] = {MOEP_PLAN_SCENARIOS, MOEP_PLAN_RISK, MOEP_PLAN_MEAN};

struct plan {
    int64_t map[MOST_SLOTS];
    uint64_t moved;
    uint8_t advice;
};

/* Plans the layer from a map. */
static struct plan plan_from(const moep_planner *planner, const moep_layout *layout, const double *forecast,
                             const int64_t *current, const moep_plan_options *options)
{
    struct plan plan = {.moved = 0};
    moep_plan_result result = {
        .struct_size = sizeof result, .phy2log = plan.map, .moved = &plan.moved, .advice = &plan.advice};
    assert_int_equal(moep_plan(planner, layout, forecast, current, options, &result), MOEP_OK);
    return plan;
}

static moep_plan_options options_of(moep_plan_method method)
{
    moep_plan_options options = {.struct_size = sizeof options};
    assert_int_equal(moep_plan_options_init(&options), MOEP_OK);
    options.method = method;
    return options;
}

static size_t copies_on(const int64_t *map, size_t first, size_t end, int64_t expert)
{
    size_t copies = 0;
    for (size_t slot = first; slot < end; slot++)
        copies += map[slot] == expert;
    return copies;
}

/* Every expert has a copy, none has two on a rank, and no slot is empty. */
static void assert_is_sound(const moep_layout *layout, const int64_t *map)
{
    size_t rank_slots = layout->slots / layout->ranks;
    for (size_t e = 0; e < layout->experts; e++)
        assert_true(copies_on(map, 0, layout->slots, (int64_t)e) > 0);
    for (size_t slot = 0; slot < layout->slots; slot++) {
        size_t first = slot - slot % rank_slots;
        assert_true(map[slot] >= 0);
        assert_int_equal(copies_on(map, first, first + rank_slots, map[slot]), 1);
    }
}

static void a_node_with_too_few_experts_for_its_ranks_is_left_or_planned_anew(void **state)
{
    (void)state;
    const moep_layout layout = {sizeof layout, 1, 4, 16, 8, 4, 2};
    const int64_t current[16] = {2, 0, 2, 1, 2, 1, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3}; /* of four groups, three and one */
    const double forecast[4] = {0, 1, 0, 0};
    moep_planner *planner = make_planner(1, 4, NULL);
    for (size_t i = 0; i < 3; i++) {
        moep_plan_options options = options_of(methods[i]);
        struct plan plan = plan_from(planner, &layout, forecast, current, &options);
        if (plan.advice)
            assert_is_sound(&layout, plan.map);
        else
            assert_memory_equal(plan.map, current, sizeof current);
    }
    moep_planner_destroy(planner);
}

static void a_layer_with_doubled_experts_moves_no_more_slots_than_it_may(void **state)
{
    (void)state;
    const moep_layout layout = {sizeof layout, 1, 8, 16, 4, 0, 0};
    const int64_t current[16] = {0, 0, 0, 1, 1, 1, 2, 3, 4, 4, 4, 5, 6, 7, 7, 7};
    const double forecast[8] = {30, 20, 9, 8, 7, 6, 5, 4};
    moep_planner *planner = make_planner(1, 8, NULL);
    for (uint64_t most = 1; most <= 12; most++)
        for (size_t i = 0; i < 3; i++) {
            moep_plan_options options = options_of(methods[i]);
            options.most_slots = most;
            struct plan plan = plan_from(planner, &layout, forecast, current, &options);
            assert_true(plan.moved <= most);
            assert_int_equal(plan.advice, most >= 7); /* as many experts are doubled */
        }
    moep_planner_destroy(planner);
}

static void a_layer_that_must_move_does_at_any_price(void **state)
{
    (void)state;
    const moep_layout layout = {sizeof layout, 1, 4, 6, 2, 0, 0};
    const int64_t current[6] = {0, 1, -1, -1, 2, -1};
    const double forecast[4] = {4, 3, 2, 1};
    moep_planner *planner = make_planner(1, 4, NULL);
    for (size_t i = 0; i < 3; i++) {
        moep_plan_options options = options_of(methods[i]);
        options.slot_cost = 1e308; /* several of them are no finite number */
        struct plan plan = plan_from(planner, &layout, forecast, current, &options);
        assert_int_equal(plan.advice, 1);
        assert_int_equal(plan.moved, 3);
        assert_is_sound(&layout, plan.map);
    }
    moep_planner_destroy(planner);
}

static void a_plan_for_which_memory_is_refused_leaves_everything_as_it_was(void **state)
{
    (void)state;
    const moep_layout layout = {sizeof layout, 2, 4, 6, 2, 0, 0};
    const double forecast[8] = {4, 3, 2, 1, 1, 1, 1, 1};
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    runtime.threads = 2;
    moep_planner *planner = make_planner(2, 4, &runtime);
    size_t before = memory.live_blocks;
    moep_status status = MOEP_ERROR_OUT_OF_MEMORY;
    for (size_t n = 1; status != MOEP_OK; n++) {
        uint8_t advice[2] = {7, 7};
        moep_plan_result result = {.struct_size = sizeof result, .advice = advice, .net_gain = -1};
        memory.requests = 0;
        memory.refuse_at = n;
        status = moep_plan(planner, &layout, forecast, NULL, NULL, &result);
        assert_int_equal(memory.live_blocks, before);
        if (status == MOEP_OK)
            continue;
        assert_int_equal(status, MOEP_ERROR_OUT_OF_MEMORY);
        assert_int_equal(advice[0], 7);
        assert_true(result.net_gain == -1);
    }
    moep_planner_destroy(planner);
}

static void a_forecast_of_the_largest_or_least_numbers_is_brought_to_sum_1(void **state)
{
    (void)state;
    const moep_layout layout = {sizeof layout, 1, 4, 4, 4, 0, 0};
    const int64_t map[4] = {0, 1, 2, 3};
    const double forecasts[][4] = {{1.5e308, 0.5e308, 0, 0}, {3e-310, 1e-310, 0, 0}, {0, 0, 0, 0}};
    const double expected[][4] = {{0.75, 0.25, 0, 0}, {0.75, 0.25, 0, 0}, {0.25, 0.25, 0.25, 0.25}};
    moep_planner *planner = make_planner(1, 4, NULL);
    for (size_t i = 0; i < 3; i++) {
        double loads[4];
        assert_int_equal(moep_planner_predict_ranks(planner, &layout, map, forecasts[i], 0, NULL, loads, NULL, NULL),
                         MOEP_OK);
        for (size_t r = 0; r < 4; r++)
            assert_float_equal(loads[r], expected[i][r], 1e-8);
    }
    moep_planner_destroy(planner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_with_too_few_experts_for_its_ranks_is_left_or_planned_anew),
        cmocka_unit_test(a_layer_with_doubled_experts_moves_no_more_slots_than_it_may),
        cmocka_unit_test(a_layer_that_must_move_does_at_any_price),
        cmocka_unit_test(a_plan_for_which_memory_is_refused_leaves_everything_as_it_was),
        cmocka_unit_test(a_forecast_of_the_largest_or_least_numbers_is_brought_to_sum_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
