/* SPDX-License-Identifier: BSD-3-Clause */
/* The joint form's minibatches, validation and forecasts. */
#include "lstm_joint_run.h"

#include "predictor/config.h"
#include "methods/lstm/joint.h"
#include "methods/lstm/joint_training.h"
#include "methods/lstm/network/loss.h"

/* ---- training ---------------------------------------------------------------------------------------------------- */

enum { STEPS = 1000 };

static struct lstm_split split_of(const struct run *run)
{
    size_t steps = run->panel.steps;
    return (struct lstm_split){.run = run, .train = {0, steps - steps / 4}, .validation = {steps - steps / 4, steps}};
}

static struct runtime runtime_with(size_t threads, const struct memory *memory)
{
    return (struct runtime){.memory = *memory, .threads = threads};
}

/* A model after a fit, and the run that it was fitted on. */
struct trained {
    struct lstm_shape shape;
    struct lstm_train_state state;
    struct lstm_model model;
    float *shares;
    struct run run;
};

static void free_trained(struct trained *trained)
{
    free(trained->model.best);
    free(trained->shares);
    free(trained);
}

static struct trained *train(size_t threads)
{
    struct trained *t = calloc(1, sizeof *t);
    const struct lstm_schedule schedule = {
        .updates = 200, .warmup_updates = 20, .eval_interval = 100, .learning_rate = 1e-2};
    struct runtime runtime = runtime_with(threads, &plain_memory);
    struct random random = mp_random(5, 0);
    struct lstm_objective objective;
    struct lstm_joint_training joint;
    t->shape = mp_lstm_joint_net_shape(1, HIDDEN, SERIES);
    size_t n = mp_lstm_parameters(&t->shape);
    real *used = reals(4 * n);
    t->model = (struct lstm_model){&t->state, n, used, used + n, used + 2 * n, used + 3 * n, NULL};
    t->shares = uneven_shares(STEPS, SERIES, EXPERTS, 0.2);
    t->run = run_of(t->shares, STEPS, LAYERS, EXPERTS);
    struct lstm_split split = split_of(&t->run);
    struct lstm_dataset dataset = {&split, 1};
    mp_lstm_joint_net_init_parameters(&t->shape, &random, used);
    mp_lstm_joint_training_init(&joint, &objective, &t->shape, &dataset);
    assert_int_equal(mp_lstm_joint_training_make(&joint, &t->shape, &runtime), MOEP_OK);
    assert_int_equal(mp_lstm_train(&t->model, &objective, &schedule, 0, &runtime, 1), MOEP_OK);
    mp_lstm_joint_training_free(&joint);
    return t;
}

static int train_once(void **state)
{
    *state = train(1);
    return 0;
}

static int free_it(void **state)
{
    free_trained(*state);
    return 0;
}

/* forecasts[series][ROW], at the end of the run. */
static moep_status forecast(const struct trained *t, const struct runtime *runtime, real *forecasts)
{
    moep_predictor_config config = mp_predictor_config_defaults;
    config.lstm_scope = MOEP_LSTM_JOINT;
    config.lstm_layers = (uint32_t)t->shape.layers;
    config.lstm_hidden = (uint32_t)t->shape.hidden;
    struct task task = {.config = &config,
                        .panel = t->run.panel,
                        .experts = t->run.experts,
                        .next_step = t->run.panel.steps,
                        .runtime = runtime};
    return mp_lstm_joint_forecast(&task, &t->model, forecasts);
}

static void an_untrained_network_has_the_loss_of_uniform_loads(void **state)
{
    (void)state;
    float *shares = uneven_shares(STEPS, SERIES, EXPERTS, 0);
    struct run run = run_of(shares, STEPS, LAYERS, EXPERTS);
    struct lstm_split split = split_of(&run);
    struct lstm_dataset dataset = {&split, 1};
    struct lstm_shape shape = mp_lstm_joint_net_shape(1, HIDDEN, SERIES);
    struct runtime runtime = runtime_with(1, &plain_memory);
    struct lstm_objective objective;
    struct lstm_joint_training joint;
    real *parameters = parameters_of(&shape, 0);
    double expected = 0;
    for (size_t e = 0; e < EXPERTS; e++) { /* shares are (e + 1) / 21 */
        double share = (double)(e + 1) / 21;
        expected += fabs(1.0 / EXPERTS - share) / share / EXPERTS;
    }
    mp_lstm_joint_training_init(&joint, &objective, &shape, &dataset);
    assert_int_equal(mp_lstm_joint_training_make(&joint, &shape, &runtime), MOEP_OK);
    struct lstm_losses losses = objective.validate(objective.self, parameters);
    assert_true(losses.loss == losses.untrained);
    assert_near(losses.untrained, expected, 1e-5);
    mp_lstm_joint_training_free(&joint);
    free(parameters);
    free(shares);
}

/* The load becomes uniform after half of the origins, so each half changes the loss. */
static void validation_is_of_all_origins(void **state)
{
    (void)state;
    float *shares = uneven_shares(STEPS, SERIES, EXPERTS, 0);
    for (size_t i = (size_t)820 * SERIES; i < (size_t)STEPS * SERIES; i++)
        shares[i] = (float)(1.0 / EXPERTS);
    struct run run = run_of(shares, STEPS, LAYERS, EXPERTS);
    struct lstm_split split = split_of(&run);
    struct lstm_dataset dataset = {&split, 1};
    struct lstm_shape shape = mp_lstm_joint_net_shape(1, HIDDEN, SERIES);
    struct runtime runtime = runtime_with(1, &plain_memory);
    struct lstm_examples e;
    struct lstm_objective objective;
    struct lstm_joint_training joint;
    real *parameters = parameters_of(&shape, 0), uniform[OUTPUTS];
    double sum = 0;
    for (size_t b = 0; b < OUTPUTS; b++)
        uniform[b] = (real)(1.0 / EXPERTS);
    assert_true(mp_lstm_examples_make(&e, SERIES, SERIES, &plain_memory));
    for (size_t i = 0; i < MP_LSTM_VALIDATION_ORIGINS; i++) {
        struct lstm_sample sample = mp_lstm_validation_sample(&split, i);
        mp_lstm_fill_targets(&e, 0, &sample, STEPS);
        for (size_t s = 0; s < SERIES; s++)
            sum += mp_lstm_loss(e.n_targets[s], uniform, e.targets + s * OUTPUTS, 0.1 / EXPERTS, 1, NULL);
    }
    mp_lstm_joint_training_init(&joint, &objective, &shape, &dataset);
    assert_int_equal(mp_lstm_joint_training_make(&joint, &shape, &runtime), MOEP_OK);
    assert_near(objective.validate(objective.self, parameters).untrained, sum / (MP_LSTM_VALIDATION_ORIGINS * SERIES),
                1e-6);
    mp_lstm_joint_training_free(&joint);
    mp_lstm_examples_free(&e, &plain_memory);
    free(parameters);
    free(shares);
}

static void training_on_an_uneven_load_learns_it(void **state)
{
    struct trained *t = *state;
    struct runtime runtime = runtime_with(1, &plain_memory);
    real forecasts[SERIES * ROW];
    assert_int_equal(t->state.weights, MOEP_LSTM_TRAINED);
    assert_true(t->state.untrained_loss > 0.5);
    assert_true(t->state.loss < 0.05);
    assert_int_equal(forecast(t, &runtime, forecasts), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        for (size_t b = 0; b < 2; b++) {
            double share = (double)(s % EXPERTS + 1) / 21;
            assert_near((double)forecasts[s * ROW + b], share, 0.1 * share);
        }
}

static void what_is_padded_stays_0_in_training(void **state)
{
    struct trained *t = *state;
    const real *head = t->model.best + mp_lstm_head(&t->shape);
    size_t units = mp_padded(HIDDEN), moved = 0;
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
    struct trained *one = *state, *two = train(2);
    real forecasts[2][SERIES * ROW];
    assert_memory_equal(one->model.best, two->model.best, 4 * one->model.parameters * sizeof(real));
    for (size_t i = 0; i < 2; i++) {
        struct runtime runtime = runtime_with(1 + i, &plain_memory);
        assert_int_equal(forecast(one, &runtime, forecasts[i]), MOEP_OK);
    }
    assert_memory_equal(forecasts[0], forecasts[1], sizeof forecasts[0]);
    free_trained(two);
}

static void validation_origins_are_spread_over_all_there_are(void **state)
{
    (void)state;
    float *shares = uneven_shares(STEPS, SERIES, EXPERTS, 0.2);
    struct run run = run_of(shares, STEPS, LAYERS, EXPERTS);
    struct lstm_split split = split_of(&run);
    size_t before = 0;
    for (size_t i = 0; i < MP_LSTM_VALIDATION_ORIGINS; i++) {
        struct lstm_sample sample = mp_lstm_validation_sample(&split, i);
        assert_true(sample.end > before && sample.steps == sample.end && sample.count == SERIES && sample.first == 0);
        before = sample.end;
    }
    assert_int_equal(mp_lstm_validation_sample(&split, 0).end, 750);
    assert_int_equal(before, 875); /* half of the validation steps lie ahead of the last origin */
    free(shares);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void refused_memory_is_an_error_and_nothing_is_kept(void **state)
{
    struct trained *t = *state;
    struct lstm_split split = split_of(&t->run);
    struct lstm_dataset dataset = {&split, 1};
    real forecasts[SERIES * ROW];
    size_t refusals = 0;
    for (int call = 0; call < 2; call++)
        for (size_t n = 1, done = 0; !done; n++) {
            struct test_memory refusing = {.refuse_at = n};
            struct memory from = {test_allocate, test_release, &refusing};
            struct runtime runtime = runtime_with(1, &from);
            struct lstm_objective objective;
            struct lstm_joint_training joint;
            mp_lstm_joint_training_init(&joint, &objective, &t->shape, &dataset);
            moep_status status =
                call == 0 ? mp_lstm_joint_training_make(&joint, &t->shape, &runtime) : forecast(t, &runtime, forecasts);
            if (status == MOEP_OK && call == 0)
                mp_lstm_joint_training_free(&joint);
            assert_true(status == MOEP_OK || status == MOEP_ERROR_OUT_OF_MEMORY);
            assert_int_equal(refusing.live_blocks, 0);
            assert_int_equal(refusing.live_bytes, 0);
            done = status == MOEP_OK;
            assert_true(done == (refusing.requests < n));
            refusals += !done;
        }
    assert_int_equal(refusals, 3 + 1); /* three requests for training, one for a forecast */
}

static void the_largest_network_trains_in_bounded_memory(void **state)
{
    (void)state;
    enum { WIDE_EXPERTS = 64, WIDE_LAYERS = MP_LSTM_JOINT_MOST / WIDE_EXPERTS, WIDE_STEPS = 600, MIB = 1 << 20 };
    float *shares = uneven_shares(WIDE_STEPS, MP_LSTM_JOINT_MOST, WIDE_EXPERTS, 0.2);
    struct run run = run_of(shares, WIDE_STEPS, WIDE_LAYERS, WIDE_EXPERTS);
    struct lstm_split split = split_of(&run);
    struct lstm_dataset dataset = {&split, 1};
    struct lstm_shape shape = mp_lstm_joint_net_shape(1, 64, MP_LSTM_JOINT_MOST);
    struct test_memory counting = {0};
    struct memory from = {test_allocate, test_release, &counting};
    struct runtime runtime = runtime_with(1, &from);
    struct lstm_objective objective;
    struct lstm_joint_training joint;
    mp_lstm_joint_training_init(&joint, &objective, &shape, &dataset);
    assert_int_equal(mp_lstm_joint_training_make(&joint, &shape, &runtime), MOEP_OK);
    assert_true(counting.peak_bytes < 64 * MIB);
    mp_lstm_joint_training_free(&joint);
    free(shares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untrained_network_has_the_loss_of_uniform_loads),
        cmocka_unit_test(validation_is_of_all_origins),
        cmocka_unit_test(training_on_an_uneven_load_learns_it),
        cmocka_unit_test(what_is_padded_stays_0_in_training),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
        cmocka_unit_test(validation_origins_are_spread_over_all_there_are),
        cmocka_unit_test(refused_memory_is_an_error_and_nothing_is_kept),
        cmocka_unit_test(the_largest_network_trains_in_bounded_memory),
    };
    return cmocka_run_group_tests(tests, train_once, free_it);
}
