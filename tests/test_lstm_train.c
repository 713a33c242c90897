/* SPDX-License-Identifier: BSD-3-Clause */
/* Rounds of training, on a network that is none: its gradient is how far its parameters are from a goal. */
#include "lstm_run.h"

#include "methods/lstm/training/trainer.h"

enum { N = MP_ROW, UPDATES = 40, BETWEEN = 10 };

static const struct lstm_schedule schedule = {
    .updates = UPDATES, .warmup_updates = 4, .eval_interval = BETWEEN, .learning_rate = 0.05};
static const struct runtime plain_runtime = {{mp_default_allocate, mp_default_release, NULL}, .threads = 1};

struct objective {
    struct lstm_objective base;
    size_t steps, validations;
    real goal;
    double worse;             /* what exams add to the loss of parameters that are not the first */
    size_t spoilt_at;         /* the lesson whose gradient is not a number, from 1; 0: none */
    real first_parameters[N]; /* of the last round's first lesson */
    double met[4 * UPDATES];  /* the first parameter, in each lesson */
    uint64_t drawn[4 * UPDATES];
};

static void minibatch_gradient(void *self, struct random *random, const real *parameters, real *gradient)
{
    struct objective *objective = self;
    if (objective->steps % UPDATES == 0)
        memcpy(objective->first_parameters, parameters, sizeof objective->first_parameters);
    objective->met[objective->steps] = (double)parameters[0];
    objective->drawn[objective->steps++] = mp_random_bits(random);
    for (size_t i = 0; i < N; i++)
        gradient[i] = objective->steps == objective->spoilt_at ? (real)NAN : parameters[i] - objective->goal;
}

static struct lstm_losses validate(void *self, const real *parameters, struct lstm_residuals *residuals)
{
    struct objective *objective = self;
    objective->validations++;
    if (residuals)
        residuals->quantile[0][0][0][0] = (double)parameters[0];
    double loss = fabs((double)parameters[0] - (double)objective->goal);
    return (struct lstm_losses){parameters[0] == 0 ? loss : loss + objective->worse, 7};
}

static struct objective objective_with(real goal)
{
    return (struct objective){.base = {.parameters = N,
                                       .step_cost = 2e6,
                                       .validation_cost = 3e6,
                                       .minibatch_gradient = minibatch_gradient,
                                       .validate = validate},
                              .goal = goal};
}

struct block {
    struct lstm_train_state state;
    struct lstm_residuals residuals;
    real best[N], candidate[N], m[N], v[N];
};

static struct lstm_model model_in(struct block *block)
{
    memset(block, 0, sizeof *block);
    block->state.adam = mp_lstm_adam_start();
    return (struct lstm_model){&block->state, &block->residuals, N, block->best, block->candidate, block->m, block->v};
}

static moep_status train(struct lstm_model *model, struct objective *objective, double budget)
{
    objective->base.self = objective;
    if (!mp_lstm_deposit(model, &objective->base, &schedule, budget))
        return MOEP_OK;
    return mp_lstm_train(model, &objective->base, &schedule, budget, &plain_runtime, 5);
}

/* Parameters of another loss, whatever they learn. */
static struct lstm_losses validate_as_set(void *self, const real *parameters, struct lstm_residuals *residuals)
{
    struct objective *objective = self;
    (void)residuals;
    return (struct lstm_losses){parameters[0] == 0 ? 1 : objective->worse, 7};
}

static void parameters_that_are_better_by_less_than_the_margin_do_not(void **state)
{
    (void)state;
    static struct block block;
    const struct lstm_schedule careful = {
        .updates = UPDATES, .eval_interval = UPDATES, .learning_rate = 0.05, .acceptance_margin = 0.03};
    for (int better = 0; better < 2; better++) {
        struct lstm_model model = model_in(&block);
        struct objective objective = objective_with(1);
        objective.base.validate = validate_as_set;
        objective.worse = better ? 0.96 : 0.98;
        objective.base.self = &objective;
        assert_int_equal(mp_lstm_train(&model, &objective.base, &careful, 0, &plain_runtime, 5), MOEP_OK);
        assert_true((block.best[0] != 0) == (better == 1));
    }
}

static void parameters_that_are_as_good_do_not(void **state)
{
    (void)state;
    static struct block block;
    struct lstm_model model = model_in(&block);
    struct objective objective = objective_with(1);
    objective.base.validate = validate_as_set;
    objective.worse = 1; /* than what parameters of 0 get: not at all */
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_true(block.best[0] == 0 && block.candidate[0] != 0);
    assert_int_equal(block.state.weights, MOEP_LSTM_UNTRAINED);
}

static void better_parameters_take_the_place_of_those_in_use(void **state)
{
    (void)state;
    static struct block block;
    struct lstm_model model = model_in(&block);
    struct objective objective = objective_with(1);
    block.residuals.quantile[2][1][3][4] = 77; /* of an age that exams do not see */
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_true(block.residuals.quantile[2][1][3][4] == 77);
    assert_int_equal(objective.steps, UPDATES);
    assert_true(block.state.rounds == 1 && block.state.updates == UPDATES && block.state.length == UPDATES);
    assert_int_equal(block.state.weights, MOEP_LSTM_TRAINED);
    assert_true(block.best[0] > 0.5F && block.best[0] <= 1.1F);
    assert_near(block.state.loss, fabs(1 - (double)block.best[0]), 1e-12);
    assert_true(block.state.untrained_loss == 7);
    assert_true(block.residuals.quantile[0][0][0][0] == (double)block.best[0]);
}

static void worse_parameters_do_not(void **state)
{
    (void)state;
    static struct block block;
    struct lstm_model model = model_in(&block);
    struct objective objective = objective_with(1);
    objective.worse = 100;
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_true(objective.validations >= 2 * UPDATES / BETWEEN);
    assert_int_equal(block.state.weights, MOEP_LSTM_UNTRAINED);
    assert_true(block.best[0] == 0 && block.candidate[0] > 0.5F && block.state.loss == 1);
    assert_true(block.residuals.quantile[0][0][0][0] == 0);
}

/* From the parameters in use, with an optimiser that knows nothing yet, on other windows. */
static void every_round_begins_anew(void **state)
{
    (void)state;
    static struct block block, fresh;
    struct lstm_model model = model_in(&block), other = model_in(&fresh);
    struct objective objective = objective_with(1), again = objective_with(1);
    objective.worse = again.worse = 100;
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_int_equal(block.state.rounds, 2);
    assert_memory_equal(objective.first_parameters, block.best, sizeof block.best);
    assert_int_equal(train(&other, &again, 0), MOEP_OK);
    assert_memory_equal(block.candidate, fresh.candidate, 3 * sizeof fresh.candidate); /* and the moments */
    for (size_t i = 0; i < 2 * UPDATES; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(objective.drawn[i] != objective.drawn[j]);
    assert_memory_equal(objective.drawn, again.drawn, UPDATES * sizeof *again.drawn);
}

/* Towards a goal that is far away every update is a step of the rate's length. */
static void within_a_round_the_rate_rises_and_then_falls_to_nothing(void **state)
{
    (void)state;
    static struct block block;
    struct lstm_model model = model_in(&block);
    struct objective objective = objective_with(1000);
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    for (size_t i = 0; i < UPDATES; i++) {
        double after = i + 1 < UPDATES ? objective.met[i + 1] : (double)block.candidate[0];
        double rate =
            schedule.learning_rate * fmin((double)(i + 1) / 4, 1) * (1 + cos(acos(-1) * (double)i / UPDATES)) / 2;
        assert_near(after - objective.met[i], rate, 1e-3 * rate + 1e-6);
    }
}

static void a_round_of_another_length_is_not_gone_on_with(void **state)
{
    (void)state;
    static struct block block;
    struct lstm_model model = model_in(&block);
    struct objective objective = objective_with(1);
    block.state.rounds = 3;
    block.state.length = UPDATES / 2;
    block.state.updates = UPDATES / 4;
    assert_int_equal(train(&model, &objective, 0), MOEP_OK);
    assert_int_equal(objective.steps, UPDATES);
    assert_true(block.state.rounds == 4 && block.state.length == UPDATES);
}

static void what_a_budget_leaves_is_spent_in_the_next_call(void **state)
{
    (void)state;
    static struct block block;
    struct lstm_model model = model_in(&block);
    struct objective objective = objective_with(1);
    const size_t steps[] = {0, 1, 2, 3, 3, 4}; /* of a next_cost of 2, from 1.5 a call */
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        assert_int_equal(train(&model, &objective, 1.5), MOEP_OK);
        assert_int_equal(objective.steps, steps[i]);
        assert_near(block.state.balance, 1.5 * (double)(i + 1) - 2 * (double)steps[i], 1e-12);
    }
}

/* An update is 2, and 2 exams more where one is due. */
static void credit_is_spent_to_the_last_update_that_it_pays_for(void **state)
{
    (void)state;
    const struct {
        double budget;
        size_t steps;
        double left;
    } budgets[] = {{1.5, 0, 1.5}, {2, 1, 0},   {17.9, 8, 1.9}, {25, 9, 7},
                   {26, 10, 0},   {29, 11, 1}, {104, 40, 0},   {107, 41, 1}};
    for (size_t i = 0; i < sizeof budgets / sizeof *budgets; i++) {
        static struct block block;
        struct lstm_model model = model_in(&block);
        struct objective objective = objective_with(1);
        assert_int_equal(train(&model, &objective, budgets[i].budget), MOEP_OK);
        assert_int_equal(objective.steps, budgets[i].steps);
        assert_near(block.state.balance, budgets[i].left, 1e-12);
        assert_int_equal(block.state.rounds, (budgets[i].steps + UPDATES - 1) / UPDATES);
    }
}

static void a_gradient_that_is_not_a_number_is_told(void **state)
{
    (void)state;
    static struct block block;
    struct lstm_model model = model_in(&block);
    struct objective objective = objective_with(1);
    objective.spoilt_at = 17;
    assert_int_equal(train(&model, &objective, 0), MOEP_ERROR_NUMERIC);
    assert_says("update 17: the gradient is not finite");
    assert_int_equal(objective.steps, 17);
}

int main(void)
{
    const struct CMUnitTest lstm_train[] = {
        cmocka_unit_test(better_parameters_take_the_place_of_those_in_use),
        cmocka_unit_test(parameters_that_are_better_by_less_than_the_margin_do_not),
        cmocka_unit_test(worse_parameters_do_not),
        cmocka_unit_test(every_round_begins_anew),
        cmocka_unit_test(parameters_that_are_as_good_do_not),
        cmocka_unit_test(within_a_round_the_rate_rises_and_then_falls_to_nothing),
        cmocka_unit_test(a_round_of_another_length_is_not_gone_on_with),
        cmocka_unit_test(what_a_budget_leaves_is_spent_in_the_next_call),
        cmocka_unit_test(credit_is_spent_to_the_last_update_that_it_pays_for),
        cmocka_unit_test(a_gradient_that_is_not_a_number_is_told),
    };
    return cmocka_run_group_tests(lstm_train, NULL, NULL);
}
