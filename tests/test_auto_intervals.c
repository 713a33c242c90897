/* SPDX-License-Identifier: BSD-3-Clause */
/* AUTO's quantiles: their definition, their calibration, their bounds. */
#include "support.h"

#include "methods/auto/calibration.h"
#include "methods/auto/candidates.h"
#include "methods/auto/spread.h"
#include "predictor/predictor.h"
#include "support/normal.h"

enum { EXPERTS = 8, BLOCK = MP_AUTO_BLOCK, ROW = MP_AUTO_HORIZON, MOST_BLOCKS = 80 };

static const double eps = 0.1 / EXPERTS;

/* ---- runs -------------------------------------------------------------------------------------------------------- */

/* A step's counts: loads of 1,000 to 8,000 with noise of up to `noise` %, each halved or not by step / `period`. */
static void fill_step(int64_t counts[EXPERTS], size_t step, size_t period, int64_t noise, uint64_t *random)
{
    for (size_t e = 0; e < EXPERTS; e++) {
        int64_t level = 1000 * (int64_t)(1 + e) / (1 + (int64_t)((step / period + e) % 2));
        counts[e] = level + (noise ? (int64_t)(random_number(random) >> 32) % (level * noise / 100) : 0);
    }
}

static void push(moep_predictor *predictor, const int64_t *counts)
{
    assert_int_equal(moep_predictor_push(predictor, 1, counts, MOEP_INT64), MOEP_OK);
}

static moep_predictor *make_auto(void)
{
    return make_predictor(MOEP_AUTO, 1, EXPERTS, 0, NULL);
}

static moep_predictor *run_of(size_t steps, size_t period, int64_t noise)
{
    moep_predictor *predictor = make_auto();
    uint64_t random = 1;
    int64_t counts[EXPERTS];
    for (size_t step = 0; step < steps; step++) {
        fill_step(counts, step, period, noise, &random);
        push(predictor, counts);
    }
    return predictor;
}

static struct auto_view layer_of(const moep_predictor *predictor)
{
    struct auto_state state = mp_auto_state(predictor->state, 1, EXPERTS);
    return mp_auto_layer(&state, 0);
}

static void quantiles_of(const moep_predictor *predictor, size_t horizon, size_t stride, const double *probabilities,
                         size_t n, double *shares)
{
    size_t capacity = n * moep_forecast_rows(horizon, stride) * EXPERTS;
    assert_int_equal(moep_predictor_predict_quantiles(predictor, horizon, stride, probabilities, n, shares, capacity),
                     MOEP_OK);
}

static double square_distance(double a, double b)
{
    return (a - b) * (a - b) / ((a + eps) * (b + eps));
}

/* ---- what is learned --------------------------------------------------------------------------------------------- */

/* A run, its blocks, and what was forecast from their ends. Row i of a forecast is that after i blocks. */
struct watched {
    double mean[MOST_BLOCKS][EXPERTS], last[MOST_BLOCKS][EXPERTS], forecast[MOST_BLOCKS + 1][EXPERTS];
    double bounds[MOST_BLOCKS + 1][4][EXPERTS];
};

static void look(const moep_predictor *predictor, struct watched *watched, size_t blocks)
{
    const double probabilities[] = {0.1, 0.9, 0.025, 0.975};
    assert_int_equal(moep_predictor_predict(predictor, ROW, ROW, watched->forecast[blocks], EXPERTS), MOEP_OK);
    quantiles_of(predictor, ROW, ROW, probabilities, 4, watched->bounds[blocks][0]);
}

static moep_predictor *watch_run(struct watched *watched, size_t blocks)
{
    moep_predictor *predictor = make_auto();
    uint64_t random = 3;
    int64_t counts[EXPERTS];
    memset(watched->mean, 0, sizeof watched->mean);
    for (size_t step = 0; step < blocks * BLOCK; step++) {
        size_t block = step / BLOCK;
        double total = 0;
        fill_step(counts, step, 700, 30, &random);
        counts[1] = step / 300 % 2 ? 0 : counts[1]; /* an expert that dies and returns */
        push(predictor, counts);
        for (size_t e = 0; e < EXPERTS; e++)
            total += (double)counts[e];
        for (size_t e = 0; e < EXPERTS; e++) {
            watched->last[block][e] = (double)counts[e] / total;
            watched->mean[block][e] += watched->last[block][e] / BLOCK;
        }
        if (step % BLOCK == BLOCK - 1)
            look(predictor, watched, block + 1);
    }
    return predictor;
}

static void noise_is_the_faded_mean_of_the_squared_errors_of_the_next_block(void **state)
{
    (void)state;
    enum { BLOCKS = 30 };
    static struct watched run;
    moep_predictor *predictor = watch_run(&run, BLOCKS);
    struct auto_view view = layer_of(predictor);
    double rate = 1 - pow(0.5, 0.5), noise[EXPERTS] = {0}, steps = 0;
    for (size_t block = 1; block < BLOCKS; block++) {
        double mean = 0;
        for (size_t e = 0; e < EXPERTS; e++) {
            double off = (run.last[block][e] - run.mean[block][e]) / (run.mean[block][e] + eps);
            mean += off * off / EXPERTS;
            noise[e] += rate * (fmin(square_distance(run.mean[block][e], run.forecast[block][e]), 1) - noise[e]);
        }
        steps += rate * (mean - steps);
    }
    assert_near(view.layer->measured, 1 - pow(0.5, (BLOCKS - 1) / 2.0), 1e-12);
    assert_near(view.layer->step_noise, steps, 1e-6 * steps);
    for (size_t e = 0; e < EXPERTS; e++)
        assert_near((double)view.noise[e], noise[e], 1e-5 * noise[e]);
    moep_predictor_destroy(predictor);
}

/* The part of the experts whose mean of the 1,000 steps after the origin is outside the bounds; error: of that mean. */
static double missed_after(const struct watched *run, size_t origin, size_t level, double *error)
{
    double missed = 0;
    *error = 0;
    for (size_t e = 0; e < EXPERTS; e++) {
        double actual = 0;
        for (size_t block = origin; block < origin + ROW / BLOCK; block++)
            actual += run->mean[block][e] * BLOCK / ROW;
        missed += (actual < run->bounds[origin][2 * level][e] || actual > run->bounds[origin][2 * level + 1][e]) /
                  (double)EXPERTS;
        *error += fabs(run->forecast[origin][e] - actual) / fmax(actual, eps) / EXPERTS;
    }
    return missed;
}

static void intervals_that_miss_too_often_widen_and_others_narrow(void **state)
{
    (void)state;
    static struct watched run;
    static const double rates[] = {0.2, 0.3}, aims[] = {0.2, 0.05};
    moep_predictor *predictor = watch_run(&run, MOST_BLOCKS);
    const struct auto_layer *layer = layer_of(predictor).layer;
    double widening[2] = {0}, inside[2] = {0}, errors = 0, error, origins = 0;
    for (size_t origin = 2; origin + ROW / BLOCK <= MOST_BLOCKS; origin++, origins++) {
        for (size_t level = 0; level < 2; level++) {
            double missed = missed_after(&run, origin, level, &error);
            inside[level] += 1 - missed;
            widening[level] = fmax(-log(8), fmin(log(8), widening[level] + rates[level] * (missed - aims[level])));
        }
        widening[1] = fmax(widening[1], widening[0] + 0.1 - 0.7957);
        errors += (1 - pow(0.5, 0.05)) * (error - errors);
    }
    assert_int_equal(mp_auto_finished(layer->blocks), (uint64_t)origins);
    for (size_t level = 0; level < 2; level++) {
        assert_near(layer->widening[level], widening[level], 1e-12);
        assert_near(mp_auto_coverage(layer, level), inside[level] / origins, 1e-12);
    }
    assert_near(mp_auto_expected_error(layer), errors / (1 - pow(0.5, 0.05 * origins)), 1e-5);
    moep_predictor_destroy(predictor);
}

static void the_wider_interval_stays_a_tenth_wider(void **state)
{
    (void)state;
    moep_predictor *predictor = run_of(1549, 700, 30);
    struct auto_layer *layer = layer_of(predictor).layer;
    uint64_t random = 9;
    int64_t counts[EXPERTS];
    layer->widening[0] = 2;
    layer->widening[1] = 0;
    fill_step(counts, 1549, 700, 30, &random);
    push(predictor, counts);
    assert_near(2.84 * exp(layer->widening[1]), 1.2816 * exp(layer->widening[0] + 0.1), 1e-3);
    moep_predictor_destroy(predictor);
}

/* ---- the definition ---------------------------------------------------------------------------------------------- */

static double times_of(const double widening[2], double z)
{
    double near = 1.2815515655446004 * exp(widening[0]), far = 2.84 * exp(widening[1]),
           x = fabs(z) / 1.2815515655446004;
    return x < 1 ? near * (x + x * x) / 2
                 : near + (far - near) * (fabs(z) - 1.2815515655446004) / (1.959963984540054 - 1.2815515655446004);
}

static double noise_of(double ratio, double steps)
{
    double part = log(steps) / log(50);
    return steps <= 50 ? pow(fmax(ratio, 0.8), 1 - part) * pow(0.8, part) : fmax(0, 0.8 * (50 / steps - 0.05) / 0.95);
}

/* Expert e's quantile of a row, from s^2 and the layer's mean noise r. */
static double quantile_of(const struct auto_view *view, double square, double r, double forecast, size_t e,
                          size_t first, size_t last, double p)
{
    double z = mp_normal_quantile(p), times = times_of(view->layer->widening, z), rest = 1 - view->layer->measured;
    double noise = noise_of((view->layer->step_noise + 0.12 * rest) / r, (double)(last - first));
    double own = (4 * ((double)view->noise[e] + 0.06 * rest) + r) / 5;
    double tail = z + 0.03 * z * z * z;
    double w2 = times * times * square * pow((double)(first + last) / 1000, 0.7) + tail * tail * noise * own;
    double u = w2 / 2 + sqrt(w2 + w2 * w2 / 4);
    double quantile = z < 0 ? (forecast + eps) / (1 + u) - eps : (forecast + eps) * (1 + u) - eps;
    return fmax(0, fmin(1, quantile));
}

/* s^2, from the cut windows of 100 to 2,000 steps; `phase` steps of the running block were pushed. */
static double square_of(const struct auto_view *view, size_t phase, const double *forecast, double r)
{
    static const size_t windows[] = {100, 300, 1000, 2000};
    double means[4][EXPERTS], sum[EXPERTS], disagreement = 0;
    struct block_origin now = mp_auto_origin(view, view->layer->blocks);
    now.phase = phase;
    mp_window_means(&view->blocks, &now, windows, 4, sum, means[0]);
    for (size_t k = 0; k < 4; k++)
        for (size_t e = 0; e < EXPERTS; e++)
            disagreement += square_distance(means[k][e], forecast[e]) / 4 / EXPERTS;
    return 0.75 * disagreement + 0.17 * r;
}

static double mean_noise(const struct auto_view *view)
{
    double r = 0.06 * (1 - view->layer->measured);
    for (size_t e = 0; e < EXPERTS; e++)
        r += (double)view->noise[e] / EXPERTS;
    return r;
}

static void check_rows(const moep_predictor *predictor, size_t phase, size_t horizon, size_t stride)
{
    enum { MOST_ROWS = 4, N = 5 };
    const double probabilities[N] = {1e-6, 0.2, 0.5, 0.93, 0.999};
    struct auto_view view = layer_of(predictor);
    double rows[MOST_ROWS][EXPERTS], shares[N * MOST_ROWS * EXPERTS], mean[EXPERTS] = {0}, r = mean_noise(&view);
    size_t n = moep_forecast_rows(horizon, stride);
    assert_int_equal(moep_predictor_predict(predictor, horizon, stride, rows[0], n * EXPERTS), MOEP_OK);
    quantiles_of(predictor, horizon, stride, probabilities, N, shares);
    for (size_t i = 0; i < n * EXPERTS; i++)
        mean[i % EXPERTS] += rows[i / EXPERTS][i % EXPERTS] / (double)n;
    double square = square_of(&view, phase, mean, r);
    for (size_t p = 0; p < N; p++)
        for (size_t i = 0; i < n * EXPERTS; i++) {
            size_t row = i / EXPERTS, e = i % EXPERTS, first = row * stride, last = first + stride;
            double expected = quantile_of(&view, square, r, rows[row][e], e, first, last < horizon ? last : horizon,
                                          probabilities[p]);
            assert_near(shares[(p * n + row) * EXPERTS + e], expected, 1e-9);
        }
}

/* Runs that are short and long, which end with a block and within one; rows of one step to more than 1,000, and a last
 * row that is shorter. */
static void quantiles_are_those_of_the_definition(void **state)
{
    (void)state;
    const size_t steps[] = {1, 77, 400, 1533, 3000}, horizons[] = {1, 3, 20, 90, 1000, 1000, 5000};
    const size_t strides[] = {1, 1, 8, 60, 1000, 300, 2000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        moep_predictor *predictor = run_of(steps[i], 700, 30);
        for (size_t k = 0; k < sizeof strides / sizeof *strides; k++)
            check_rows(predictor, steps[i] % BLOCK, horizons[k], strides[k]);
        moep_predictor_destroy(predictor);
    }
}

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

/* Of rows about the forecast, at probabilities that rise: each within 0 .. 1, none below the one before. */
static void check_order(const moep_predictor *predictor, size_t horizon, size_t stride)
{
    enum { N = 9, MOST_ROWS = 20 };
    const double probabilities[N] = {1e-300, 1e-9,  0.1,      0.4999999999999999, 0.5, 0.5000000000000001,
                                     0.9,    0.975, 1 - 1e-16};
    double rows[MOST_ROWS * EXPERTS], shares[N * MOST_ROWS * EXPERTS];
    size_t n = moep_forecast_rows(horizon, stride) * EXPERTS;
    assert_int_equal(moep_predictor_predict(predictor, horizon, stride, rows, n), MOEP_OK);
    quantiles_of(predictor, horizon, stride, probabilities, N, shares);
    for (size_t p = 0; p < N; p++)
        for (size_t i = 0; i < n; i++) {
            double quantile = shares[p * n + i];
            assert_true(quantile >= 0 && quantile <= 1);
            assert_true(p == 0 || quantile >= shares[(p - 1) * n + i]);
            assert_true(probabilities[p] <= 0.5 ? quantile <= rows[i] : quantile >= rows[i]);
        }
}

static void from_the_first_step_on_quantiles_rise_and_hold_the_forecast(void **state)
{
    (void)state;
    moep_predictor *predictor = make_auto();
    uint64_t random = 7;
    int64_t counts[EXPERTS];
    for (size_t step = 0; step < 2500; step++) {
        fill_step(counts, step, 300, 90, &random);
        counts[1] = step % 400 < 200 ? 0 : counts[1]; /* an expert that dies and returns */
        push(predictor, counts);
        if (step < 200 || step % 37 == 0) {
            check_order(predictor, 1, 1);
            check_order(predictor, 1000, 50);
            check_order(predictor, 2000, 2000);
        }
    }
    moep_predictor_destroy(predictor);
}

/* Neighbouring probabilities, over the joints of the formula. */
static void quantiles_of_neighbouring_probabilities_never_cross(void **state)
{
    (void)state;
    enum { N = 3000 };
    static double probabilities[N], shares[N][EXPERTS];
    moep_predictor *predictor = run_of(2777, 700, 30);
    const double joints[] = {0.025, 0.1, 0.5, 0.9, 0.975};
    for (size_t k = 0; k < 5; k++) {
        for (size_t i = 0; i < N; i++)
            probabilities[i] = joints[k] + ((double)i - N / 2) * 1e-13;
        quantiles_of(predictor, 100, 100, probabilities, N, shares[0]);
        for (size_t i = 1; i < N; i++)
            for (size_t e = 0; e < EXPERTS; e++)
                assert_true(shares[i][e] >= shares[i - 1][e]);
    }
    moep_predictor_destroy(predictor);
}

/* Twice the middle of the last row exceeds 2^64. */
static void the_farthest_row_is_no_more_certain_than_the_first(void **state)
{
    (void)state;
    const size_t stride = SIZE_MAX / 2, horizon = stride + 2;
    moep_predictor *predictor = run_of(500, 10000, 20);
    double quantiles[2][2][EXPERTS];
    quantiles_of(predictor, horizon, stride, (double[]){0.1, 0.9}, 2, quantiles[0][0]);
    for (size_t e = 0; e < EXPERTS; e++) {
        assert_true(quantiles[0][1][e] <= quantiles[0][0][e]);
        assert_true(quantiles[1][1][e] >= quantiles[1][0][e]);
    }
    moep_predictor_destroy(predictor);
}

static void a_load_at_rest_becomes_certain(void **state)
{
    (void)state;
    const double probabilities[] = {0.025, 0.975};
    double shares[2][EXPERTS];
    moep_predictor *predictor = run_of(20000, 1000000, 0);
    const struct auto_layer *layer = layer_of(predictor).layer;
    for (size_t stride = 1; stride <= 10000; stride *= 10) {
        quantiles_of(predictor, stride, stride, probabilities, 2, shares[0]);
        for (size_t e = 0; e < EXPERTS; e++)
            assert_near(shares[1][e], shares[0][e], 1e-5);
    }
    assert_true(layer->widening[0] >= -MP_AUTO_MOST_WIDENING && layer->widening[1] >= -MP_AUTO_MOST_WIDENING);
    assert_near(mp_auto_coverage(layer, 0), 1, 0.02);
    moep_predictor_destroy(predictor);
}

/* A settled load with white noise alone, which no run has: the tails of its steps are short. */
static void intervals_of_a_settled_load_hold_about_as_often_as_they_say(void **state)
{
    (void)state;
    const double probabilities[] = {0.1, 0.9};
    const size_t lengths[] = {1, 10, 100, 1000};
    double inside[4] = {0}, shares[4][2][EXPERTS], sums[EXPERTS] = {0};
    moep_predictor *predictor = run_of(4000, 1000000, 20);
    uint64_t random = 11;
    int64_t counts[EXPERTS];
    size_t cases = 0;
    for (size_t step = 0; step < 40000; step++) {
        for (size_t k = 0; k < 4 && step % 1000 == 0; k++)
            quantiles_of(predictor, lengths[k], lengths[k], probabilities, 2, shares[k][0]);
        double total = 0;
        fill_step(counts, 0, 1000000, 20, &random);
        push(predictor, counts);
        for (size_t e = 0; e < EXPERTS; e++)
            total += (double)counts[e];
        for (size_t e = 0; e < EXPERTS; e++)
            sums[e] = (step % 1000 ? sums[e] : 0) + (double)counts[e] / total;
        for (size_t k = 0; k < 4; k++)
            for (size_t e = 0; e < EXPERTS && step % 1000 == lengths[k] - 1; e++) {
                double mean = sums[e] / (double)lengths[k];
                inside[k] += mean >= shares[k][0][e] && mean <= shares[k][1][e];
                cases += k == 0;
            }
    }
    for (size_t k = 0; k < 4; k++)
        assert_in_range((uint64_t)(100 * inside[k] / (double)cases), 60, 92);
    moep_predictor_destroy(predictor);
}

/* ---- what is kept ------------------------------------------------------------------------------------------------ */

static void a_layer_alone_has_the_quantiles_that_it_has_among_others(void **state)
{
    (void)state;
    enum { LAYERS = 60 };
    const double probabilities[] = {0.1, 0.95};
    static double all[2 * LAYERS * EXPERTS];
    double alone[2 * EXPERTS];
    int64_t *counts = random_counts(1600, LAYERS, EXPERTS, 13);
    moep_predictor *many = make_predictor(MOEP_AUTO, LAYERS, EXPERTS, 0, NULL), *one = make_auto();
    for (size_t step = 0; step < 1600; step++) {
        push(many, counts + step * LAYERS * EXPERTS);
        push(one, counts + step * LAYERS * EXPERTS + (LAYERS - 1) * EXPERTS);
        if (step % 31 > 0)
            continue;
        assert_int_equal(moep_predictor_predict_quantiles(many, 500, 500, probabilities, 2, all, 2 * LAYERS * EXPERTS),
                         MOEP_OK);
        quantiles_of(one, 500, 500, probabilities, 2, alone);
        for (size_t p = 0; p < 2; p++)
            assert_memory_equal(alone + p * EXPERTS, all + ((p + 1) * LAYERS - 1) * EXPERTS, EXPERTS * sizeof *alone);
    }
    moep_predictor_destroy(many);
    moep_predictor_destroy(one);
    free(counts);
}

static void a_state_with_a_number_out_of_range_is_not_loaded(void **state)
{
    (void)state;
    moep_predictor *predictor = run_of(1500, 700, 30), *loaded = NULL;
    static unsigned char bytes[1 << 20];
    struct auto_layer *layer = layer_of(predictor).layer;
    double *const numbers[] = {&layer->widening[1], &layer->step_noise, &layer->measured, &layer->square[3][0]};
    const double wrong[] = {2.1, 1e13, 1.01, -1e-9};
    for (size_t i = 0; i < 4; i++) {
        size_t size = 0;
        double right = *numbers[i];
        *numbers[i] = wrong[i];
        assert_int_equal(moep_predictor_save(predictor, bytes, sizeof bytes, &size), MOEP_OK);
        assert_int_equal(moep_predictor_load(bytes, size, NULL, &loaded), MOEP_ERROR_CORRUPT);
        *numbers[i] = right;
    }
    moep_predictor_destroy(predictor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_the_faded_mean_of_the_squared_errors_of_the_next_block),
        cmocka_unit_test(intervals_that_miss_too_often_widen_and_others_narrow),
        cmocka_unit_test(the_wider_interval_stays_a_tenth_wider),
        cmocka_unit_test(quantiles_are_those_of_the_definition),
        cmocka_unit_test(from_the_first_step_on_quantiles_rise_and_hold_the_forecast),
        cmocka_unit_test(quantiles_of_neighbouring_probabilities_never_cross),
        cmocka_unit_test(the_farthest_row_is_no_more_certain_than_the_first),
        cmocka_unit_test(a_load_at_rest_becomes_certain),
        cmocka_unit_test(intervals_of_a_settled_load_hold_about_as_often_as_they_say),
        cmocka_unit_test(a_layer_alone_has_the_quantiles_that_it_has_among_others),
        cmocka_unit_test(a_state_with_a_number_out_of_range_is_not_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
