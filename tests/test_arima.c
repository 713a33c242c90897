/* SPDX-License-Identifier: BSD-3-Clause */
/* ARIMA through the public calls: estimates, difficult loads, and refusals. */
#include "arima.h"

/* ---- estimates --------------------------------------------------------------------------------------------------- */

static void estimates_recover_the_model_of_the_load(void **state)
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

static void selected_orders_are_per_layer_or_per_series(void **state)
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

static void a_season_is_reported(void **state)
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

/* ---- difficult loads --------------------------------------------------------------------------------------------- */

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
                assert_int_equal(moep_predictor_fit(predictor), MOEP_OK); /* again, from the estimates */
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

static void invalid_configurations_are_refused(void **state)
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

/* The limit is in observations, not in steps. */
static void more_than_ten_million_observations_ahead_are_refused(void **state)
{
    (void)state;
    double *counts = autoregressions(0.7, 5), shares[SERIES];
    for (uint32_t bucket = 1; bucket <= 5; bucket += 4) {
        moep_predictor_config config = config_of(1, 0, 0, bucket);
        moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS);
        size_t horizon = (size_t)10000000 * bucket + 1;
        assert_int_equal(moep_predictor_predict(predictor, horizon, horizon, shares, SERIES),
                         MOEP_ERROR_INVALID_ARGUMENT);
        assert_says("more than 10^7 observations");
        assert_int_equal(moep_predictor_predict(predictor, 100000, 100000, shares, SERIES), MOEP_OK);
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

static void a_model_that_does_not_exist_is_an_error(void **state)
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
        cmocka_unit_test(estimates_recover_the_model_of_the_load),
        cmocka_unit_test(until_a_fit_the_forecast_is_the_mean_of_the_history),
        cmocka_unit_test(a_short_history_gets_a_smaller_order_and_a_constant_its_mean),
        cmocka_unit_test(selected_orders_are_per_layer_or_per_series),
        cmocka_unit_test(constant_experts_have_no_vote),
        cmocka_unit_test(a_season_is_reported),
        cmocka_unit_test(every_load_gets_a_forecast),
        cmocka_unit_test(invalid_configurations_are_refused),
        cmocka_unit_test(more_than_ten_million_observations_ahead_are_refused),
        cmocka_unit_test(a_model_that_does_not_exist_is_an_error),
    };
    return cmocka_run_group_tests(arima, NULL, NULL);
}
