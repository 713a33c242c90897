/* SPDX-License-Identifier: BSD-3-Clause */
/* The joint network, in float and in double. */
#include "lstm_joint_run.h"

#include "methods/lstm/network/joint_net.h"
#include "methods/lstm/network/loss.h"
#include "support/width.h"

#ifdef MP_REAL_DOUBLE
#define HASH UINT64_C(0xcf2e8074832787a)
#else
#define HASH UINT64_C(0xca8ca23c002c17f0)
#endif

/* ---- networks ---------------------------------------------------------------------------------------------------- */

/* Forecasts at the end of a panel whose last `steps` steps are seen; the caller frees them. */
static real *forecasts_of(const struct panel *panel, size_t steps, double scale)
{
    struct lstm_shape shape = mp_lstm_joint_net_shape(2, HIDDEN, SERIES);
    struct lstm_sample sample = sample_of(panel, steps);
    struct lstm_joint_net net;
    real *parameters = parameters_of(&shape, scale), *forecasts = reals((size_t)SERIES * ROW);
    assert_true(mp_lstm_joint_net_make(&net, &shape, EXPERTS, false, NULL, &plain_memory));
    mp_lstm_joint_net_set_parameters(&net, parameters);
    mp_lstm_joint_net_fill_inputs(&net, 0, 1, &sample);
    mp_lstm_joint_net_forecast(&net, 1, forecasts);
    mp_lstm_joint_net_free(&net, &plain_memory);
    free(parameters);
    return forecasts;
}

static void an_untrained_network_forecasts_a_uniform_load(void **state)
{
    (void)state;
    float *shares = uneven_shares(1100, SERIES, EXPERTS, 0.2);
    struct run run = run_of(shares, 1100, LAYERS, EXPERTS);
    real *forecasts = forecasts_of(&run.panel, 1100, 0);
    for (size_t s = 0; s < SERIES; s++)
        for (size_t b = 0; b < OUTPUTS; b++)
            assert_true(forecasts[s * ROW + b] == (real)(1.0 / EXPERTS));
    free(forecasts);
    free(shares);
}

static void a_network_sees_the_last_1000_steps_and_no_others(void **state)
{
    (void)state;
    enum { STEPS = 1400, SEEN = 1000 };
    float *shares = uneven_shares(STEPS, SERIES, EXPERTS, 0.5);
    struct run all = run_of(shares, STEPS, LAYERS, EXPERTS);
    struct run last = run_of(shares + (STEPS - SEEN) * SERIES, SEEN, LAYERS, EXPERTS);
    struct run fewer = run_of(shares + (STEPS - SEEN + 50) * SERIES, SEEN - 50, LAYERS, EXPERTS);
    real *forecasts[] = {forecasts_of(&all.panel, STEPS, 1), forecasts_of(&last.panel, SEEN, 1),
                         forecasts_of(&fewer.panel, SEEN - 50, 1)};
    assert_memory_equal(forecasts[0], forecasts[1], SERIES * ROW * sizeof(real));
    assert_memory_not_equal(forecasts[0], forecasts[2], SERIES * ROW * sizeof(real));
    for (size_t i = 0; i < 3; i++)
        free(forecasts[i]);
    free(shares);
}

/* Steps that are not seen count as a uniform load, and so do those of a block that is not whole. */
static void blocks_that_do_not_exist_yet_are_a_uniform_load(void **state)
{
    (void)state;
    enum { STEPS = 1000, YOUNG = 120 };
    float *shares = uneven_shares(STEPS, SERIES, EXPERTS, 0.5);
    struct run run = run_of(shares, STEPS, LAYERS, EXPERTS);
    struct run young = run_of(shares + (STEPS - YOUNG) * SERIES, YOUNG, LAYERS, EXPERTS);
    real *cut = forecasts_of(&run.panel, YOUNG, 1), *begun = forecasts_of(&young.panel, YOUNG, 1);
    real *whole = forecasts_of(&run.panel, STEPS, 1);
    for (size_t i = 0; i < (size_t)(STEPS - 100) * SERIES; i++)
        shares[i] = (float)(1.0 / EXPERTS);
    real *uniform = forecasts_of(&run.panel, STEPS, 1);
    assert_memory_equal(cut, begun, SERIES * ROW * sizeof(real));
    assert_memory_not_equal(cut, whole, SERIES * ROW * sizeof(real));
    for (size_t i = 0; i < (size_t)SERIES * ROW; i++)
        assert_near((double)cut[i], (double)uniform[i], 1e-6); /* a sum of 50 sixths is not quite even */
    real *made[] = {cut, begun, whole, uniform};
    for (size_t i = 0; i < 4; i++)
        free(made[i]);
    free(shares);
}

static void no_forecast_is_negative(void **state)
{
    (void)state;
    float *shares = uneven_shares(1000, SERIES, EXPERTS, 0.5);
    struct run run = run_of(shares, 1000, LAYERS, EXPERTS);
    real *forecasts = forecasts_of(&run.panel, 1000, 20);
    size_t none = 0;
    for (size_t i = 0; i < (size_t)SERIES * ROW; i++) {
        assert_true(forecasts[i] >= 0);
        none += forecasts[i] == 0;
    }
    assert_true(none > 0); /* so that something was cut off */
    free(forecasts);
    free(shares);
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* A network for training, with a batch of origins of a random run; targets are random. */
struct bench {
    struct lstm_shape shape;
    struct lstm_joint_net net;
    struct lstm_examples examples;
    real *parameters, *gradient;
    float *shares;
};

static void draw_targets(struct lstm_examples *e)
{
    uint64_t state = 3;
    for (size_t at = 0; at < e->series; at++) {
        e->n_targets[at] = at % 5 == 0   ? 0
                           : at % 5 == 1 ? OUTPUTS
                                         : 1 + (size_t)(random_number(&state) >> 40) % OUTPUTS;
        e->min_load[at] = (real)(0.1 / EXPERTS);
        for (size_t b = 0; b < OUTPUTS; b++)
            e->targets[at * OUTPUTS + b] = (real)(fraction(&state) * 0.4);
    }
}

static struct bench make_bench(size_t layers, size_t origins, struct gemm gemm)
{
    struct bench b = {.shape = mp_lstm_joint_net_shape(layers, HIDDEN, SERIES)};
    size_t steps = 1000 + origins;
    b.shares = uneven_shares(steps, SERIES, EXPERTS, 1.5);
    b.parameters = parameters_of(&b.shape, 0.5);
    b.gradient = reals(mp_lstm_parameters(&b.shape));
    assert_true(mp_lstm_joint_net_make(&b.net, &b.shape, EXPERTS, true, NULL, &plain_memory));
    assert_true(mp_lstm_examples_make(&b.examples, origins * SERIES, origins * SERIES, &plain_memory));
    b.net.work.gemm = gemm;
    b.examples.series = origins * SERIES;
    draw_targets(&b.examples);
    struct run run = run_of(b.shares, steps, LAYERS, EXPERTS);
    for (size_t origin = 0; origin < origins; origin++) {
        struct lstm_sample sample = sample_of(&run.panel, 900 + 20 * origin);
        sample.end -= origin;
        mp_lstm_joint_net_fill_inputs(&b.net, origin, origins, &sample);
    }
    return b;
}

static void free_bench(struct bench *b)
{
    mp_lstm_joint_net_free(&b->net, &plain_memory);
    mp_lstm_examples_free(&b->examples, &plain_memory);
    free(b->parameters);
    free(b->gradient);
    free(b->shares);
}

static double loss_of(struct bench *b, real *gradient)
{
    mp_lstm_joint_net_set_parameters(&b->net, b->parameters);
    return mp_lstm_joint_net_gradient(&b->net, &b->examples, gradient);
}

#ifdef MP_REAL_DOUBLE
static void check_slopes(size_t layers, size_t origins)
{
    struct bench b = make_bench(layers, origins, mp_gemm_here());
    size_t steep = 0;
    loss_of(&b, b.gradient);
    for (size_t i = 0; i < mp_lstm_parameters(&b.shape); i += 17) {
        double at = b.parameters[i], step = 1e-6;
        b.parameters[i] = at + step;
        double above = loss_of(&b, NULL);
        b.parameters[i] = at - step;
        double below = loss_of(&b, NULL);
        b.parameters[i] = at;
        assert_near(b.gradient[i], (above - below) / (2 * step), 1e-8);
        steep += fabs(b.gradient[i]) > 1e-5;
    }
    assert_true(steep > 100);
    free_bench(&b);
}

static void the_gradient_is_the_slope_of_the_loss(void **state)
{
    (void)state;
    check_slopes(1, MP_LSTM_JOINT_ORIGINS);
    check_slopes(2, 3);
    check_slopes(1, 1);
}
#endif

static void the_loss_is_that_of_the_forecasts(void **state)
{
    (void)state;
    enum { N = 7 };
    struct bench b = make_bench(2, N, mp_gemm_here());
    const struct lstm_examples *e = &b.examples;
    real *forecasts = reals((size_t)N * SERIES * ROW);
    double loss = loss_of(&b, b.gradient), sum = 0;
    mp_lstm_joint_net_forecast(&b.net, N, forecasts);
    for (size_t at = 0; at < e->series; at++) {
        double forecast = 0, target = 0;
        for (size_t k = 0; k < e->n_targets[at]; k++) {
            assert_true(forecasts[at * ROW + k] > 0); /* nothing was cut off, so the two are of the same numbers */
            forecast += (double)forecasts[at * ROW + k];
            target += (double)e->targets[at * OUTPUTS + k];
            double spans = (double)(k + 1), divisor = fmax(target / spans, (double)e->min_load[at]);
            sum += fabs(forecast - target) / spans / divisor / (double)e->n_targets[at];
        }
    }
    assert_near(loss, sum / (double)e->series, 1e-6 * loss);
    free(forecasts);
    free_bench(&b);
}

static void an_origin_does_not_depend_on_those_beside_it(void **state)
{
    (void)state;
    enum { N = 13 };
    struct bench b = make_bench(2, N, mp_gemm_here());
    real *all = reals((size_t)N * SERIES * ROW), *alone = reals((size_t)SERIES * ROW);
    mp_lstm_joint_net_set_parameters(&b.net, b.parameters);
    mp_lstm_joint_net_forecast(&b.net, N, all);
    struct run run = run_of(b.shares, 1000 + N, LAYERS, EXPERTS);
    for (size_t origin = 0; origin < N; origin++) {
        struct lstm_sample sample = sample_of(&run.panel, 900 + 20 * origin);
        sample.end -= origin;
        mp_lstm_joint_net_fill_inputs(&b.net, 0, 1, &sample);
        mp_lstm_joint_net_forecast(&b.net, 1, alone);
        assert_memory_equal(alone, all + origin * SERIES * ROW, SERIES * ROW * sizeof *alone);
    }
    free(all);
    free(alone);
    free_bench(&b);
}

static uint64_t hash_of_gradient(struct gemm gemm)
{
    struct bench b = make_bench(2, MP_LSTM_JOINT_ORIGINS, gemm);
    double loss = loss_of(&b, b.gradient);
    uint64_t hash = hash_of(HASH_START, b.gradient, mp_lstm_parameters(&b.shape) * sizeof *b.gradient);
    free_bench(&b);
    return hash_of(hash, &loss, sizeof loss);
}

static void any_vector_width_gives_the_same_bytes(void **state)
{
    (void)state;
    uint64_t narrowest = hash_of_gradient((struct gemm){.bytes = 16});
    for (int bytes = 32; bytes <= mp_vector_bytes(); bytes *= 2)
        assert_true(hash_of_gradient((struct gemm){.bytes = bytes}) == narrowest);
}

/* This compares gcc, clang, sanitizers and processors. */
static void every_build_gives_the_same_bytes(void **state)
{
    (void)state;
    uint64_t hash = hash_of_gradient((struct gemm){.bytes = mp_vector_bytes()});
    if (hash != HASH)
        fail_msg("the hash is %#llx", (unsigned long long)hash);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct lstm_joint_net net;
    struct lstm_shape wide = mp_lstm_joint_net_shape(1, 16, SIZE_MAX / 64),
                      deep = mp_lstm_joint_net_shape(1, SIZE_MAX / 256, 16);
    assert_false(mp_lstm_joint_net_make(&net, &wide, EXPERTS, true, NULL, &plain_memory));
    assert_false(mp_lstm_joint_net_make(&net, &deep, EXPERTS, true, NULL, &plain_memory));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untrained_network_forecasts_a_uniform_load),
        cmocka_unit_test(a_network_sees_the_last_1000_steps_and_no_others),
        cmocka_unit_test(blocks_that_do_not_exist_yet_are_a_uniform_load),
        cmocka_unit_test(no_forecast_is_negative),
#ifdef MP_REAL_DOUBLE
        cmocka_unit_test(the_gradient_is_the_slope_of_the_loss),
#endif
        cmocka_unit_test(the_loss_is_that_of_the_forecasts),
        cmocka_unit_test(an_origin_does_not_depend_on_those_beside_it),
        cmocka_unit_test(any_vector_width_gives_the_same_bytes),
        cmocka_unit_test(every_build_gives_the_same_bytes),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
