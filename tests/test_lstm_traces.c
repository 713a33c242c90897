/* SPDX-License-Identifier: BSD-3-Clause */
/* The LSTM learns from other runs, and refuses invalid ones. */
#include "lstm.h"

/* ---- from the beginning ------------------------------------------------------------------------------------------ */

enum { TRACES = 3 };
static const size_t layers_of[TRACES] = {3, 1, 4}, experts_of[TRACES] = {5, 70, 2}, steps_of[TRACES] = {700, 600, 900};

/* Runs of several shapes whose loads are white noise, so that long windows are the best. */
static void make_traces(moep_trace *traces)
{
    for (size_t i = 0; i < TRACES; i++)
        traces[i] = trace_of(wandering(steps_of[i], layers_of[i], experts_of[i], 0, 20 + i), steps_of[i], layers_of[i],
                             experts_of[i]);
}

static void free_traces(moep_trace *traces)
{
    for (size_t i = 0; i < TRACES; i++)
        free((void *)traces[i].counts);
}

/* The result depends neither on earlier fits nor on the number of threads; the history stays. */
static void the_same_traces_give_the_same_bytes(void **state)
{
    (void)state;
    double *counts = wandering(800, LAYERS, EXPERTS, 0, 30), rows[SERIES];
    moep_trace traces[TRACES];
    moep_predictor *one = NULL;
    make_traces(traces);
    for (uint32_t threads = 1; threads <= 4; threads *= 2) {
        moep_runtime runtime = {.struct_size = sizeof runtime, .threads = threads};
        moep_predictor_config config = small_config();
        moep_predictor *predictor = make_and_push(&config, &runtime, counts, 800);
        if (threads == 4) {
            assert_int_equal(moep_predictor_fit_traces(predictor, traces + 1, 2), MOEP_OK);
            assert_int_equal(training_of(predictor).weights, MOEP_LSTM_TRAINED);
        }
        assert_int_equal(moep_predictor_fit_traces(predictor, traces, TRACES), MOEP_OK);
        if (!one) {
            one = predictor;
            continue;
        }
        assert_same_bytes(one, predictor);
        moep_predictor_destroy(predictor);
    }
    moep_lstm_training training = training_of(one);
    assert_int_equal(training.weights, MOEP_LSTM_TRAINED);
    assert_true(training.rounds == 1 && training.updates == 4000 && training.length == 4000);
    assert_true(training.loss < 0.95 * training.untrained_loss);
    moep_info info = info_of(one);
    assert_true(info.steps == 800 && info.next_step == 800 && info.fitted_step == 800);
    assert_int_equal(moep_predictor_predict(one, 1000, 1000, rows, SERIES), MOEP_OK);
    moep_predictor_destroy(one);
    free_traces(traces);
    free(counts);
}

static void another_seed_gives_another_network(void **state)
{
    (void)state;
    double *counts = wandering(600, LAYERS, EXPERTS, 0, 31);
    moep_trace trace = trace_of(counts, 600, LAYERS, EXPERTS);
    double losses[2];
    for (uint64_t seed = 0; seed < 2; seed++) {
        moep_predictor_config config = small_config();
        config.seed = seed;
        moep_predictor *predictor = make(&config, NULL);
        assert_int_equal(moep_predictor_fit_traces(predictor, &trace, 1), MOEP_OK);
        losses[seed] = training_of(predictor).loss;
        assert_int_equal(training_of(predictor).weights, MOEP_LSTM_TRAINED);
        moep_predictor_destroy(predictor);
    }
    assert_true(losses[0] != losses[1]);
    free(counts);
}

/* ---- nothing to learn -------------------------------------------------------------------------------------------- */

/* The shipped weights are gone as well. */
static void constant_loads_leave_the_network_untrained(void **state)
{
    (void)state;
    double trace_counts[600][2], *counts = wandering(STEPS, LAYERS, EXPERTS, 0.01, 32), train[SERIES], plain[SERIES];
    for (size_t step = 0; step < 600; step++)
        trace_counts[step][0] = trace_counts[step][1] = 5;
    moep_trace trace = trace_of(trace_counts[0], 600, 1, 2);
    moep_predictor_config config = config_of(1, 16), untrained_config = config_of(1, 15);
    moep_predictor *predictor = make_and_push(&config, NULL, counts, STEPS),
                   *untrained = make_and_push(&untrained_config, NULL, counts, STEPS);
    assert_int_equal(training_of(predictor).weights, MOEP_LSTM_PRETRAINED);
    assert_int_equal(moep_predictor_fit_traces(predictor, &trace, 1), MOEP_OK);
    moep_lstm_training training = training_of(predictor);
    assert_int_equal(training.weights, MOEP_LSTM_UNTRAINED);
    assert_true(training.loss == training.untrained_loss && training.rounds == 1);
    assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, train, SERIES), MOEP_OK);
    assert_int_equal(moep_predictor_predict(untrained, 1000, 1000, plain, SERIES), MOEP_OK);
    for (size_t s = 0; s < SERIES; s++)
        assert_near(train[s], plain[s], 1e-6);
    moep_predictor_destroy(untrained);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* Layers 0 and 1 are white noise, from which networks learn; layer 2, which is for validation, has constant loads. */
static void what_does_not_help_on_held_out_layers_is_not_kept(void **state)
{
    (void)state;
    enum { RUN = 700, OF_LAYER = 2, ALL = 3 * OF_LAYER };
    double *counts = wandering(RUN, 3, OF_LAYER, 0, 33);
    for (size_t step = 0; step < RUN; step++)
        counts[step * ALL + 4] = counts[step * ALL + 5] = 7;
    moep_trace trace = trace_of(counts, RUN, 3, OF_LAYER);
    moep_predictor_config config = small_config();
    moep_predictor *predictor = make(&config, NULL);
    assert_int_equal(moep_predictor_fit_traces(predictor, &trace, 1), MOEP_OK);
    assert_int_equal(training_of(predictor).weights, MOEP_LSTM_UNTRAINED);
    assert_true(training_of(predictor).loss == training_of(predictor).untrained_loss);
    moep_predictor_destroy(predictor);
    free(counts);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

/* Two traces are valid except for `change`; a refusal changes nothing. */
static void invalid_traces_are_refused_and_change_nothing(void **state)
{
    (void)state;
    double *counts = wandering(700, LAYERS, EXPERTS, 0.01, 34), *spoiled = wandering(700, LAYERS, EXPERTS, 0.01, 34);
    moep_predictor_config config = small_config();
    moep_predictor *predictor = make_and_push(&config, NULL, counts, 700),
                   *untouched = make_and_push(&config, NULL, counts, 700);
#define refused(status, words, change)                                                                           \
    do {                                                                                                         \
        moep_trace trace[2] = {trace_of(counts, 700, LAYERS, EXPERTS), trace_of(spoiled, 700, LAYERS, EXPERTS)}; \
        change;                                                                                                  \
        assert_int_equal(moep_predictor_fit_traces(predictor, trace, 2), status);                                \
        assert_says(words);                                                                                      \
        assert_same_bytes(predictor, untouched);                                                                 \
    } while (0)
    refused(MOEP_ERROR_TOO_FEW_STEPS, "trace 1 has 599 steps, an LSTM learns from 600", trace[1].steps = 599);
    refused(MOEP_ERROR_TOO_FEW_STEPS, "trace 0", trace[0].steps = 0);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "NULL", trace[1].counts = NULL);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "dtype", trace[1].dtype = 17);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "reserved", trace[1].reserved = 1);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "layers", trace[1].layers = 0);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "experts", trace[1].experts = 0);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "struct_size", trace[0].struct_size = 0);
    refused(MOEP_ERROR_INCOMPATIBLE, "struct_size", trace[0].struct_size = sizeof *trace + 8);
    refused(MOEP_ERROR_OUT_OF_MEMORY, "no memory", trace[1].steps = UINT64_MAX);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "layer 1, expert 2", spoiled[650 * SERIES + EXPERTS + 2] = NAN);
    refused(MOEP_ERROR_INVALID_ARGUMENT, "layer 1, expert 2", spoiled[650 * SERIES + EXPERTS + 2] = -1);
#undef refused
    moep_trace trace = trace_of(counts, 700, LAYERS, EXPERTS);
    assert_int_equal(moep_predictor_fit_traces(NULL, &trace, 1), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_fit_traces(predictor, NULL, 1), MOEP_ERROR_INVALID_ARGUMENT);
    assert_int_equal(moep_predictor_fit_traces(predictor, &trace, 0), MOEP_ERROR_INVALID_ARGUMENT);
    assert_same_bytes(predictor, untouched);
    moep_predictor_destroy(untouched);
    moep_predictor_destroy(predictor);
    free(spoiled);
    free(counts);
}

static int32_t cancel(void *user, double part)
{
    (void)part;
    return ++*(size_t *)user == 300; /* past a validation */
}

static void cancelled_learning_changes_nothing(void **state)
{
    (void)state;
    double *counts = wandering(700, LAYERS, EXPERTS, 0.01, 35);
    size_t calls = 0;
    moep_runtime runtime = {.struct_size = sizeof runtime, .progress = cancel, .progress_user = &calls};
    moep_predictor_config config = small_config();
    moep_predictor *predictor = make_and_push(&config, &runtime, counts, 700),
                   *untouched = make_and_push(&config, NULL, counts, 700);
    moep_trace trace = trace_of(counts, 700, LAYERS, EXPERTS);
    assert_int_equal(moep_predictor_fit_traces(predictor, &trace, 1), MOEP_ERROR_CANCELLED);
    assert_int_equal(calls, 300);
    assert_same_bytes(predictor, untouched);
    moep_predictor_destroy(untouched);
    moep_predictor_destroy(predictor);
    free(counts);
}

static void methods_that_do_not_learn_from_other_runs_say_so(void **state)
{
    (void)state;
    double *counts = wandering(700, LAYERS, EXPERTS, 0.01, 36);
    moep_trace trace = trace_of(counts, 700, LAYERS, EXPERTS);
    for (moep_method method = MOEP_SW_AVG; method <= MOEP_ARIMA; method++) {
        moep_predictor *predictor = make_predictor(method, LAYERS, EXPERTS, 0, NULL);
        assert_int_equal(moep_predictor_fit_traces(predictor, &trace, 1), MOEP_ERROR_UNSUPPORTED);
        assert_says("does not learn from other runs");
        moep_predictor_destroy(predictor);
    }
    free(counts);
}

/* ---- AUTO's network ---------------------------------------------------------------------------------------------- */

static void the_network_of_auto_learns_whatever_lstm_has_been_asked_for(void **state)
{
    (void)state;
    double *counts = wandering(700, LAYERS, EXPERTS, 0.01, 38), rows[3][SERIES];
    moep_trace trace = trace_of(counts, 700, LAYERS, EXPERTS);
    for (size_t i = 0; i < 3; i++) {
        moep_predictor_config config = {.struct_size = sizeof config};
        assert_int_equal(moep_predictor_config_init(&config, MOEP_AUTO), MOEP_OK);
        if (i == 1) {
            config.lstm_layers = config.lstm_hidden = UINT32_MAX; /* more than there is memory for */
            config.lstm_scope = MOEP_LSTM_JOINT;
        }
        moep_predictor *predictor = make_and_push(&config, NULL, counts, 700);
        if (i < 2) {
            assert_int_equal(moep_predictor_fit_traces(predictor, &trace, 1), MOEP_OK);
            assert_int_equal(info_of(predictor).fitted_step, 700);
        }
        assert_int_equal(moep_predictor_predict(predictor, 1000, 1000, rows[i], SERIES), MOEP_OK);
        moep_predictor_destroy(predictor);
    }
    assert_memory_equal(rows[0], rows[1], sizeof rows[0]);
    assert_memory_not_equal(rows[0], rows[2], sizeof rows[0]);
    free(counts);
}

/* ---- the joint form ---------------------------------------------------------------------------------------------- */

static void the_joint_form_learns_only_from_runs_of_its_shape(void **state)
{
    (void)state;
    double *counts = wandering(700, LAYERS, EXPERTS, 0, 37), rows[SERIES], half = 0.5;
    moep_predictor_config config = config_of(1, 2);
    config.lstm_scope = MOEP_LSTM_JOINT;
    moep_predictor *predictor = make_and_push(&config, NULL, counts, 700), *untouched = NULL;
    assert_int_equal(moep_predictor_clone(predictor, NULL, &untouched), MOEP_OK);
    assert_int_equal(moep_predictor_predict(predictor, 10, 10, rows, SERIES), MOEP_ERROR_NOT_FITTED);
    assert_int_equal(moep_predictor_predict_quantiles(predictor, 10, 10, &half, 1, rows, SERIES),
                     MOEP_ERROR_NOT_FITTED);
    moep_trace traces[2] = {trace_of(counts, 700, LAYERS, EXPERTS), trace_of(counts, 700, EXPERTS, LAYERS)};
    assert_int_equal(moep_predictor_fit_traces(predictor, traces, 2), MOEP_ERROR_INCOMPATIBLE);
    assert_says("trace 1 has 4 layers of 2 experts, this joint network 2 of 4");
    assert_same_bytes(predictor, untouched);
    for (int fits = 0; fits < 10 && training_of(predictor).weights != MOEP_LSTM_TRAINED; fits++)
        assert_int_equal(moep_predictor_fit(predictor), MOEP_OK);
    assert_int_equal(training_of(predictor).weights, MOEP_LSTM_TRAINED);
    assert_true(training_of(predictor).loss < training_of(predictor).untrained_loss);
    assert_int_equal(moep_predictor_predict(predictor, 10, 10, rows, SERIES), MOEP_OK);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        double sum = 0;
        for (size_t e = 0; e < EXPERTS; e++)
            sum += rows[layer * EXPERTS + e];
        assert_near(sum, 1, 1e-12);
    }
    assert_int_equal(moep_predictor_predict_quantiles(predictor, 10, 10, &half, 1, rows, SERIES), MOEP_OK);
    moep_predictor_destroy(untouched);
    moep_predictor_destroy(predictor);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest lstm_traces[] = {
        cmocka_unit_test(the_same_traces_give_the_same_bytes),
        cmocka_unit_test(another_seed_gives_another_network),
        cmocka_unit_test(constant_loads_leave_the_network_untrained),
        cmocka_unit_test(what_does_not_help_on_held_out_layers_is_not_kept),
        cmocka_unit_test(invalid_traces_are_refused_and_change_nothing),
        cmocka_unit_test(cancelled_learning_changes_nothing),
        cmocka_unit_test(methods_that_do_not_learn_from_other_runs_say_so),
        cmocka_unit_test(the_network_of_auto_learns_whatever_lstm_has_been_asked_for),
        cmocka_unit_test(the_joint_form_learns_only_from_runs_of_its_shape),
    };
    return cmocka_run_group_tests(lstm_traces, NULL, NULL);
}
