/* SPDX-License-Identifier: BSD-3-Clause */
/* Fits of the LSTM within the run: budgets, accuracy, progress, refused memory. */
#include "lstm.h"

static void assert_same_forecasts(const moep_predictor *a, const moep_predictor *b)
{
    double of_a[40 * SERIES], of_b[40 * SERIES];
    assert_int_equal(moep_predictor_predict(a, 2000, 50, of_a, 40 * SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_predict(b, 2000, 50, of_b, 40 * SERIES), MOEP_OK);
    assert_memory_equal(of_a, of_b, sizeof of_a);
}

static void assert_same_training(moep_lstm_training a, moep_lstm_training b)
{
    assert_memory_equal(&a, &b, sizeof a);
}

/* ---- what a fit learns ------------------------------------------------------------------------------------------- */

static void fewer_than_600_steps_teach_nothing(void **state)
{
    (void)state;
    double *counts = wandering(STEPS, LAYERS, EXPERTS, 0.01, 1);
    for (double budget = 0; budget < 2000; budget += 1000) {
        moep_predictor_config config = small_config();
        config.fit_budget = budget;
        moep_predictor *predictor = make_and_push(&config, NULL, counts, 599),
                       *untouched = make_and_push(&config, NULL, counts, 599);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        assert_same_bytes(predictor, untouched);
        assert_true(info_of(predictor).fitted_step == UINT64_MAX);
        assert_int_equal(moep_predictor_push(predictor, 1, counts + 599 * SERIES, MOEP_FLOAT64), MOEP_OK);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
        assert_int_equal(info_of(predictor).fitted_step, 600);
        moep_lstm_training training = training_of(predictor);
        assert_true(training.rounds == 1 && training.length == 400 && training.updates > 0);
        assert_true(budget > 0 || training.updates == 400);
        moep_predictor_destroy(untouched);
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

/* For white noise the longest window is the best: a network that begins with the mean of four learns that. */
static void a_fit_learns_which_windows_are_good(void **state)
{
    (void)state;
    double *counts = wandering(2000, LAYERS, EXPERTS, 0, 2);
    moep_predictor_config config = untrained_config();
    moep_predictor *predictor = make_and_push(&config, NULL, counts, 2000);
    for (int fits = 0; fits < 3; fits++)
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    moep_lstm_training training = training_of(predictor);
    assert_int_equal(training.weights, MOEP_LSTM_TRAINED);
    assert_int_equal(training.rounds, 3);
    assert_true(training.loss < 0.95 * training.untrained_loss);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* True whatever the history is, of a network that begins untrained. */
static void a_fit_never_makes_the_held_out_error_larger(void **state)
{
    (void)state;
    for (uint64_t seed = 3; seed < 7; seed++) {
        double *counts = wandering(900, LAYERS, EXPERTS, 0.02 * (double)(seed - 3), seed), before = INFINITY;
        moep_predictor_config config = untrained_config();
        moep_predictor *predictor = make_and_push(&config, NULL, counts, 900);
        for (int fits = 0; fits < 3; fits++) {
            assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
            moep_lstm_training training = training_of(predictor);
            assert_true(training.loss <= before && training.loss <= training.untrained_loss);
            assert_true(training.loss < training.untrained_loss || training.weights == MOEP_LSTM_UNTRAINED);
            before = training.loss;
        }
        moep_predictor_destroy(predictor);
        free(counts);
    }
}

/* A fit continues from the shipped weights. */
static void the_default_network_is_fitted_from_the_shipped_weights(void **state)
{
    (void)state;
    double *counts = wandering(1000, LAYERS, EXPERTS, 0, 7);
    moep_predictor_config config = config_of(1, 16);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, 1000), *shipped = NULL;
    assert_int_equal(moep_predictor_clone(predictor, NULL, &shipped), MOEP_OK);
    assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    moep_lstm_training training = training_of(predictor);
    assert_int_equal(training.updates, training.length);
    if (training.weights == MOEP_LSTM_PRETRAINED)
        assert_same_forecasts(predictor, shipped);
    else
        assert_int_equal(training.weights, MOEP_LSTM_TRAINED);
    moep_predictor_destroy(shipped);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void any_number_of_threads_fits_the_same_bytes(void **state)
{
    (void)state;
    enum { MANY = 120 };
    double *counts = wandering(700, 1, MANY, 0.01, 8);
    moep_predictor_config config = config_of(1, 3);
    moep_predictor *one = NULL, *several = NULL;
    static unsigned char of_one[4 * MOST], of_several[4 * MOST];
    size_t size = 0;
    config.fit_budget = 400;
    for (uint32_t threads = 1; threads <= 4; threads *= 2) {
        moep_runtime runtime = {.struct_size = sizeof runtime, .threads = threads};
        moep_predictor **predictor = threads == 1 ? &one : &several;
        assert_int_equal(moep_predictor_create(1, MANY, &config, &runtime, predictor), MOEP_OK);
        assert_int_equal(moep_predictor_push(*predictor, 700, counts, MOEP_FLOAT64), MOEP_OK);
        assert_int_equal(moep_predictor_fit(*predictor), MOEP_OK);
        assert_true(training_of(*predictor).updates > 1);
        assert_int_equal(moep_predictor_save(*predictor, threads == 1 ? of_one : of_several, sizeof of_one, &size),
                         MOEP_OK);
        if (threads > 1) {
            assert_memory_equal(of_one, of_several, size);
            moep_predictor_destroy(several);
        }
    }
    moep_predictor_destroy(one);
    free(counts);
}

/* ---- budgets ----------------------------------------------------------------------------------------------------- */

static moep_predictor *fitted_in(const double *counts, double budget, size_t calls)
{
    moep_predictor_config config = small_config();
    config.fit_budget = budget;
    moep_predictor *predictor = make_and_push(&config, NULL, counts, 800);
    for (size_t call = 0; call < calls; call++)
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    return predictor;
}

static void a_budget_spent_in_many_calls_is_as_good_as_in_one(void **state)
{
    (void)state;
    double *counts = wandering(800, LAYERS, EXPERTS, 0.005, 9);
    moep_predictor *one = fitted_in(counts, 1024, 1);
    moep_lstm_training training = training_of(one);
    assert_true(training.rounds == 1 && training.updates > 100 && training.updates < 400); /* past a validation */
    for (size_t calls = 2; calls <= 512; calls *= 8) {
        moep_predictor *many = fitted_in(counts, 1024 / (double)calls, calls);
        assert_same_training(training_of(many), training);
        assert_same_forecasts(many, one);
        moep_predictor_destroy(many);
    }
    moep_predictor_destroy(one);
    free(counts);
}

static void a_large_budget_continues_into_the_next_round(void **state)
{
    (void)state;
    double *counts = wandering(800, LAYERS, EXPERTS, 0.005, 9);
    moep_predictor *one = fitted_in(counts, 2048, 1), *two = fitted_in(counts, 1024, 2);
    assert_int_equal(training_of(one).rounds, 2);
    assert_same_training(training_of(one), training_of(two));
    assert_same_forecasts(one, two);
    moep_predictor_destroy(two);
    moep_predictor_destroy(one);
    free(counts);
}

/* Nothing changes until the balance covers an update. */
static void without_a_balance_no_update_is_made(void **state)
{
    (void)state;
    double *counts = wandering(800, LAYERS, EXPERTS, 0.005, 10);
    moep_predictor *predictor = fitted_in(counts, 1, 1), *whole = fitted_in(counts, 0, 1);
    size_t calls = 1;
    for (; training_of(predictor).updates == 0; calls++) {
        assert_int_equal(training_of(predictor).rounds, 0);
        assert_true(calls < 20);
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    }
    assert_true(calls > 2); /* an update takes about 5 */
    assert_int_equal(training_of(predictor).updates, 1);
    assert_int_equal(training_of(whole).updates, 400);
    moep_predictor_destroy(whole);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* ---- progress ---------------------------------------------------------------------------------------------------- */

struct watch {
    size_t calls, cancel_at;
    double last;
};

static int32_t follow(void *user, double part)
{
    struct watch *watch = user;
    assert_true(part >= watch->last && part <= 1);
    watch->last = part;
    return ++watch->calls == watch->cancel_at;
}

static void progress_grows_to_1_and_can_cancel_which_changes_nothing(void **state)
{
    (void)state;
    double *counts = wandering(800, LAYERS, EXPERTS, 0.005, 11);
    moep_predictor_config config = small_config();
    const size_t cancellations[] = {1, 7, 399, 0};
    for (size_t i = 0; i < 4; i++) {
        struct watch watch = {.cancel_at = cancellations[i]};
        moep_runtime runtime = {.struct_size = sizeof runtime, .progress = follow, .progress_user = &watch};
        moep_predictor *predictor = make_and_push(&config, &runtime, counts, 800),
                       *before = make_and_push(&config, NULL, counts, 800);
        assert_int_equal(moep_predictor_fit(predictor), watch.cancel_at ? MOEP_ERROR_CANCELLED : MOEP_OK);
        if (watch.cancel_at)
            assert_same_bytes(predictor, before);
        else
            assert_true(watch.last == 1);
        moep_predictor_destroy(before);
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static moep_status call(size_t which, moep_predictor *predictor, const moep_trace *trace)
{
    const double ends[2] = {0.1, 0.9};
    double rows[2 * 3 * SERIES];
    switch (which) {
    case 0: return moep_predictor_predict(predictor, 30, 10, rows, 3 * SERIES);
    case 1: return moep_predictor_predict_quantiles(predictor, 30, 10, ends, 2, rows, 6 * SERIES);
    case 2: return moep_predictor_fit(predictor);
    default: return moep_predictor_fit_traces(predictor, trace, 1);
    }
}

static void any_refused_request_is_an_error_that_changes_nothing(void **state)
{
    (void)state;
    double *counts = wandering(800, LAYERS, EXPERTS, 0.005, 12);
    moep_trace trace = trace_of(counts, 600, LAYERS, EXPERTS);
    struct test_memory memory = {0};
    moep_runtime runtime = runtime_on(&memory);
    moep_predictor_config config = small_config();
    moep_predictor *predictor = NULL, *before = make_and_push(&config, NULL, counts, 800);
    for (memory.refuse_at = 1; !predictor; memory.refuse_at++) {
        moep_status status = moep_predictor_create(LAYERS, EXPERTS, &config, &runtime, &predictor);
        assert_int_equal(status, predictor ? MOEP_OK : MOEP_ERROR_OUT_OF_MEMORY);
        assert_true(predictor || memory.live_blocks == 0);
        memory.requests = 0;
    }
    assert_true(memory.refuse_at > 4);
    assert_int_equal(moep_predictor_push(predictor, 800, counts, MOEP_FLOAT64), MOEP_OK);
    for (size_t which = 0; which < 4; which++) {
        size_t n = 0;
        for (moep_status status = MOEP_ERROR_OUT_OF_MEMORY; status != MOEP_OK; n++) {
            size_t live = memory.live_bytes;
            memory.refuse_at = memory.requests + n + 1;
            status = call(which, predictor, &trace);
            assert_true(status == MOEP_OK || status == MOEP_ERROR_OUT_OF_MEMORY);
            assert_int_equal(memory.live_bytes, live);
            if (status == MOEP_ERROR_OUT_OF_MEMORY)
                assert_same_bytes(predictor, before);
            else if (which == 2)
                assert_int_equal(moep_predictor_adopt(before, predictor), MOEP_OK);
        }
        assert_true(n > (which < 2 ? 2 : 4)); /* a call makes several requests */
        memory.refuse_at = 0;
    }
    moep_predictor_destroy(before);
    moep_predictor_destroy(predictor);
    assert_int_equal(memory.live_bytes, 0);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest lstm_fit[] = {
        cmocka_unit_test(fewer_than_600_steps_teach_nothing),
        cmocka_unit_test(a_fit_learns_which_windows_are_good),
        cmocka_unit_test(a_fit_never_makes_the_held_out_error_larger),
        cmocka_unit_test(the_default_network_is_fitted_from_the_shipped_weights),
        cmocka_unit_test(any_number_of_threads_fits_the_same_bytes),
        cmocka_unit_test(a_budget_spent_in_many_calls_is_as_good_as_in_one),
        cmocka_unit_test(a_large_budget_continues_into_the_next_round),
        cmocka_unit_test(without_a_balance_no_update_is_made),
        cmocka_unit_test(progress_grows_to_1_and_can_cancel_which_changes_nothing),
        cmocka_unit_test(any_refused_request_is_an_error_that_changes_nothing),
    };
    return cmocka_run_group_tests(lstm_fit, NULL, NULL);
}
