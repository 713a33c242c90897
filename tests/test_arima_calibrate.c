/* SPDX-License-Identifier: BSD-3-Clause */
/* The factors that calibrate ARIMA's standard errors, compared with the same factors computed by hand. */
#include "arima_scratch.h"

#include "methods/arima/calibrate.h"
#include "methods/arima/forecast.h"

enum { EXPERTS = 6, STEPS = 200, ORIGINS = 25, GAP = 4, HORIZONS = 7 };

/* ---- a layer whose model is given -------------------------------------------------------------------------------- */

struct layer {
    float shares[STEPS * 5 * EXPERTS];
    moep_predictor_config config;
    struct task task;
    struct arima_observations observed;
    void *memory;
    struct arima_model model;
};

static double uniform(uint64_t *seed)
{
    return (double)(random_number(seed) >> 11) * 0x1p-53 - 0.5;
}

/* Loads are levels of 0.2 with uniform noise; every level walks by `walk` times as much. */
static void make_layer(struct layer *layer, uint32_t bucket, double walk, uint64_t seed)
{
    double level[EXPERTS] = {0};
    for (size_t t = 0; t < STEPS * bucket; t++)
        for (size_t e = 0; e < EXPERTS; e++) {
            level[e] += walk * uniform(&seed);
            layer->shares[t * EXPERTS + e] = (float)(0.2 + 0.01 * (level[e] + uniform(&seed)));
        }
    layer->config = (moep_predictor_config){.struct_size = sizeof layer->config};
    assert_int_equal(moep_predictor_config_init(&layer->config, MOEP_ARIMA), MOEP_OK);
    layer->config.arima_bucket = bucket;
    layer->task = (struct task){.config = &layer->config, .experts = EXPERTS, .runtime = &mp_runtime_default};
    layer->task.panel = (struct panel){layer->shares, STEPS * bucket, 0, STEPS * bucket, EXPERTS};
    layer->observed = mp_arima_observations(&layer->task);
    layer->memory = calloc(1, mp_arima_model_size(&layer->config, 1, EXPERTS));
    layer->model = mp_arima_model(layer->memory, EXPERTS);
}

static void set_model(struct layer *layer, size_t expert, struct arima_estimate estimate)
{
    estimate.done = true;
    layer->model.estimates[expert] = estimate;
    layer->model.has_estimate[expert] = 1;
}

static void calibrate(struct layer *layer)
{
    assert_int_equal(mp_arima_calibrate(&layer->task, &layer->model, &layer->observed), MOEP_OK);
}

/* ---- by hand ---------------------------------------------------------------------------------------------------- */

static double observation(const struct layer *layer, size_t expert, size_t t)
{
    double sum = 0;
    for (size_t k = 0; k < layer->observed.bucket; k++)
        sum += (double)layer->shares[(t * layer->observed.bucket + k) * EXPERTS + expert];
    return sum / (double)layer->observed.bucket;
}

static double mean_of(const struct layer *layer, size_t expert, size_t begin, size_t end)
{
    double sum = 0;
    for (size_t t = begin; t < end; t++)
        sum += observation(layer, expert, t);
    return sum / (double)(end - begin);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The 80 % quantile of n scaled errors and the one to come, over the normal one. */
static double factor_of(double *errors, size_t n)
{
    qsort(errors, n, sizeof *errors, ascending);
    size_t rank = (size_t)ceil(0.8 * (double)(n + 1));
    return errors[(rank < n ? rank : n) - 1] / 1.2815515655446004;
}

static double with_drift(double factor, size_t horizon)
{
    return horizon > 4 ? factor * pow((double)horizon / 4, 0.03) : factor;
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

/* A walk's forecast is the last observation; the error of the mean of h steps has the variance of the sum over k of
 * (k / h)^2. */
static void a_walks_factors_are_those_by_hand(void **state)
{
    (void)state;
    static struct layer layer;
    make_layer(&layer, 1, 0.1, 1);
    for (size_t e = 0; e < EXPERTS; e++)
        set_model(&layer, e, (struct arima_estimate){.order = {.d = 1}, .sigma2 = 1e-5});
    calibrate(&layer);
    assert_int_equal(layer.model.progress->calibration_horizons, HORIZONS);
    for (size_t k = 0; k < HORIZONS; k++) {
        double errors[EXPERTS * ORIGINS], squares = 0;
        size_t n = 0, horizon = (size_t)1 << k;
        for (size_t i = 1; i <= horizon; i++)
            squares += (double)(i * i);
        double error = sqrt(1e-5 * squares) / (double)horizon;
        for (size_t e = 0; e < EXPERTS; e++)
            for (size_t origin = STEPS - GAP; origin >= STEPS / 2; origin -= GAP)
                if (origin + horizon <= STEPS)
                    errors[n++] =
                        fabs(mean_of(&layer, e, origin, origin + horizon) - observation(&layer, e, origin - 1)) / error;
        double factor = with_drift(factor_of(errors, n), horizon);
        for (size_t e = 0; e < EXPERTS; e++)
            assert_near(exp(layer.model.factors[e].horizon[k]), k == 0 ? fmax(factor, 1) : factor, 1e-9 * factor);
    }
    free(layer.memory);
}

/* The forecast's mean is that of the observations before the origin: a mean of all would make the errors look
 * smaller. */
static void a_means_factors_use_the_mean_before_each_origin(void **state)
{
    (void)state;
    static struct layer layer;
    make_layer(&layer, 1, 0.1, 2);
    for (size_t e = 0; e < EXPERTS; e++)
        set_model(&layer, e, (struct arima_estimate){.order = {.mean = true}, .sigma2 = 1e-5, .mean = 0.3});
    calibrate(&layer);
    for (size_t k = 0; k < HORIZONS; k++) {
        double errors[EXPERTS * ORIGINS];
        size_t n = 0, horizon = (size_t)1 << k;
        double error = sqrt(1e-5 / (double)horizon);
        for (size_t e = 0; e < EXPERTS; e++)
            for (size_t origin = STEPS - GAP; origin >= STEPS / 2; origin -= GAP)
                if (origin + horizon <= STEPS)
                    errors[n++] =
                        fabs(mean_of(&layer, e, origin, origin + horizon) - mean_of(&layer, e, 0, origin)) / error;
        double factor = with_drift(factor_of(errors, n) * sqrt(201.0 / 199), horizon);
        if (k == 0)
            factor = fmax(factor, 1);
        assert_near(exp(layer.model.factors[0].horizon[k]), fmin(factor, with_drift(8, horizon)), 1e-9 * factor);
    }
    free(layer.memory);
}

/* At each origin the forecast is that of a series that ends there, with the same coefficients; the standard error is
 * that of the whole series. The levels walk, so that the mean before an origin differs from that of the whole
 * series. */
static void states_at_origins_are_those_of_a_shorter_series(void **state)
{
    (void)state;
    enum { AHEAD = 8, K = 3 };
    static struct layer layer;
    make_layer(&layer, 1, 0.3, 3);
    struct arima_estimate estimate = {
        .order = {2, 0, 2, true}, .phi = {0.5, 0.1}, .theta = {0.3, 0.2}, .mean = 0.2, .sigma2 = 1e-5};
    for (size_t e = 0; e < EXPERTS; e++)
        set_model(&layer, e, estimate);
    calibrate(&layer);
    double errors[EXPERTS * ORIGINS], values[STEPS], scratch[STEPS], mean, error, spans[K + 1];
    size_t n = 0;
    struct own_scratch own;
    make_own_scratch(&own, STEPS);
    for (size_t e = 0; e < EXPERTS; e++) {
        double standard = 0;
        for (size_t origin = STEPS; origin >= STEPS / 2; origin -= GAP) {
            struct arima_forecast_state at;
            for (size_t t = 0; t < origin; t++)
                values[t] = observation(&layer, e, t);
            estimate.mean = origin == STEPS ? 0.2 : mean_of(&layer, e, 0, origin);
            mp_arima_forecast_states(&estimate, values, 1, origin, layer.config.arima_root_limit, &own.scratch, &at,
                                     NULL);
            mp_arima_forecast(&at, AHEAD, AHEAD, &mean, &error, 1, scratch);
            mp_arima_dyadic_standard_errors(&at, K + 1, spans, scratch);
            assert_near(spans[K], error, 1e-12 * error);
            standard = origin == STEPS ? error : standard;
            if (origin + AHEAD <= STEPS)
                errors[n++] = fabs(mean_of(&layer, e, origin, origin + AHEAD) - mean) / standard;
        }
    }
    double factor = with_drift(factor_of(errors, n) * sqrt(205.0 / 195), AHEAD);
    assert_near(exp(layer.model.factors[0].horizon[K]) / factor, 1, 1e-3);
    free_own_scratch(&own);
    free(layer.memory);
}

/* The error of the first step after an origin has the variance sigma2 plus that of steps within their bucket. */
static void the_next_steps_factor_is_the_one_by_hand(void **state)
{
    (void)state;
    enum { BUCKET = 5 };
    static struct layer layer;
    make_layer(&layer, BUCKET, 0, 4);
    for (size_t e = 0; e < EXPERTS; e++)
        set_model(&layer, e, (struct arima_estimate){.order = {.d = 1}, .sigma2 = 2e-6});
    calibrate(&layer);
    double errors[EXPERTS * ORIGINS], variance[EXPERTS];
    size_t n = 0;
    mp_arima_step_variance(&layer.observed, 0, EXPERTS, variance);
    for (size_t e = 0; e < EXPERTS; e++)
        for (size_t origin = STEPS - GAP; origin >= STEPS / 2; origin -= GAP) {
            double share = (double)layer.shares[origin * BUCKET * EXPERTS + e];
            errors[n++] = fabs(share - observation(&layer, e, origin - 1)) / sqrt(2e-6 + 0.8 * variance[e]);
        }
    double factor = factor_of(errors, n);
    assert_near(exp(layer.model.factors[0].step), factor, 1e-9 * factor);
    assert_near(variance[0], 1e-4 / 12, 0.1 * 1e-4 / 12); /* uniform noise of 0.01 */
    free(layer.memory);
}

/* (q90 - q10) / 2 of the last step of the horizon, over the normal quantile. */
static double standard_deviation_of_step(const struct layer *layer, size_t horizon)
{
    const double ends[] = {0.1, 0.9};
    double *rows = malloc(2 * horizon * EXPERTS * sizeof *rows);
    assert_int_equal(mp_arima.quantiles(&layer->task, layer->memory, horizon, 1, &(struct quantiles){ends, 2}, rows),
                     MOEP_OK);
    double spread = rows[(2 * horizon - 1) * EXPERTS] - rows[(horizon - 1) * EXPERTS];
    free(rows);
    return spread / 2 / 1.2815515655446004;
}

/* The step factor is about the steps of the next observation; steps of later ones have the variance of steps within a
 * bucket. The interval of a walk that is all noise shrinks far ahead, but never below the noise of a single step. */
static void a_steps_interval_is_as_wide_as_its_factors_say(void **state)
{
    (void)state;
    enum { BUCKET = 5 };
    static struct layer layer;
    make_layer(&layer, BUCKET, 0, 8);
    for (size_t e = 0; e < EXPERTS; e++)
        set_model(&layer, e, (struct arima_estimate){.order = {.d = 1}, .sigma2 = 4e-6});
    calibrate(&layer);
    struct arima_factors *factors = &layer.model.factors[0];
    double variance[EXPERTS], within;
    mp_arima_step_variance(&layer.observed, 0, EXPERTS, variance);
    within = variance[0] * (1 - 1.0 / BUCKET);
    factors->step = -0.25;
    factors->horizon[0] = 0.1;
    factors->horizon[1] = 0.2;
    double next = 4e-6 * exp(0.2), after = 2 * 4e-6 + (exp(0.4) - 1) * 4e-6 * 5 / 4;
    assert_near(standard_deviation_of_step(&layer, 1), exp(-0.25) * sqrt(4e-6 + within), 1e-9);
    assert_near(standard_deviation_of_step(&layer, 5), exp(-0.25) * sqrt(4e-6 + within), 1e-9);
    factors->step = -2; /* a smaller error than that of its observation */
    assert_near(standard_deviation_of_step(&layer, 1), exp(-2) * sqrt(4e-6 + within), 1e-9);
    /* the second observation has 2 sigma2, the mean of both 5 / 4 sigma2 */
    assert_near(standard_deviation_of_step(&layer, 6), sqrt(after + within), 1e-9);
    factors->horizon[HORIZONS - 1] = -3;
    assert_near(standard_deviation_of_step(&layer, 64 * BUCKET), sqrt(next + within), 1e-9);
    free(layer.memory);
}

/* An observation's variance is one of logarithms, that of a step within it one of shares. */
static void a_steps_interval_on_the_scale_of_logarithms(void **state)
{
    (void)state;
    enum { BUCKET = 5 };
    const double probabilities[] = {0.5, 0.9}, z = 1.2815515655446004;
    static struct layer layer;
    make_layer(&layer, BUCKET, 0, 9);
    layer.config.arima_scale = MOEP_ARIMA_LOG_RATIOS;
    layer.observed = mp_arima_observations(&layer.task);
    for (size_t e = 0; e < EXPERTS; e++)
        set_model(&layer, e, (struct arima_estimate){.order = {.d = 1}, .sigma2 = 1e-4});
    calibrate(&layer);
    double variance[EXPERTS], errors[EXPERTS * ORIGINS], rows[2][EXPERTS];
    size_t n = 0;
    mp_arima_step_variance(&layer.observed, 0, EXPERTS, variance);
    for (size_t e = 0; e < EXPERTS; e++)
        for (size_t origin = STEPS - GAP; origin >= STEPS / 2; origin -= GAP) {
            double last = observation(&layer, e, origin - 1),
                   step = (double)layer.shares[origin * BUCKET * EXPERTS + e];
            errors[n++] = fabs(step - last) / sqrt(1e-4 * last * last + 0.8 * variance[e]);
        }
    assert_near(exp(layer.model.factors[0].step), factor_of(errors, n), 1e-9);
    layer.model.factors[0].horizon[0] = 0.1;
    for (double step = 0.1; step > -3; step -= 2.5) {
        layer.model.factors[0].step = step;
        assert_int_equal(
            mp_arima.quantiles(&layer.task, layer.memory, 1, 1, &(struct quantiles){probabilities, 2}, rows[0]),
            MOEP_OK);
        double centre = rows[0][0], of_log = 1e-4 * exp(0.2);
        double found = exp(2 * step) * (1e-4 * centre * centre + 0.8 * variance[0]);
        double within = found - of_log * centre * centre;
        double expected =
            within > 0 ? centre * exp(z * sqrt(of_log)) + z * sqrt(within) : centre * exp(z * sqrt(found) / centre);
        assert_near(rows[1][0], expected, 1e-9);
    }
    free(layer.memory);
}

/* Two series of one order can be a walk and noise. */
static void walks_and_noise_do_not_share_factors(void **state)
{
    (void)state;
    static struct layer layer;
    make_layer(&layer, 1, 0.1, 10);
    for (size_t e = 0; e < EXPERTS; e++)
        set_model(&layer, e,
                  (struct arima_estimate){.order = {0, 1, 1, false}, .theta = {e < 3 ? -0.99 : -0.1}, .sigma2 = 1e-5});
    calibrate(&layer);
    const struct arima_factors *of = layer.model.factors;
    for (size_t k = 1; k < HORIZONS; k++) {
        assert_true(of[0].horizon[k] == of[2].horizon[k] && of[3].horizon[k] == of[5].horizon[k]);
        assert_true(of[0].horizon[k] != of[3].horizon[k]);
    }
    free(layer.memory);
}

static void series_of_two_differences_have_factors(void **state)
{
    (void)state;
    static struct layer layer;
    make_layer(&layer, 1, 0.1, 11);
    for (size_t e = 0; e < EXPERTS; e++)
        set_model(&layer, e, (struct arima_estimate){.order = {.d = 2}, .sigma2 = 1e-5});
    calibrate(&layer);
    assert_true(layer.model.factors[0].horizon[HORIZONS - 1] != 0);
    free(layer.memory);
}

static void only_series_that_are_differenced_alike_share_factors(void **state)
{
    (void)state;
    static struct layer mixed, alike;
    make_layer(&mixed, 1, 0.1, 5);
    make_layer(&alike, 1, 0.1, 5);
    for (size_t e = 0; e < EXPERTS; e++) {
        struct arima_estimate walk = {.order = {.d = 1}, .sigma2 = 1e-5};
        struct arima_estimate mean = {.order = {.mean = true}, .mean = 0.2, .sigma2 = 1e-5};
        set_model(&mixed, e, e < 2 ? walk : mean);
        set_model(&alike, e, walk);
    }
    calibrate(&mixed);
    calibrate(&alike);
    size_t of_others = 0;
    for (size_t k = 0; k < HORIZONS; k++) {
        const struct arima_factors *of = mixed.model.factors;
        assert_true(of[0].horizon[k] == of[1].horizon[k] && of[2].horizon[k] == of[5].horizon[k]);
        assert_true(k == 0 || of[0].horizon[k] != of[2].horizon[k]);
        of_others += of[0].horizon[k] != alike.model.factors[0].horizon[k];
    }
    assert_true(of_others >= HORIZONS / 2); /* the latter includes the errors of four other series */
    free(mixed.memory);
    free(alike.memory);
}

/* Half of 31 observations holds too few errors, so that the formula is used alone. */
static void a_short_history_has_no_factors(void **state)
{
    (void)state;
    static struct layer layer;
    make_layer(&layer, 1, 0, 6);
    layer.observed.observations = 31;
    for (size_t e = 0; e < EXPERTS; e++)
        set_model(&layer, e, (struct arima_estimate){.order = {.d = 1}, .sigma2 = 1e-5});
    calibrate(&layer);
    assert_int_equal(layer.model.progress->calibration_horizons, 0);
    layer.observed.observations = 32;
    calibrate(&layer);
    assert_int_equal(layer.model.progress->calibration_horizons, 4); /* 1, 2, 4, 8 of a third */
    free(layer.memory);
}

/* At the calibration horizons the factor is the one found, between them a power, after the last a power that bends
 * upwards. */
static void factors_continue_as_powers_of_the_horizon(void **state)
{
    (void)state;
    const struct arima_factors falling = {.horizon = {0, -0.1, -0.3, -0.5, -0.7}};
    const struct arima_factors rising = {.horizon = {0, 0, 1, 2, 4}};
    assert_true(mp_arima_log_factor(&falling, 0, 100) == 0);
    for (size_t k = 0; k < 5; k++)
        assert_near(mp_arima_log_factor(&falling, 5, (size_t)1 << k), falling.horizon[k], 1e-15);
    assert_near(mp_arima_log_factor(&falling, 5, 6), -0.3 - 0.2 * log(1.5) / log(2), 1e-12);
    assert_near(mp_arima_log_factor(&falling, 5, 160), -0.7 + log(10) * (0.18 - 1.5 * 0.2 / log(2)), 1e-12);
    assert_near(mp_arima_log_factor(&rising, 5, 160), 4 + log(10) * (0.18 + 1.5 * 0.5), 1e-12);
    assert_near(mp_arima_log_factor(&falling, 2, 20), -0.1 + 0.18 * log(10), 1e-12); /* two give no slope */
}

int main(void)
{
    const struct CMUnitTest arima_calibrate[] = {
        cmocka_unit_test(a_walks_factors_are_those_by_hand),
        cmocka_unit_test(a_means_factors_use_the_mean_before_each_origin),
        cmocka_unit_test(states_at_origins_are_those_of_a_shorter_series),
        cmocka_unit_test(the_next_steps_factor_is_the_one_by_hand),
        cmocka_unit_test(a_steps_interval_is_as_wide_as_its_factors_say),
        cmocka_unit_test(a_steps_interval_on_the_scale_of_logarithms),
        cmocka_unit_test(walks_and_noise_do_not_share_factors),
        cmocka_unit_test(series_of_two_differences_have_factors),
        cmocka_unit_test(only_series_that_are_differenced_alike_share_factors),
        cmocka_unit_test(a_short_history_has_no_factors),
        cmocka_unit_test(factors_continue_as_powers_of_the_horizon),
    };
    return cmocka_run_group_tests(arima_calibrate, NULL, NULL);
}
