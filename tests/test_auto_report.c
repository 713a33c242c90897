/* SPDX-License-Identifier: BSD-3-Clause */
/* What AUTO says of itself: its candidates, their weights, jumps. */
#include "support.h"

enum { LAYERS = 3, EXPERTS = 8, SERIES = LAYERS * EXPERTS, CANDIDATES = 10, MOST_LAYERS = 60 };
enum { CUT_50 = 0, UNCUT_300 = 5, NETWORK = 8, UNIFORM = 9 }; /* places of candidates, which the names confirm */

/* A report on the caller's arrays. */
struct record {
    double weights[MOST_LAYERS][CANDIDATES], expected_error[MOST_LAYERS], coverage[MOST_LAYERS][2];
    uint64_t since_jump[MOST_LAYERS];
};

static struct record report_of(const moep_predictor *predictor)
{
    struct record record;
    memset(&record, 0, sizeof record);
    moep_auto_report report = {sizeof report, record.weights[0], record.expected_error, record.coverage[0],
                               record.since_jump};
    assert_int_equal(moep_predictor_auto_report(predictor, &report), MOEP_OK);
    return record;
}

static moep_predictor *make_auto(size_t layers)
{
    return make_predictor(MOEP_AUTO, layers, EXPERTS, 0, NULL);
}

/* The counts of a step: loads of 1,000 to 8,000 tokens with noise of a few percent, in an order of experts that differs
 * from layer to layer and that `turn` changes. */
static const int64_t *noisy_step(size_t layers, size_t turn, uint64_t *random)
{
    static int64_t counts[MOST_LAYERS * EXPERTS];
    for (size_t i = 0; i < layers * EXPERTS; i++) {
        int64_t level = 1000 * (1 + (int64_t)((i + i / EXPERTS + turn) % EXPERTS));
        counts[i] = level + (int64_t)(random_number(random) >> 32) % (level / 20);
    }
    return counts;
}

static void push(moep_predictor *predictor, const int64_t *counts)
{
    assert_int_equal(moep_predictor_push(predictor, 1, counts, MOEP_INT64), MOEP_OK);
}

/* A run of `steps` steps without a change. */
static moep_predictor *settled_run(size_t layers, size_t steps)
{
    moep_predictor *predictor = make_auto(layers);
    uint64_t random = 1;
    for (size_t step = 0; step < steps; step++)
        push(predictor, noisy_step(layers, 0, &random));
    return predictor;
}

static bool is_same(const moep_predictor *a, const moep_predictor *b)
{
    struct record ours = report_of(a), theirs = report_of(b);
    return memcmp(&ours, &theirs, sizeof ours) == 0;
}

/* ---- candidates -------------------------------------------------------------------------------------------------- */

static void each_candidate_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(moep_auto_candidates(), CANDIDATES);
    for (size_t i = 0; i < CANDIDATES; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(moep_auto_candidate_name(i), moep_auto_candidate_name(k));
    assert_null(moep_auto_candidate_name(CANDIDATES));
    assert_null(moep_auto_candidate_name(SIZE_MAX));
    assert_string_equal(moep_auto_candidate_name(CUT_50), "mean of 50 since the last jump");
    assert_string_equal(moep_auto_candidate_name(UNCUT_300), "mean of 300");
    assert_string_equal(moep_auto_candidate_name(NETWORK), "pretrained network");
    assert_string_equal(moep_auto_candidate_name(UNIFORM), "uniform load");
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

static void weights_are_parts_of_one_from_the_first_step_on(void **state)
{
    (void)state;
    moep_predictor *predictor = make_auto(LAYERS);
    uint64_t random = 2;
    for (size_t step = 0; step < 330; step++) {
        struct record record = report_of(predictor);
        for (size_t l = 0; l < LAYERS; l++) {
            double sum = 0;
            for (size_t k = 0; k < CANDIDATES; k++) {
                assert_true(record.weights[l][k] >= 0);
                sum += record.weights[l][k];
            }
            assert_near(sum, 1, 1e-14);
        }
        push(predictor, noisy_step(LAYERS, step / 100, &random));
    }
    moep_predictor_destroy(predictor);
}

static void the_network_comes_at_step_100_and_the_first_scores_at_step_150(void **state)
{
    (void)state;
    moep_predictor *predictor = make_auto(LAYERS);
    uint64_t random = 3;
    for (size_t step = 0; step < 151; step++) {
        struct record record = report_of(predictor);
        for (size_t l = 0; l < LAYERS; l++) {
            double network = record.weights[l][NETWORK], uniform = record.weights[l][UNIFORM];
            if (step < 150) {
                assert_near(network, step < 100 ? 0 : 0.4, 1e-15);
                assert_near(uniform, step < 100 ? 0.05 / 0.6 : 0.05, 1e-15);
                assert_near(record.weights[l][CUT_50], record.weights[l][UNCUT_300], 0);
            } else {
                assert_true(uniform < 0.05);
            }
        }
        push(predictor, noisy_step(LAYERS, 0, &random));
    }
    moep_predictor_destroy(predictor);
}

static void candidates_that_fail_lose_their_weights(void **state)
{
    (void)state;
    moep_predictor *unequal = settled_run(LAYERS, 600), *equal = make_auto(LAYERS);
    uint64_t random = 4;
    int64_t counts[SERIES];
    for (size_t step = 0; step < 600; step++) {
        for (size_t i = 0; i < SERIES; i++)
            counts[i] = 1000 + (int64_t)(random_number(&random) >> 32) % 500;
        push(equal, counts);
    }
    struct record of_unequal = report_of(unequal), of_equal = report_of(equal);
    for (size_t l = 0; l < LAYERS; l++) {
        assert_true(of_unequal.weights[l][UNIFORM] < 1e-6);
        for (size_t k = 0; k < CANDIDATES; k++)
            assert_true(k == UNIFORM || of_equal.weights[l][UNIFORM] > of_equal.weights[l][k]);
    }
    moep_predictor_destroy(unequal);
    moep_predictor_destroy(equal);
}

/* Learning from a block is spread over the pushes that follow it. No report may show when it was done. */
static void a_layer_alone_has_the_report_that_it_has_among_others(void **state)
{
    (void)state;
    moep_predictor *all = make_auto(MOST_LAYERS), *last = make_auto(1);
    uint64_t random = 5;
    for (size_t step = 0; step < 460; step++) {
        const int64_t *counts = noisy_step(MOST_LAYERS, step / 200, &random);
        push(all, counts);
        push(last, counts + (MOST_LAYERS - 1) * EXPERTS);
        struct record ours = report_of(all), alone = report_of(last);
        assert_memory_equal(ours.weights[MOST_LAYERS - 1], alone.weights[0], sizeof alone.weights[0]);
        assert_int_equal(ours.since_jump[MOST_LAYERS - 1], alone.since_jump[0]);
    }
    moep_predictor_destroy(all);
    moep_predictor_destroy(last);
}

/* ---- jumps ------------------------------------------------------------------------------------------------------- */

static void without_a_jump_all_steps_count(void **state)
{
    (void)state;
    const size_t steps[] = {0, 1, 49, 50, 51, 777};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        moep_predictor *predictor = settled_run(LAYERS, steps[i]);
        struct record record = report_of(predictor);
        for (size_t l = 0; l < LAYERS; l++)
            assert_int_equal(record.since_jump[l], steps[i]);
        moep_predictor_destroy(predictor);
    }
}

/* Pushes `steps` steps in which the second layer's experts have changed places. */
static void push_moved(moep_predictor *predictor, size_t steps, uint64_t *random)
{
    int64_t counts[SERIES];
    for (size_t step = 0; step < steps; step++) {
        memcpy(counts, noisy_step(LAYERS, 3, random), sizeof counts);
        memcpy(counts + EXPERTS, counts, EXPERTS * sizeof *counts);
        memcpy(counts, noisy_step(LAYERS, 0, random), EXPERTS * sizeof *counts);
        memcpy(counts + 2 * EXPERTS, noisy_step(LAYERS, 0, random) + 2 * EXPERTS, EXPERTS * sizeof *counts);
        push(predictor, counts);
    }
}

static void a_jump_of_one_layer_is_noticed_in_it_alone(void **state)
{
    (void)state;
    moep_predictor *predictor = settled_run(LAYERS, 600);
    uint64_t random = 6;
    push_moved(predictor, 100, &random);
    struct record record = report_of(predictor);
    assert_int_equal(record.since_jump[0], 700);
    assert_int_equal(record.since_jump[1], 100);
    assert_int_equal(record.since_jump[2], 700);
    push_moved(predictor, 33, &random);
    assert_int_equal(report_of(predictor).since_jump[1], 133);
    moep_predictor_destroy(predictor);
}

static void a_run_that_is_joined_late_has_no_gap_before_it(void **state)
{
    (void)state;
    moep_predictor *late = make_auto(LAYERS), *first = settled_run(LAYERS, 300);
    uint64_t random = 1;
    for (uint64_t step = 0; step < 300; step++)
        assert_int_equal(moep_predictor_push_at(late, 50000 + step, 1, noisy_step(LAYERS, 0, &random), MOEP_INT64),
                         MOEP_OK);
    for (size_t l = 0; l < LAYERS; l++)
        assert_int_equal(report_of(late).since_jump[l], report_of(first).since_jump[l]);
    moep_predictor_destroy(late);
    moep_predictor_destroy(first);
}

/* ---- errors and coverage ----------------------------------------------------------------------------------------- */

/* The part of a layer's experts whose load lies within the quantiles. */
static double part_within(const double *quantiles, const double *loads)
{
    size_t within = 0;
    for (size_t e = 0; e < EXPERTS; e++)
        within += loads[e] >= quantiles[e] && loads[e] <= quantiles[SERIES + e];
    return (double)within / EXPERTS;
}

/* The first forecast that is scored is that of step 100. */
static void at_step_1100_the_report_says_how_the_forecast_of_step_100_did(void **state)
{
    (void)state;
    static const double probabilities[] = {0.1, 0.9, 0.025, 0.975};
    double forecast[SERIES], quantiles[4 * SERIES], loads[SERIES] = {0}, error[LAYERS];
    moep_predictor *predictor = settled_run(LAYERS, 100);
    uint64_t random = 8;
    assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, forecast, SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, 1000, 1000, probabilities, 4, quantiles, 4 * SERIES),
                     MOEP_OK);
    for (size_t step = 0; step < 1000; step++) {
        struct record record = report_of(predictor);
        for (size_t l = 0; l < LAYERS; l++)
            assert_true(isnan(record.expected_error[l]) && isnan(record.coverage[l][0]) &&
                        isnan(record.coverage[l][1]));
        const int64_t *counts = noisy_step(LAYERS, step / 500, &random);
        push(predictor, counts);
        for (size_t l = 0; l < LAYERS; l++) {
            double total = 0;
            for (size_t e = 0; e < EXPERTS; e++)
                total += (double)counts[l * EXPERTS + e];
            for (size_t e = 0; e < EXPERTS; e++)
                loads[l * EXPERTS + e] += (double)counts[l * EXPERTS + e] / total / 1000;
        }
    }
    assert_int_equal(moep_forecast_error(LAYERS, EXPERTS, forecast, loads, error, NULL, NULL), MOEP_OK);
    struct record record = report_of(predictor);
    for (size_t l = 0; l < LAYERS; l++) {
        assert_near(record.expected_error[l], error[l], 1e-5);
        assert_near(record.coverage[l][0], part_within(quantiles + l * EXPERTS, loads + l * EXPERTS), 1e-15);
        assert_near(record.coverage[l][1], part_within(quantiles + 2 * SERIES + l * EXPERTS, loads + l * EXPERTS),
                    1e-15);
    }
    moep_predictor_destroy(predictor);
}

static void more_of_the_wider_intervals_hold(void **state)
{
    (void)state;
    moep_predictor *predictor = settled_run(LAYERS, 3000);
    struct record record = report_of(predictor);
    for (size_t l = 0; l < LAYERS; l++) {
        assert_true(record.expected_error[l] > 0 && record.expected_error[l] < 0.02);
        assert_true(record.coverage[l][0] > 0.5 && record.coverage[l][0] < 1);
        assert_true(record.coverage[l][1] >= record.coverage[l][0] && record.coverage[l][1] <= 1);
    }
    moep_predictor_destroy(predictor);
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

static void a_report_changes_nothing_and_stays_with_copies(void **state)
{
    (void)state;
    enum { MOST = 1 << 20 };
    static unsigned char before[MOST], after[MOST];
    size_t size = 0;
    moep_predictor *predictor = settled_run(LAYERS, 466), *clone = NULL, *loaded = NULL; /* some work is pending */
    assert_int_equal(moep_predictor_save(predictor, before, MOST, &size), MOEP_OK);
    struct record first = report_of(predictor), second = report_of(predictor);
    assert_memory_equal(&first, &second, sizeof first);
    assert_int_equal(moep_predictor_save(predictor, after, MOST, &size), MOEP_OK);
    assert_memory_equal(before, after, size);
    assert_int_equal(moep_predictor_clone(predictor, NULL, &clone), MOEP_OK);
    assert_int_equal(moep_predictor_load(after, size, NULL, &loaded), MOEP_OK);
    assert_true(is_same(predictor, clone));
    assert_true(is_same(predictor, loaded));
    moep_predictor_destroy(predictor);
    moep_predictor_destroy(clone);
    moep_predictor_destroy(loaded);
}

static void reset_forgets_and_adopt_keeps_what_pushes_taught(void **state)
{
    (void)state;
    moep_predictor *predictor = settled_run(LAYERS, 600), *same = settled_run(LAYERS, 600), *fresh = make_auto(LAYERS);
    assert_int_equal(moep_predictor_adopt(predictor, fresh), MOEP_OK);
    assert_true(is_same(predictor, same));
    assert_int_equal(moep_predictor_reset(predictor), MOEP_OK);
    assert_true(is_same(predictor, fresh));
    moep_predictor_destroy(predictor);
    moep_predictor_destroy(same);
    moep_predictor_destroy(fresh);
}

static void arrays_that_are_null_or_that_an_older_caller_lacks_are_skipped(void **state)
{
    (void)state;
    moep_predictor *predictor = settled_run(LAYERS, 300);
    struct record expected = report_of(predictor), found;
    moep_auto_report none = {.struct_size = sizeof none};
    assert_int_equal(moep_predictor_auto_report(predictor, &none), MOEP_OK);
    memset(&found, 0, sizeof found);
    moep_auto_report older = {offsetof(moep_auto_report, coverage), found.weights[0], NULL, found.coverage[0],
                              found.since_jump};
    assert_int_equal(moep_predictor_auto_report(predictor, &older), MOEP_OK);
    assert_memory_equal(found.weights, expected.weights, sizeof found.weights);
    assert_true(found.coverage[0][0] == 0 && found.since_jump[0] == 0);
    moep_auto_report since = {.struct_size = sizeof since, .since_jump = found.since_jump};
    assert_int_equal(moep_predictor_auto_report(predictor, &since), MOEP_OK);
    assert_memory_equal(found.since_jump, expected.since_jump, sizeof found.since_jump);
    moep_predictor_destroy(predictor);
}

static void other_methods_and_null_are_refused(void **state)
{
    (void)state;
    moep_auto_report report = {.struct_size = sizeof report};
    for (moep_method method = MOEP_SW_AVG; method <= MOEP_LSTM; method++) {
        moep_predictor *other = make_predictor(method, 1, 2, 0, NULL);
        assert_int_equal(moep_predictor_auto_report(other, &report), MOEP_ERROR_UNSUPPORTED);
        assert_says(moep_method_name(method));
        assert_says("not auto");
        moep_predictor_destroy(other);
    }
    moep_predictor *predictor = make_auto(1);
    assert_int_equal(moep_predictor_auto_report(NULL, &report), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("predictor is NULL");
    assert_int_equal(moep_predictor_auto_report(predictor, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("moep_auto_report is NULL");
    moep_predictor_destroy(predictor);
}

int main(void)
{
    const struct CMUnitTest report[] = {
        cmocka_unit_test(each_candidate_has_a_name_of_its_own),
        cmocka_unit_test(weights_are_parts_of_one_from_the_first_step_on),
        cmocka_unit_test(the_network_comes_at_step_100_and_the_first_scores_at_step_150),
        cmocka_unit_test(candidates_that_fail_lose_their_weights),
        cmocka_unit_test(a_layer_alone_has_the_report_that_it_has_among_others),
        cmocka_unit_test(without_a_jump_all_steps_count),
        cmocka_unit_test(a_jump_of_one_layer_is_noticed_in_it_alone),
        cmocka_unit_test(a_run_that_is_joined_late_has_no_gap_before_it),
        cmocka_unit_test(at_step_1100_the_report_says_how_the_forecast_of_step_100_did),
        cmocka_unit_test(more_of_the_wider_intervals_hold),
        cmocka_unit_test(a_report_changes_nothing_and_stays_with_copies),
        cmocka_unit_test(reset_forgets_and_adopt_keeps_what_pushes_taught),
        cmocka_unit_test(arrays_that_are_null_or_that_an_older_caller_lacks_are_skipped),
        cmocka_unit_test(other_methods_and_null_are_refused),
    };
    return cmocka_run_group_tests(report, NULL, NULL);
}
