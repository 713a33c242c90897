/* SPDX-License-Identifier: BSD-3-Clause */
/* Scenarios against their formula, on steps that the test remembers; and rank loads in them, followed move by move. */
#include "placed.h"

#include "placement/loads.h"
#include "placement/scenarios.h"

enum { LAYERS = 2, EXPERTS = 12, STEPS = 100, MOST = 40, CAPACITY = 7, STRIDE = 3, UNITS = 6 };

struct run {
    struct samples samples;
    float shares[STEPS][LAYERS][EXPERTS];
};

/* One layer's shares of which many are 0 now and then, so that scenarios are cut. */
static void make_step(float *shares, uint64_t *seed)
{
    double total = 0;
    for (size_t e = 0; e < EXPERTS; e++)
        total += shares[e] = random_below(seed, 3) == 0 ? 0 : (float)(1 + random_below(seed, 100));
    for (size_t e = 0; e < EXPERTS; e++)
        shares[e] = (float)((total > 0 ? shares[e] : 1) / (total > 0 ? total : EXPERTS));
}

static void begin(struct run *run)
{
    const moep_planner_config config = planner_config(CAPACITY * STRIDE, CAPACITY);
    uint64_t seed = 111;
    for (size_t i = 0; i < STEPS * LAYERS; i++)
        make_step(run->shares[i / LAYERS][i % LAYERS], &seed);
    assert_int_equal(mp_samples_make(&run->samples, LAYERS, EXPERTS, &config, &heap), MOEP_OK);
}

static void push(struct run *run)
{
    mp_samples_push(&run->samples, run->shares[run->samples.pushed][0]);
}

/* The numbers of the kept steps of a choice; returns how many. */
static size_t kept_steps(const struct run *run, enum scenario_choice choice, size_t *steps)
{
    size_t n = 0, kept = 0, end = (run->samples.pushed + STRIDE - 1) / STRIDE;
    for (size_t number = 0; number < end; number++) {
        bool chosen = choice == MP_ALL_STEPS || number % 2 == (choice == MP_ODD_STEPS);
        if (number + CAPACITY < end)
            continue;
        kept++;
        if (chosen)
            steps[n++] = number * STRIDE;
    }
    assert_true(kept <= CAPACITY);
    return n;
}

/* ---- one layer's scenarios --------------------------------------------------------------------------------------- */

struct made {
    struct arena arena;
    struct scenarios scenarios;
    struct shape shape;
    size_t most;
    struct layer_loads loads;
};

static void lay_out_made(void *self, struct arena *arena)
{
    struct made *made = self;
    mp_scenarios_lay_out(&made->scenarios, arena, made->shape.experts, made->shape.ranks, made->most);
    mp_layer_loads_lay_out(&made->loads, arena, made->shape.experts);
}

static void make(struct made *made, const struct shape *shape, size_t most)
{
    made->shape = *shape;
    made->most = most;
    assert_true(mp_arena_make(&made->arena, lay_out_made, made, &heap));
}

static double in_units(double share)
{
    return share * MP_LOAD_UNIT;
}

/* expected[e] = max(0, forecast + step - mean of all kept steps), scaled to the unit. */
static void by_formula(const struct run *run, size_t layer, const int32_t *forecast, size_t step, double *expected)
{
    size_t all[STEPS], n = kept_steps(run, MP_ALL_STEPS, all);
    double total = 0;
    for (size_t e = 0; e < EXPERTS; e++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++)
            mean += in_units((double)run->shares[all[i]][layer][e]) / (double)n;
        total += expected[e] = fmax(0, forecast[e] + in_units((double)run->shares[step][layer][e]) - mean);
    }
    for (size_t e = 0; e < EXPERTS; e++)
        expected[e] *= MP_LOAD_UNIT / total;
}

static void compare(struct run *run, struct made *made, size_t layer, enum scenario_choice choice, size_t most)
{
    size_t steps[STEPS], kept = kept_steps(run, choice, steps), n = kept < most ? kept : most;
    struct scenarios *scenarios = &made->scenarios;
    assert_int_equal(mp_scenarios_kept(&run->samples, choice), kept);
    mp_scenarios_make(scenarios, &made->loads, choice, most);
    assert_int_equal(scenarios->n, n > 0 ? n : 1);
    assert_true(scenarios->row >= scenarios->n && scenarios->row % 16 == 0);
    for (size_t i = 0; i < n; i++) {
        double expected[EXPERTS];
        by_formula(run, layer, made->loads.forecast, steps[i * kept / n], expected);
        for (size_t e = 0; e < EXPERTS; e++)
            assert_near(scenarios->load[e * scenarios->row + i], expected[e], UNITS);
    }
    for (size_t e = 0; e < EXPERTS && n == 0; e++)
        assert_int_equal(scenarios->load[e * scenarios->row], made->loads.forecast[e]);
    for (size_t e = 0; e < EXPERTS; e++)
        for (size_t i = scenarios->n; i < scenarios->row; i++)
            assert_int_equal(scenarios->load[e * scenarios->row + i], 0);
}

/* After 0, 1, 2, ... steps, past the end of the ring and around it. */
static void a_scenario_is_a_kept_step_around_the_forecast(void **state)
{
    (void)state;
    const struct shape shape = {EXPERTS, EXPERTS, 4, 1};
    static struct run run;
    struct made made;
    double shares[LAYERS * EXPERTS];
    uint64_t seed = 112;
    begin(&run);
    make(&made, &shape, CAPACITY);
    for (size_t pushed = 0; pushed < STEPS; pushed++) {
        for (size_t e = 0; e < LAYERS * EXPERTS; e++)
            shares[e] = random_below(&seed, 4) == 0 ? 0.0 : (double)random_below(&seed, 100);
        for (size_t layer = 0; layer < LAYERS; layer++) {
            mp_layer_loads_set(&made.loads, &run.samples, layer, shares);
            for (size_t most = 1; most <= CAPACITY; most += 2) {
                compare(&run, &made, layer, MP_EVEN_STEPS, most);
                compare(&run, &made, layer, MP_ODD_STEPS, most);
                compare(&run, &made, layer, MP_ALL_STEPS, most);
            }
        }
        push(&run);
    }
    mp_arena_free(&made.arena, &heap);
    mp_samples_free(&run.samples, &heap);
}

/* ---- rank loads -------------------------------------------------------------------------------------------------- */

static void fill(struct scenarios *scenarios, size_t n, uint64_t *seed)
{
    scenarios->n = n;
    scenarios->row = mp_scenarios_row(n);
    memset(scenarios->load, 0, scenarios->experts * scenarios->row * sizeof *scenarios->load);
    for (size_t e = 0; e < scenarios->experts; e++)
        for (size_t i = 0; i < n; i++)
            scenarios->load[e * scenarios->row + i] =
                (int32_t)random_below(seed, MP_LOAD_UNIT / (scenarios->experts * (1 + random_below(seed, 3))));
}

/* Loads of ranks in every scenario, from the map alone. */
static void assert_carried(struct scenarios *scenarios, const struct placement *placement)
{
    int64_t total = 0;
    for (size_t i = 0; i < scenarios->n; i++) {
        int32_t largest = 0;
        for (size_t r = 0; r < placement->ranks; r++) {
            int32_t load = 0;
            for (size_t slot = 0; slot < placement->slots; slot++)
                if (slot / placement->rank_slots == r && placement->expert[slot] >= 0)
                    load += scenarios->load[(size_t)placement->expert[slot] * scenarios->row + i] /
                            copies_in(placement->expert, 0, placement->slots, placement->expert[slot]);
            assert_int_equal(mp_scenarios_carried(scenarios, r)[i], load);
            largest = load > largest ? load : largest;
        }
        total += largest;
    }
    assert_true(mp_scenarios_total(scenarios) == total);
    assert_near(mp_scenarios_peak(scenarios, total),
                (double)total * (double)placement->ranks / MP_LOAD_UNIT / (double)scenarios->n, 1e-12);
}

static void rank_loads_follow_every_move(void **state)
{
    (void)state;
    uint64_t seed = 113;
    for (size_t trial = 0; trial < 3 * SHAPES; trial++) {
        struct placed placed;
        struct made made;
        struct placement *placement = &placed.placement;
        place(&placed, &shapes[trial % SHAPES], &seed);
        make(&made, &placed.shape, MOST);
        fill(&made.scenarios, 1 + random_below(&seed, MOST), &seed);
        mp_scenarios_set(&made.scenarios, placement);
        assert_carried(&made.scenarios, placement);
        for (size_t i = 0; i < 12; i++) {
            struct move move = {.slot = (int32_t)random_below(&seed, placement->slots), .replaces = i % 2 == 0};
            move.other = (int32_t)random_below(&seed, move.replaces ? placement->experts : placement->slots);
            size_t replaced = (size_t)placement->expert[move.slot];
            if (move.replaces && ((size_t)move.other == replaced || placement->copies[replaced] < 2))
                continue;
            mp_placement_move(placement, &move);
            mp_scenarios_move(&made.scenarios, placement, &move, replaced);
            assert_carried(&made.scenarios, placement);
        }
        mp_arena_free(&made.arena, &heap);
        unplace(&placed);
    }
}

static void empty_slots_and_experts_without_a_copy_carry_nothing(void **state)
{
    (void)state;
    const struct shape shape = {3, 6, 2, 1};
    const int32_t map[6] = {0, -1, 0, 1, -1, -1};
    struct placed placed;
    struct made made;
    uint64_t seed = 114;
    place(&placed, &shape, &seed);
    make(&made, &shape, MOST);
    fill(&made.scenarios, 20, &seed);
    mp_placement_set(&placed.placement, map);
    mp_scenarios_set(&made.scenarios, &placed.placement);
    assert_carried(&made.scenarios, &placed.placement);
    mp_arena_free(&made.arena, &heap);
    unplace(&placed);
}

int main(void)
{
    const struct CMUnitTest scenarios[] = {
        cmocka_unit_test(a_scenario_is_a_kept_step_around_the_forecast),
        cmocka_unit_test(rank_loads_follow_every_move),
        cmocka_unit_test(empty_slots_and_experts_without_a_copy_carry_nothing),
    };
    return cmocka_run_group_tests(scenarios, NULL, NULL);
}
