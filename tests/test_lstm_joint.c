/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "methods/lstm_joint.h"
#include "methods/lstm_loss.h"
#include "support/width.h"

#ifdef MP_REAL_DOUBLE
#define HASH UINT64_C(0xcf2e8074832787a)
#else
#define HASH UINT64_C(0xca8ca23c002c17f0)
#endif

enum {
    LAYERS = 3,
    EXPERTS = 6,
    SERIES = LAYERS * EXPERTS,
    HIDDEN = 5,
    ROW = MP_LSTM_OUTPUT_ROW,
    OUTPUTS = MP_LSTM_OUTPUTS
};

static const struct memory plain_memory = {mp_default_allocate, mp_default_release, NULL};

/* ---- runs ---------------------------------------------------------------------------------------------------------- */

static double fraction(uint64_t *state)
{
    return (double)(random_number(state) >> 40) * 0x1p-24;
}

/* Shares of an uneven load that stays: expert e of a layer has e + 1 parts, and noise on each. The caller frees them. */
static float *uneven_shares(size_t steps, size_t series, size_t experts, double noise)
{
    float *shares = malloc(steps * series * sizeof *shares);
    uint64_t state = 7;
    assert_non_null(shares);
    for (size_t row = 0; row < steps * series / experts; row++) {
        double total = 0, load[64];
        for (size_t e = 0; e < experts; e++)
            total += load[e] = (double)(e + 1) * (1 + noise * (fraction(&state) - 0.5));
        for (size_t e = 0; e < experts; e++)
            shares[row * experts + e] = (float)(load[e] / total);
    }
    return shares;
}

static struct run run_of(const float *shares, size_t steps, size_t layers, size_t experts)
{
    struct run run = {.layers = layers, .experts = experts};
    run.panel = (struct panel){.ring = shares, .capacity = steps, .steps = steps, .series = layers * experts};
    return run;
}

static struct lstm_past past_of(const struct panel *panel, size_t steps)
{
    return (struct lstm_past){.panel = panel,
                              .count = panel->series,
                              .end = panel->steps,
                              .steps = steps,
                              .age = (double)panel->steps,
                              .experts = EXPERTS};
}

/* ---- networks ------------------------------------------------------------------------------------------------------ */

static real *reals(size_t n)
{
    real *numbers = calloc(n, sizeof *numbers);
    assert_non_null(numbers);
    return numbers;
}

/* An untrained network; with a scale its head is random, but for what is padded. */
static real *parameters_of(const struct lstm_shape *shape, double scale)
{
    real *parameters = reals(mp_lstm_parameters(shape)), *head = parameters + mp_lstm_head(shape);
    size_t units = mp_row(shape->hidden);
    struct random random = mp_random(11, 0);
    mp_lstm_joint_start(shape, &random, parameters);
    for (size_t row = 0; row < shape->inputs * (units + 1); row++)
        for (size_t b = 0; b < OUTPUTS; b++)
            if (row % (units + 1) < shape->hidden || row % (units + 1) == units)
                head[row * ROW + b] = (real)mp_random_between(&random, -scale, scale);
    return parameters;
}

/* Forecasts at the end of a panel, of which so many steps count; the caller frees them. */
static real *forecasts_of(const struct panel *panel, size_t steps, double scale)
{
    struct lstm_shape shape = mp_lstm_joint_net_shape(2, HIDDEN, SERIES);
    struct lstm_past past = past_of(panel, steps);
    struct lstm_joint_net net;
    real *parameters = parameters_of(&shape, scale), *forecasts = reals((size_t)SERIES * ROW);
    assert_true(mp_lstm_joint_net_make(&net, &shape, EXPERTS, false, &plain_memory));
    mp_lstm_joint_net_prepare(&net, parameters);
    mp_lstm_joint_net_look_back(&net, 0, 1, &past);
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

/* Steps that do not count are as if the load had been uniform, and so are those of a block that is not whole. */
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

/* ---- gradients ----------------------------------------------------------------------------------------------------- */

/* A network for training with a batch that looks back on a random run; targets are random. */
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
        e->covered[at] = at % 5 == 0 ? 0 : at % 5 == 1 ? OUTPUTS : 1 + (size_t)(random_number(&state) >> 40) % OUTPUTS;
        e->bottom[at] = (real)(0.1 / EXPERTS);
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
    assert_true(mp_lstm_joint_net_make(&b.net, &b.shape, EXPERTS, true, &plain_memory));
    assert_true(mp_lstm_examples_make(&b.examples, origins * SERIES, origins * SERIES, &plain_memory));
    b.net.work.gemm = gemm;
    b.examples.series = origins * SERIES;
    draw_targets(&b.examples);
    struct run run = run_of(b.shares, steps, LAYERS, EXPERTS);
    for (size_t origin = 0; origin < origins; origin++) {
        struct lstm_past past = past_of(&run.panel, 900 + 20 * origin);
        past.end -= origin;
        mp_lstm_joint_net_look_back(&b.net, origin, origins, &past);
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
    mp_lstm_joint_net_prepare(&b->net, b->parameters);
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
        for (size_t k = 0; k < e->covered[at]; k++) {
            assert_true(forecasts[at * ROW + k] > 0); /* nothing was cut off, so the two are of the same numbers */
            forecast += (double)forecasts[at * ROW + k];
            target += (double)e->targets[at * OUTPUTS + k];
            double blocks = (double)(k + 1), unit = fmax(target / blocks, (double)e->bottom[at]);
            sum += fabs(forecast - target) / blocks / unit / (double)e->covered[at];
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
    mp_lstm_joint_net_prepare(&b.net, b.parameters);
    mp_lstm_joint_net_forecast(&b.net, N, all);
    struct run run = run_of(b.shares, 1000 + N, LAYERS, EXPERTS);
    for (size_t origin = 0; origin < N; origin++) {
        struct lstm_past past = past_of(&run.panel, 900 + 20 * origin);
        past.end -= origin;
        mp_lstm_joint_net_look_back(&b.net, 0, 1, &past);
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

/* So that gcc, clang, sanitizers and every processor are compared. */
static void every_build_gives_the_same_bytes(void **state)
{
    (void)state;
    uint64_t hash = hash_of_gradient((struct gemm){.bytes = mp_vector_bytes()});
    if (hash != HASH)
        fail_msg("the hash is %#llx", (unsigned long long)hash);
}

/* ---- school -------------------------------------------------------------------------------------------------------- */

#ifndef MP_REAL_DOUBLE
enum { STEPS = 1000 };

static struct lstm_lesson lesson_of(const struct run *run)
{
    size_t steps = run->panel.steps;
    return (struct lstm_lesson){.run = run, .trained = {0, steps - steps / 4}, .judged = {steps - steps / 4, steps}};
}

static struct runtime runtime_with(size_t threads, const struct memory *memory)
{
    return (struct runtime){.memory = *memory, .threads = threads};
}

/* What a fit makes, and what it is made of. */
struct taught {
    struct lstm_shape shape;
    struct lstm_state state;
    struct lstm_residuals residuals;
    struct lstm_model model;
    float *shares;
    struct run run;
};

static void free_taught(struct taught *taught)
{
    free(taught->model.used);
    free(taught->shares);
    free(taught);
}

static struct taught *teach(size_t threads)
{
    struct taught *t = calloc(1, sizeof *t);
    const struct lstm_course course = {.updates = 200, .rising = 20, .between = 100, .rate = 1e-2};
    struct runtime runtime = runtime_with(threads, &plain_memory);
    struct random random = mp_random(5, 0);
    struct lstm_school school;
    struct lstm_joint joint;
    t->shape = mp_lstm_joint_net_shape(1, HIDDEN, SERIES);
    size_t n = mp_lstm_parameters(&t->shape);
    real *used = reals(4 * n);
    t->model = (struct lstm_model){&t->state, &t->residuals, n, used, used + n, used + 2 * n, used + 3 * n};
    t->shares = uneven_shares(STEPS, SERIES, EXPERTS, 0.2);
    t->run = run_of(t->shares, STEPS, LAYERS, EXPERTS);
    struct lstm_lesson lesson = lesson_of(&t->run);
    struct lstm_corpus corpus = {&lesson, 1};
    mp_lstm_joint_start(&t->shape, &random, used);
    mp_lstm_joint_school(&joint, &school, &t->shape, &corpus);
    assert_int_equal(mp_lstm_joint_open(&joint, &t->shape, &runtime), MOEP_OK);
    assert_int_equal(mp_lstm_train(&t->model, &school, &course, 0, &runtime, 1), MOEP_OK);
    mp_lstm_joint_close(&joint);
    return t;
}

static int teach_once(void **state)
{
    *state = teach(1);
    return 0;
}

static int free_it(void **state)
{
    free_taught(*state);
    return 0;
}

/* forecasts[series][ROW], noise[series], at the end of the run. */
static moep_status forecast(const struct taught *t, const struct runtime *runtime, real *forecasts, real *noise)
{
    moep_predictor_config config = mp_predictor_config_defaults;
    config.lstm_scope = MOEP_LSTM_JOINT;
    config.lstm_layers = (uint32_t)t->shape.layers;
    config.lstm_hidden = (uint32_t)t->shape.hidden;
    struct task task = {&config, t->run.panel, t->run.experts, t->run.panel.steps, runtime};
    return mp_lstm_joint_forecast(&task, &t->model, forecasts, noise);
}

static void an_untrained_network_is_marked_as_the_uniform_load_is(void **state)
{
    (void)state;
    float *shares = uneven_shares(STEPS, SERIES, EXPERTS, 0);
    struct run run = run_of(shares, STEPS, LAYERS, EXPERTS);
    struct lstm_lesson lesson = lesson_of(&run);
    struct lstm_corpus corpus = {&lesson, 1};
    struct lstm_shape shape = mp_lstm_joint_net_shape(1, HIDDEN, SERIES);
    struct runtime runtime = runtime_with(1, &plain_memory);
    struct lstm_school school;
    struct lstm_joint joint;
    real *parameters = parameters_of(&shape, 0);
    double expected = 0;
    for (size_t e = 0; e < EXPERTS; e++) { /* shares are (e + 1) / 21 */
        double share = (double)(e + 1) / 21;
        expected += fabs(1.0 / EXPERTS - share) / share / EXPERTS;
    }
    mp_lstm_joint_school(&joint, &school, &shape, &corpus);
    assert_int_equal(mp_lstm_joint_open(&joint, &shape, &runtime), MOEP_OK);
    struct lstm_marks marks = school.exam(school.self, parameters, NULL);
    assert_true(marks.loss == marks.untrained);
    assert_near(marks.untrained, expected, 1e-5);
    mp_lstm_joint_close(&joint);
    free(parameters);
    free(shares);
}

/* The load becomes uniform where half of the origins are over, so each of them counts. */
static void an_exam_is_of_all_origins_to_judge_by(void **state)
{
    (void)state;
    float *shares = uneven_shares(STEPS, SERIES, EXPERTS, 0);
    for (size_t i = (size_t)820 * SERIES; i < (size_t)STEPS * SERIES; i++)
        shares[i] = (float)(1.0 / EXPERTS);
    struct run run = run_of(shares, STEPS, LAYERS, EXPERTS);
    struct lstm_lesson lesson = lesson_of(&run);
    struct lstm_corpus corpus = {&lesson, 1};
    struct lstm_shape shape = mp_lstm_joint_net_shape(1, HIDDEN, SERIES);
    struct runtime runtime = runtime_with(1, &plain_memory);
    struct lstm_examples e;
    struct lstm_school school;
    struct lstm_joint joint;
    real *parameters = parameters_of(&shape, 0), uniform[OUTPUTS];
    double sum = 0;
    for (size_t b = 0; b < OUTPUTS; b++)
        uniform[b] = (real)(1.0 / EXPERTS);
    assert_true(mp_lstm_examples_make(&e, SERIES, SERIES, &plain_memory));
    for (size_t i = 0; i < MP_LSTM_ORIGINS; i++) {
        struct lstm_past past = mp_lstm_judged_origin(&lesson, i);
        mp_lstm_look_ahead(&e, 0, &past, STEPS);
        for (size_t s = 0; s < SERIES; s++)
            sum += mp_lstm_loss(e.covered[s], uniform, e.targets + s * OUTPUTS, 0.1 / EXPERTS, 1, NULL);
    }
    mp_lstm_joint_school(&joint, &school, &shape, &corpus);
    assert_int_equal(mp_lstm_joint_open(&joint, &shape, &runtime), MOEP_OK);
    assert_near(school.exam(school.self, parameters, NULL).untrained, sum / (MP_LSTM_ORIGINS * SERIES), 1e-6);
    mp_lstm_joint_close(&joint);
    mp_lstm_examples_free(&e, &plain_memory);
    free(parameters);
    free(shares);
}

static void training_on_an_uneven_load_learns_it(void **state)
{
    struct taught *t = *state;
    struct runtime runtime = runtime_with(1, &plain_memory);
    real forecasts[SERIES * ROW], noise[SERIES];
    assert_int_equal(t->state.weights, MOEP_LSTM_TRAINED);
    assert_true(t->state.untrained_loss > 0.5);
    assert_true(t->state.loss < 0.05);
    assert_int_equal(forecast(t, &runtime, forecasts, noise), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        for (size_t b = 0; b < 2; b++) {
            double share = (double)(s % EXPERTS + 1) / 21;
            assert_near((double)forecasts[s * ROW + b], share, 0.1 * share);
        }
}

/* The quantiles of what it is off by are near 0 where 250 steps let it know, and in order. */
static void residuals_of_a_load_that_was_learnt_are_small(void **state)
{
    struct taught *t = *state;
    const double *of_first = t->residuals.quantile[mp_lstm_age(STEPS)][MP_LSTM_OF_MEAN][0];
    for (size_t k = 0; k < MP_LSTM_KNOTS; k++) {
        assert_true(fabs(of_first[k]) < 0.2);
        assert_true(k == 0 || of_first[k] >= of_first[k - 1]);
    }
    assert_true(of_first[MP_LSTM_KNOTS - 1] > of_first[0]);
}

static void what_is_padded_stays_0_in_training(void **state)
{
    struct taught *t = *state;
    const real *head = t->model.used + mp_lstm_head(&t->shape);
    size_t units = mp_row(HIDDEN), moved = 0;
    for (size_t row = 0; row < SERIES * (units + 1); row++)
        for (size_t b = 0; b < ROW; b++) {
            bool real_one = (row % (units + 1) < HIDDEN || row % (units + 1) == units) && b < OUTPUTS;
            assert_true(real_one || head[row * ROW + b] == 0);
            moved += head[row * ROW + b] != 0;
        }
    assert_true(moved > 0);
}

static void any_number_of_threads_gives_the_same_bytes(void **state)
{
    struct taught *one = *state, *two = teach(2);
    real forecasts[2][SERIES * ROW], noise[2][SERIES];
    assert_memory_equal(one->model.used, two->model.used, 4 * one->model.parameters * sizeof(real));
    assert_memory_equal(&one->residuals, &two->residuals, sizeof one->residuals);
    for (size_t i = 0; i < 2; i++) {
        struct runtime runtime = runtime_with(1 + i, &plain_memory);
        assert_int_equal(forecast(one, &runtime, forecasts[i], noise[i]), MOEP_OK);
    }
    assert_memory_equal(forecasts[0], forecasts[1], sizeof forecasts[0]);
    assert_memory_equal(noise[0], noise[1], sizeof noise[0]);
    free_taught(two);
}

/* More of them than are looked at at once. */
static void the_noise_of_many_series_is_that_of_each(void **state)
{
    (void)state;
    enum { MANY_LAYERS = 300, MANY = MANY_LAYERS * EXPERTS, SHORT = 200 };
    struct taught t = {.shape = mp_lstm_joint_net_shape(1, HIDDEN, MANY)};
    struct runtime runtime = runtime_with(1, &plain_memory);
    real *forecasts = reals((size_t)MANY * ROW), *noise = reals(MANY);
    struct lstm_examples examples;
    t.shares = uneven_shares(SHORT, MANY, EXPERTS, 0.5);
    t.run = run_of(t.shares, SHORT, MANY_LAYERS, EXPERTS);
    t.model.used = parameters_of(&t.shape, 0);
    assert_int_equal(forecast(&t, &runtime, forecasts, noise), MOEP_OK);
    assert_true(mp_lstm_examples_make(&examples, MANY, MANY, &plain_memory));
    examples.series = MANY;
    struct lstm_past past = past_of(&t.run.panel, SHORT);
    mp_lstm_look_back(&examples, 0, &past);
    assert_memory_equal(noise, examples.noise, MANY * sizeof *noise);
    for (size_t s = 0; s < MANY; s++)
        assert_true(noise[s] > 0);
    mp_lstm_examples_free(&examples, &plain_memory);
    free(forecasts);
    free(noise);
    free(t.model.used);
    free(t.shares);
}

static void origins_to_judge_by_are_spread_over_all_there_are(void **state)
{
    (void)state;
    float *shares = uneven_shares(STEPS, SERIES, EXPERTS, 0.2);
    struct run run = run_of(shares, STEPS, LAYERS, EXPERTS);
    struct lstm_lesson lesson = lesson_of(&run);
    size_t before = 0;
    for (size_t i = 0; i < MP_LSTM_ORIGINS; i++) {
        struct lstm_past past = mp_lstm_judged_origin(&lesson, i);
        assert_true(past.end > before && past.steps == past.end && past.count == SERIES && past.first == 0);
        before = past.end;
    }
    assert_int_equal(mp_lstm_judged_origin(&lesson, 0).end, 750);
    assert_int_equal(before, 875); /* half of what is judged lies ahead of the last one */
    free(shares);
}

/* ---- memory -------------------------------------------------------------------------------------------------------- */

static void refused_memory_is_told_and_nothing_is_kept(void **state)
{
    struct taught *t = *state;
    struct lstm_lesson lesson = lesson_of(&t->run);
    struct lstm_corpus corpus = {&lesson, 1};
    real forecasts[SERIES * ROW], noise[SERIES];
    size_t refusals = 0;
    for (int call = 0; call < 2; call++)
        for (size_t n = 1, done = 0; !done; n++) {
            struct test_memory refusing = {.refuse_at = n};
            struct memory from = {test_allocate, test_release, &refusing};
            struct runtime runtime = runtime_with(1, &from);
            struct lstm_school school;
            struct lstm_joint joint;
            mp_lstm_joint_school(&joint, &school, &t->shape, &corpus);
            moep_status status =
                call == 0 ? mp_lstm_joint_open(&joint, &t->shape, &runtime) : forecast(t, &runtime, forecasts, noise);
            if (status == MOEP_OK && call == 0)
                mp_lstm_joint_close(&joint);
            assert_true(status == MOEP_OK || status == MOEP_ERROR_OUT_OF_MEMORY);
            assert_int_equal(refusing.live_blocks, 0);
            assert_int_equal(refusing.live_bytes, 0);
            done = status == MOEP_OK;
            assert_true(done == (refusing.requests < n));
            refusals += !done;
        }
    assert_int_equal(refusals, 5 + 3);
}

static void the_largest_network_trains_in_bounded_memory(void **state)
{
    (void)state;
    enum { WIDE_EXPERTS = 64, WIDE_LAYERS = MP_LSTM_JOINT_MOST / WIDE_EXPERTS, WIDE_STEPS = 600, MIB = 1 << 20 };
    float *shares = uneven_shares(WIDE_STEPS, MP_LSTM_JOINT_MOST, WIDE_EXPERTS, 0.2);
    struct run run = run_of(shares, WIDE_STEPS, WIDE_LAYERS, WIDE_EXPERTS);
    struct lstm_lesson lesson = lesson_of(&run);
    struct lstm_corpus corpus = {&lesson, 1};
    struct lstm_shape shape = mp_lstm_joint_net_shape(1, 64, MP_LSTM_JOINT_MOST);
    struct test_memory counting = {0};
    struct memory from = {test_allocate, test_release, &counting};
    struct runtime runtime = runtime_with(1, &from);
    struct lstm_school school;
    struct lstm_joint joint;
    mp_lstm_joint_school(&joint, &school, &shape, &corpus);
    assert_int_equal(mp_lstm_joint_open(&joint, &shape, &runtime), MOEP_OK);
    assert_true(counting.peak_bytes < 64 * MIB);
    mp_lstm_joint_close(&joint);
    free(shares);
}
#endif

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct lstm_joint_net net;
    struct lstm_shape wide = mp_lstm_joint_net_shape(1, 16, SIZE_MAX / 64),
                      deep = mp_lstm_joint_net_shape(1, SIZE_MAX / 256, 16);
    assert_false(mp_lstm_joint_net_make(&net, &wide, EXPERTS, true, &plain_memory));
    assert_false(mp_lstm_joint_net_make(&net, &deep, EXPERTS, true, &plain_memory));
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
#ifndef MP_REAL_DOUBLE
        cmocka_unit_test(an_untrained_network_is_marked_as_the_uniform_load_is),
        cmocka_unit_test(an_exam_is_of_all_origins_to_judge_by),
        cmocka_unit_test(training_on_an_uneven_load_learns_it),
        cmocka_unit_test(residuals_of_a_load_that_was_learnt_are_small),
        cmocka_unit_test(what_is_padded_stays_0_in_training),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(the_noise_of_many_series_is_that_of_each),
        cmocka_unit_test(origins_to_judge_by_are_spread_over_all_there_are),
        cmocka_unit_test(refused_memory_is_told_and_nothing_is_kept),
        cmocka_unit_test(the_largest_network_trains_in_bounded_memory),
#endif
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
    };
#ifdef MP_REAL_DOUBLE
    return cmocka_run_group_tests(tests, NULL, NULL);
#else
    return cmocka_run_group_tests(tests, teach_once, free_it);
#endif
}
