/* SPDX-License-Identifier: BSD-3-Clause */
/* The laws of predictors, for a detector whose growth is constant and for one that learns it. */
#include "support.h"

enum { LAYERS = 2, EXPERTS = 8, SERIES = LAYERS * EXPERTS, STEPS = 900, MOST = 65536, QUANTITIES = 6 };

/* All readings of a detector. */
struct readings {
    moep_state layers[LAYERS], experts[SERIES];
    uint64_t layer_since[LAYERS], expert_since[SERIES], layer_changes[LAYERS], expert_changes[SERIES];
    double layer_values[QUANTITIES][LAYERS], expert_values[QUANTITIES][SERIES];
};

/* Loads that are constant except for noise and a jump at step 400. */
static int64_t *jumping_counts(uint64_t seed)
{
    int64_t *counts = malloc(STEPS * SERIES * sizeof *counts);
    for (size_t step = 0; step < STEPS; step++)
        for (size_t s = 0; s < SERIES; s++) {
            size_t load = 1000 + 100 * s + (step >= 400 && s % 3 == 0 ? 700 : 0);
            counts[step * SERIES + s] = (int64_t)(load + random_number(&seed) % 200);
        }
    return counts;
}

/* A law's initial state is the growth. The periods of the one that learns are so short that the errors of both spans
 * have come, before the jump or soon after. */
static double constant = 0.3, learned = MOEP_LEARN;

static moep_detector_config config_of(double growth)
{
    moep_detector_config config = detector_config(growth);
    config.windows[2] = 37;
    if (growth == MOEP_LEARN) {
        config.drift_window = 40;
        config.horizon = 400;
    }
    return config;
}

static moep_detector *make(double growth)
{
    moep_detector_config config = config_of(growth);
    return make_detector_of(LAYERS, EXPERTS, &config, NULL);
}

static void read_all(const moep_detector *detector, struct readings *readings)
{
    memset(readings, 0, sizeof *readings);
    assert_int_equal(moep_detector_states(detector, readings->layers, readings->experts), MOEP_OK);
    assert_int_equal(moep_detector_since(detector, readings->layer_since, readings->expert_since), MOEP_OK);
    assert_int_equal(moep_detector_changes(detector, readings->layer_changes, readings->expert_changes), MOEP_OK);
    for (moep_quantity q = MOEP_MEAN; q <= MOEP_DISPERSION; q++)
        assert_int_equal(moep_detector_read(detector, q, 0, readings->layer_values[q], readings->expert_values[q]),
                         MOEP_OK);
}

static moep_detector *detector_of(double growth, const void *counts, moep_dtype dtype, size_t group)
{
    moep_detector *detector = make(growth);
    size_t size = moep_dtype_size(dtype);
    for (size_t step = 0; step < STEPS; step += group) {
        size_t steps = STEPS - step < group ? STEPS - step : group;
        assert_int_equal(moep_detector_push(detector, steps, (const char *)counts + step * SERIES * size, dtype),
                         MOEP_OK);
    }
    return detector;
}

static void readings_of(double growth, const void *counts, moep_dtype dtype, size_t group, struct readings *readings)
{
    moep_detector *detector = detector_of(growth, counts, dtype, group);
    read_all(detector, readings);
    moep_detector_destroy(detector);
}

static void permuting_the_experts_permutes_all_readings(void **state)
{
    double growth = *(const double *)*state;
    const size_t place[EXPERTS] = {3, 7, 0, 6, 1, 5, 2, 4};
    int64_t *counts = jumping_counts(1), *permuted = malloc(STEPS * SERIES * sizeof *permuted);
    for (size_t i = 0; i < STEPS * LAYERS; i++)
        for (size_t e = 0; e < EXPERTS; e++)
            permuted[i * EXPERTS + place[e]] = counts[i * EXPERTS + e];
    struct readings readings, other;
    readings_of(growth, counts, MOEP_INT64, STEPS, &readings);
    readings_of(growth, permuted, MOEP_INT64, STEPS, &other);
    assert_memory_equal(readings.layers, other.layers, sizeof readings.layers);
    assert_memory_equal(readings.layer_since, other.layer_since, sizeof readings.layer_since);
    assert_memory_equal(readings.layer_changes, other.layer_changes, sizeof readings.layer_changes);
    for (size_t q = 0; q < QUANTITIES; q++)
        for (size_t layer = 0; layer < LAYERS; layer++)
            assert_near(other.layer_values[q][layer], readings.layer_values[q][layer],
                        1e-12 * readings.layer_values[q][layer]);
    for (size_t layer = 0; layer < LAYERS; layer++)
        for (size_t e = 0; e < EXPERTS; e++) {
            size_t from = layer * EXPERTS + e, to = layer * EXPERTS + place[e];
            assert_int_equal(other.experts[to], readings.experts[from]);
            assert_int_equal(other.expert_since[to], readings.expert_since[from]);
            assert_int_equal(other.expert_changes[to], readings.expert_changes[from]);
            for (size_t q = 0; q < QUANTITIES; q++)
                assert_true(other.expert_values[q][to] == readings.expert_values[q][from]);
        }
    free(permuted);
    free(counts);
}

/* Except the tokens per step, on which dispersion depends. */
static void scaling_all_counts_by_a_power_of_two_changes_no_byte(void **state)
{
    double growth = *(const double *)*state;
    int64_t *counts = jumping_counts(2), *scaled = malloc(STEPS * SERIES * sizeof *scaled);
    for (size_t i = 0; i < STEPS * SERIES; i++)
        scaled[i] = counts[i] << 40;
    struct readings readings, other;
    readings_of(growth, counts, MOEP_INT64, STEPS, &readings);
    readings_of(growth, scaled, MOEP_INT64, STEPS, &other);
    for (size_t i = 0; i < LAYERS; i++) {
        assert_true(other.layer_values[MOEP_DISPERSION][i] == readings.layer_values[MOEP_DISPERSION][i] * 0x1p40);
        other.layer_values[MOEP_DISPERSION][i] = readings.layer_values[MOEP_DISPERSION][i];
    }
    for (size_t i = 0; i < SERIES; i++)
        other.expert_values[MOEP_DISPERSION][i] = readings.expert_values[MOEP_DISPERSION][i];
    assert_memory_equal(&readings, &other, sizeof readings);
    free(scaled);
    free(counts);
}

static void any_grouping_of_steps_into_calls_gives_the_same_bytes(void **state)
{
    double growth = *(const double *)*state;
    static unsigned char one[MOST], many[MOST];
    int64_t *counts = jumping_counts(3);
    size_t size = 0, same = 0;
    moep_detector *all = detector_of(growth, counts, MOEP_INT64, STEPS);
    assert_int_equal(moep_detector_save(all, one, MOST, &size), MOEP_OK);
    struct readings readings, other;
    read_all(all, &readings);
    assert_true(readings.layer_changes[0] == 4); /* the run has states that change */
    for (size_t group = 1; group < STEPS; group = 3 * group + 1) {
        moep_detector *grouped = detector_of(growth, counts, MOEP_INT64, group);
        assert_int_equal(moep_detector_save(grouped, many, MOST, &same), MOEP_OK);
        read_all(grouped, &other);
        assert_int_equal(size, same);
        assert_memory_equal(one, many, size);
        assert_memory_equal(&readings, &other, sizeof readings);
        moep_detector_destroy(grouped);
    }
    moep_detector_destroy(all);
    free(counts);
}

static void only_the_dispersion_of_counts_that_are_no_tokens_is_not_a_number(struct readings readings,
                                                                             struct readings other)
{
    for (size_t i = 0; i < LAYERS; i++)
        assert_true(isnan(other.layer_values[MOEP_DISPERSION][i]));
    for (size_t i = 0; i < SERIES; i++)
        assert_true(isnan(other.expert_values[MOEP_DISPERSION][i]));
    memcpy(other.layer_values[MOEP_DISPERSION], readings.layer_values[MOEP_DISPERSION], sizeof *readings.layer_values);
    memcpy(other.expert_values[MOEP_DISPERSION], readings.expert_values[MOEP_DISPERSION],
           sizeof *readings.expert_values);
    assert_memory_equal(&readings, &other, sizeof readings);
}

static void the_dtype_changes_nothing_if_counts_are_whole(void **state)
{
    double growth = *(const double *)*state;
    int64_t *counts = jumping_counts(4);
    int32_t *shorter = malloc(STEPS * SERIES * sizeof *shorter);
    float *reals = malloc(STEPS * SERIES * sizeof *reals);
    for (size_t i = 0; i < STEPS * SERIES; i++) {
        shorter[i] = (int32_t)counts[i];
        reals[i] = (float)counts[i];
    }
    struct readings readings, other;
    readings_of(growth, counts, MOEP_INT64, STEPS, &readings);
    readings_of(growth, shorter, MOEP_INT32, STEPS, &other);
    assert_memory_equal(&readings, &other, sizeof readings);
    readings_of(growth, reals, MOEP_FLOAT32, STEPS, &other);
    assert_memory_equal(&readings, &other, sizeof readings);
    for (size_t i = 0; i < STEPS * SERIES; i++)
        reals[i] /= 4096; /* the same shares, but no whole numbers */
    readings_of(growth, reals, MOEP_FLOAT32, STEPS, &other);
    only_the_dispersion_of_counts_that_are_no_tokens_is_not_a_number(readings, other);
    free(reals);
    free(shorter);
    free(counts);
}

/* The noise is estimated from 10 blocks of 20 steps. */
static void a_fraction_is_forgotten_with_its_block(void **state)
{
    (void)state;
    int64_t *counts = jumping_counts(9);
    double *reals = malloc(STEPS * SERIES * sizeof *reals), layers[LAYERS];
    for (size_t i = 0; i < STEPS * SERIES; i++)
        reals[i] = (double)counts[i];
    reals[5 * SERIES + EXPERTS] += 0.5; /* of the second layer */
    moep_detector *detector = make(constant);
    for (size_t step = 0; step < 240; step++) {
        assert_int_equal(moep_detector_push(detector, 1, reals + step * SERIES, MOEP_FLOAT64), MOEP_OK);
        if (step < 199)
            continue;
        assert_int_equal(moep_detector_read(detector, MOEP_DISPERSION, 0, layers, NULL), MOEP_OK);
        assert_true(layers[0] > 0);
        assert_true(step < 219 ? isnan(layers[1]) : layers[1] > 0);
    }
    moep_detector_destroy(detector);
    free(reals);
    free(counts);
}

static void reading_changes_nothing(void **state)
{
    double growth = *(const double *)*state;
    static unsigned char before[MOST], after[MOST];
    int64_t *counts = jumping_counts(5);
    size_t size = 0, same = 0;
    struct readings readings, again;
    moep_detector *detector = detector_of(growth, counts, MOEP_INT64, 7);
    assert_int_equal(moep_detector_save(detector, before, MOST, &size), MOEP_OK);
    read_all(detector, &readings);
    read_all(detector, &again);
    assert_int_equal(moep_detector_save(detector, after, MOST, &same), MOEP_OK);
    assert_memory_equal(before, after, size);
    assert_memory_equal(&readings, &again, sizeof readings);
    moep_detector_destroy(detector);
    free(counts);
}

static void a_layer_is_judged_alone_as_among_others(void **state)
{
    double growth = *(const double *)*state;
    int64_t *counts = jumping_counts(8), *alone = malloc(STEPS * EXPERTS * sizeof *alone);
    struct readings readings, of_layer;
    readings_of(growth, counts, MOEP_INT64, STEPS, &readings);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        moep_detector_config config = config_of(growth);
        moep_detector *detector = make_detector_of(1, EXPERTS, &config, NULL);
        for (size_t step = 0; step < STEPS; step++)
            memcpy(alone + step * EXPERTS, counts + (step * LAYERS + layer) * EXPERTS, EXPERTS * sizeof *alone);
        assert_int_equal(moep_detector_push(detector, STEPS, alone, MOEP_INT64), MOEP_OK);
        read_all(detector, &of_layer);
        size_t first = layer * EXPERTS;
        assert_int_equal(of_layer.layers[0], readings.layers[layer]);
        assert_int_equal(of_layer.layer_since[0], readings.layer_since[layer]);
        assert_int_equal(of_layer.layer_changes[0], readings.layer_changes[layer]);
        assert_memory_equal(of_layer.experts, readings.experts + first, EXPERTS * sizeof *readings.experts);
        assert_memory_equal(of_layer.expert_since, readings.expert_since + first, EXPERTS * sizeof(uint64_t));
        assert_memory_equal(of_layer.expert_changes, readings.expert_changes + first, EXPERTS * sizeof(uint64_t));
        for (size_t q = 0; q < QUANTITIES; q++) {
            assert_true(of_layer.layer_values[q][0] == readings.layer_values[q][layer]);
            assert_memory_equal(of_layer.expert_values[q], readings.expert_values[q] + first, EXPERTS * sizeof(double));
        }
        moep_detector_destroy(detector);
    }
    free(alone);
    free(counts);
}

/* Except its windows, its counters and its number of changes. */
static void after_a_long_gap_a_detector_reads_as_a_new_one(void **state)
{
    double growth = *(const double *)*state;
    enum { BEFORE = 463, AFTER = STEPS - BEFORE };
    int64_t *counts = jumping_counts(7);
    for (size_t i = 0; i < BEFORE * SERIES; i++)
        counts[i] *= 100; /* other tokens, the same shares */
    moep_detector *old = make(growth), *young = make(growth);
    assert_int_equal(moep_detector_push(old, BEFORE, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_detector_push_at(old, 10000, AFTER, counts + BEFORE * SERIES, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_detector_push_at(young, 10000, AFTER, counts + BEFORE * SERIES, MOEP_INT64), MOEP_OK);
    struct readings readings, other;
    read_all(old, &readings);
    read_all(young, &other);
    memcpy(readings.layer_changes, other.layer_changes, sizeof readings.layer_changes);
    memcpy(readings.expert_changes, other.expert_changes, sizeof readings.expert_changes);
    assert_memory_equal(&readings, &other, sizeof readings);
    moep_detector_destroy(young);
    moep_detector_destroy(old);
    free(counts);
}

/* FNV-1a hashes, made by libmoepredict 0.1.0, gcc 12, x86-64. They must be the same for every compiler, vector width
 * and processor, or ranks would disagree. */
static void every_build_gives_the_same_bytes(void **state)
{
    double growth = *(const double *)*state;
    static unsigned char bytes[MOST];
    int64_t *counts = jumping_counts(6);
    size_t size = 0;
    struct readings readings;
    moep_detector *detector = detector_of(growth, counts, MOEP_INT64, 1);
    read_all(detector, &readings);
    assert_int_equal(moep_detector_save(detector, bytes, MOST, &size), MOEP_OK);
    /* without the header, which names the version */
    uint64_t hash = hash_of(hash_of(HASH_START, &readings, sizeof readings), bytes + 32, size - 32);
    if (hash != (growth == MOEP_LEARN ? UINT64_C(0x21d3e4d36493a353) : UINT64_C(0xd94772f75067aadf)))
        fail_msg("the hash is 0x%016llx", (unsigned long long)hash);
    moep_detector_destroy(detector);
    free(counts);
}

int main(void)
{
#define LAW(law, growth)                                                                 \
    {                                                                                    \
        .name = #law " (" #growth " growth)", .test_func = law, .initial_state = &growth \
    }
    const struct CMUnitTest laws[] = {
        LAW(permuting_the_experts_permutes_all_readings, constant),
        LAW(permuting_the_experts_permutes_all_readings, learned),
        LAW(scaling_all_counts_by_a_power_of_two_changes_no_byte, constant),
        LAW(scaling_all_counts_by_a_power_of_two_changes_no_byte, learned),
        LAW(any_grouping_of_steps_into_calls_gives_the_same_bytes, constant),
        LAW(any_grouping_of_steps_into_calls_gives_the_same_bytes, learned),
        LAW(the_dtype_changes_nothing_if_counts_are_whole, constant),
        LAW(the_dtype_changes_nothing_if_counts_are_whole, learned),
        LAW(reading_changes_nothing, constant),
        LAW(reading_changes_nothing, learned),
        LAW(a_layer_is_judged_alone_as_among_others, constant),
        LAW(a_layer_is_judged_alone_as_among_others, learned),
        LAW(after_a_long_gap_a_detector_reads_as_a_new_one, constant),
        LAW(after_a_long_gap_a_detector_reads_as_a_new_one, learned),
        LAW(every_build_gives_the_same_bytes, constant),
        LAW(every_build_gives_the_same_bytes, learned),
        cmocka_unit_test(a_fraction_is_forgotten_with_its_block),
    };
#undef LAW
    return cmocka_run_group_tests(laws, NULL, NULL);
}
