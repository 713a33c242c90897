/* SPDX-License-Identifier: BSD-3-Clause */
/* The loads that a layer is planned for, against their definitions in double, on steps that the test remembers. */
#include "placed.h"

#include "placement/loads.h"

#include <float.h>

enum { LAYERS = 2, EXPERTS = 11, STEPS = 120, BLOCKS = 20 };

/* span, kept steps: all that divide; none that does; blocks of one step, of which the run fills far more than are kept. */
static const struct {
    uint32_t span, kept;
} spans[] = {{100, 20}, {47, 6}, {20, 20}};
enum { SPANS = sizeof spans / sizeof *spans };

struct run {
    float shares[STEPS][LAYERS][EXPERTS];
    struct samples samples;
    struct arena arena;
    struct layer_loads loads;
    size_t kept, stride, block; /* as the header has them */
};

static void lay_out(void *self, struct arena *arena)
{
    mp_layer_loads_lay_out(&((struct run *)self)->loads, arena, EXPERTS);
}

static void begin(struct run *run, size_t span, uint64_t *seed)
{
    const moep_planner_config config = planner_config(spans[span].span, spans[span].kept);
    for (size_t i = 0; i < STEPS * LAYERS; i++) {
        double weights[EXPERTS], total = 0;
        for (size_t e = 0; e < EXPERTS; e++)
            total += weights[e] = random_below(seed, 4) == 0 ? 0 : (double)(1 + random_below(seed, 10 + 50 * e));
        for (size_t e = 0; e < EXPERTS; e++)
            run->shares[i / LAYERS][i % LAYERS][e] = (float)(total > 0 ? weights[e] / total : 1.0 / EXPERTS);
    }
    assert_int_equal(mp_samples_make(&run->samples, LAYERS, EXPERTS, &config, &heap), MOEP_OK);
    assert_true(mp_arena_make(&run->arena, lay_out, run, &heap));
    run->kept = config.scenarios;
    run->stride = config.span / config.scenarios;
    run->block = config.span / BLOCKS;
}

static void end(struct run *run)
{
    mp_arena_free(&run->arena, &heap);
    mp_samples_free(&run->samples, &heap);
}

static double in_units(double share)
{
    return share * MP_LOAD_UNIT;
}

/* shares become loads, brought to sum 1, each off by at most so many units. Those of 0 are uniform. */
static void assert_are_loads_of(const int32_t *loads, const double *shares, double units)
{
    double total = 0;
    for (size_t e = 0; e < EXPERTS; e++)
        total += shares[e];
    for (size_t e = 0; e < EXPERTS; e++)
        assert_near(loads[e], in_units(total > 0 ? shares[e] / total : 1.0 / EXPERTS), units);
}

/* Calls the test after 0, 1, 2, ... steps of runs of all spans, for each layer. */
static void after_each_step(void (*test)(struct run *run, size_t layer, uint64_t *seed))
{
    static struct run run;
    uint64_t seed = 141;
    for (size_t span = 0; span < SPANS; span++) {
        begin(&run, span, &seed);
        for (;;) {
            for (size_t layer = 0; layer < LAYERS; layer++)
                test(&run, layer, &seed);
            if (run.samples.pushed == STEPS)
                break;
            mp_samples_push(&run.samples, run.shares[run.samples.pushed][0]);
        }
        end(&run);
    }
}

/* ---- a caller's forecast ----------------------------------------------------------------------------------------- */

static const double nearest = 0.5 + 1e-6;

/* Some 0, now and then all of the layer; in units from the smallest numbers to the largest, and never the sum of them. */
static void compare_forecast(struct run *run, size_t layer, uint64_t *seed)
{
    const double units[] = {1, 1e-3, 0x1p-1070, DBL_MAX / 64, 12345};
    double shares[EXPERTS], forecast[LAYERS * EXPERTS], unit = units[random_below(seed, 5)];
    bool none = random_below(seed, 8) == 0;
    for (size_t e = 0; e < EXPERTS; e++)
        shares[e] = none || random_below(seed, 4) == 0 ? 0 : (double)(1 + random_below(seed, 63));
    for (size_t i = 0; i < LAYERS * EXPERTS; i++)
        forecast[i] = i / EXPERTS == layer ? shares[i % EXPERTS] * unit : 1;
    mp_layer_loads_set(&run->loads, &run->samples, layer, forecast);
    assert_are_loads_of(run->loads.forecast, shares, nearest);
    for (size_t e = 0; e < EXPERTS; e++)
        assert_near(in_units(run->loads.shares[e]), run->loads.forecast[e], nearest);
}

static void a_forecast_is_brought_to_sum_1_and_rounded_to_the_nearest(void **state)
{
    (void)state;
    after_each_step(compare_forecast);
}

/* ---- of the run itself ------------------------------------------------------------------------------------------- */

/* sum over the last steps of weight x share. The window is a fifth of the span; of the block in which it begins all steps
 * count alike, with the fraction that it covers. */
static void own_forecast(const struct run *run, size_t layer, double *sums)
{
    size_t pushed = run->samples.pushed, steps = 4 * run->block, first = pushed > steps ? pushed - steps : 0;
    size_t block = first - first % run->block;
    memset(sums, 0, EXPERTS * sizeof *sums);
    for (size_t step = block; step < pushed; step++) {
        double weight = step < block + run->block ? 1 - (double)(first - block) / (double)run->block : 1;
        for (size_t e = 0; e < EXPERTS; e++)
            sums[e] += weight * (double)run->shares[step][layer][e];
    }
}

/* Means of blocks are kept in single precision: 2^-24 of a share, which is at most 32 units. */
enum { SINGLE = 32 };

static void compare_own_forecast(struct run *run, size_t layer, uint64_t *seed)
{
    (void)seed;
    double sums[EXPERTS];
    own_forecast(run, layer, sums);
    mp_layer_loads_set(&run->loads, &run->samples, layer, NULL);
    assert_are_loads_of(run->loads.forecast, sums, SINGLE);
}

static void without_a_forecast_it_is_the_mean_of_the_last_fifth_of_the_span(void **state)
{
    (void)state;
    after_each_step(compare_own_forecast);
}

static void compare_kept_mean(struct run *run, size_t layer, uint64_t *seed)
{
    (void)seed;
    mp_layer_loads_set(&run->loads, &run->samples, layer, NULL);
    size_t end = (run->samples.pushed + run->stride - 1) / run->stride, first = end > run->kept ? end - run->kept : 0;
    for (size_t e = 0; e < EXPERTS; e++) {
        int64_t sum = 0;
        for (size_t number = first; number < end; number++)
            sum += (int64_t)floor(in_units((double)run->shares[number * run->stride][layer][e]) + 0.5);
        assert_int_equal(run->loads.kept_mean[e], end > 0 ? sum / (int64_t)(end - first) : 0);
    }
}

static void the_kept_mean_is_that_of_the_kept_steps_loads(void **state)
{
    (void)state;
    after_each_step(compare_kept_mean);
}

/* ---- risk -------------------------------------------------------------------------------------------------------- */

static double block_mean(const struct run *run, size_t block, size_t layer, size_t e)
{
    double sum = 0;
    for (size_t step = block * run->block; step < (block + 1) * run->block; step++)
        sum += (double)run->shares[step][layer][e];
    return sum / (double)run->block;
}

/* The standard deviation of the last block means, divided by their number; 0 without one. */
static double sigma_of(const struct run *run, size_t layer, size_t e)
{
    size_t end = run->samples.pushed / run->block, first = end > BLOCKS ? end - BLOCKS : 0;
    double mean = 0, squares = 0;
    for (size_t block = first; block < end; block++)
        mean += block_mean(run, block, layer, e) / (double)(end - first);
    for (size_t block = first; block < end; block++)
        squares += pow(block_mean(run, block, layer, e) - mean, 2);
    return end > first ? sqrt(squares / (double)(end - first)) : 0;
}

static void compare_risk(struct run *run, size_t layer, uint64_t *seed)
{
    const double risks[] = {0, 0.674, 3};
    double risk = risks[random_below(seed, 3)], forecast[LAYERS * EXPERTS], expected[EXPERTS], total = 0;
    int32_t loads[EXPERTS];
    for (size_t i = 0; i < LAYERS * EXPERTS; i++)
        forecast[i] = (double)(1 + random_below(seed, 50));
    for (size_t e = 0; e < EXPERTS; e++)
        total += forecast[layer * EXPERTS + e];
    for (size_t e = 0; e < EXPERTS; e++)
        expected[e] = forecast[layer * EXPERTS + e] / total + risk * sigma_of(run, layer, e);
    mp_layer_loads_set(&run->loads, &run->samples, layer, forecast);
    mp_layer_loads_with_risk(&run->loads, risk, loads);
    assert_are_loads_of(loads, expected, risk > 0 ? 4 * SINGLE : nearest);
    assert_are_loads_of(run->loads.forecast, forecast + layer * EXPERTS, nearest); /* as they were */
}

static void risk_adds_standard_deviations_of_block_means(void **state)
{
    (void)state;
    after_each_step(compare_risk);
}

/* A planner without a step has neither a mean nor a deviation. Twice, since scratch must not matter. */
static void without_a_step_a_layer_is_uniform_whatever_the_risk(void **state)
{
    (void)state;
    static struct run run;
    const double uniform[EXPERTS] = {0};
    int32_t loads[EXPERTS];
    uint64_t seed = 142;
    begin(&run, 0, &seed);
    for (size_t i = 0; i < 2; i++) {
        mp_layer_loads_set(&run.loads, &run.samples, i, NULL);
        assert_are_loads_of(run.loads.forecast, uniform, nearest);
        mp_layer_loads_with_risk(&run.loads, 1e6, loads);
        assert_are_loads_of(loads, uniform, nearest);
    }
    end(&run);
}

int main(void)
{
    const struct CMUnitTest loads[] = {
        cmocka_unit_test(a_forecast_is_brought_to_sum_1_and_rounded_to_the_nearest),
        cmocka_unit_test(without_a_forecast_it_is_the_mean_of_the_last_fifth_of_the_span),
        cmocka_unit_test(the_kept_mean_is_that_of_the_kept_steps_loads),
        cmocka_unit_test(risk_adds_standard_deviations_of_block_means),
        cmocka_unit_test(without_a_step_a_layer_is_uniform_whatever_the_risk),
    };
    return cmocka_run_group_tests(loads, NULL, NULL);
}
