/* SPDX-License-Identifier: BSD-3-Clause */
/* Rounds of training on a quadratic objective: its gradient is the distance of the parameters from a goal. */
#include "lstm_run.h"

#include "methods/lstm/training/trainer.h"

enum { N = MP_ROW, UPDATES = 40, EVAL_INTERVAL = 10 };

static const struct lstm_schedule schedule = {
    .updates = UPDATES, .warmup_updates = 4, .eval_interval = EVAL_INTERVAL, .learning_rate = 0.05};
static const struct runtime plain_runtime = {{mp_default_allocate, mp_default_release, NULL}, .threads = 1};

struct objective {
    struct lstm_objective base;
    size_t updates, validations;
    real goal;
    double worse;             /* what validation adds to the loss of all parameters but the first */
    size_t spoilt_at;         /* the update whose gradient is NaN, from 1 on; 0: none */
    real first_parameters[N]; /* at the last round's first update */
    double met[4 * UPDATES];  /* the first parameter at each update */
    uint64_t drawn[4 * UPDATES];
};

static void minibatch_gradient(void *self, struct random *random, const real *parameters, real *gradient)
{
    struct objective *objective = self;
    if (objective->updates % UPDATES == 0)
        memcpy(objective->first_parameters, parameters, sizeof objective->first_parameters);
    objective->met[objective->updates] = (double)parameters[0];
    objective->drawn[objective->updates++] = mp_random_bits(random);
    for (size_t i = 0; i < N; i++)
        gradient[i] = objective->updates == objective->spoilt_at ? (real)NAN : parameters[i] - objective->goal;
}

static struct lstm_losses validate(void *self, const real *parameters)
{
    struct objective *objective = self;
    objective->validations++;
    double loss = fabs((double)parameters[0] - (double)objective->goal);
    return (struct lstm_losses){parameters[0] == 0 ? loss : loss + objective->worse, 7};
}

static struct objective objective_with(real goal)
{
    return (struct objective){.base = {.parameters = N,
                                       .update_cost = 2e6,
                                       .validation_cost = 3e6,
                                       .minibatch_gradient = minibatch_gradient,
                                       .validate = validate},
                              .goal = goal};
}

struct held {
    struct lstm_train_state state;
    real best[N], candidate[N], m[N], v[N];
};

static struct lstm_model model_in(struct held *held)
{
    memset(held, 0, sizeof *held);
    held->state.adam = mp_lstm_adam_init();
    return (struct lstm_model){&held->state, N, held->best, held->candidate, held->m, held->v, NULL};
}

static moep_status train(struct lstm_model *model, struct objective *objective, double budget)
{
    objective->base.self = objective;
    if (!mp_lstm_deposit(model, &objective->base, &schedule, budget))
        return MOEP_OK;
    return mp_lstm_train(model, &objective->base, &schedule, budget, &plain_runtime, 5);
}

/* The best parameters have a loss of 1, every candidate has `worse`. */
static struct lstm_losses validate_as_set(void *self, const real *parameters)
{
    struct objective *objective = self;
    return (struct lstm_losses){parameters[0] == 0 ? 1 : objective->worse, 7};
}

static void a_gain_below_the_acceptance_margin_is_not_accepted(void **state)
{
    (void)state;
    static struct held held;
    const struct lstm_schedule careful = {
        .updates = UPDATES, .eval_interval = UPDATES, .learning_rate = 0.05, .acceptance_margin = 0.03};
    for (int better = 0; better < 2; better++) {
        struct lstm_model model = model_in(&held);
        struct objective objective = objective_with(1);
        objective.base.validate = validate_as_set;
        objective.worse = better ? 0.96 : 0.98;
        objective.base.self = &objective;
        assert_int_equal(mp_lstm_train(&model, &objective.base, &careful, 0, &plain_runtime, 5), MOEP_OK);
        assert_true((held.best[0] != 0) == (better == 1));
    }
}

static void a_candidate_that_is_as_good_is_not_accepted(void **state)
{
    (void)state;
    static struct held held;
    struct lstm_model model = model_in(&held);
    struct objective objective = objective_with(1);
    objective.base.validate = validate_as_set;
    objective.worse = 1; /* than parameters of 0: as good */
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_true(held.best[0] == 0 && held.candidate[0] != 0);
    assert_int_equal(held.state.weights, MOEP_LSTM_UNTRAINED);
}

static void a_better_candidate_becomes_the_best(void **state)
{
    (void)state;
    static struct held held;
    struct lstm_model model = model_in(&held);
    struct objective objective = objective_with(1);
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_int_equal(objective.updates, UPDATES);
    assert_true(held.state.rounds == 1 && held.state.updates == UPDATES && held.state.length == UPDATES);
    assert_int_equal(held.state.weights, MOEP_LSTM_TRAINED);
    assert_true(held.best[0] > 0.5F && held.best[0] <= 1.1F);
    assert_near(held.state.loss, fabs(1 - (double)held.best[0]), 1e-12);
    assert_true(held.state.untrained_loss == 7);
}

static void a_worse_candidate_is_not_accepted(void **state)
{
    (void)state;
    static struct held held;
    struct lstm_model model = model_in(&held);
    struct objective objective = objective_with(1);
    objective.worse = 100;
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_true(objective.validations >= 2 * UPDATES / EVAL_INTERVAL);
    assert_int_equal(held.state.weights, MOEP_LSTM_UNTRAINED);
    assert_true(held.best[0] == 0 && held.candidate[0] > 0.5F && held.state.loss == 1);
}

/* A round begins from the best parameters, with moments of zero, and draws other minibatches. */
static void every_round_begins_from_the_best(void **state)
{
    (void)state;
    static struct held held, fresh;
    struct lstm_model model = model_in(&held), other = model_in(&fresh);
    struct objective objective = objective_with(1), again = objective_with(1);
    objective.worse = again.worse = 100;
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_int_equal(held.state.rounds, 2);
    assert_memory_equal(objective.first_parameters, held.best, sizeof held.best);
    assert_int_equal(train(&other, &again, 0), MOEP_OK);
    assert_memory_equal(held.candidate, fresh.candidate, 3 * sizeof fresh.candidate); /* and the moments */
    for (size_t i = 0; i < 2 * UPDATES; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(objective.drawn[i] != objective.drawn[j]);
    assert_memory_equal(objective.drawn, again.drawn, UPDATES * sizeof *again.drawn);
}

/* Towards a distant goal every update has the length of the learning rate. */
static void a_round_has_a_linear_warm_up_and_a_cosine_decay(void **state)
{
    (void)state;
    static struct held held;
    struct lstm_model model = model_in(&held);
    struct objective objective = objective_with(1000);
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    for (size_t i = 0; i < UPDATES; i++) {
        double after = i + 1 < UPDATES ? objective.met[i + 1] : (double)held.candidate[0];
        double rate =
            schedule.learning_rate * fmin((double)(i + 1) / 4, 1) * (1 + cos(acos(-1) * (double)i / UPDATES)) / 2;
        assert_near(after - objective.met[i], rate, 1e-3 * rate + 1e-6);
    }
}

static void a_round_of_another_length_is_not_continued(void **state)
{
    (void)state;
    static struct held held;
    struct lstm_model model = model_in(&held);
    struct objective objective = objective_with(1);
    held.state.rounds = 3;
    held.state.length = UPDATES / 2;
    held.state.updates = UPDATES / 4;
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_int_equal(objective.updates, UPDATES);
    assert_true(held.state.rounds == 4 && held.state.length == UPDATES);
}

static void what_a_budget_leaves_is_spent_by_the_next_fit(void **state)
{
    (void)state;
    static struct held held;
    struct lstm_model model = model_in(&held);
    struct objective objective = objective_with(1);
    const size_t updates[] = {0, 1, 2, 3, 3, 4}; /* each costs 2; a call deposits 1.5 */
    for (size_t i = 0; i < sizeof updates / sizeof *updates; i++) {
        assert_int_equal(train(&model, &objective, 1.5), MOEP_OK);
        assert_int_equal(objective.updates, updates[i]);
        assert_near(held.state.balance, 1.5 * (double)(i + 1) - 2 * (double)updates[i], 1e-12);
    }
}

/* An update costs 2; where a validation is due, 2 x 3 more. */
static void a_balance_is_spent_to_the_last_update_that_it_covers(void **state)
{
    (void)state;
    const struct {
        double budget;
        size_t updates;
        double left;
    } budgets[] = {{1.5, 0, 1.5}, {2, 1, 0},   {17.9, 8, 1.9}, {25, 9, 7},
                   {26, 10, 0},   {29, 11, 1}, {104, 40, 0},   {107, 41, 1}};
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        static struct held held;
        struct lstm_model model = model_in(&held);
        struct objective objective = objective_with(1);
        assert_int_equal(train(&model, &objective, budgets[i].budget), MOEP_OK);
        assert_int_equal(objective.updates, budgets[i].updates);
        assert_near(held.state.balance, budgets[i].left, 1e-12);
        assert_int_equal(held.state.rounds, (budgets[i].updates + UPDATES - 1) / UPDATES);
    }
}

static void a_gradient_that_is_not_finite_is_an_error(void **state)
{
    (void)state;
    static struct held held;
    struct lstm_model model = model_in(&held);
    struct objective objective = objective_with(1);
    objective.spoilt_at = 17;
    assert_int_equal(train(&model, &objective, 0), MOEP_ERROR_NUMERIC);
    assert_says("update 17: the gradient is not finite");
    assert_int_equal(objective.updates, 17);
}

int main(void)
{
    const struct CMUnitTest lstm_train[] = {
        cmocka_unit_test(a_better_candidate_becomes_the_best),
        cmocka_unit_test(a_gain_below_the_acceptance_margin_is_not_accepted),
        cmocka_unit_test(a_worse_candidate_is_not_accepted),
        cmocka_unit_test(every_round_begins_from_the_best),
        cmocka_unit_test(a_candidate_that_is_as_good_is_not_accepted),
        cmocka_unit_test(a_round_has_a_linear_warm_up_and_a_cosine_decay),
        cmocka_unit_test(a_round_of_another_length_is_not_continued),
        cmocka_unit_test(what_a_budget_leaves_is_spent_by_the_next_fit),
        cmocka_unit_test(a_balance_is_spent_to_the_last_update_that_it_covers),
        cmocka_unit_test(a_gradient_that_is_not_finite_is_an_error),
    };
    return cmocka_run_group_tests(lstm_train, NULL, NULL);
}
