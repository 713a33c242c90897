/* SPDX-License-Identifier: BSD-3-Clause */
/* The network's kernels: recurrence, gradients, Adam; the same bytes for any width, number of workers and build. */
#include "lstm_network.h"

#include <sys/wait.h>
#include <unistd.h>

#ifdef MP_REAL_DOUBLE
static const double tolerance = 1e-13;
#define HASH UINT64_C(0x549fcaa01be066cd)
#else
static const double tolerance = 1e-6;
#define HASH UINT64_C(0x92bc94e5149bfe48)
#endif

static const struct lstm_plan forecasting = {.steps = 7, .workers = 1};

/* ---- the recurrence as the textbook has it ----------------------------------------------------------------------- */

static double sigma(double x)
{
    return 1 / (1 + exp(-x));
}

/* h and c of one series and layer after one more step; w as PyTorch has it. */
static void naive_step(const struct lstm_weights *w, size_t inputs, size_t hidden, const double *x, double *h,
                       double *c)
{
    double sum[4][64];
    for (size_t gate = 0; gate < 4; gate++)
        for (size_t u = 0; u < hidden; u++) {
            size_t row = gate * hidden + u;
            sum[gate][u] = (double)w->bias_ih[row] + (double)w->bias_hh[row];
            for (size_t i = 0; i < inputs; i++)
                sum[gate][u] += (double)w->weight_ih[row * inputs + i] * x[i];
            for (size_t i = 0; i < hidden; i++)
                sum[gate][u] += (double)w->weight_hh[row * hidden + i] * h[i];
        }
    for (size_t u = 0; u < hidden; u++) {
        c[u] = sigma(sum[1][u]) * c[u] + sigma(sum[0][u]) * tanh(sum[2][u]);
        h[u] = sigma(sum[3][u]) * tanh(c[u]);
    }
}

static struct lstm_weights exported(const struct lstm_shape *shape, size_t layer, const real *parameters)
{
    size_t gates = 4 * shape->hidden, inputs = layer ? shape->hidden : shape->inputs;
    struct lstm_weights w = {zeros(gates * inputs), zeros(gates * shape->hidden), zeros(gates), zeros(gates)};
    mp_lstm_export(shape, layer, parameters, w);
    return w;
}

static void free_weights(struct lstm_weights w)
{
    free(w.weight_ih);
    free(w.weight_hh);
    free(w.bias_ih);
    free(w.bias_hh);
}

/* The last states of all layers of one series. */
static void naive(const struct network *n, const struct lstm_batch *batch, size_t series, double h[][64],
                  double c[][64])
{
    const struct lstm_shape *shape = &n->shape;
    struct lstm_weights w[MP_LSTM_MOST_LAYERS];
    for (size_t l = 0; l < shape->layers; l++)
        w[l] = exported(shape, l, n->parameters);
    memset(h, 0, shape->layers * sizeof *h);
    memset(c, 0, shape->layers * sizeof *c);
    for (size_t t = 0; t < batch->steps; t++) {
        double x[64];
        for (size_t i = 0; i < shape->inputs; i++)
            x[i] = (double)batch->inputs[(t * batch->series + series) * shape->inputs + i];
        for (size_t l = 0; l < shape->layers; l++)
            naive_step(&w[l], l ? shape->hidden : shape->inputs, shape->hidden, l ? h[l - 1] : x, h[l], c[l]);
    }
    for (size_t l = 0; l < shape->layers; l++)
        free_weights(w[l]);
}

static void check_against_naive(struct lstm_shape shape, size_t steps, size_t series)
{
    struct network n = make_network(shape, 1, (struct lstm_plan){.steps = steps, .workers = 1});
    size_t states = shape.layers * series * shape.hidden;
    real *x = random_reals(steps * series * shape.inputs, 4, 5), *h = zeros(states), *c = zeros(states);
    struct lstm_batch batch = {.steps = steps, .series = series, .inputs = x, .last_hidden = h, .last_cell = c};
    randomise(&n, 1, 3);
    run_network(&n, &batch);
    for (size_t s = 0; s < series; s++) {
        double want_h[MP_LSTM_MOST_LAYERS][64], want_c[MP_LSTM_MOST_LAYERS][64];
        naive(&n, &batch, s, want_h, want_c);
        for (size_t l = 0; l < shape.layers; l++)
            for (size_t u = 0; u < shape.hidden; u++) {
                size_t at = (l * series + s) * shape.hidden + u;
                assert_near((double)h[at], want_h[l][u], tolerance);
                assert_near((double)c[at], want_c[l][u], 10 * tolerance);
            }
    }
    free_network(&n);
    free(x);
    free(h);
    free(c);
}

static void networks_of_any_size_follow_the_recurrence(void **state)
{
    (void)state;
    const size_t hidden[] = {1, 5, 16, 17, 33}, inputs[] = {1, 3, 16, 17}, series[] = {1, 2, 13}, steps[] = {1, 2, 7};
    for (size_t h = 0; h < 5; h++)
        for (size_t i = 0; i < 4; i++)
            for (size_t s = 0; s < 3; s++)
                for (size_t t = 0; t < 3; t++)
                    check_against_naive((struct lstm_shape){.inputs = inputs[i],
                                                            .hidden = hidden[h],
                                                            .layers = 1 + (h + i + s + t) % 3},
                                        steps[t], series[s]);
    check_against_naive((struct lstm_shape){.inputs = 1, .hidden = 32, .layers = 1}, 3, 50);
}

/* ---- gradients are slopes ---------------------------------------------------------------------------------------- */

#ifdef MP_REAL_DOUBLE
struct slopes {
    struct network network;
    struct lstm_batch batch;
};

/* d[i] must be the loss's slope by x[i], for every stride-th of n. */
static void check_slopes(struct slopes *s, real *x, const real *d, size_t n, size_t stride)
{
    real *computed = zeros(n);
    memcpy(computed, d, n * sizeof *computed); /* each run overwrites d */
    for (size_t i = 0; i < n; i += stride) {
        double at = x[i], step = 1e-5;
        x[i] = at + step;
        double above = run_network(&s->network, &s->batch);
        x[i] = at - step;
        double below = run_network(&s->network, &s->batch);
        x[i] = at;
        assert_near(computed[i], (above - below) / (2 * step), 1e-9);
    }
    free(computed);
}

static void check_all_slopes(struct lstm_shape shape, size_t steps, size_t series, bool every_step)
{
    struct lstm_plan plan = {
        .steps = steps, .workers = 1, .training = true, .every_step = every_step, .input_gradients = true};
    struct slopes s = {.network = make_network(shape, 2, plan)};
    size_t states = shape.layers * series * shape.hidden, all = steps * series * shape.inputs;
    real *x = random_reals(all, 2, 5), *h = random_reals(states, 1, 6), *c = random_reals(states, 2, 7);
    real *d_x = zeros(all), *d_h = zeros(states), *d_c = zeros(states),
         *target = random_reals(2 * steps * series, 2, 8);
    s.batch = (struct lstm_batch){.steps = steps,
                                  .series = series,
                                  .inputs = x,
                                  .hidden = h,
                                  .cell = c,
                                  .d_inputs = d_x,
                                  .d_hidden = d_h,
                                  .d_cell = d_c};
    s.network.target = target;
    randomise(&s.network, 2, 9);
    run_network(&s.network, &s.batch);
    check_slopes(&s, x, d_x, all, 1);
    run_network(&s.network, &s.batch);
    check_slopes(&s, h, d_h, states, 1);
    run_network(&s.network, &s.batch);
    check_slopes(&s, c, d_c, states, 1);
    run_network(&s.network, &s.batch);
    check_slopes(&s, s.network.parameters, s.network.gradient, mp_lstm_head(&s.network.shape) + s.network.shape.head,
                 13);
    real *owned[] = {x, h, c, d_x, d_h, d_c, target};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free_network(&s.network);
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    check_all_slopes((struct lstm_shape){.inputs = 3, .hidden = 5, .layers = 2}, 4, 3, true);
    check_all_slopes((struct lstm_shape){.inputs = 1, .hidden = 1, .layers = 3}, 5, 2, false);
    check_all_slopes((struct lstm_shape){.inputs = 1, .hidden = 3, .layers = 1}, 1, 1, false);
}
#endif

/* ---- the same bytes ---------------------------------------------------------------------------------------------- */

enum { STEPS = 5, SERIES = 800, HIDDEN = 5, INPUTS = 3, OUTPUTS = 2 };

static const struct lstm_shape odd = {.inputs = INPUTS, .hidden = HIDDEN, .layers = 2};

/* A hash of the last states, the gradient and the loss of a large batch. */
static uint64_t hash_of_training(size_t workers, struct gemm gemm)
{
    struct network n =
        make_network(odd, OUTPUTS, (struct lstm_plan){.steps = STEPS, .workers = workers, .training = true});
    real *x = random_reals(STEPS * SERIES * INPUTS, 4, 5), *target = random_reals(SERIES * OUTPUTS, 2, 6);
    real *states = zeros(2 * SERIES * HIDDEN);
    struct lstm_batch batch = {.steps = STEPS, .series = SERIES, .inputs = x, .last_hidden = states};
    n.work.gemm = gemm;
    n.target = target;
    randomise(&n, 1, 3);
    double loss = run_network(&n, &batch);
    uint64_t hash = hash_of(HASH_START, states, 2 * SERIES * HIDDEN * sizeof *states);
    hash = hash_of(hash_of(hash, n.gradient, n.work.parameters * sizeof *n.gradient), &loss, sizeof loss);
    free_network(&n);
    free(x);
    free(target);
    free(states);
    return hash;
}

static void any_number_of_workers_gives_the_same_bytes(void **state)
{
    (void)state;
    uint64_t one = hash_of_training(1, mp_gemm_here());
    for (size_t workers = 2; workers <= 16; workers += 7)
        assert_true(hash_of_training(workers, mp_gemm_here()) == one);
}

static void any_vector_width_gives_the_same_bytes(void **state)
{
    (void)state;
    uint64_t narrowest = hash_of_training(1, (struct gemm){.bytes = 16});
    for (int bytes = 32; bytes <= mp_vector_bytes(); bytes *= 2)
        assert_true(hash_of_training(1, (struct gemm){.bytes = bytes}) == narrowest);
}

/* This compares gcc, clang, sanitizers and processors. */
static void every_build_gives_the_same_bytes(void **state)
{
    (void)state;
    uint64_t hash = hash_of_training(1, (struct gemm){.bytes = mp_vector_bytes()});
    if (hash != HASH)
        fail_msg("the hash is %#llx", (unsigned long long)hash);
}

static void a_forked_child_gives_the_same_bytes(void **state)
{
    (void)state;
    struct gemm plain = {.bytes = mp_vector_bytes()};
    uint64_t here = hash_of_training(2, plain);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(mp_gemm_here().openblas || hash_of_training(2, mp_gemm_here()) != here);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_series_does_not_depend_on_those_beside_it(void **state)
{
    (void)state;
    enum { N = 101 };
    struct network n = make_network(odd, OUTPUTS, forecasting);
    real *x = random_reals(7 * N * INPUTS, 4, 5), *all = zeros(2 * N * HIDDEN), *alone = zeros(2 * HIDDEN);
    struct lstm_batch batch = {.steps = 7, .series = N, .inputs = x, .last_hidden = all};
    randomise(&n, 1, 3);
    run_network(&n, &batch);
    for (size_t s = 0; s < N; s++) {
        real own[7 * INPUTS];
        for (size_t t = 0; t < 7; t++)
            memcpy(own + t * INPUTS, x + (t * N + s) * INPUTS, INPUTS * sizeof *own);
        struct lstm_batch one = {.steps = 7, .series = 1, .inputs = own, .last_hidden = alone};
        run_network(&n, &one);
        for (size_t l = 0; l < 2; l++)
            assert_memory_equal(alone + l * HIDDEN, all + (l * N + s) * HIDDEN, HIDDEN * sizeof *all);
    }
    free_network(&n);
    free(x);
    free(all);
    free(alone);
}

static void forecasting_and_training_give_the_same_states(void **state)
{
    (void)state;
    struct network here = make_network(odd, OUTPUTS, forecasting);
    struct network there =
        make_network(odd, OUTPUTS, (struct lstm_plan){.steps = 12, .workers = 1, .training = true, .every_step = true});
    real *x = random_reals(7 * 60 * INPUTS, 4, 5), *h = zeros(2 * 60 * HIDDEN), *g = zeros(2 * 60 * HIDDEN);
    struct lstm_batch batch = {.steps = 7, .series = 60, .inputs = x, .last_hidden = h};
    randomise(&here, 1, 3);
    randomise(&there, 1, 3);
    run_network(&here, &batch);
    batch.last_hidden = g;
    run_network(&there, &batch);
    assert_memory_equal(h, g, 2 * 60 * HIDDEN * sizeof *h);
    free_network(&here);
    free_network(&there);
    free(x);
    free(h);
    free(g);
}

#if defined(MP_OPENBLAS) && !defined(MP_REAL_DOUBLE)
static void openblas_gives_the_same_numbers(void **state)
{
    (void)state;
    struct network n[2];
    real *x = random_reals(STEPS * 60 * INPUTS, 4, 5), *target = random_reals(60 * OUTPUTS, 2, 6);
    for (int i = 0; i < 2; i++) {
        n[i] = make_network(odd, OUTPUTS, (struct lstm_plan){.steps = STEPS, .workers = 1, .training = true});
        n[i].work.gemm = (struct gemm){.bytes = 16, .openblas = i == 1};
        n[i].target = target;
        randomise(&n[i], 1, 3);
        run_network(&n[i], &(struct lstm_batch){.steps = STEPS, .series = 60, .inputs = x});
    }
    for (size_t i = 0; i < n[0].work.parameters; i++)
        assert_near((double)n[1].gradient[i], (double)n[0].gradient[i], 1e-6);
    free_network(&n[0]);
    free_network(&n[1]);
    free(x);
    free(target);
}
#endif

/* ---- extremes ---------------------------------------------------------------------------------------------------- */

static void huge_inputs_saturate_and_stay_finite(void **state)
{
    (void)state;
    const double huge[] = {1e4, -1e4, 1e30, -1e30};
    for (int i = 0; i < 4; i++) {
        struct network n = make_network(odd, OUTPUTS, (struct lstm_plan){.steps = 7, .workers = 1, .training = true});
        real *x = zeros(7 * 4 * INPUTS), *h = zeros(2 * 4 * HIDDEN), *target = zeros(4 * OUTPUTS);
        for (size_t k = 0; k < 7 * 4 * INPUTS; k++)
            x[k] = (real)huge[i];
        struct lstm_batch batch = {.steps = 7, .series = 4, .inputs = x, .last_hidden = h};
        n.target = target;
        randomise(&n, 4, 3);
        assert_true(isfinite(run_network(&n, &batch)));
        for (size_t k = 0; k < 2 * 4 * HIDDEN; k++)
            assert_true(fabs((double)h[k]) <= 1);
        for (size_t k = 0; k < n.work.parameters; k++)
            assert_true(isfinite((double)n.gradient[k]));
        free_network(&n);
        free(x);
        free(h);
        free(target);
    }
}

static void a_nan_is_seen_and_no_parameter_changes(void **state)
{
    (void)state;
    struct network n = make_network(odd, OUTPUTS, (struct lstm_plan){.steps = 7, .workers = 1, .training = true});
    real *x = random_reals(7 * 60 * INPUTS, 4, 5), *target = zeros(60 * OUTPUTS), *before = zeros(n.work.parameters);
    struct lstm_batch batch = {.steps = 7, .series = 60, .inputs = x};
    struct lstm_adam adam = mp_lstm_adam_init();
    struct lstm_adam_rule rule = {.learning_rate = 0.01, .max_norm = 1};
    x[100] = (real)NAN;
    n.target = target;
    randomise(&n, 1, 3);
    memcpy(before, n.parameters, n.work.parameters * sizeof *before);
    assert_true(isnan(run_network(&n, &batch)));
    assert_false(mp_lstm_adam_update(&adam, &rule, n.work.parameters, n.gradient, n.first, n.second, n.parameters));
    assert_memory_equal(before, n.parameters, n.work.parameters * sizeof *before);
    assert_int_equal(adam.updates, 0);
    free_network(&n);
    free(x);
    free(target);
    free(before);
}

static void refused_memory_is_reported_and_nothing_is_kept(void **state)
{
    (void)state;
    struct test_memory refusing = {.refuse_at = 1};
    struct memory from = {test_allocate, test_release, &refusing};
    struct lstm_work work;
    struct arena arena;
    assert_false(make_work(&work, &arena, &odd, &forecasting, &from));
    assert_true(make_work(&work, &arena, &odd, &forecasting, &from));
    mp_arena_free(&arena, &from);
    assert_int_equal(refusing.live_bytes, 0);
    assert_int_equal(refusing.requests, 2);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    struct lstm_work work;
    struct arena arena;
    struct lstm_plan endless = {.steps = SIZE_MAX / 4, .workers = 1, .training = true};
    struct lstm_shape wide = {.inputs = 1, .hidden = SIZE_MAX / 2, .layers = 1},
                      deep = {.inputs = SIZE_MAX / 8, .hidden = 1, .layers = 1};
    assert_false(make_work(&work, &arena, &odd, &endless, &memory));
    assert_false(make_work(&work, &arena, &wide, &forecasting, &memory));
    assert_false(make_work(&work, &arena, &deep, &forecasting, &memory));
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

static void weights_survive_pytorchs_layout(void **state)
{
    (void)state;
    struct network n = make_network(odd, OUTPUTS, forecasting);
    for (size_t l = 0; l < 2; l++) {
        size_t inputs = l ? HIDDEN : INPUTS, gates = 4 * HIDDEN;
        struct lstm_weights in = {random_reals(gates * inputs, 1, 1 + l), random_reals(gates * HIDDEN, 1, 2 + l),
                                  random_reals(gates, 1, 3 + l), random_reals(gates, 1, 4 + l)};
        mp_lstm_import(&odd, l, n.parameters, in);
        struct lstm_weights out = exported(&odd, l, n.parameters);
        assert_memory_equal(in.weight_ih, out.weight_ih, gates * inputs * sizeof(real));
        assert_memory_equal(in.weight_hh, out.weight_hh, gates * HIDDEN * sizeof(real));
        assert_memory_equal(in.bias_ih, out.bias_ih, gates * sizeof(real));
        assert_memory_equal(in.bias_hh, out.bias_hh, gates * sizeof(real));
        free_weights(in);
        free_weights(out);
    }
    free_network(&n);
}

/* The task: to remember a series' last input, and to forget the others. */
static void train(struct network *n, struct lstm_batch *batch, int updates, double *first, double *last)
{
    struct lstm_adam adam = mp_lstm_adam_init();
    struct lstm_adam_rule rule = {.learning_rate = 0.02, .max_norm = 1, .decay_updates = (uint64_t)updates};
    *first = run_network(n, batch);
    for (int i = 0; i < updates; i++) {
        *last = run_network(n, batch);
        assert_true(
            mp_lstm_adam_update(&adam, &rule, n->work.parameters, n->gradient, n->first, n->second, n->parameters));
    }
}

static void a_network_learns_and_what_is_padded_stays_0(void **state)
{
    (void)state;
    struct network n = make_network((struct lstm_shape){.inputs = 1, .hidden = 5, .layers = 2}, 1,
                                    (struct lstm_plan){.steps = 4, .workers = 1, .training = true});
    real *x = random_reals(4 * 20, 2, 5), *again = zeros(n.work.parameters);
    struct lstm_batch batch = {.steps = 4, .series = 20, .inputs = x};
    double first, last;
    n.target = x + 3 * 20;
    randomise(&n, 1, 3);
    train(&n, &batch, 150, &first, &last);
    assert_true(last < 0.05 * first);
    for (size_t l = 0; l < 2; l++) {
        struct lstm_weights w = exported(&n.shape, l, n.parameters);
        mp_lstm_import(&n.shape, l, again, w);
        free_weights(w);
    }
    memcpy(again + mp_lstm_head(&n.shape), n.parameters + mp_lstm_head(&n.shape), n.shape.head * sizeof *again);
    assert_memory_equal(again, n.parameters, n.work.parameters * sizeof *again);
    free_network(&n);
    free(x);
    free(again);
}

/* ---- Adam -------------------------------------------------------------------------------------------------------- */

/* The first of 16 parameters, which begin at 0, after an update with these gradients. */
static double moved_by(struct lstm_adam *adam, const struct lstm_adam_rule *rule, const real *gradient)
{
    real first[16] = {0}, second[16] = {0}, parameters[16] = {0};
    assert_true(mp_lstm_adam_update(adam, rule, 16, gradient, first, second, parameters));
    return (double)parameters[0];
}

static void the_rate_falls_as_a_cosine(void **state)
{
    (void)state;
    real gradient[16] = {1};
    for (uint64_t done = 0; done <= 12; done++) {
        struct lstm_adam adam = mp_lstm_adam_init();
        struct lstm_adam_rule rule = {.learning_rate = 0.5, .max_norm = INFINITY, .decay_updates = 10};
        adam.updates = done;
        double rate = done < 10 ? 0.25 * (1 + cos(3.14159265358979324 * (double)done / 10)) : 0;
        assert_near(moved_by(&adam, &rule, gradient), -rate, 1e-7);
    }
}

/* The moments show the length of the clipped gradient. */
static void a_long_gradient_is_scaled_and_a_short_one_is_not(void **state)
{
    (void)state;
    real first[16] = {0}, second[16] = {0}, parameters[16] = {0}, gradient[16] = {3, 4};
    struct lstm_adam adam = mp_lstm_adam_init();
    struct lstm_adam_rule rule = {.learning_rate = 0.5, .max_norm = 1};
    assert_true(mp_lstm_adam_update(&adam, &rule, 16, gradient, first, second, parameters));
    assert_near((double)first[0], 0.1 * 0.6, 1e-8);
    assert_near((double)second[1], 0.001 * 0.64, 1e-9);
    memset(first, 0, sizeof first);
    rule.max_norm = 6;
    assert_true(mp_lstm_adam_update(&adam, &rule, 16, gradient, first, second, parameters));
    assert_near((double)first[0], 0.1 * 3, 1e-7);
    memset(first, 0, sizeof first);
    rule.max_norm = 2;
    assert_true(mp_lstm_adam_update(&adam, &rule, 16, gradient, first, second, parameters));
    assert_near((double)first[0], 0.1 * 3 * 2 / 5, 1e-7);
}

static void an_infinite_gradient_changes_nothing(void **state)
{
    (void)state;
    real first[16] = {0}, second[16] = {0}, parameters[16] = {0}, gradient[16] = {3, 4, (real)INFINITY}, zero[16] = {0};
    struct lstm_adam adam = mp_lstm_adam_init();
    struct lstm_adam_rule rule = {.learning_rate = 0.5, .max_norm = 1};
    assert_false(mp_lstm_adam_update(&adam, &rule, 16, gradient, first, second, parameters));
    assert_int_equal(adam.updates, 0);
    assert_memory_equal(parameters, zero, sizeof zero);
    assert_memory_equal(first, zero, sizeof zero);
    assert_memory_equal(second, zero, sizeof zero);
}

static void without_steps_or_series_there_is_nothing_to_learn(void **state)
{
    (void)state;
    struct network n = make_network(odd, OUTPUTS, (struct lstm_plan){.steps = 7, .workers = 1, .training = true});
    real *x = random_reals(7 * 60 * INPUTS, 4, 5);
    randomise(&n, 1, 3);
    for (size_t i = 0; i < 2; i++) {
        struct lstm_batch batch = {.steps = i ? 7 : 0, .series = i ? 0 : 60, .inputs = x};
        for (size_t k = 0; k < n.work.parameters; k++)
            n.gradient[k] = 7;
        assert_true(run_network(&n, &batch) == 0);
        for (size_t k = 0; k < n.work.parameters; k++)
            assert_true(n.gradient[k] == 0);
    }
    free_network(&n);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_of_any_size_follow_the_recurrence),
#ifdef MP_REAL_DOUBLE
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
#endif
        cmocka_unit_test(any_number_of_workers_gives_the_same_bytes),
        cmocka_unit_test(any_vector_width_gives_the_same_bytes),
        cmocka_unit_test(every_build_gives_the_same_bytes),
        cmocka_unit_test(a_forked_child_gives_the_same_bytes),
        cmocka_unit_test(a_series_does_not_depend_on_those_beside_it),
        cmocka_unit_test(forecasting_and_training_give_the_same_states),
#if defined(MP_OPENBLAS) && !defined(MP_REAL_DOUBLE)
        cmocka_unit_test(openblas_gives_the_same_numbers),
#endif
        cmocka_unit_test(huge_inputs_saturate_and_stay_finite),
        cmocka_unit_test(a_nan_is_seen_and_no_parameter_changes),
        cmocka_unit_test(refused_memory_is_reported_and_nothing_is_kept),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(weights_survive_pytorchs_layout),
        cmocka_unit_test(a_network_learns_and_what_is_padded_stays_0),
        cmocka_unit_test(the_rate_falls_as_a_cosine),
        cmocka_unit_test(a_long_gradient_is_scaled_and_a_short_one_is_not),
        cmocka_unit_test(an_infinite_gradient_changes_nothing),
        cmocka_unit_test(without_steps_or_series_there_is_nothing_to_learn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
