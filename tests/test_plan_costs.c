/* SPDX-License-Identifier: BSD-3-Clause */
/* What costs, limits and methods do to plans, and how good plans are. */
#include "plans.h"

/* Layouts whose maps can be improved. */
static const size_t movable[] = {0, 1, 2, 9, 10};
enum { MOVABLE = sizeof movable / sizeof *movable };

struct setting {
    const moep_layout *layout;
    moep_plan_options options;
    struct run run;
    int64_t maps[PLAN_LAYERS * PLAN_SLOTS];
};

static void begin(struct setting *setting, size_t i)
{
    uint64_t seed = 2000 + i;
    setting->layout = &layouts[movable[i % MOVABLE]];
    setting->options = options_of(methods[i / MOVABLE % METHODS]);
    begin_run(&setting->run, setting->layout->experts, PLAN_STEPS, NULL, seed);
    for (size_t layer = 0; layer < PLAN_LAYERS; layer++)
        make_present(setting->layout, SOUND, &seed, setting->maps + layer * setting->layout->slots);
}

static void end(struct setting *setting)
{
    end_run(&setting->run);
}

static uint64_t plan_it(const struct setting *setting, struct plan *plan)
{
    make_plan(setting->run.planner, setting->layout, NULL, setting->maps, &setting->options, plan);
    return plan->moved[0] + plan->moved[1];
}

#define for_each_setting(setting)                                                     \
    for (size_t number_ = 0; number_ < MOVABLE * METHODS; end(&(setting)), number_++) \
        if (begin(&(setting), number_), true)

/* ---- costs ------------------------------------------------------------------------------------------------------- */

static void the_dearer_a_slot_the_fewer_move(void **state)
{
    (void)state;
    const double costs[] = {0, 1, 10, 100, 1e4};
    struct setting setting;
    struct plan plan;
    uint64_t all[5] = {0};
    for_each_setting(setting)
    {
        for (size_t i = 0; i < 5; i++) {
            setting.options.slot_cost = costs[i];
            uint64_t moved = plan_it(&setting, &plan);
            all[i] += moved;
            assert_true(moved == 0 || plan.net_gain > 0);
        }
    }
    for (size_t i = 1; i < 5; i++)
        assert_true(all[i] < all[i - 1]);
    assert_int_equal(all[4], 0); /* a horizon of 1000 cannot save that */
}

static void the_longer_a_gain_lasts_the_more_move(void **state)
{
    (void)state;
    const uint64_t horizons[] = {1, 50, 500, 1000000, UINT64_MAX};
    struct setting setting;
    struct plan plan;
    uint64_t all[5] = {0};
    for_each_setting(setting)
    {
        for (size_t i = 0; i < 5; i++) {
            setting.options.slot_cost = 5;
            setting.options.horizon = horizons[i];
            all[i] += plan_it(&setting, &plan);
        }
    }
    assert_int_equal(all[0], 0);
    for (size_t i = 1; i < 5; i++)
        assert_true(all[i] >= all[i - 1]);
    assert_true(all[3] > all[1] && all[1] > 0);
}

/* A limit on what a plan must gain: where it is, nothing moves; just below, all that moved. */
static void assert_limits(struct setting *setting, double *option, double limit)
{
    struct plan plan;
    *option = limit;
    assert_int_equal(plan_it(setting, &plan), 0);
    assert_true(plan.net_gain == 0);
    *option = limit * (1 - 1e-9);
    assert_true(plan_it(setting, &plan) > 0);
    *option = 0;
}

/* One layer alone, so that its gain is that of the plan. */
static void what_moving_costs_and_must_gain_keeps_a_layer_where_it_is(void **state)
{
    (void)state;
    const uint8_t first[PLAN_LAYERS] = {1, 0};
    struct setting setting;
    struct plan plan;
    for_each_setting(setting)
    {
        setting.options.layers = first;
        setting.options.slot_cost = 1;
        if (plan_it(&setting, &plan) == 0)
            continue;
        double gain = plan.net_gain;
        assert_limits(&setting, &setting.options.layer_cost, gain * (1 + 1e-12));
        assert_limits(&setting, &setting.options.plan_cost, gain);
        assert_limits(&setting, &setting.options.least_gain, gain);
    }
}

static void all_layers_together_pay_for_the_plan(void **state)
{
    (void)state;
    struct setting setting;
    struct plan plan;
    size_t both = 0;
    for_each_setting(setting)
    {
        plan_it(&setting, &plan);
        both += plan.advice[0] && plan.advice[1];
        if (plan.net_gain > 0)
            assert_limits(&setting, &setting.options.plan_cost, plan.net_gain);
    }
    assert_true(both > 5);
}

static void no_layer_moves_more_slots_than_it_may(void **state)
{
    (void)state;
    struct setting setting;
    struct plan plan;
    uint64_t all[3] = {0};
    for_each_setting(setting)
    {
        for (uint64_t most = 1; most <= 3; most++) {
            setting.options.most_slots = most;
            all[most - 1] += plan_it(&setting, &plan);
            assert_true(plan.moved[0] <= most && plan.moved[1] <= most);
        }
        struct plan any;
        setting.options.most_slots = UINT64_MAX;
        plan_it(&setting, &plan);
        setting.options.most_slots = 0;
        plan_it(&setting, &any);
        assert_memory_equal(&plan, &any, sizeof plan);
    }
    assert_true(all[0] < all[1] && all[1] < all[2]);
}

/* ---- methods ----------------------------------------------------------------------------------------------------- */

static void without_risk_risk_is_the_mean(void **state)
{
    (void)state;
    struct plan with, without, mean;
    size_t different = 0;
    for (size_t i = 0; i < MOVABLE; i++) {
        const moep_layout *layout = &layouts[movable[i]];
        moep_plan_options by_risk = options_of(MOEP_PLAN_RISK), by_mean = options_of(MOEP_PLAN_MEAN);
        moep_planner_config config = planner_config(SPAN, KEPT);
        struct run run, careless;
        begin_run(&run, layout->experts, PLAN_STEPS, NULL, 151 + i);
        begin_run(&careless, layout->experts, 0, NULL, 151 + i);
        moep_planner_destroy(careless.planner);
        config.risk = 0;
        careless.planner = make_planner_of(PLAN_LAYERS, layout->experts, &config, NULL);
        push_run(&careless, PLAN_STEPS);
        make_plan(run.planner, layout, NULL, NULL, &by_risk, &with);
        make_plan(careless.planner, layout, NULL, NULL, &by_risk, &without);
        make_plan(run.planner, layout, NULL, NULL, &by_mean, &mean);
        assert_memory_equal(&without, &mean, sizeof mean);
        different += memcmp(&with, &mean, sizeof mean) != 0;
        end_run(&run);
        end_run(&careless);
    }
    assert_true(different > 2);
}

static void scenarios_lower_the_peaks_of_steps_that_were_not_searched_on(void **state)
{
    (void)state;
    double peaks[METHODS] = {0};
    for (size_t i = 0; i < 8 * METHODS; i++) {
        const moep_layout *layout = &layouts[1];
        moep_plan_options options = options_of(methods[i % METHODS]);
        struct run run;
        struct plan plan;
        begin_run(&run, layout->experts, PLAN_STEPS, NULL, 160 + i / METHODS);
        make_plan(run.planner, layout, NULL, NULL, &options, &plan);
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++)
            peaks[i % METHODS] += plan.go[layer] / (8 * PLAN_LAYERS);
        end_run(&run);
    }
    assert_true(peaks[0] < peaks[1] && peaks[0] < peaks[2]);
}

static void a_single_move_and_a_single_scenario_are_enough_to_plan(void **state)
{
    (void)state;
    struct setting setting;
    struct plan plan, other;
    for_each_setting(setting)
    {
        setting.options.effort = 1;
        setting.options.scenarios = 1;
        plan_it(&setting, &plan);
        for (size_t layer = 0; layer < PLAN_LAYERS; layer++) {
            const int64_t *map = map_of(setting.layout, plan.map[0], layer);
            assert_true(covers(setting.layout, map) && !has_duplicates(setting.layout, map));
        }
        setting.options.effort = 400;
        setting.options.scenarios = KEPT / 2;
        plan_it(&setting, &plan);
        setting.options.scenarios = UINT32_MAX; /* as many as there are */
        plan_it(&setting, &other);
        assert_memory_equal(&plan, &other, sizeof plan);
    }
}

/* ---- quality ----------------------------------------------------------------------------------------------------- */

enum { LARGE_EXPERTS = 64, LARGE_SLOTS = 96, KINDS = 5, HALF_DEAD = 2 };

static double uniform(uint64_t *seed)
{
    return ((double)(random_number(seed) >> 11) + 0.5) * 0x1p-53;
}

/* Lognormal, Zipf, half dead, one hot, all alike. */
static void make_loads(size_t kind, size_t n, uint64_t *seed, double *loads)
{
    for (size_t e = 0; e < n; e++) {
        double normal = sqrt(-2 * log(uniform(seed))) * cos(6.283185307179586 * uniform(seed));
        double of_kind[KINDS] = {exp(0.5 * normal), 1 / (double)(1 + e), e % 2 == 0 ? exp(0.5 * normal) : 0,
                                 e == 5 ? 40 : 0.5 + uniform(seed), 1};
        loads[e] = of_kind[kind];
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* No rank can carry less than the mean. The largest part is smallest if copies are made one by one for the largest, and
 * where nothing is copied, its rank has other experts too: the smallest at best. */
static double bound_of(const moep_layout *layout, const double *loads)
{
    size_t copies[LARGE_EXPERTS];
    double total = 0, largest = 0;
    for (size_t e = 0; e < layout->experts; e++) {
        copies[e] = 1;
        total += loads[e];
    }
    for (size_t slot = layout->experts; slot < layout->slots; slot++) {
        size_t next = SIZE_MAX;
        for (size_t e = 0; e < layout->experts; e++)
            if (copies[e] < layout->ranks &&
                (next == SIZE_MAX || loads[e] / (double)copies[e] > loads[next] / (double)copies[next]))
                next = e;
        copies[next]++;
    }
    for (size_t e = 0; e < layout->experts; e++)
        largest = fmax(largest, loads[e] / (double)copies[e]);
    if (layout->slots == layout->experts) {
        double sorted[LARGE_EXPERTS];
        memcpy(sorted, loads, layout->experts * sizeof *loads);
        qsort(sorted, layout->experts, sizeof *sorted, ascending);
        for (size_t i = 0; i + 1 < layout->slots / layout->ranks; i++)
            largest += sorted[i];
    }
    return fmax(1, largest / total * (double)layout->ranks);
}

/* Five slots on a rank and more. */
static void the_mean_is_balanced_nearly_as_well_as_can_be_and_as_by_eplb(void **state)
{
    (void)state;
    const moep_layout large[] = {{sizeof *large, 1, 32, 40, 8, 0, 0},
                                 {sizeof *large, 1, 64, 80, 8, 0, 0},
                                 {sizeof *large, 1, 64, 64, 8, 0, 0},
                                 {sizeof *large, 1, 48, 96, 12, 0, 0}};
    const moep_plan_options options = options_of(MOEP_PLAN_MEAN);
    uint64_t seed = 171;
    for (size_t i = 0; i < 4 * KINDS * 3; i++) {
        const moep_layout *layout = &large[i % 4];
        double loads[LARGE_EXPERTS], ours, eplbs;
        int64_t map[LARGE_SLOTS], of_eplb[LARGE_SLOTS];
        moep_planner *planner = make_planner(1, layout->experts, NULL);
        moep_plan_result result = {.struct_size = sizeof result, .phy2log = map};
        make_loads(i / 4 % KINDS, layout->experts, &seed, loads);
        assert_int_equal(moep_plan(planner, layout, loads, NULL, &options, &result), MOEP_OK);
        assert_int_equal(moep_rebalance(layout, loads, MOEP_FLOAT64, of_eplb, NULL, 0, NULL), MOEP_OK);
        assert_int_equal(moep_rank_loads(layout, map, 1, loads, NULL, &ours), MOEP_OK);
        assert_int_equal(moep_rank_loads(layout, of_eplb, 1, loads, NULL, &eplbs), MOEP_OK);
        /* Of half dead loads few experts matter, so there is less to choose from; EPLB is then better in one of 20. */
        bool few = i / 4 % KINDS == HALF_DEAD;
        assert_true(ours <= (few ? 1.06 : 1.003) * bound_of(layout, loads));
        assert_true(ours <= (few ? 1.01 : 1.001) * eplbs);
        moep_planner_destroy(planner);
    }
}

int main(void)
{
    const struct CMUnitTest costs[] = {
        cmocka_unit_test(the_dearer_a_slot_the_fewer_move),
        cmocka_unit_test(the_longer_a_gain_lasts_the_more_move),
        cmocka_unit_test(what_moving_costs_and_must_gain_keeps_a_layer_where_it_is),
        cmocka_unit_test(all_layers_together_pay_for_the_plan),
        cmocka_unit_test(no_layer_moves_more_slots_than_it_may),
        cmocka_unit_test(without_risk_risk_is_the_mean),
        cmocka_unit_test(scenarios_lower_the_peaks_of_steps_that_were_not_searched_on),
        cmocka_unit_test(a_single_move_and_a_single_scenario_are_enough_to_plan),
        cmocka_unit_test(the_mean_is_balanced_nearly_as_well_as_can_be_and_as_by_eplb),
    };
    return cmocka_run_group_tests(costs, NULL, NULL);
}
