/* SPDX-License-Identifier: BSD-3-Clause */
/* Fits of ARIMA: in pieces, repeated, with progress, cancelled, and with memory refused. */
#include "arima.h"

static size_t series_with_estimates(const moep_predictor *predictor)
{
    size_t count = 0;
    moep_arima_model model = {.struct_size = sizeof model};
    for (size_t s = 0; s < SERIES; s++)
        count += moep_predictor_arima_model(predictor, s / EXPERTS, s % EXPERTS, &model) == MOEP_OK;
    return count;
}

static void assert_same_models(const moep_predictor *a, const moep_predictor *b)
{
    for (size_t s = 0; s < SERIES; s++) {
        moep_arima_model of_a = model_of(a, s), of_b = model_of(b, s);
        assert_memory_equal(&of_a, &of_b, sizeof of_a);
    }
}

/* The operations, in 10^6, that the first fit of a series takes, at history and bucket by default: a budget of some series
 * over the number of series that it sufficed for. */
static double cost_of_a_series(int32_t p, int32_t q, double budget)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_predictor_config_init(&config, MOEP_ARIMA), MOEP_OK);
    config.arima_p = p;
    config.arima_q = q;
    config.fit_budget = budget;
    moep_predictor *predictor = make(&config, NULL);
    double load[SERIES], counts[SERIES];
    uint64_t random = 17;
    for (size_t s = 0; s < SERIES; s++)
        load[s] = 1000;
    for (size_t step = 0; step < 1000; step++) {
        for (size_t s = 0; s < SERIES; s++) {
            load[s] += (double)(random_number(&random) >> 40) / (1 << 22) - 2; /* a walk, observed with noise */
            counts[s] = load[s] + (double)(random_number(&random) >> 40) / (1 << 18);
        }
        assert_int_equal(moep_predictor_push(predictor, 1, counts, MOEP_FLOAT64), MOEP_OK);
    }
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    size_t fitted = series_with_estimates(predictor);
    moep_predictor_destroy(predictor);
    assert_in_range(fitted, 1, SERIES - 1);
    return budget / (double)fitted;
}

static void a_first_fit_costs_what_the_header_says(void **state)
{
    (void)state;
    assert_near(cost_of_a_series(2, 2, 0.3 * SERIES), 0.6, 0.3);
    assert_near(cost_of_a_series(5, 5, 5.0 * SERIES), 10, 5);
}

/* The order is given or selected, and the state is saved and loaded between the pieces. */
static void a_fit_in_pieces_is_the_fit_in_one(void **state)
{
    (void)state;
    double *counts = autoregressions(0.7, 6);
    for (int32_t p = MOEP_SELECT; p <= 2; p += 3) {
        moep_predictor_config config = config_of(p, p < 0 ? MOEP_SELECT : 1, p, 1);
        moep_predictor *whole = make_and_push(&config, NULL, counts, STEPS);
        assert_int_equal(moep_predictor_fit(whole), MOEP_OK);
        config.fit_budget = 1e-6; /* a series, or the orders of a layer, in each call */
        moep_predictor *pieces = make_and_push(&config, NULL, counts, STEPS);
        size_t calls = 0, before = 0;
        while (series_with_estimates(pieces) < SERIES) {
            static unsigned char bytes[MOST];
            size_t size = save(pieces, bytes);
            moep_predictor_destroy(pieces);
            assert_int_equal(moep_predictor_load(bytes, size, NULL, &pieces), MOEP_OK);
            assert_int_equal(moep_predictor_fit(pieces), MOEP_OK);
            assert_true(series_with_estimates(pieces) >= before && ++calls < 100);
            before = series_with_estimates(pieces);
        }
        assert_int_equal(calls, p < 0 ? SERIES + LAYERS : SERIES);
        assert_same_models(whole, pieces);
        double of_whole[SERIES], of_pieces[SERIES];
        assert_int_equal(moep_predictor_predict(whole, 50, 50, of_whole, SERIES), MOEP_OK);
        assert_int_equal(moep_predictor_predict(pieces, 50, 50, of_pieces, SERIES), MOEP_OK);
        assert_memory_equal(of_whole, of_pieces, sizeof of_whole);
        moep_predictor_destroy(pieces);
        moep_predictor_destroy(whole);
    }
    free(counts);
}

/* A refit begins at the last estimate and ends with no smaller a likelihood. */
static void a_refit_after_new_steps_is_about_as_good_as_a_first_fit(void **state)
{
    (void)state;
    double *counts = autoregressions(0.7, 7);
    moep_predictor_config config = config_of(2, 0, 1, 1);
    moep_predictor *refitted = make_and_push(&config, NULL, counts, STEPS - 100);
    assert_int_equal(moep_predictor_fit(refitted), MOEP_OK);
    assert_int_equal(moep_predictor_push(refitted, 100, counts + (STEPS - 100) * SERIES, MOEP_FLOAT64), MOEP_OK);
    assert_int_equal(moep_predictor_fit(refitted), MOEP_OK);
    assert_int_equal(info_of(refitted).fitted_step, STEPS);
    moep_predictor *fresh = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_fit(fresh), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        assert_near(model_of(refitted, s).loglik, model_of(fresh, s).loglik, 2);
    moep_predictor_destroy(fresh);
    moep_predictor_destroy(refitted);
    free(counts);
}

/* The best model of the old load is a poor model of the new one: a refit must not stay at the old optimum. */
static void a_refit_follows_a_load_that_has_changed(void **state)
{
    (void)state;
    for (double after = -0.8; after < 1; after += 1.3) {
        double *before = autoregressions(0.95, 14), *later = autoregressions(after, 15);
        moep_predictor_config config = config_of(2, 1, 2, 1);
        moep_predictor *refitted = make_and_push(&config, NULL, before, STEPS);
        assert_int_equal(moep_predictor_fit(refitted), MOEP_OK);
        for (size_t step = 0; step < STEPS; step += 100) {
            assert_int_equal(moep_predictor_push(refitted, 100, later + step * SERIES, MOEP_FLOAT64), MOEP_OK);
            assert_int_equal(moep_predictor_fit(refitted), MOEP_OK);
        }
        config.arima_starts = 5;
        moep_predictor *fresh = make_and_push(&config, NULL, later, STEPS);
        assert_int_equal(moep_predictor_fit(fresh), MOEP_OK);
        for (size_t s = 0; s < SERIES; s++)
            assert_true(model_of(refitted, s).loglik > model_of(fresh, s).loglik - 6);
        moep_predictor_destroy(fresh);
        moep_predictor_destroy(refitted);
        free(later);
        free(before);
    }
}

static int32_t follow(void *user, double fraction)
{
    double *last = user;
    assert_true(fraction >= *last && fraction <= 1);
    *last = fraction;
    return 0;
}

static void progress_grows_to_1(void **state)
{
    (void)state;
    double *counts = autoregressions(0.7, 16);
    for (int selected = 0; selected <= 1; selected++) {
        double last = 0;
        moep_runtime runtime = {.struct_size = sizeof runtime, .progress = follow, .progress_user = &last};
        moep_predictor_config config = config_of(selected ? MOEP_SELECT : 1, 1, 1, 1);
        moep_predictor *predictor = make_and_push(&config, &runtime, counts, STEPS);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        assert_true(last == 1);
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

static int32_t cancel(void *user, double fraction)
{
    (void)fraction;
    return ++*(int *)user > 0;
}

static void a_cancelled_fit_changes_nothing(void **state)
{
    (void)state;
    double *counts = autoregressions(0.7, 8);
    int calls = 0;
    moep_runtime runtime = {.struct_size = sizeof runtime, .progress = cancel, .progress_user = &calls};
    for (int32_t p = MOEP_SELECT; p <= 2; p += 3) {
        moep_predictor_config config = config_of(p, 1, 2, 1);
        moep_predictor *predictor = make_and_push(&config, &runtime, counts, STEPS), *before = NULL;
        assert_int_equal(moep_predictor_clone(predictor, NULL, &before), MOEP_OK);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_ERROR_CANCELLED);
        assert_same_bytes(predictor, before);
        moep_predictor_destroy(before);
        moep_predictor_destroy(predictor);
    }
    assert_true(calls == 2);
    free(counts);
}

static void any_refused_request_is_an_error_that_changes_nothing(void **state)
{
    (void)state;
    double *counts = autoregressions(0.7, 9), rows[2 * 3 * SERIES];
    const double probabilities[2] = {0.1, 0.9};
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    moep_predictor_config config = config_of(MOEP_SELECT, MOEP_SELECT, MOEP_SELECT, 2);
    moep_predictor *predictor = make_and_push(&config, &runtime, counts, STEPS), *before = NULL;
    assert_int_equal(moep_predictor_clone(predictor, &(moep_runtime){.struct_size = sizeof runtime}, &before), MOEP_OK);
    for (size_t call = 0; call < 3; call++) {
        size_t n = 0;
        for (moep_status status = MOEP_ERROR_OUT_OF_MEMORY; status != MOEP_OK; n++) {
            size_t live = memory.live_bytes;
            memory.refuse_at = memory.requests + n + 1;
            status = call == 0 ? moep_predictor_fit(predictor)
                     : call == 1
                         ? moep_predictor_predict(predictor, 30, 10, rows, 3 * SERIES)
                         : moep_predictor_predict_quantiles(predictor, 30, 10, probabilities, 2, rows, 6 * SERIES);
            assert_true(status == MOEP_OK || status == MOEP_ERROR_OUT_OF_MEMORY);
            assert_int_equal(memory.live_bytes, live);
            if (call == 0 && status != MOEP_OK)
                assert_same_bytes(predictor, before);
        }
        assert_true(n > (call == 0 ? 4 : 1));
        memory.refuse_at = 0;
    }
    moep_predictor_destroy(before);
    moep_predictor_destroy(predictor);
    assert_int_equal(memory.live_bytes, 0);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest arima_fit[] = {
        cmocka_unit_test(a_first_fit_costs_what_the_header_says),
        cmocka_unit_test(a_fit_in_pieces_is_the_fit_in_one),
        cmocka_unit_test(a_refit_after_new_steps_is_about_as_good_as_a_first_fit),
        cmocka_unit_test(a_refit_follows_a_load_that_has_changed),
        cmocka_unit_test(progress_grows_to_1),
        cmocka_unit_test(a_cancelled_fit_changes_nothing),
        cmocka_unit_test(any_refused_request_is_an_error_that_changes_nothing),
    };
    return cmocka_run_group_tests(arima_fit, NULL, NULL);
}
