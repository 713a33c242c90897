/* SPDX-License-Identifier: BSD-3-Clause */
/* Every argument of a plan, bad: an error in words, and nothing written. */
#include "plans.h"

enum { INVALID = MOEP_ERROR_INVALID_ARGUMENT };

/* The arguments, and all memory that a plan could write to. */
struct call {
    moep_layout layout;
    moep_plan_options options;
    uint8_t layers[PLAN_LAYERS];
    int64_t current[PLAN_LAYERS * PLAN_SLOTS];
    double forecast[PLAN_LAYERS * PLAN_EXPERTS];
    struct plan plan;
    moep_plan_result result;
    bool has_current, has_forecast, has_layers;
};

static void set_call(const struct run *of, struct call *to)
{
    uint64_t seed = 181;
    memset(to, 0x7f, sizeof *to);
    to->layout = layouts[0];
    to->options = options_of(MOEP_PLAN_SCENARIOS);
    to->has_current = to->has_forecast = true;
    to->has_layers = false;
    sound_map(&to->layout, &seed, to->current);
    sound_map(&to->layout, &seed, to->current + to->layout.slots);
    forecast_of(of, to->forecast);
    to->result = result_of(&to->plan);
    to->result.net_gain = -7;
}

static moep_status make_call(const moep_planner *planner, struct call *with)
{
    moep_plan_options options = with->options;
    options.layers = with->has_layers ? with->layers : NULL;
    return moep_plan(planner, &with->layout, with->has_forecast ? with->forecast : NULL,
                     with->has_current ? with->current : NULL, &options, &with->result);
}

static struct run run;
static struct call call;

static void refuse(moep_status status, const char *words)
{
    struct call before;
    memcpy(&before, &call, sizeof call);
    assert_int_equal(make_call(run.planner, &call), status);
    assert_says(words);
    assert_memory_equal(&call, &before, sizeof call);
}

#define refused(words, change)  \
    do {                        \
        set_call(&run, &call);  \
        change;                 \
        refuse(INVALID, words); \
    } while (0)

static int begin(void **state)
{
    (void)state;
    begin_run(&run, layouts[0].experts, 0, NULL, 182);
    return 0;
}

static int end(void **state)
{
    (void)state;
    end_run(&run);
    return 0;
}

static void what_the_other_tests_change_is_right_before(void **state)
{
    (void)state;
    set_call(&run, &call);
    assert_int_equal(make_call(run.planner, &call), MOEP_OK);
    assert_true(call.result.net_gain != -7);
}

static void a_bad_layout_is_refused(void **state)
{
    (void)state;
    refused("0 layers", call.layout.layers = 0);
    refused("0 experts", call.layout.experts = 0);
    refused("0 ranks", call.layout.ranks = 0);
    refused("4 slots", call.layout.slots = 4);
    refused("13 slots", call.layout.slots = 13);
    refused("3 layers of 8 experts, the planner 2 of 8", call.layout.layers = 3);
    refused("2 layers of 6 experts, the planner 2 of 8", call.layout.experts = 6);
    refused("12 slots on a rank: more than the 8 experts", call.layout.ranks = 1);
    refused("6 slots on a rank: more than the 4 experts of a node",
            (call.layout.ranks = 2, call.layout.groups = 2, call.layout.nodes = 2));
    refused("nodes must divide", (call.layout.groups = 8, call.layout.nodes = 3));
    refused("nodes must divide", (call.layout.groups = 3, call.layout.nodes = 2));
    refused("groups divide experts", (call.layout.groups = 6, call.layout.nodes = 2));
    refused("no array has that size", call.layout.layers = SIZE_MAX / 12);
}

static void a_bad_forecast_is_refused_with_layer_and_expert(void **state)
{
    (void)state;
    refused("forecast: row 0, layer 1, expert 2 is nan", call.forecast[10] = NAN);
    refused("layer 0, expert 7 is inf", call.forecast[7] = INFINITY);
    refused("layer 1, expert 7 is -1e-300", call.forecast[15] = -1e-300);
    set_call(&run, &call);
    call.has_forecast = false;
    refuse(MOEP_ERROR_TOO_FEW_STEPS, "no step pushed yet");
}

static void a_bad_present_map_is_refused_with_layer_and_slot(void **state)
{
    (void)state;
    refused("current: layer 0, slot 2: 8 is not an expert, of which there are 8", call.current[2] = 8);
    refused("current: layer 1, slot 11: -2 is not an expert", call.current[23] = -2);
    refused("current: layer 1, slot 0: 9223372036854775807", call.current[12] = INT64_MAX);
    refused("current is NULL", (call.has_current = false, call.has_layers = true));
}

static void a_bad_option_is_named(void **state)
{
    (void)state;
    refused("horizon", call.options.horizon = 0);
    refused("effort", call.options.effort = 0);
    refused("scenarios", call.options.scenarios = 0);
    refused("slot_cost", call.options.slot_cost = nextafter(0, -1));
    refused("slot_cost", call.options.slot_cost = NAN);
    refused("layer_cost", call.options.layer_cost = INFINITY);
    refused("layer_cost", call.options.layer_cost = -1);
    refused("plan_cost", call.options.plan_cost = NAN);
    refused("plan_cost", call.options.plan_cost = -1);
    refused("least_gain", call.options.least_gain = -INFINITY);
    refused("least_gain", call.options.least_gain = NAN);
    refused("method", call.options.method = -1);
    refused("method", call.options.method = MOEP_PLAN_MEAN + 1);
    refused("reserved", call.options.reserved = 1);
}

static void structs_of_other_sizes_and_null_are_refused(void **state)
{
    (void)state;
    refused("moep_layout", call.layout.struct_size = 0);
    refused("moep_plan_options", call.options.struct_size = 0);
    refused("moep_plan_result", call.result.struct_size = 0);
    set_call(&run, &call);
    call.layout.struct_size += 8;
    refuse(MOEP_ERROR_INCOMPATIBLE, "moep_layout");
    set_call(&run, &call);
    call.options.struct_size += 8;
    refuse(MOEP_ERROR_INCOMPATIBLE, "moep_plan_options");
    set_call(&run, &call);
    call.result.struct_size += 8;
    refuse(MOEP_ERROR_INCOMPATIBLE, "moep_plan_result");
    set_call(&run, &call);
    assert_int_equal(make_call(NULL, &call), INVALID);
    assert_says("planner is NULL");
    assert_int_equal(moep_plan(run.planner, NULL, call.forecast, NULL, NULL, &call.result), INVALID);
    assert_says("moep_layout is NULL");
    assert_int_equal(moep_plan(run.planner, &call.layout, call.forecast, NULL, NULL, NULL), INVALID);
    assert_says("moep_plan_result is NULL");
    assert_int_equal(moep_plan_options_init(NULL), INVALID);
}

static void an_older_callers_structs_are_served_with_what_fits(void **state)
{
    (void)state;
    struct call old;
    set_call(&run, &call);
    set_call(&run, &old);
    old.options.struct_size = offsetof(moep_plan_options, method);
    old.options.method = 77;
    old.options.reserved = 9;
    old.result.struct_size = offsetof(moep_plan_result, net_gain);
    assert_int_equal(make_call(run.planner, &call), MOEP_OK);
    assert_int_equal(make_call(run.planner, &old), MOEP_OK);
    assert_memory_equal(old.plan.map, call.plan.map, sizeof call.plan.map);
    assert_memory_equal(old.plan.go, call.plan.go, sizeof call.plan.go);
    assert_true(old.result.net_gain == -7);
}

int main(void)
{
    const struct CMUnitTest input[] = {
        cmocka_unit_test(what_the_other_tests_change_is_right_before),
        cmocka_unit_test(a_bad_layout_is_refused),
        cmocka_unit_test(a_bad_forecast_is_refused_with_layer_and_expert),
        cmocka_unit_test(a_bad_present_map_is_refused_with_layer_and_slot),
        cmocka_unit_test(a_bad_option_is_named),
        cmocka_unit_test(structs_of_other_sizes_and_null_are_refused),
        cmocka_unit_test(an_older_callers_structs_are_served_with_what_fits),
    };
    return cmocka_run_group_tests(input, begin, end);
}
