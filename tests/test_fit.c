/* SPDX-License-Identifier: BSD-3-Clause */
/* The model in its handle: replaced by a fit, kept on an error, adopted, and used for quantiles. */
#include "toy.h"

enum { LAYERS = 2, EXPERTS = 3, SERIES = LAYERS * EXPERTS };

static void a_failed_fit_leaves_the_model_unchanged(void **state)
{
    (void)state;
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    moep_predictor *predictor = make_toy(LAYERS, EXPERTS, &runtime);
    int64_t *counts = random_counts(20, LAYERS, EXPERTS, 31);
    double before[SERIES], after[SERIES];
    assert_int_equal(moep_predictor_fit(predictor), MOEP_ERROR_TOO_FEW_STEPS);
    assert_int_equal(moep_predictor_push(predictor, 12, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 5, 5, before, SERIES), MOEP_ERROR_NOT_FITTED);
    assert_true(info_of(predictor).fitted_step == UINT64_MAX);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(info_of(predictor).fitted_step, 12);
    assert_int_equal(moep_predictor_predict(predictor, 5, 5, before, SERIES), MOEP_OK);

    assert_int_equal(moep_predictor_push(predictor, 8, counts + 12 * SERIES, MOEP_INT64), MOEP_OK);
    toy_fault = MOEP_ERROR_NUMERIC;
    assert_int_equal(moep_predictor_fit(predictor), MOEP_ERROR_NUMERIC);
    toy_fault = MOEP_OK;
    memory.refuse_at = memory.requests + 1;
    assert_int_equal(moep_predictor_fit(predictor), MOEP_ERROR_OUT_OF_MEMORY);
    assert_int_equal(info_of(predictor).fitted_step, 12);
    assert_int_equal(moep_predictor_predict(predictor, 5, 5, after, SERIES), MOEP_OK);
    assert_memory_equal(before, after, sizeof before);

    assert_int_equal(moep_predictor_reset(predictor), MOEP_OK);
    assert_int_equal(info_of(predictor).fitted_step, 12);
    assert_int_equal(moep_predictor_push(predictor, 1, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 5, 5, after, SERIES), MOEP_OK);
    assert_memory_equal(before, after, sizeof before);
    moep_predictor_destroy(predictor);
    assert_int_equal(memory.live_bytes, 0);
    free(counts);
}

static void push_steps(moep_predictor *predictor, const int64_t *counts, size_t first, size_t end)
{
    assert_int_equal(moep_predictor_push(predictor, end - first, counts + first * SERIES, MOEP_INT64), MOEP_OK);
}

static void assert_same_bytes(const moep_predictor *a, const moep_predictor *b)
{
    unsigned char of_a[4096], of_b[4096];
    size_t size_a = 0, size_b = 0;
    assert_int_equal(moep_predictor_save(a, of_a, sizeof of_a, &size_a), MOEP_OK);
    assert_int_equal(moep_predictor_save(b, of_b, sizeof of_b, &size_b), MOEP_OK);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(of_a, of_b, size_a);
}

/* Clone at s, fit the clone, adopt at t = fit at s, push to t. */
static void a_fit_in_the_background_is_one_at_the_step_of_the_clone(void **state)
{
    (void)state;
    enum { S = 12, T = 19 };
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    int64_t *counts = random_counts(T, LAYERS, EXPERTS, 33);
    moep_predictor *running = make_toy(LAYERS, EXPERTS, &runtime), *stopped = make_toy(LAYERS, EXPERTS, NULL);
    moep_predictor *clone = NULL;
    push_steps(running, counts, 0, S);
    assert_int_equal(moep_predictor_clone(running, NULL, &clone), MOEP_OK);
    assert_int_equal(moep_predictor_fit(clone), MOEP_OK);
    push_steps(running, counts, S, T);
    size_t requests = memory.requests;
    assert_int_equal(moep_predictor_adopt(running, clone), MOEP_OK);
    assert_int_equal(memory.requests, requests);
    moep_predictor_destroy(clone); /* the copy does not refer to it */

    push_steps(stopped, counts, 0, S);
    assert_int_equal(moep_predictor_fit(stopped), MOEP_OK);
    push_steps(stopped, counts, S, T);
    assert_same_bytes(running, stopped);
    assert_int_equal(info_of(running).fitted_step, S);
    assert_int_equal(moep_predictor_adopt(running, running), MOEP_OK);
    assert_same_bytes(running, stopped);
    moep_predictor_destroy(stopped);
    moep_predictor_destroy(running);
    free(counts);
}

static void a_predictor_that_cannot_be_adopted_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    int64_t *counts = random_counts(12, LAYERS, EXPERTS, 34);
    moep_predictor *predictor = make_toy(LAYERS, EXPERTS, NULL), *before = NULL;
    moep_predictor *other_shape = make_toy(LAYERS, EXPERTS + 1, NULL),
                   *more_layers = make_toy(LAYERS + 1, EXPERTS, NULL);
    moep_predictor *other_method = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 10, NULL);
    push_steps(predictor, counts, 0, 12);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(moep_predictor_clone(predictor, NULL, &before), MOEP_OK);
    assert_int_equal(moep_predictor_adopt(predictor, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_adopt(NULL, predictor), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_adopt(predictor, other_shape), MOEP_ERROR_INCOMPATIBLE);
    assert_says("2 layers of 4 experts, this one 2 of 3");
    assert_int_equal(moep_predictor_adopt(predictor, more_layers), MOEP_ERROR_INCOMPATIBLE);
    assert_int_equal(moep_predictor_adopt(predictor, other_method), MOEP_ERROR_INCOMPATIBLE);
    assert_says("another configuration");
    assert_same_bytes(predictor, before);
    moep_predictor *same = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 10, NULL); /* it has no model to copy */
    assert_int_equal(moep_predictor_adopt(other_method, same), MOEP_OK);
    moep_predictor_destroy(same);
    moep_predictor_destroy(other_method);
    moep_predictor_destroy(more_layers);
    moep_predictor_destroy(other_shape);
    moep_predictor_destroy(before);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void quantiles_are_the_methods(void **state)
{
    (void)state;
    enum { ROWS = 3 };
    const double probabilities[2] = {0.95, 0.1};
    int64_t *counts = random_counts(12, LAYERS, EXPERTS, 35);
    moep_predictor *predictor = make_toy(LAYERS, EXPERTS, NULL);
    double rows[2][ROWS][SERIES], forecast[ROWS][SERIES];
    const size_t capacity = 2 * ROWS * SERIES;
    push_steps(predictor, counts, 0, 12);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, 5, 2, probabilities, 2, rows[0][0], capacity),
                     MOEP_ERROR_NOT_FITTED);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, 5, 2, probabilities, 2, rows[0][0], capacity),
                     MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 5, 2, forecast[0], ROWS * SERIES), MOEP_OK);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t s = 0; s < SERIES; s++)
            assert_near(rows[0][row][s] / rows[1][row][s], 9.5, 1e-12);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, 5, 2, NULL, 0, rows[0][0], 0), MOEP_OK);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void impossible_quantiles_are_refused_and_write_nothing(void **state)
{
    (void)state;
    int64_t *counts = random_counts(12, LAYERS, EXPERTS, 36);
    moep_predictor *predictor = make_toy(LAYERS, EXPERTS, NULL),
                   *sw_avg = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 10, NULL);
    double rows[2 * SERIES], half = 0.5;
#define refused(words, status, handle, horizon, stride, probabilities, n, out, capacity)                             \
    do {                                                                                                             \
        assert_int_equal(moep_predictor_predict_quantiles(handle, horizon, stride, probabilities, n, out, capacity), \
                         status);                                                                                    \
        assert_says(words);                                                                                          \
    } while (0)
    for (size_t i = 0; i < 2 * SERIES; i++)
        rows[i] = 77;
    refused("0 steps pushed", MOEP_ERROR_TOO_FEW_STEPS, predictor, 5, 5, &half, 1, rows, SERIES);
    push_steps(predictor, counts, 0, 12);
    push_steps(sw_avg, counts, 0, 12);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    refused("sw_avg has no quantiles", MOEP_ERROR_UNSUPPORTED, sw_avg, 5, 5, &half, 1, rows, SERIES);
    refused("predictor is NULL", MOEP_ERROR_INVALID_ARGUMENT, NULL, 5, 5, &half, 1, rows, SERIES);
    refused("probabilities is NULL", MOEP_ERROR_INVALID_ARGUMENT, predictor, 5, 5, NULL, 1, rows, SERIES);
    refused("shares is NULL", MOEP_ERROR_INVALID_ARGUMENT, predictor, 5, 5, &half, 1, NULL, SERIES);
    refused("both must be 1 or more", MOEP_ERROR_INVALID_ARGUMENT, predictor, 0, 5, &half, 1, rows, SERIES);
    refused("capacity is", MOEP_ERROR_INVALID_ARGUMENT, predictor, 5, 5, &half, 1, rows, SERIES - 1);
    const double bad[] = {0, 1, -0.5, 1.5, NAN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const double pair[2] = {0.5, bad[i]};
        refused("probability 1 is", MOEP_ERROR_INVALID_ARGUMENT, predictor, 5, 5, pair, 2, rows, 2 * SERIES);
    }
#undef refused
    for (size_t i = 0; i < 2 * SERIES; i++)
        assert_true(rows[i] == 77);
    moep_predictor_destroy(sw_avg);
    moep_predictor_destroy(predictor);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest fit[] = {
        cmocka_unit_test(a_failed_fit_leaves_the_model_unchanged),
        cmocka_unit_test(a_fit_in_the_background_is_one_at_the_step_of_the_clone),
        cmocka_unit_test(a_predictor_that_cannot_be_adopted_is_refused_and_changes_nothing),
        cmocka_unit_test(quantiles_are_the_methods),
        cmocka_unit_test(impossible_quantiles_are_refused_and_write_nothing),
    };
    return cmocka_run_group_tests(fit, NULL, NULL);
}
