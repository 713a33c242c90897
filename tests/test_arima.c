/* SPDX-License-Identifier: BSD-3-Clause */
/* ARIMA through the public calls: what is estimated, budgets, intervals, loads that break others. */
#include "support.h"

#include <stdio.h>

enum { LAYERS = 2, EXPERTS = 4, SERIES = LAYERS * EXPERTS, STEPS = 400, MOST = 1 << 18 };

/* ---- predictors -------------------------------------------------------------------------------------------------- */

static moep_predictor_config config_of(int32_t p, int32_t d, int32_t q, uint32_t bucket)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    assert_int_equal(moep_predictor_config_init(&config, MOEP_ARIMA), MOEP_OK);
    config.arima_p = p;
    config.arima_d = d;
    config.arima_q = q;
    config.arima_bucket = bucket;
    config.history = STEPS;
    config.arima_starts = 2;
    return config;
}

static moep_predictor *make(const moep_predictor_config *config, const moep_runtime *runtime)
{
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_create(LAYERS, EXPERTS, config, runtime, &predictor), MOEP_OK);
    return predictor;
}

static moep_predictor *make_and_push(const moep_predictor_config *config, const moep_runtime *runtime,
                                     const double *counts, size_t steps)
{
    moep_predictor *predictor = make(config, runtime);
    assert_int_equal(moep_predictor_push(predictor, steps, counts, MOEP_FLOAT64), MOEP_OK);
    return predictor;
}

static moep_arima_model model_of(const moep_predictor *predictor, size_t series)
{
    moep_arima_model model = {.struct_size = sizeof model};
    assert_int_equal(moep_predictor_arima_model(predictor, series / EXPERTS, series % EXPERTS, &model), MOEP_OK);
    return model;
}

static size_t save(const moep_predictor *predictor, unsigned char *bytes)
{
    size_t size = 0;
    assert_int_equal(moep_predictor_save(predictor, bytes, MOST, &size), MOEP_OK);
    return size;
}

static void assert_same_bytes(const moep_predictor *a, const moep_predictor *b)
{
    static unsigned char of_a[MOST], of_b[MOST];
    size_t size = save(a, of_a);
    assert_int_equal(size, save(b, of_b));
    assert_memory_equal(of_a, of_b, size);
}

/* ---- loads ------------------------------------------------------------------------------------------------------- */

static double noise(uint64_t *seed)
{
    return (double)(random_number(seed) >> 11) * 0x1p-53 - 0.5;
}

/* Autoregressions of the first order; the last expert of a layer takes what is left of 1,000,000. */
static double *autoregressions(double phi, uint64_t seed)
{
    double *counts = malloc(STEPS * SERIES * sizeof *counts), off[SERIES] = {0};
    for (size_t step = 0; step < STEPS; step++)
        for (size_t layer = 0; layer < LAYERS; layer++) {
            double left = 1e6, *row = counts + (step * LAYERS + layer) * EXPERTS;
            for (size_t e = 0; e + 1 < EXPERTS; e++) {
                size_t s = layer * EXPERTS + e;
                off[s] = phi * off[s] + noise(&seed);
                row[e] = 200000 + 10000 * off[s];
                left -= row[e];
            }
            row[EXPERTS - 1] = left;
        }
    return counts;
}

/* ---- estimates --------------------------------------------------------------------------------------------------- */

static void the_estimate_is_what_the_load_was_made_with(void **state)
{
    (void)state;
    double *counts = autoregressions(0.7, 1);
    moep_predictor_config config = config_of(1, 0, 0, 1);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(info_of(predictor).fitted_step, STEPS);
    for (size_t s = 0; s + 1 < SERIES; s++) {
        moep_arima_model model = model_of(predictor, s);
        assert_true(model.p == 1 && model.d == 0 && model.q == 0 && model.fallback == 0);
        assert_near(model.phi[0], 0.7, 4 * model.phi_error[0] + 0.01);
        assert_near(model.phi_error[0], sqrt((1 - 0.7 * 0.7) / STEPS), 0.01);
        assert_true(isfinite(model.loglik) && isfinite(model.aicc));
        if (s % EXPERTS == EXPERTS - 1)
            continue;
        assert_near(model.mean, 0.2, 0.01);
        assert_near(sqrt(model.sigma2), 0.01 / sqrt(12), 0.0005);
    }
    moep_predictor_destroy(predictor);
    free(counts);
}

static void until_a_fit_the_forecast_is_the_mean_of_the_history(void **state)
{
    (void)state;
    double *counts = autoregressions(0.7, 2), shares[SERIES];
    moep_predictor_config config = config_of(2, 1, 2, 5);
    moep_predictor *predictor = make(&config, NULL);
    moep_arima_model model = {.struct_size = sizeof model};
    assert_int_equal(info_of(predictor).min_steps, 5);
    assert_int_equal(moep_predictor_push(predictor, 4, counts, MOEP_FLOAT64), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 10, 10, shares, SERIES), MOEP_ERROR_TOO_FEW_STEPS);
    assert_int_equal(moep_predictor_push(predictor, 31, counts + 4 * SERIES, MOEP_FLOAT64), MOEP_OK);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_ERROR_TOO_FEW_STEPS);
    assert_says("from 40 on");
    assert_int_equal(moep_predictor_arima_model(predictor, 0, 0, &model), MOEP_ERROR_NOT_FITTED);
    assert_int_equal(moep_predictor_predict(predictor, 100, 100, shares, SERIES), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++) {
        double sum = 0;
        for (size_t step = 0; step < 35; step++)
            sum += counts[step * SERIES + s] / 1e6;
        assert_near(shares[s], sum / 35, 1e-7);
    }
    assert_true(info_of(predictor).fitted_step == UINT64_MAX);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void a_short_history_gets_a_smaller_order_and_a_constant_its_mean(void **state)
{
    (void)state;
    double *counts = autoregressions(0.5, 3);
    for (size_t step = 0; step < STEPS; step++)
        for (size_t e = 0; e < EXPERTS; e++)
            counts[step * SERIES + e] = 1 + (double)e;
    moep_predictor_config config = config_of(5, 1, 5, 1);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, 20);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++) {
        moep_arima_model model = model_of(predictor, s);
        assert_int_equal(model.fallback, s < EXPERTS ? 2 : 1);
        assert_true(model.p + model.q < 10 && model.d == 1);
    }
    double shares[SERIES];
    assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, shares, SERIES), MOEP_OK);
    for (size_t e = 0; e < EXPERTS; e++)
        assert_near(shares[e], (1 + (double)e) / 10, 1e-7);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void selected_orders_are_one_for_a_layer_or_each_seriess_own(void **state)
{
    (void)state;
    double *counts = autoregressions(0.8, 4);
    for (uint32_t scope = MOEP_ARIMA_PER_LAYER; scope <= MOEP_ARIMA_PER_SERIES; scope++) {
        moep_predictor_config config = config_of(MOEP_SELECT, MOEP_SELECT, MOEP_SELECT, 1);
        config.arima_order_scope = scope;
        moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        size_t different = 0;
        for (size_t s = 0; s < SERIES; s++) {
            moep_arima_model model = model_of(predictor, s), first = model_of(predictor, s / EXPERTS * EXPERTS);
            different += model.p != first.p || model.d != first.d || model.q != first.q;
            assert_true(model.p <= 5 && model.q <= 5 && model.d <= 1);
        }
        assert_true(scope == MOEP_ARIMA_PER_LAYER ? different == 0 : different > 0);
        moep_predictor_destroy(predictor);
    }
    moep_predictor_config fixed_d = config_of(MOEP_SELECT, 1, 0, 1);
    moep_predictor *predictor = make_and_push(&fixed_d, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_true(model_of(predictor, 0).d == 1 && model_of(predictor, 0).q == 0);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void constant_experts_have_no_vote(void **state)
{
    (void)state;
    double *counts = autoregressions(0.8, 17);
    for (size_t step = 0; step < STEPS; step++)
        for (size_t e = 0; e < EXPERTS; e++)
            counts[step * SERIES + e] *= e == 0 || e == EXPERTS - 1; /* two of four are dead */
    moep_predictor_config config = config_of(MOEP_SELECT, MOEP_SELECT, MOEP_SELECT, 1);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    moep_arima_model model = model_of(predictor, 0);
    assert_true(model.p + model.q > 0 && model.fallback == 0);
    assert_int_equal(model_of(predictor, 1).fallback, 2);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void a_season_is_told(void **state)
{
    (void)state;
    double *counts = autoregressions(0.2, 5);
    for (size_t step = 0; step < STEPS; step++)
        counts[step * SERIES] += 60000 * sin(6.283185307 * (double)step / 10);
    moep_predictor_config config = config_of(MOEP_SELECT, MOEP_SELECT, MOEP_SELECT, 1);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(model_of(predictor, 0).period, 10);
    assert_int_equal(model_of(predictor, EXPERTS).period, 0);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* ---- budgets ----------------------------------------------------------------------------------------------------- */

static size_t known_series(const moep_predictor *predictor)
{
    size_t known = 0;
    moep_arima_model model = {.struct_size = sizeof model};
    for (size_t s = 0; s < SERIES; s++)
        known += moep_predictor_arima_model(predictor, s / EXPERTS, s % EXPERTS, &model) == MOEP_OK;
    return known;
}

static void assert_same_models(const moep_predictor *a, const moep_predictor *b)
{
    for (size_t s = 0; s < SERIES; s++) {
        moep_arima_model of_a = model_of(a, s), of_b = model_of(b, s);
        assert_memory_equal(&of_a, &of_b, sizeof of_a);
    }
}

/* Also where the order is selected, and with the state saved and loaded between the pieces. */
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
        while (known_series(pieces) < SERIES) {
            static unsigned char bytes[MOST];
            size_t size = save(pieces, bytes);
            moep_predictor_destroy(pieces);
            assert_int_equal(moep_predictor_load(bytes, size, NULL, &pieces), MOEP_OK);
            assert_int_equal(moep_predictor_fit(pieces), MOEP_OK);
            assert_true(known_series(pieces) >= before && ++calls < 100);
            before = known_series(pieces);
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

/* From the last estimate: no worse, in likelihood, than where it begins. */
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

/* What was the likeliest model of the old load is none of the new one: its optimum must not be a trap. */
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

/* ---- intervals --------------------------------------------------------------------------------------------------- */

static void quantiles_rise_with_the_probability_and_enclose_the_forecast(void **state)
{
    (void)state;
    enum { N = 5, ROWS = 4, HORIZON = 100, STRIDE = 30 };
    const double probabilities[N] = {0.001, 0.1, 0.5, 0.9, 0.999};
    double *counts = autoregressions(0.7, 10);
    for (uint32_t scale = MOEP_ARIMA_SHARES; scale <= MOEP_ARIMA_LOG_RATIOS; scale++)
        for (uint32_t bucket = 1; bucket <= 20; bucket += 19) {
            static double rows[N][ROWS][SERIES], centre[ROWS][SERIES];
            moep_predictor_config config = config_of(1, 1, 1, bucket);
            config.arima_scale = scale;
            moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
            assert_int_equal(moep_predictor_predict_quantiles(predictor, HORIZON, STRIDE, probabilities, N, rows[0][0],
                                                              N * ROWS * SERIES),
                             MOEP_ERROR_NOT_FITTED);
            assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
            assert_int_equal(moep_predictor_predict_quantiles(predictor, HORIZON, STRIDE, probabilities, N, rows[0][0],
                                                              N * ROWS * SERIES),
                             MOEP_OK);
            assert_int_equal(moep_predictor_predict(predictor, HORIZON, STRIDE, centre[0], ROWS * SERIES), MOEP_OK);
            for (size_t row = 0; row < ROWS; row++)
                for (size_t s = 0; s < SERIES; s++) {
                    for (size_t i = 0; i + 1 < N; i++)
                        assert_true(rows[i][row][s] < rows[i + 1][row][s] || rows[i][row][s] == 0 ||
                                    rows[i + 1][row][s] == 1);
                    assert_true(rows[0][row][s] >= 0 && rows[N - 1][row][s] <= 1);
                    assert_near(rows[2][row][s], centre[row][s], 1e-12);
                }
            moep_predictor_destroy(predictor);
        }
    free(counts);
}

/* What a single step may bring is wider than what the mean of many may, and of a walk the wider the farther ahead. */
static void single_steps_scatter_more_than_their_mean(void **state)
{
    (void)state;
    const double probability = 0.9;
    double *counts = autoregressions(0.3, 11);
    for (uint32_t bucket = 1; bucket <= 10; bucket += 9) {
        static double steps[60][SERIES], of_steps[60][SERIES], mean[SERIES], of_mean[SERIES];
        moep_predictor_config config = config_of(1, 0, 0, bucket);
        moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        moep_predictor_predict_quantiles(predictor, 60, 1, &probability, 1, steps[0], 60 * SERIES);
        moep_predictor_predict(predictor, 60, 1, of_steps[0], 60 * SERIES);
        moep_predictor_predict_quantiles(predictor, 60, 60, &probability, 1, mean, SERIES);
        moep_predictor_predict(predictor, 60, 60, of_mean, SERIES);
        for (size_t s = 0; s < SERIES; s++) {
            double single = steps[40][s] - of_steps[40][s];
            assert_true(single > 2 * (mean[s] - of_mean[s]));
            if (s % EXPERTS < EXPERTS - 1) /* uniform noise of 0.01, about: 0.0029 x 1.28 x 1.05 */
                assert_near(single, 0.0039, 0.0015);
        }
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

/* Of a walk, about: the half-width grows with the root of the time, whatever rows the time is cut into. */
static void rows_of_any_stride_are_about_their_own_steps(void **state)
{
    (void)state;
    enum { HORIZON = 300, MOST_ROWS = 60 };
    static double wide[MOST_ROWS][SERIES], centre[MOST_ROWS][SERIES];
    const double probability = 0.9;
    double *counts = autoregressions(1, 13);
    moep_predictor_config config = config_of(0, 1, 0, 5);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    double expected = 0;
    for (size_t stride = 5; stride <= 13; stride++) {
        size_t rows = moep_forecast_rows(HORIZON, stride);
        moep_predictor_predict_quantiles(predictor, HORIZON, stride, &probability, 1, wide[0], MOST_ROWS * SERIES);
        moep_predictor_predict(predictor, HORIZON, stride, centre[0], MOST_ROWS * SERIES);
        double last = wide[rows - 1][0] - centre[rows - 1][0];
        expected = stride == 5 ? last : expected;
        assert_near(last / expected, 1, 0.05);
    }
    moep_predictor_destroy(predictor);
    free(counts);
}

/* ---- loads that break others ------------------------------------------------------------------------------------- */

enum {
    CONSTANT,
    ZERO,
    ALTERNATING,
    TREND,
    SINE,
    OUTLIER,
    LAST_JUMP,
    MOSTLY_ZERO,
    TINY,
    HUGE_ONES,
    WALK,
    SPIKES,
    KINDS
};

static double difficult(int kind, size_t t, uint64_t *seed, double *walk)
{
    switch (kind) {
    case CONSTANT: return 1000;
    case ZERO: return 0;
    case ALTERNATING: return t % 2 ? 1000 : 10;
    case TREND: return 10 + (double)t;
    case SINE: return 1000 + 500 * sin((double)t / 3);
    case OUTLIER: return t == 77 ? 1e9 : 1000;
    case LAST_JUMP: return t == STEPS - 1 ? 1e6 : 1000;
    case MOSTLY_ZERO: return t % 50 == 3 ? 5 : 0;
    case TINY: return 1e-300 * (1 + noise(seed));
    case HUGE_ONES: return 1e300 * (1 + noise(seed));
    case WALK: return *walk = fabs(*walk + 1000 * noise(seed));
    default: return random_number(seed) % 40 == 0 ? 1e7 : 1000 + noise(seed);
    }
}

static void every_load_gets_a_forecast(void **state)
{
    (void)state;
    const int32_t orders[][3] = {{5, 1, 5}, {8, 2, 8}, {1, 0, 1}, {0, 1, 1}, {3, 0, 0}, {0, 0, 0}, {-1, -1, -1}};
    const size_t lengths[] = {12, 40, STEPS};
    const double probabilities[2] = {0.05, 0.95};
    double *counts = malloc(STEPS * SERIES * sizeof *counts);
    for (int kind = 0; kind < KINDS; kind++) {
        uint64_t seed = 5;
        double walk = 1000;
        for (size_t t = 0; t < STEPS; t++)
            for (size_t s = 0; s < SERIES; s++)
                counts[t * SERIES + s] = s % 2 ? 1000 : difficult(kind, t, &seed, &walk);
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
            for (size_t j = 0; j < 3; j++) {
                double rows[2][4][SERIES];
                moep_predictor_config config = config_of(orders[i][0], orders[i][1], orders[i][2], 1);
                config.arima_scale = i % 2;
                moep_predictor *predictor =
                    make_and_push(&config, NULL, counts + (STEPS - lengths[j]) * SERIES, lengths[j]);
                assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
                assert_int_equal(moep_predictor_fit(predictor), MOEP_OK); /* from there */
                assert_int_equal(moep_predictor_predict(predictor, 1000, 250, rows[0][0], 4 * SERIES), MOEP_OK);
                for (size_t r = 0; r < 4; r++)
                    for (size_t layer = 0; layer < LAYERS; layer++) {
                        double sum = 0;
                        for (size_t e = 0; e < EXPERTS; e++) {
                            double share = rows[0][r][layer * EXPERTS + e];
                            assert_true(isfinite(share) && share >= 0);
                            sum += share;
                        }
                        assert_near(sum, 1, 1e-12);
                    }
                assert_int_equal(
                    moep_predictor_predict_quantiles(predictor, 1000, 250, probabilities, 2, rows[0][0], 8 * SERIES),
                    MOEP_OK);
                for (size_t r = 0; r < 4; r++)
                    for (size_t s = 0; s < SERIES; s++)
                        assert_true(rows[0][r][s] >= 0 && rows[0][r][s] <= rows[1][r][s] && rows[1][r][s] <= 1);
                for (size_t s = 0; s < SERIES; s++) {
                    moep_arima_model model = model_of(predictor, s);
                    assert_true(!isnan(model.loglik) && !isnan(model.aicc) && isfinite(model.sigma2));
                }
                moep_predictor_destroy(predictor);
            }
    }
    free(counts);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void what_a_config_may_not_hold_is_told(void **state)
{
    (void)state;
#define refused(words, change)                                                                                 \
    do {                                                                                                       \
        moep_predictor_config config = config_of(2, 1, 2, 5);                                                  \
        moep_predictor *predictor = NULL;                                                                      \
        change;                                                                                                \
        assert_int_equal(moep_predictor_create(1, 1, &config, NULL, &predictor), MOEP_ERROR_INVALID_ARGUMENT); \
        assert_says(words);                                                                                    \
    } while (0)
    refused("arima_p and arima_q", config.arima_p = 9);
    refused("arima_p and arima_q", config.arima_q = -2);
    refused("arima_d", config.arima_d = 3);
    refused("arima_d", config.arima_d = -2);
    refused("arima_order_scope", config.arima_order_scope = 2);
    refused("arima_bucket", config.arima_bucket = 0);
    refused("arima_bucket", config.arima_bucket = 10001);
    refused("arima_starts", config.arima_starts = 0);
    refused("arima_starts", config.arima_starts = 1001);
    refused("arima_scale", config.arima_scale = 2);
    refused("arima_mean", config.arima_mean = 2);
    refused("arima_root_limit", config.arima_root_limit = 0);
    refused("arima_root_limit", config.arima_root_limit = 1.01);
    refused("arima_root_limit", config.arima_root_limit = NAN);
    refused("history = 39, but arima needs 40", config.history = 39);
#undef refused
}

static void a_model_that_cannot_be_read_is_told(void **state)
{
    (void)state;
    double *counts = autoregressions(0.7, 12);
    moep_predictor_config config = config_of(1, 0, 0, 1);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
    moep_predictor *other = make_predictor(MOEP_SW_AVG, 1, 1, 5, NULL);
    moep_arima_model model = {.struct_size = sizeof model};
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(moep_predictor_arima_model(NULL, 0, 0, &model), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_arima_model(predictor, LAYERS, 0, &model), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_arima_model(predictor, 0, EXPERTS, &model), MOEP_ERROR_INVALID_ARGUMENT);
    assert_says("layer 0, expert 4: there are 2 layers of 4 experts");
    assert_int_equal(moep_predictor_arima_model(predictor, 0, 0, NULL), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_arima_model(other, 0, 0, &model), MOEP_ERROR_UNSUPPORTED);
    moep_predictor_destroy(other);
    moep_predictor_destroy(predictor);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest arima[] = {
        cmocka_unit_test(the_estimate_is_what_the_load_was_made_with),
        cmocka_unit_test(until_a_fit_the_forecast_is_the_mean_of_the_history),
        cmocka_unit_test(a_short_history_gets_a_smaller_order_and_a_constant_its_mean),
        cmocka_unit_test(selected_orders_are_one_for_a_layer_or_each_seriess_own),
        cmocka_unit_test(constant_experts_have_no_vote),
        cmocka_unit_test(a_season_is_told),
        cmocka_unit_test(a_fit_in_pieces_is_the_fit_in_one),
        cmocka_unit_test(a_refit_after_new_steps_is_about_as_good_as_a_first_fit),
        cmocka_unit_test(a_refit_follows_a_load_that_has_changed),
        cmocka_unit_test(progress_grows_to_1),
        cmocka_unit_test(a_cancelled_fit_changes_nothing),
        cmocka_unit_test(any_refused_request_is_an_error_that_changes_nothing),
        cmocka_unit_test(quantiles_rise_with_the_probability_and_enclose_the_forecast),
        cmocka_unit_test(single_steps_scatter_more_than_their_mean),
        cmocka_unit_test(rows_of_any_stride_are_about_their_own_steps),
        cmocka_unit_test(every_load_gets_a_forecast),
        cmocka_unit_test(what_a_config_may_not_hold_is_told),
        cmocka_unit_test(a_model_that_cannot_be_read_is_told),
    };
    return cmocka_run_group_tests(arima, NULL, NULL);
}
