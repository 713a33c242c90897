/* SPDX-License-Identifier: BSD-3-Clause */
/* The detector through its public calls: loads whose state is known, the edges, and laws. */
#include "support.h"

enum { MOST_SERIES = 128, WARMUP_STEPS = 200, FIRST_STABLE = 280 };

/* ---- loads ------------------------------------------------------------------------------------------------------- */

/* Tokens routed independently, so many that a normal deviate stands for the sum of them; each expert by itself. */
static double normal(uint64_t *seed)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (double)(random_number(seed) >> 11) * 0x1p-53;
    return sum;
}

static void draw(double *counts, const double *loads, size_t n, double tokens, uint64_t *seed)
{
    double total = 0;
    for (size_t i = 0; i < n; i++)
        total += loads[i];
    for (size_t i = 0; i < n; i++) {
        double mean = tokens * loads[i] / total;
        counts[i] = fmax(0, round(mean + sqrt(mean) * normal(seed)));
    }
}

static moep_state layer_state(const moep_detector *detector)
{
    moep_state states[MOST_SERIES];
    assert_int_equal(moep_detector_states(detector, states, NULL), MOEP_OK);
    return states[0];
}

static moep_state expert_state(const moep_detector *detector, size_t expert)
{
    moep_state states[MOST_SERIES];
    assert_int_equal(moep_detector_states(detector, NULL, states), MOEP_OK);
    return states[expert];
}

static uint64_t layer_changes(const moep_detector *detector)
{
    uint64_t changes[MOST_SERIES];
    assert_int_equal(moep_detector_changes(detector, changes, NULL), MOEP_OK);
    return changes[0];
}

static uint64_t layer_since(const moep_detector *detector)
{
    uint64_t since[MOST_SERIES];
    assert_int_equal(moep_detector_since(detector, since, NULL), MOEP_OK);
    return since[0];
}

static double layer_value(const moep_detector *detector, moep_quantity quantity)
{
    double values[MOST_SERIES];
    assert_int_equal(moep_detector_read(detector, quantity, 0, values, NULL), MOEP_OK);
    return values[0];
}

static moep_info info_of_detector(const moep_detector *detector)
{
    moep_info info = {.struct_size = sizeof info};
    assert_int_equal(moep_detector_info(detector, &info), MOEP_OK);
    return info;
}

/* A run of one layer. */
struct run {
    moep_detector *detector;
    size_t experts;
    double loads[MOST_SERIES], tokens;
    uint64_t seed;
};

static struct run begin(size_t experts, double tokens, uint64_t seed)
{
    struct run run = {.detector = make_detector(1, experts, NULL), .experts = experts, .tokens = tokens, .seed = seed};
    for (size_t e = 0; e < experts; e++)
        run.loads[e] = 0.5 + (double)(random_number(&run.seed) >> 40) / (1 << 24);
    return run;
}

static void go_on(struct run *run, size_t steps)
{
    double counts[MOST_SERIES];
    for (size_t step = 0; step < steps; step++) {
        draw(counts, run->loads, run->experts, run->tokens, &run->seed);
        assert_int_equal(moep_detector_push(run->detector, 1, counts, MOEP_FLOAT64), MOEP_OK);
    }
}

/* Steps until the layer's state is that one, in blocks. */
static size_t steps_until(struct run *run, moep_state state, size_t most)
{
    size_t steps = 0;
    while (layer_state(run->detector) != state && steps < most) {
        go_on(run, 20);
        steps += 20;
    }
    return steps;
}

/* ---- states of known loads --------------------------------------------------------------------------------------- */

static void a_constant_load_is_stable_after_warmup_and_dwell(void **state)
{
    (void)state;
    const int32_t counts[4] = {1, 2, 3, 500};
    moep_detector *detector = make_detector(1, 4, NULL);
    for (uint64_t steps = 0; steps < 400; steps++) {
        moep_state expected = steps < WARMUP_STEPS ? MOEP_WARMUP : steps < FIRST_STABLE ? MOEP_TRANSIENT : MOEP_STABLE;
        assert_int_equal(layer_state(detector), expected);
        assert_int_equal(expert_state(detector, 3), expected);
        assert_int_equal(layer_changes(detector), expected);
        assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT32), MOEP_OK);
    }
    assert_int_equal(layer_since(detector), FIRST_STABLE - 1);
    assert_int_equal(info_of_detector(detector).min_steps, WARMUP_STEPS);
    assert_true(layer_value(detector, MOEP_DRIFT) == 0);
    assert_true(isnan(layer_value(detector, MOEP_NOISE)) && isnan(layer_value(detector, MOEP_DISPERSION)));
    moep_detector_destroy(detector);
}

/* The point of it all: the same answer at every batch size. */
static void noise_is_not_drift_whatever_the_batch_size(void **state)
{
    (void)state;
    const double tokens[] = {512, 8192, 524288, 1e9};
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        for (size_t experts = 16; experts <= 128; experts += 112) {
            struct run run = begin(experts, tokens[i], 11 + i);
            assert_true(steps_until(&run, MOEP_STABLE, 1000) <= 400);
            go_on(&run, 4000);
            assert_int_equal(layer_state(run.detector), MOEP_STABLE);
            assert_int_equal(layer_changes(run.detector), 2);
            moep_detector_destroy(run.detector);
        }
}

static void a_shift_is_left_within_a_window_and_stable_again_after_three(void **state)
{
    (void)state;
    const double tokens[] = {4096, 524288};
    for (size_t i = 0; i < 2; i++) {
        struct run run = begin(16, tokens[i], 21);
        go_on(&run, 1000);
        assert_int_equal(layer_state(run.detector), MOEP_STABLE);
        for (size_t e = 0; e < 16; e++)
            run.loads[e] *= e % 2 ? 1.3 : 0.7;
        assert_true(steps_until(&run, MOEP_TRANSIENT, 1000) <= 100);
        assert_int_equal(layer_since(run.detector), info_of_detector(run.detector).next_step - 1);
        assert_true(steps_until(&run, MOEP_STABLE, 1000) <= 300);
        go_on(&run, 2000);
        assert_int_equal(layer_changes(run.detector), 4);
        moep_detector_destroy(run.detector);
    }
}

/* Loads that come and go every 1,000 steps, by 2 % or by half of what they are. */
static void the_tolerance_tells_a_harmless_drift_from_a_harmful_one(void **state)
{
    (void)state;
    for (int harmful = 0; harmful <= 1; harmful++) {
        struct run run = begin(16, 65536, 31);
        size_t stable = 0;
        for (size_t block = 0; block < 100; block++) {
            for (size_t e = 0; e < 16; e++)
                run.loads[e] = 1 + (harmful ? 0.5 : 0.02) * sin(6.2832 * ((double)block / 50 + (double)e / 16));
            go_on(&run, 20);
            stable += layer_state(run.detector) == MOEP_STABLE;
        }
        assert_int_equal(stable, harmful ? 0 : 100 - FIRST_STABLE / 20 + 1);
        moep_detector_destroy(run.detector);
    }
}

static void a_load_that_keeps_jumping_is_transient(void **state)
{
    (void)state;
    struct run run = begin(16, 65536, 41);
    for (size_t spell = 0; spell < 60; spell++) {
        size_t up = (size_t)(random_number(&run.seed) % 16);
        run.loads[up] = 0.5 + 2 * (double)(random_number(&run.seed) >> 40) / (1 << 24);
        go_on(&run, 37);
        assert_int_not_equal(layer_state(run.detector), MOEP_STABLE);
    }
    assert_true(layer_value(run.detector, MOEP_DRIFT) > 0.1);
    moep_detector_destroy(run.detector);
}

static void one_expert_of_many_is_seen_by_itself(void **state)
{
    (void)state;
    struct run run = begin(128, 524288, 51);
    go_on(&run, 1000);
    run.loads[77] *= 1.55;
    go_on(&run, 120);
    uint64_t since[128];
    assert_int_equal(moep_detector_since(run.detector, NULL, since), MOEP_OK);
    assert_true(since[77] >= 1000);
    for (size_t e = 0; e < 128; e++)
        assert_int_equal(expert_state(run.detector, e), e == 77 ? MOEP_TRANSIENT : MOEP_STABLE);
    assert_int_equal(layer_state(run.detector), MOEP_STABLE); /* it has less than a hundredth of the load */
    moep_detector_destroy(run.detector);
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static void noise_counts_the_tokens_that_were_routed_independently(void **state)
{
    (void)state;
    enum { EXPERTS = 64, STEPS = 3000 };
    const double tokens = 20000;
    for (double together = 1; together <= 4; together += 3) { /* tokens that go the same way */
        moep_detector_config config = {.struct_size = sizeof config};
        moep_detector *detector = NULL;
        uint64_t seed = 61;
        double loads[EXPERTS], drawn[EXPERTS];
        assert_int_equal(moep_detector_config_init(&config), MOEP_OK);
        config.drift_window = 1000; /* many blocks: a good estimate */
        assert_int_equal(moep_detector_create(1, EXPERTS, &config, NULL, &detector), MOEP_OK);
        for (size_t e = 0; e < EXPERTS; e++)
            loads[e] = 1 + (double)e / 10;
        for (size_t step = 0; step < STEPS; step++) {
            int64_t counts[EXPERTS];
            draw(drawn, loads, EXPERTS, tokens / together, &seed);
            for (size_t e = 0; e < EXPERTS; e++)
                counts[e] = (int64_t)(drawn[e] * together);
            assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT64), MOEP_OK);
        }
        assert_near(layer_value(detector, MOEP_NOISE), tokens / together, 0.1 * tokens / together);
        assert_near(layer_value(detector, MOEP_DISPERSION), together, 0.1 * together);
        moep_detector_destroy(detector);
    }
}

static void statistics_of_a_layer_are_made_of_its_experts(void **state)
{
    (void)state;
    enum { LAYERS = 3, EXPERTS = 5, SERIES = LAYERS * EXPERTS, STEPS = 60 };
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 71);
    moep_detector *detector = make_detector(LAYERS, EXPERTS, NULL);
    assert_int_equal(moep_detector_push(detector, STEPS, counts, MOEP_INT64), MOEP_OK);
    for (size_t window = 0; window < 2; window++)
        for (moep_quantity quantity = MOEP_MEAN; quantity <= MOEP_RANGE; quantity++) {
            double layers[LAYERS], alone[LAYERS], experts[SERIES];
            assert_int_equal(moep_detector_read(detector, quantity, window, layers, experts), MOEP_OK);
            assert_int_equal(moep_detector_read(detector, quantity, window, alone, NULL), MOEP_OK);
            assert_int_equal(moep_detector_read(detector, quantity, window, NULL, NULL), MOEP_OK);
            assert_memory_equal(layers, alone, sizeof layers);
            for (size_t layer = 0; layer < LAYERS; layer++) {
                double sum = 0, largest = 0;
                for (size_t e = 0; e < EXPERTS; e++) {
                    sum += experts[layer * EXPERTS + e];
                    largest = fmax(largest, experts[layer * EXPERTS + e]);
                }
                assert_near(layers[layer], quantity == MOEP_RANGE ? largest : sum / EXPERTS, 1e-15);
            }
        }
    assert_near(layer_value(detector, MOEP_MEAN), 1.0 / EXPERTS, 1e-8);
    moep_detector_destroy(detector);
    free(counts);
}

/* ---- edges ------------------------------------------------------------------------------------------------------- */

static void a_long_gap_starts_warmup_again_and_a_short_one_does_not(void **state)
{
    (void)state;
    const int32_t counts[2] = {3, 4};
    moep_detector *detector = make_detector(1, 2, NULL);
    assert_int_equal(moep_detector_push_at(detector, 5000, 1, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(layer_since(detector), 5000);
    for (uint64_t step = 5001; step < 5400; step++)
        assert_int_equal(moep_detector_push_at(detector, step, 1, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(layer_state(detector), MOEP_STABLE);
    assert_int_equal(moep_detector_push_at(detector, 5500, 1, counts, MOEP_INT32), MOEP_OK); /* 100 were skipped */
    assert_int_equal(layer_state(detector), MOEP_STABLE);
    assert_int_equal(moep_detector_push_at(detector, 5602, 1, counts, MOEP_INT32), MOEP_OK); /* 101 were */
    assert_int_equal(layer_state(detector), MOEP_WARMUP);
    assert_int_equal(expert_state(detector, 1), MOEP_WARMUP);
    assert_int_equal(layer_since(detector), 5602);
    assert_int_equal(layer_changes(detector), 3);
    double drift;
    assert_int_equal(moep_detector_read(detector, MOEP_DRIFT, 0, &drift, NULL), MOEP_ERROR_TOO_FEW_STEPS);
    assert_int_equal(moep_detector_read(detector, MOEP_MEAN, 1, &drift, NULL), MOEP_OK);
    for (size_t step = 1; step < FIRST_STABLE; step++)
        assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(layer_state(detector), MOEP_STABLE);
    assert_int_equal(layer_since(detector), 5602 + FIRST_STABLE - 1);
    assert_int_equal(info_of_detector(detector).gaps, 5000 + 101 - 1 + 101);
    moep_detector_destroy(detector);
}

static void layers_without_tokens_dead_experts_and_single_ones_are_stable(void **state)
{
    (void)state;
    enum { EXPERTS = 3 };
    moep_detector *detector = make_detector(2, EXPERTS, NULL), *single = make_detector(1, 1, NULL);
    uint64_t seed = 81;
    for (size_t step = 0; step < 400; step++) {
        int64_t noise = (int64_t)(random_number(&seed) % 64);
        const int64_t counts[2 * EXPERTS] = {0, 0, 0, 0, 1000 + noise, 1000 - noise};
        assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT64), MOEP_OK);
        assert_int_equal(moep_detector_push(single, 1, counts + 4, MOEP_INT64), MOEP_OK);
    }
    moep_state layers[2], experts[2 * EXPERTS];
    double noise[2 * EXPERTS], drift[2 * EXPERTS];
    assert_int_equal(moep_detector_states(detector, layers, experts), MOEP_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(layers[i], MOEP_STABLE);
    for (size_t i = 0; i < 2 * EXPERTS; i++)
        assert_int_equal(experts[i], MOEP_STABLE);
    assert_int_equal(info_of_detector(detector).empty_layers, 400);
    assert_int_equal(moep_detector_read(detector, MOEP_NOISE, 0, NULL, noise), MOEP_OK);
    assert_int_equal(moep_detector_read(detector, MOEP_DRIFT, 0, NULL, drift), MOEP_OK);
    assert_true(isnan(noise[0]) && isnan(noise[3]) && noise[4] > 0 && drift[3] == 0);
    assert_int_equal(layer_state(single), MOEP_STABLE);
    assert_true(layer_value(single, MOEP_MEAN) == 1 && isnan(layer_value(single, MOEP_NOISE)));
    moep_detector_destroy(single);
    moep_detector_destroy(detector);
}

static void what_a_config_may_not_hold_is_told(void **state)
{
    (void)state;
#define refused(words, change)                                                                               \
    do {                                                                                                     \
        moep_detector_config config = {.struct_size = sizeof config};                                        \
        moep_detector *detector = (moep_detector *)&config;                                                  \
        assert_int_equal(moep_detector_config_init(&config), MOEP_OK);                                       \
        change;                                                                                              \
        assert_int_equal(moep_detector_create(2, 3, &config, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT); \
        assert_says(words);                                                                                  \
        assert_null(detector);                                                                               \
    } while (0)
    refused("horizon must be", config.horizon = 0);
    refused("tolerance must be", config.tolerance = 0);
    refused("tolerance must be", config.tolerance = NAN);
    refused("tolerance must be", config.tolerance = INFINITY);
    refused("expert_tolerance must be", config.expert_tolerance = -0.1);
    refused("expert_tolerance must be", config.expert_tolerance = NAN);
    refused("growth must be", config.growth = -0.1);
    refused("growth must be", config.growth = 1.1);
    refused("growth must be", config.growth = NAN);
    refused("2 to 512 times block", config.block = 0);
    refused("2 to 512 times block", config.drift_window = 0);
    refused("2 to 512 times block", config.drift_window = 20);
    refused("2 to 512 times block", config.drift_window = 110);
    refused("2 to 512 times block", config.drift_window = 513 * 20);
    refused("dwell must be", config.dwell = 0);
    refused("reserved must be 0", config.reserved = 1);
    refused("1024 steps or fewer", config.windows[3] = 1025);
#undef refused
    moep_detector_config config = {.struct_size = sizeof config};
    moep_detector *detector = NULL;
    assert_int_equal(moep_detector_config_init(NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_config_init(&config), MOEP_OK);
    assert_int_equal(moep_detector_create(0, 3, &config, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_create(3, 0, &config, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_create(2, 3, NULL, NULL, &detector), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_create(2, 3, &config, NULL, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_create(SIZE_MAX / 2, SIZE_MAX / 2, &config, NULL, &detector),
                     MOEP_ERROR_OUT_OF_MEMORY);
    config.drift_window = 512 * 20;
    memset(config.windows, 0, sizeof config.windows);
    assert_int_equal(moep_detector_create(2, 3, &config, NULL, &detector), MOEP_OK);
    moep_detector_destroy(detector);
    moep_detector_destroy(NULL);
}

static void what_cannot_be_read_is_told(void **state)
{
    (void)state;
    const int32_t counts[4] = {1, 2, 3, 4};
    double value = 7;
    uint64_t number = 7;
    moep_state one = 7;
    moep_detector *detector = make_detector(1, 4, NULL);
    assert_int_equal(moep_detector_read(detector, MOEP_MEAN, 0, &value, NULL), MOEP_ERROR_TOO_FEW_STEPS);
    assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_INT32), MOEP_OK);
    assert_int_equal(moep_detector_read(detector, MOEP_MEAN, 2, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("has no such window");
    assert_int_equal(moep_detector_read(detector, MOEP_MEAN, SIZE_MAX, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_read(detector, MOEP_DRIFT, 1, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_read(detector, MOEP_DRIFT, 0, &value, NULL), MOEP_ERROR_TOO_FEW_STEPS);
    assert_says("WARMUP takes 200");
    assert_int_equal(moep_detector_read(detector, MOEP_NOISE, 0, &value, NULL), MOEP_ERROR_TOO_FEW_STEPS);
    assert_int_equal(moep_detector_read(detector, -1, 0, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_read(detector, 6, 0, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_read(NULL, MOEP_MEAN, 0, &value, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_states(NULL, &one, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_since(NULL, &number, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_changes(NULL, &number, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_states(detector, NULL, NULL), MOEP_OK);
    assert_true(value == 7 && number == 7 && one == 7);
    moep_detector_destroy(detector);
}

static void a_refused_push_changes_nothing(void **state)
{
    (void)state;
    enum { MOST = 8192 };
    static unsigned char before[MOST], after[MOST];
    size_t size = 0, same = 0;
    const double counts[3][4] = {{1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, NAN, 4}};
    moep_detector *detector = make_detector(1, 4, NULL);
    for (size_t step = 0; step < 205; step++)
        assert_int_equal(moep_detector_push(detector, 1, counts, MOEP_FLOAT64), MOEP_OK);
    assert_int_equal(moep_detector_save(detector, before, MOST, &size), MOEP_OK);
    assert_int_equal(moep_detector_push(detector, 3, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("step 2 of the call, layer 0, expert 2: count is not a number");
    assert_int_equal(moep_detector_push_at(detector, 100000, 3, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push_at(detector, 204, 1, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push(detector, 1, counts, 6), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push(detector, 1, NULL, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push(NULL, 1, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push_at(NULL, 1, 1, counts, MOEP_FLOAT64), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_detector_push_at(detector, 100000, 0, NULL, MOEP_FLOAT64), MOEP_OK); /* no step: no gap */
    assert_int_equal(moep_detector_save(detector, after, MOST, &same), MOEP_OK);
    assert_int_equal(same, size);
    assert_memory_equal(before, after, size);
    moep_detector_destroy(detector);
}

static void push_and_reads_of_states_take_no_memory(void **state)
{
    (void)state;
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    int64_t *counts = random_counts(250, 2, 4, 91);
    moep_detector *detector = make_detector(2, 4, &runtime);
    moep_state states[8];
    double values[8];
    size_t requests = memory.requests;
    assert_int_equal(moep_detector_push(detector, 250, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_detector_states(detector, NULL, states), MOEP_OK);
    for (moep_quantity quantity = MOEP_MEAN; quantity <= MOEP_DISPERSION; quantity++)
        assert_int_equal(moep_detector_read(detector, quantity, 0, NULL, values), MOEP_OK);
    assert_int_equal(memory.requests, requests);
    moep_detector_destroy(detector);
    assert_int_equal(memory.live_blocks, 0);
    assert_int_equal(memory.live_bytes, 0);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest detector[] = {
        cmocka_unit_test(a_constant_load_is_stable_after_warmup_and_dwell),
        cmocka_unit_test(noise_is_not_drift_whatever_the_batch_size),
        cmocka_unit_test(a_shift_is_left_within_a_window_and_stable_again_after_three),
        cmocka_unit_test(the_tolerance_tells_a_harmless_drift_from_a_harmful_one),
        cmocka_unit_test(a_load_that_keeps_jumping_is_transient),
        cmocka_unit_test(one_expert_of_many_is_seen_by_itself),
        cmocka_unit_test(noise_counts_the_tokens_that_were_routed_independently),
        cmocka_unit_test(statistics_of_a_layer_are_made_of_its_experts),
        cmocka_unit_test(a_long_gap_starts_warmup_again_and_a_short_one_does_not),
        cmocka_unit_test(layers_without_tokens_dead_experts_and_single_ones_are_stable),
        cmocka_unit_test(what_a_config_may_not_hold_is_told),
        cmocka_unit_test(what_cannot_be_read_is_told),
        cmocka_unit_test(a_refused_push_changes_nothing),
        cmocka_unit_test(push_and_reads_of_states_take_no_memory),
    };
    return cmocka_run_group_tests(detector, NULL, NULL);
}
