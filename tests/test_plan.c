/* SPDX-License-Identifier: BSD-3-Clause */
/* What every plan is: laws over methods, layouts and present maps. */
#include "plans.h"

#include <float.h>

enum { ALL = LAYOUTS * METHODS * PRESENTS };

/* One of all combinations. */
struct setting {
    const moep_layout *layout;
    moep_plan_options options;
    enum present present;
    struct run run;
    int64_t maps[PLAN_LAYERS * PLAN_SLOTS];
    double forecast[PLAN_LAYERS * PLAN_EXPERTS];
    const int64_t *current; /* maps, or NULL */
};

/* How many steps were pushed changes too: fewer than two kept ones, until the kept ones wrap. */
static void begin(struct setting *setting, size_t i)
{
    const size_t pushed[] = {PLAN_STEPS - STRIDE, 3, 31, 0};
    uint64_t seed = 1000 + i;
    setting->layout = &layouts[i % LAYOUTS];
    setting->options = options_of(methods[i / LAYOUTS % METHODS]);
    setting->present = i / LAYOUTS / METHODS;
    begin_run(&setting->run, setting->layout->experts, pushed[(i + i / LAYOUTS) % 4], NULL, seed);
    forecast_of(&setting->run, setting->forecast);
    for (size_t layer = 0; layer < PLAN_LAYERS; layer++)
        make_present(setting->layout, setting->present, &seed, setting->maps + layer * setting->layout->slots);
    setting->current = setting->present == NONE ? NULL : setting->maps;
}

static void end(struct setting *setting)
{
    end_run(&setting->run);
}

static void plan_it(const struct setting *setting, struct plan *plan)
{
    make_plan(setting->run.planner, setting->layout, setting->forecast, setting->current, &setting->options, plan);
}

#define for_each_setting(setting)                                       \
    for (size_t number_ = 0; number_ < ALL; end(&(setting)), number_++) \
        if (begin(&(setting), number_), true)

/* ---- maps -------------------------------------------------------------------------------------------------------- */

/* Copies that were on their rank before are in their slots, unless the rank had two there. */
static bool copies_keep_their_slots(const moep_layout *layout, const int64_t *from, const int64_t *to)
{
    size_t each = layout->slots / layout->ranks;
    for (size_t slot = 0; slot < layout->slots; slot++) {
        size_t first = slot - slot % each;
        if (copies_in(from, first, first + each, to[slot]) == 1 && from[slot] != to[slot])
            return false;
    }
    return true;
}

static void check_layer(const struct setting *setting, const struct plan *plan, size_t layer)
{
    const moep_layout *layout = setting->layout;
    const int64_t *from = map_of(layout, setting->current, layer), *to = map_of(layout, plan->map[0], layer);
    assert_true(plan->advice[layer] <= 1);
    assert_true(plan->advice[layer] || !must_move(layout, from));
    assert_true(isnan(plan->stay[layer]) == (!from || !covers(layout, from)));
    if (!plan->advice[layer]) {
        assert_memory_equal(to, from, layout->slots * sizeof *to);
        assert_true(plan->moved[layer] == 0 && plan->go[layer] == plan->stay[layer]);
        return;
    }
    assert_true(covers(layout, to) && copies_in(to, 0, layout->slots, -1) == 0);
    assert_false(has_duplicates(layout, to));
    assert_true(keeps_groups(layout, to));
    assert_in_range(plan->moved[layer], 1, layout->slots);
    assert_true(from ? copies_keep_their_slots(layout, from, to) : plan->moved[layer] == layout->slots);
}

static void check_moved(const struct setting *setting, const struct plan *plan)
{
    uint64_t moved[PLAN_LAYERS];
    assert_int_equal(moep_map_moves(setting->layout, setting->current, plan->map[0], moved), MOEP_OK);
    assert_memory_equal(moved, plan->moved, sizeof moved);
}

static void every_map_is_sound_and_says_what_moves(void **state)
{
    (void)state;
    struct setting setting;
    struct plan plan;
    size_t moves = 0, stays = 0;
    for_each_setting(setting)
    {
        plan_it(&setting, &plan);
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++) {
            check_layer(&setting, &plan, layer);
            moves += plan.advice[layer];
            stays += !plan.advice[layer];
        }
        if (setting.current)
            check_moved(&setting, &plan);
    }
    assert_true(moves > 100 && stays > 20);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static void stay_and_go_are_the_mean_peaks_of_the_held_out_steps(void **state)
{
    (void)state;
    struct setting setting;
    struct plan plan;
    for_each_setting(setting)
    {
        bool own = number_ % 2 == 1 && setting.run.steps > 0; /* the planner's own forecast */
        make_plan(setting.run.planner, setting.layout, own ? NULL : setting.forecast, setting.current, &setting.options,
                  &plan);
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++) {
            struct steps steps;
            if (own && setting.run.steps > FIFTH && setting.run.steps % (SPAN / 20) != 0)
                continue; /* the fifth begins within a block, of which the mean stands for all steps */
            make_steps(&setting.run, own ? NULL : setting.forecast, layer, HELD_OUT, &steps);
            const int64_t *from = map_of(setting.layout, setting.current, layer);
            if (from && covers(setting.layout, from))
                assert_near(plan.stay[layer], mean_peak(setting.layout, from, &steps), 1e-6);
            assert_near(plan.go[layer], mean_peak(setting.layout, map_of(setting.layout, plan.map[0], layer), &steps),
                        1e-6);
        }
    }
}

static double gain_of(const struct plan *plan, const moep_plan_options *options, size_t layer)
{
    double saved = isnan(plan->stay[layer]) ? 0 : plan->stay[layer] - plan->go[layer];
    return (double)options->horizon * saved - options->slot_cost * (double)plan->moved[layer] - options->layer_cost;
}

static void net_gain_is_what_moving_saves_less_all_costs(void **state)
{
    (void)state;
    struct setting setting;
    struct plan plan;
    size_t moves = 0, stays = 0;
    for_each_setting(setting)
    {
        moep_plan_options *options = &setting.options;
        options->horizon = 400;
        options->slot_cost = (double)(number_ % 3);
        options->layer_cost = (double)(number_ % 5) * 10;
        options->plan_cost = (double)(number_ % 2) * 30;
        options->least_gain = (double)(number_ % 7) * 5;
        plan_it(&setting, &plan);
        double expected = 0;
        bool forced = false, any = false;
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++) {
            if (!plan.advice[layer])
                continue;
            any = true;
            expected += gain_of(&plan, options, layer);
            bool must = must_move(setting.layout, map_of(setting.layout, setting.current, layer));
            forced |= must;
            assert_true(must || gain_of(&plan, options, layer) > options->least_gain);
        }
        assert_near(plan.net_gain, any && setting.current ? expected - options->plan_cost : 0, 1e-9);
        assert_true(forced || !any || plan.net_gain > 0);
        moves += any && !forced;
        stays += !any;
    }
    assert_true(moves > 20 && stays > 20);
}

/* ---- what changes nothing ---------------------------------------------------------------------------------------- */

static void any_number_of_threads_gives_the_same_bytes(void **state)
{
    (void)state;
    const uint32_t threads[] = {2, 5};
    struct setting setting;
    for_each_setting(setting)
    {
        if (number_ % 5 != 0)
            continue;
        struct plan plan, other;
        plan_it(&setting, &plan);
        for (size_t i = 0; i < 2; i++) {
            moep_runtime runtime = {.struct_size = sizeof runtime, .threads = threads[i]};
            moep_planner *clone = NULL;
            assert_int_equal(moep_planner_clone(setting.run.planner, &runtime, &clone), MOEP_OK);
            make_plan(clone, setting.layout, setting.forecast, setting.current, &setting.options, &other);
            assert_memory_equal(&plan, &other, sizeof plan);
            moep_planner_destroy(clone);
        }
    }
}

static void scaling_the_forecast_changes_nothing(void **state)
{
    (void)state;
    const double scales[] = {0.25, 0x1p-200, 0x1p300};
    struct setting setting;
    for_each_setting(setting)
    {
        struct plan plan, other;
        double scaled[PLAN_LAYERS * PLAN_EXPERTS];
        plan_it(&setting, &plan);
        for (size_t i = 0; i < PLAN_LAYERS * setting.layout->experts; i++)
            scaled[i] = setting.forecast[i] * scales[number_ % 3];
        make_plan(setting.run.planner, setting.layout, scaled, setting.current, &setting.options, &other);
        assert_memory_equal(&plan, &other, sizeof plan);
    }
}

static void a_forecast_of_zeros_is_uniform(void **state)
{
    (void)state;
    struct setting setting;
    for_each_setting(setting)
    {
        struct plan plan, other;
        double ones[PLAN_LAYERS * PLAN_EXPERTS], zeros[PLAN_LAYERS * PLAN_EXPERTS] = {0};
        for (size_t i = 0; i < PLAN_LAYERS * PLAN_EXPERTS; i++)
            ones[i] = 1;
        make_plan(setting.run.planner, setting.layout, ones, setting.current, &setting.options, &plan);
        make_plan(setting.run.planner, setting.layout, zeros, setting.current, &setting.options, &other);
        assert_memory_equal(&plan, &other, sizeof plan);
    }
}

/* The shares of a forecast sum to 1, however large or small its numbers are. */
static void a_forecast_may_have_any_size(void **state)
{
    (void)state;
    const moep_layout *layout = &layouts[0];
    const double sizes[] = {DBL_MAX / 8, DBL_MAX, 0x1p-1070};
    struct run run;
    struct plan plan, other;
    moep_plan_options options = options_of(MOEP_PLAN_MEAN);
    begin_run(&run, layout->experts, 0, NULL, 7);
    for (size_t i = 0; i < 3; i++) {
        double forecast[2][PLAN_LAYERS * PLAN_EXPERTS] = {{0}};
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++)
            for (size_t e = 0; e < 3; e++) {
                forecast[0][layer * layout->experts + e] = e == 0 ? 1 : 0.5;
                forecast[1][layer * layout->experts + e] = e == 0 ? sizes[i] : sizes[i] / 2;
            }
        make_plan(run.planner, layout, forecast[0], NULL, &options, &plan);
        make_plan(run.planner, layout, forecast[1], NULL, &options, &other);
        assert_memory_equal(&plan, &other, sizeof plan);
    }
    end_run(&run);
}

static void the_new_map_may_replace_the_present_one(void **state)
{
    (void)state;
    struct setting setting;
    for_each_setting(setting)
    {
        struct plan plan, other;
        plan_it(&setting, &plan);
        memcpy(other.map[0], setting.maps, sizeof setting.maps);
        moep_plan_result result = result_of(&other);
        if (!setting.current)
            continue;
        assert_int_equal(
            moep_plan(setting.run.planner, setting.layout, setting.forecast, other.map[0], &setting.options, &result),
            MOEP_OK);
        assert_memory_equal(other.map[0], plan.map[0], PLAN_LAYERS * setting.layout->slots * sizeof(int64_t));
        assert_true(result.net_gain == plan.net_gain);
    }
}

static void every_output_may_be_null(void **state)
{
    (void)state;
    struct setting setting;
    for_each_setting(setting)
    {
        if (number_ % LAYOUTS > 1)
            continue;
        struct plan plan, other = {.net_gain = 0};
        plan_it(&setting, &plan);
        moep_plan_result all = result_of(&other), parts[6] = {{0}};
        parts[1].phy2log = all.phy2log;
        parts[2].stay = all.stay;
        parts[3].go = all.go;
        parts[4].moved = all.moved;
        parts[5].advice = all.advice;
        for (size_t i = 0; i < 6; i++) {
            parts[i].struct_size = sizeof parts[i];
            assert_int_equal(moep_plan(setting.run.planner, setting.layout, setting.forecast, setting.current,
                                       &setting.options, &parts[i]),
                             MOEP_OK);
            other.net_gain = parts[i].net_gain;
        }
        assert_memory_equal(&plan, &other, sizeof plan);
    }
}

static void without_options_they_are_the_defaults(void **state)
{
    (void)state;
    struct setting setting;
    for_each_setting(setting)
    {
        struct plan plan, other;
        if (setting.options.method != MOEP_PLAN_SCENARIOS)
            continue;
        plan_it(&setting, &plan);
        make_plan(setting.run.planner, setting.layout, setting.forecast, setting.current, NULL, &other);
        assert_memory_equal(&plan, &other, sizeof plan);
    }
    moep_plan_options options = {.struct_size = sizeof options};
    assert_int_equal(moep_plan_options_init(&options), MOEP_OK);
    assert_true(options.horizon == 1000 && options.slot_cost == 0 && options.layer_cost == 0 && options.plan_cost == 0);
    assert_true(options.least_gain == 0 && options.most_slots == 0 && options.method == MOEP_PLAN_SCENARIOS);
    assert_true(options.effort == 400 && options.scenarios == 50 && options.reserved == 0 && !options.layers);
}

/* ---- some layers ------------------------------------------------------------------------------------------------- */

static void a_layer_alone_is_planned_as_among_others(void **state)
{
    (void)state;
    struct setting setting;
    for_each_setting(setting)
    {
        struct plan all, one;
        if (!setting.current)
            continue;
        plan_it(&setting, &all);
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++) {
            const uint8_t mask[PLAN_LAYERS] = {layer == 0 ? 1 : 0, layer == 0 ? 0 : 200};
            size_t other = 1 - layer, slots = setting.layout->slots;
            setting.options.layers = mask;
            plan_it(&setting, &one);
            setting.options.layers = NULL;
            assert_memory_equal(one.map[0] + layer * slots, all.map[0] + layer * slots, slots * sizeof(int64_t));
            assert_memory_equal(one.map[0] + other * slots, setting.maps + other * slots, slots * sizeof(int64_t));
            assert_memory_equal(&one.stay[layer], &all.stay[layer], sizeof *one.stay);
            assert_true(one.go[layer] == all.go[layer] && one.moved[layer] == all.moved[layer]);
            assert_int_equal(one.advice[layer], all.advice[layer]);
            assert_true(isnan(one.stay[other]) && isnan(one.go[other]));
            assert_true(one.moved[other] == 0 && one.advice[other] == 0);
        }
    }
}

/* ---- the same everywhere ----------------------------------------------------------------------------------------- */

static void plans_are_the_same_bytes_on_every_processor(void **state)
{
    (void)state;
    struct setting setting;
    struct plan plan;
    uint64_t hash = HASH_START;
    for_each_setting(setting)
    {
        setting.options.slot_cost = (double)(number_ % 4);
        plan_it(&setting, &plan);
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++)
            plan.stay[layer] = isnan(plan.stay[layer]) ? -1 : plan.stay[layer]; /* NaN has many bytes */
        hash = hash_of(hash, &plan, sizeof plan);
    }
    if (hash != UINT64_C(0x24df264af4ed118)) /* a change that is meant to change plans changes it */
        fail_msg("the hash of all plans is %#llx", (unsigned long long)hash);
}

int main(void)
{
    const struct CMUnitTest plan[] = {
        cmocka_unit_test(every_map_is_sound_and_says_what_moves),
        cmocka_unit_test(stay_and_go_are_the_mean_peaks_of_the_held_out_steps),
        cmocka_unit_test(net_gain_is_what_moving_saves_less_all_costs),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(scaling_the_forecast_changes_nothing),
        cmocka_unit_test(a_forecast_of_zeros_is_uniform),
        cmocka_unit_test(a_forecast_may_have_any_size),
        cmocka_unit_test(the_new_map_may_replace_the_present_one),
        cmocka_unit_test(every_output_may_be_null),
        cmocka_unit_test(without_options_they_are_the_defaults),
        cmocka_unit_test(a_layer_alone_is_planned_as_among_others),
        cmocka_unit_test(plans_are_the_same_bytes_on_every_processor),
    };
    return cmocka_run_group_tests(plan, NULL, NULL);
}
