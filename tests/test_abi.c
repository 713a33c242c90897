/* SPDX-License-Identifier: BSD-3-Clause */
/* The layout of public structs, which may change only at the end, and calls from older and newer callers. */
#include "support.h"

#include <stdio.h>

/* ---- layout: 64-bit -------------------------------------------------------------------------------------------- */

#if SIZE_MAX == UINT64_MAX
#define AT(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field " has moved")
#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type " has another size")

AT(moep_runtime, struct_size, 0);
AT(moep_runtime, threads, 8);
AT(moep_runtime, reserved, 12);
AT(moep_runtime, allocate, 16);
AT(moep_runtime, release, 24);
AT(moep_runtime, allocator_user, 32);
AT(moep_runtime, progress, 40);
AT(moep_runtime, progress_user, 48);
SIZE(moep_runtime, 56);

AT(moep_predictor_config, struct_size, 0);
AT(moep_predictor_config, method, 8);
AT(moep_predictor_config, sw_avg_window, 12);
AT(moep_predictor_config, history, 16);
AT(moep_predictor_config, fit_budget, 24);
AT(moep_predictor_config, arima_p, 32);
AT(moep_predictor_config, arima_d, 36);
AT(moep_predictor_config, arima_q, 40);
AT(moep_predictor_config, arima_order_scope, 44);
AT(moep_predictor_config, arima_bucket, 48);
AT(moep_predictor_config, arima_starts, 52);
AT(moep_predictor_config, arima_scale, 56);
AT(moep_predictor_config, arima_mean, 60);
AT(moep_predictor_config, arima_root_limit, 64);
AT(moep_predictor_config, seed, 72);
AT(moep_predictor_config, lstm_scope, 80);
AT(moep_predictor_config, lstm_layers, 84);
AT(moep_predictor_config, lstm_hidden, 88);
AT(moep_predictor_config, reserved, 92);
SIZE(moep_predictor_config, 96);

AT(moep_lstm_training, struct_size, 0);
AT(moep_lstm_training, weights, 8);
AT(moep_lstm_training, reserved, 12);
AT(moep_lstm_training, rounds, 16);
AT(moep_lstm_training, updates, 24);
AT(moep_lstm_training, length, 32);
AT(moep_lstm_training, loss, 40);
AT(moep_lstm_training, untrained_loss, 48);
SIZE(moep_lstm_training, 56);

AT(moep_lstm_weights, struct_size, 0);
AT(moep_lstm_weights, inputs, 8);
AT(moep_lstm_weights, hidden, 12);
AT(moep_lstm_weights, weight_ih, 16);
AT(moep_lstm_weights, weight_hh, 24);
AT(moep_lstm_weights, bias_ih, 32);
AT(moep_lstm_weights, bias_hh, 40);
SIZE(moep_lstm_weights, 48);

AT(moep_auto_report, struct_size, 0);
AT(moep_auto_report, weights, 8);
AT(moep_auto_report, expected_error, 16);
AT(moep_auto_report, coverage, 24);
AT(moep_auto_report, since_jump, 32);
SIZE(moep_auto_report, 40);

AT(moep_arima_model, struct_size, 0);
AT(moep_arima_model, p, 8);
AT(moep_arima_model, d, 12);
AT(moep_arima_model, q, 16);
AT(moep_arima_model, period, 20);
AT(moep_arima_model, fallback, 24);
AT(moep_arima_model, reserved, 28);
AT(moep_arima_model, phi, 32);
AT(moep_arima_model, theta, 96);
AT(moep_arima_model, phi_error, 160);
AT(moep_arima_model, theta_error, 224);
AT(moep_arima_model, mean, 288);
AT(moep_arima_model, sigma2, 296);
AT(moep_arima_model, loglik, 304);
AT(moep_arima_model, aicc, 312);
SIZE(moep_arima_model, 320);

AT(moep_detector_config, struct_size, 0);
AT(moep_detector_config, horizon, 8);
AT(moep_detector_config, tolerance, 16);
AT(moep_detector_config, expert_tolerance, 24);
AT(moep_detector_config, growth, 32);
AT(moep_detector_config, drift_window, 40);
AT(moep_detector_config, block, 44);
AT(moep_detector_config, dwell, 48);
AT(moep_detector_config, reserved, 52);
AT(moep_detector_config, windows, 56);
SIZE(moep_detector_config, 72);

AT(moep_layout, struct_size, 0);
AT(moep_layout, layers, 8);
AT(moep_layout, experts, 16);
AT(moep_layout, slots, 24);
AT(moep_layout, ranks, 32);
AT(moep_layout, groups, 40);
AT(moep_layout, nodes, 48);
SIZE(moep_layout, 56);

AT(moep_planner_config, struct_size, 0);
AT(moep_planner_config, span, 8);
AT(moep_planner_config, scenarios, 12);
AT(moep_planner_config, risk, 16);
SIZE(moep_planner_config, 24);

AT(moep_plan_options, struct_size, 0);
AT(moep_plan_options, horizon, 8);
AT(moep_plan_options, slot_cost, 16);
AT(moep_plan_options, layer_cost, 24);
AT(moep_plan_options, plan_cost, 32);
AT(moep_plan_options, least_gain, 40);
AT(moep_plan_options, most_slots, 48);
AT(moep_plan_options, method, 56);
AT(moep_plan_options, effort, 60);
AT(moep_plan_options, scenarios, 64);
AT(moep_plan_options, reserved, 68);
AT(moep_plan_options, layers, 72);
SIZE(moep_plan_options, 80);

AT(moep_plan_result, struct_size, 0);
AT(moep_plan_result, phy2log, 8);
AT(moep_plan_result, stay, 16);
AT(moep_plan_result, go, 24);
AT(moep_plan_result, moved, 32);
AT(moep_plan_result, advice, 40);
AT(moep_plan_result, net_gain, 48);
SIZE(moep_plan_result, 56);

AT(moep_info, struct_size, 0);
AT(moep_info, method, 8);
AT(moep_info, reserved, 12);
AT(moep_info, layers, 16);
AT(moep_info, experts, 24);
AT(moep_info, history, 32);
AT(moep_info, steps, 40);
AT(moep_info, next_step, 48);
AT(moep_info, min_steps, 56);
AT(moep_info, fitted_step, 64);
AT(moep_info, empty_layers, 72);
AT(moep_info, gaps, 80);
SIZE(moep_info, 88);

AT(moep_trace, struct_size, 0);
AT(moep_trace, counts, 8);
AT(moep_trace, dtype, 16);
AT(moep_trace, reserved, 20);
AT(moep_trace, steps, 24);
AT(moep_trace, layers, 32);
AT(moep_trace, experts, 40);
SIZE(moep_trace, 48);

AT(moep_backtest_config, struct_size, 0);
AT(moep_backtest_config, first, 8);
AT(moep_backtest_config, every, 16);
AT(moep_backtest_config, horizon, 24);
AT(moep_backtest_config, stride, 32);
AT(moep_backtest_config, refit_every, 40);
AT(moep_backtest_config, assignments, 48);
SIZE(moep_backtest_config, 56);

AT(moep_backtest_result, struct_size, 0);
AT(moep_backtest_result, error, 8);
AT(moep_backtest_result, error_of_mean, 16);
AT(moep_backtest_result, paper_error, 24);
AT(moep_backtest_result, total_variation, 32);
AT(moep_backtest_result, floor, 40);
AT(moep_backtest_result, floor_of_mean, 48);
AT(moep_backtest_result, left_out, 56);
SIZE(moep_backtest_result, 64);
#endif

_Static_assert(sizeof(moep_status) == 4 && sizeof(moep_dtype) == 4 && sizeof(moep_method) == 4 &&
                   sizeof(moep_state) == 4 && sizeof(moep_quantity) == 4,
               "32 bits each");
_Static_assert(MOEP_ERROR_INVALID_ARGUMENT == -1 && MOEP_ERROR_OUT_OF_MEMORY == -2 && MOEP_ERROR_INCOMPATIBLE == -3 &&
                   MOEP_ERROR_CORRUPT == -4 && MOEP_ERROR_TOO_FEW_STEPS == -5 && MOEP_ERROR_NOT_FITTED == -6 &&
                   MOEP_ERROR_NUMERIC == -7 && MOEP_ERROR_CANCELLED == -8 && MOEP_ERROR_UNSUPPORTED == -9,
               "statuses keep their numbers");
_Static_assert(MOEP_INT32 == 0 && MOEP_INT64 == 1 && MOEP_UINT32 == 2 && MOEP_UINT64 == 3 && MOEP_FLOAT32 == 4 &&
                   MOEP_FLOAT64 == 5 && MOEP_SW_AVG == 0 && MOEP_ARIMA == 1 && MOEP_LSTM == 2 && MOEP_AUTO == 3,
               "dtypes and methods keep their numbers");
_Static_assert(MOEP_SELECT == -1 && MOEP_ARIMA_PER_LAYER == 0 && MOEP_ARIMA_PER_SERIES == 1 && MOEP_ARIMA_SHARES == 0 &&
                   MOEP_ARIMA_LOG_RATIOS == 1 && MOEP_LSTM_SHARED == 0 && MOEP_LSTM_JOINT == 1 &&
                   MOEP_LSTM_UNTRAINED == 0 && MOEP_LSTM_PRETRAINED == 1 && MOEP_LSTM_TRAINED == 2,
               "choices keep their numbers");
_Static_assert(MOEP_WARMUP == 0 && MOEP_TRANSIENT == 1 && MOEP_STABLE == 2 && MOEP_MEAN == 0 && MOEP_VARIANCE == 1 &&
                   MOEP_RANGE == 2 && MOEP_DRIFT == 3 && MOEP_NOISE == 4 && MOEP_DISPERSION == 5,
               "states and quantities keep their numbers");
_Static_assert(sizeof(moep_plan_method) == 4 && MOEP_PLAN_SCENARIOS == 0 && MOEP_PLAN_RISK == 1 && MOEP_PLAN_MEAN == 2,
               "ways to plan keep their numbers");

/* ---- dtypes ---------------------------------------------------------------------------------------------------- */

static void a_dtype_has_the_size_of_its_type(void **state)
{
    (void)state;
    assert_int_equal(moep_dtype_size(MOEP_INT32), sizeof(int32_t));
    assert_int_equal(moep_dtype_size(MOEP_INT64), sizeof(int64_t));
    assert_int_equal(moep_dtype_size(MOEP_UINT32), sizeof(uint32_t));
    assert_int_equal(moep_dtype_size(MOEP_UINT64), sizeof(uint64_t));
    assert_int_equal(moep_dtype_size(MOEP_FLOAT32), sizeof(float));
    assert_int_equal(moep_dtype_size(MOEP_FLOAT64), sizeof(double));
}

static void an_unknown_dtype_has_no_size(void **state)
{
    (void)state;
    const moep_dtype unknown[] = {-1, MOEP_FLOAT64 + 1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_int_equal(moep_dtype_size(unknown[i]), 0);
}

/* ---- struct_size ----------------------------------------------------------------------------------------------- */

enum { STEPS = 30, LAYERS = 2, EXPERTS = 3, SERIES = LAYERS * EXPERTS };

/* A call with the struct at `block`, and valid other arguments. */
struct user {
    const char *name;
    size_t size;
    void (*fill)(void *block); /* all fields, to values that the call takes */
    moep_status (*call)(moep_predictor *predictor, void *block);
};

static int64_t *trace_counts;
static double errors[4 * LAYERS];

static moep_trace usual_trace(void)
{
    return (moep_trace){sizeof(moep_trace), trace_counts, MOEP_INT64, 0, STEPS, LAYERS, EXPERTS};
}

static moep_backtest_config usual_backtest(void)
{
    return (moep_backtest_config){
        .struct_size = sizeof(moep_backtest_config), .first = 10, .every = 5, .horizon = 5, .stride = 5};
}

static void fill_runtime(void *block)
{
    *(moep_runtime *)block = (moep_runtime){.struct_size = sizeof(moep_runtime), .threads = 2};
}

static moep_status use_runtime(moep_predictor *predictor, void *block)
{
    moep_predictor *clone = NULL;
    moep_status status = moep_predictor_clone(predictor, block, &clone);
    moep_predictor_destroy(clone);
    return status;
}

static void fill_config(void *block)
{
    ((moep_predictor_config *)block)->struct_size = sizeof(moep_predictor_config);
    assert_int_equal(moep_predictor_config_init(block, MOEP_SW_AVG), MOEP_OK);
}

static moep_status use_config(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_predictor *other = NULL;
    moep_status status = moep_predictor_create(1, 1, block, NULL, &other);
    moep_predictor_destroy(other);
    return status;
}

static moep_status use_config_init(moep_predictor *predictor, void *block)
{
    (void)predictor;
    return moep_predictor_config_init(block, MOEP_SW_AVG);
}

static moep_status use_config_read(moep_predictor *predictor, void *block)
{
    return moep_predictor_config_read(predictor, block);
}

static void fill_detector_config(void *block)
{
    ((moep_detector_config *)block)->struct_size = sizeof(moep_detector_config);
    assert_int_equal(moep_detector_config_init(block), MOEP_OK);
}

static moep_status use_detector_config(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_detector *detector = NULL;
    moep_status status = moep_detector_create(1, 1, block, NULL, &detector);
    moep_detector_destroy(detector);
    return status;
}

static moep_status use_detector_config_init(moep_predictor *predictor, void *block)
{
    (void)predictor;
    return moep_detector_config_init(block);
}

static moep_status use_detector_config_read(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_detector *detector = make_detector(1, 1, NULL);
    moep_status status = moep_detector_config_read(detector, block);
    moep_detector_destroy(detector);
    return status;
}

static moep_status use_detector_info(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_detector *detector = make_detector(1, 1, NULL);
    moep_status status = moep_detector_info(detector, block);
    moep_detector_destroy(detector);
    return status;
}

static void fill_planner_config(void *block)
{
    ((moep_planner_config *)block)->struct_size = sizeof(moep_planner_config);
    assert_int_equal(moep_planner_config_init(block), MOEP_OK);
}

static moep_status use_planner_config(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_planner *planner = NULL;
    moep_status status = moep_planner_create(1, 1, block, NULL, &planner);
    moep_planner_destroy(planner);
    return status;
}

static moep_status use_planner_config_init(moep_predictor *predictor, void *block)
{
    (void)predictor;
    return moep_planner_config_init(block);
}

static moep_status use_planner_config_read(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_planner *planner = make_planner(1, 1, NULL);
    moep_status status = moep_planner_config_read(planner, block);
    moep_planner_destroy(planner);
    return status;
}

static moep_status use_planner_info(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_planner *planner = make_planner(1, 1, NULL);
    moep_status status = moep_planner_info(planner, block);
    moep_planner_destroy(planner);
    return status;
}

static void fill_info(void *block)
{
    *(moep_info *)block = (moep_info){.struct_size = sizeof(moep_info)};
}

static moep_status use_info(moep_predictor *predictor, void *block)
{
    return moep_predictor_info(predictor, block);
}

/* Without arrays, the call only checks. */
static void fill_auto_report(void *block)
{
    *(moep_auto_report *)block = (moep_auto_report){.struct_size = sizeof(moep_auto_report)};
}

static moep_status use_auto_report(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_predictor *automatic = make_predictor(MOEP_AUTO, LAYERS, EXPERTS, 0, NULL);
    moep_status status = moep_predictor_auto_report(automatic, block);
    moep_predictor_destroy(automatic);
    return status;
}

static void fill_arima_model(void *block)
{
    *(moep_arima_model *)block = (moep_arima_model){.struct_size = sizeof(moep_arima_model)};
}

static moep_status use_arima_model(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_predictor *arima = make_predictor(MOEP_ARIMA, LAYERS, EXPERTS, 0, NULL);
    moep_status status = moep_predictor_push(arima, STEPS, trace_counts, MOEP_INT64);
    for (int again = 0; again < 2; again++) /* 8 x 5 steps or more */
        status |= moep_predictor_push(arima, STEPS, trace_counts, MOEP_INT64) | moep_predictor_fit(arima);
    if (status == MOEP_OK)
        status = moep_predictor_arima_model(arima, 0, 0, block);
    moep_predictor_destroy(arima);
    return status;
}

static void fill_lstm_training(void *block)
{
    *(moep_lstm_training *)block = (moep_lstm_training){.struct_size = sizeof(moep_lstm_training)};
}

static moep_status use_lstm_training(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_predictor *lstm = make_predictor(MOEP_LSTM, LAYERS, EXPERTS, 0, NULL);
    moep_status status = moep_predictor_lstm_training(lstm, block);
    moep_predictor_destroy(lstm);
    return status;
}

/* Without arrays, the call returns the sizes. */
static void fill_lstm_weights(void *block)
{
    *(moep_lstm_weights *)block = (moep_lstm_weights){.struct_size = sizeof(moep_lstm_weights)};
}

static moep_status use_lstm_weights(moep_predictor *predictor, void *block)
{
    (void)predictor;
    moep_predictor *lstm = make_predictor(MOEP_LSTM, LAYERS, EXPERTS, 0, NULL);
    moep_status status = moep_predictor_lstm_weights(lstm, 0, block);
    moep_predictor_destroy(lstm);
    return status;
}

static void fill_trace(void *block)
{
    *(moep_trace *)block = usual_trace();
}

static moep_status use_trace(moep_predictor *predictor, void *block)
{
    moep_backtest_config config = usual_backtest();
    moep_backtest_result result = {.struct_size = sizeof result, .error = errors};
    return moep_backtest(predictor, block, &config, NULL, &result);
}

static void fill_backtest(void *block)
{
    *(moep_backtest_config *)block = usual_backtest();
}

static moep_status use_backtest(moep_predictor *predictor, void *block)
{
    moep_trace trace = usual_trace();
    moep_backtest_result result = {.struct_size = sizeof result, .error = errors};
    return moep_backtest(predictor, &trace, block, NULL, &result);
}

static void fill_result(void *block)
{
    *(moep_backtest_result *)block = (moep_backtest_result){.struct_size = sizeof(moep_backtest_result)};
}

static moep_status use_result(moep_predictor *predictor, void *block)
{
    moep_trace trace = usual_trace();
    moep_backtest_config config = usual_backtest();
    return moep_backtest(predictor, &trace, &config, NULL, block);
}

static void fill_layout(void *block)
{
    *(moep_layout *)block = (moep_layout){sizeof(moep_layout), LAYERS, EXPERTS, 2 * EXPERTS, EXPERTS, 0, 0};
}

static moep_status use_layout(moep_predictor *predictor, void *block)
{
    (void)predictor;
    return moep_rebalance(block, trace_counts, MOEP_INT64, NULL, NULL, 0, NULL);
}

/* What a plan needs besides the struct that a test hands over. */
static moep_status plan_with(const moep_layout *layout, const moep_plan_options *options, moep_plan_result *result)
{
    const double forecast[LAYERS * EXPERTS] = {1, 2, 3};
    moep_layout usual;
    moep_plan_result ours = {.struct_size = sizeof ours};
    moep_planner *planner = make_planner(LAYERS, EXPERTS, NULL);
    fill_layout(&usual);
    moep_status status = moep_plan(planner, layout ? layout : &usual, forecast, NULL, options, result ? result : &ours);
    moep_planner_destroy(planner);
    return status;
}

static moep_status use_layout_of_plan(moep_predictor *predictor, void *block)
{
    (void)predictor;
    return plan_with(block, NULL, NULL);
}

static void fill_plan_options(void *block)
{
    ((moep_plan_options *)block)->struct_size = sizeof(moep_plan_options);
    assert_int_equal(moep_plan_options_init(block), MOEP_OK);
}

static moep_status use_plan_options(moep_predictor *predictor, void *block)
{
    (void)predictor;
    return plan_with(NULL, block, NULL);
}

static moep_status use_plan_options_init(moep_predictor *predictor, void *block)
{
    (void)predictor;
    return moep_plan_options_init(block);
}

static void fill_plan_result(void *block)
{
    *(moep_plan_result *)block = (moep_plan_result){.struct_size = sizeof(moep_plan_result)};
}

static moep_status use_plan_result(moep_predictor *predictor, void *block)
{
    (void)predictor;
    return plan_with(NULL, NULL, block);
}

static const struct user users[] = {
    {"moep_runtime", sizeof(moep_runtime), fill_runtime, use_runtime},
    {"moep_predictor_config", sizeof(moep_predictor_config), fill_config, use_config},
    {"moep_predictor_config", sizeof(moep_predictor_config), fill_config, use_config_init},
    {"moep_predictor_config", sizeof(moep_predictor_config), fill_config, use_config_read},
    {"moep_auto_report", sizeof(moep_auto_report), fill_auto_report, use_auto_report},
    {"moep_arima_model", sizeof(moep_arima_model), fill_arima_model, use_arima_model},
    {"moep_lstm_training", sizeof(moep_lstm_training), fill_lstm_training, use_lstm_training},
    {"moep_lstm_weights", sizeof(moep_lstm_weights), fill_lstm_weights, use_lstm_weights},
    {"moep_info", sizeof(moep_info), fill_info, use_info},
    {"moep_info", sizeof(moep_info), fill_info, use_detector_info},
    {"moep_detector_config", sizeof(moep_detector_config), fill_detector_config, use_detector_config},
    {"moep_detector_config", sizeof(moep_detector_config), fill_detector_config, use_detector_config_init},
    {"moep_detector_config", sizeof(moep_detector_config), fill_detector_config, use_detector_config_read},
    {"moep_info", sizeof(moep_info), fill_info, use_planner_info},
    {"moep_planner_config", sizeof(moep_planner_config), fill_planner_config, use_planner_config},
    {"moep_planner_config", sizeof(moep_planner_config), fill_planner_config, use_planner_config_init},
    {"moep_planner_config", sizeof(moep_planner_config), fill_planner_config, use_planner_config_read},
    {"moep_layout", sizeof(moep_layout), fill_layout, use_layout},
    {"moep_layout", sizeof(moep_layout), fill_layout, use_layout_of_plan},
    {"moep_plan_options", sizeof(moep_plan_options), fill_plan_options, use_plan_options},
    {"moep_plan_options", sizeof(moep_plan_options), fill_plan_options, use_plan_options_init},
    {"moep_plan_result", sizeof(moep_plan_result), fill_plan_result, use_plan_result},
    {"moep_trace", sizeof(moep_trace), fill_trace, use_trace},
    {"moep_backtest_config", sizeof(moep_backtest_config), fill_backtest, use_backtest},
    {"moep_backtest_result", sizeof(moep_backtest_result), fill_result, use_result},
};

#define for_each_user(user) for (const struct user *user = users; user < users + sizeof users / sizeof *users; user++)

static moep_status call_with_size(const struct user *user, moep_predictor *predictor, size_t size)
{
    union {
        uint64_t words[64];
        size_t struct_size;
    } block;
    memset(&block, 0, sizeof block);
    user->fill(&block);
    block.struct_size = size;
    return user->call(predictor, &block);
}

static int make_trace(void **state)
{
    trace_counts = random_counts(STEPS, LAYERS, EXPERTS, 51);
    *state = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 5, NULL);
    return moep_predictor_push(*state, STEPS, trace_counts, MOEP_INT64);
}

static int free_trace(void **state)
{
    moep_predictor_destroy(*state);
    free(trace_counts);
    return 0;
}

/* The header promises every size of two words or more, in whole words. A trace, a layout and a backtest still fail then,
 * because they need the fields that are missing. */
static void every_smaller_size_is_accepted(void **state)
{
    for_each_user(user)
    {
        for (size_t size = 16; size <= user->size; size += 8) {
            moep_status status = call_with_size(user, *state, size);
            if (status == MOEP_ERROR_INCOMPATIBLE || strstr(moep_last_error(), "struct_size"))
                fail_msg("%s of %zu bytes: %s", user->name, size, moep_last_error());
            assert_true(status == MOEP_OK || user->call == use_trace || user->call == use_layout ||
                        user->call == use_layout_of_plan || user->call == use_backtest);
        }
    }
}

static void a_larger_size_is_incompatible(void **state)
{
    for_each_user(user)
    {
        const size_t sizes[] = {user->size + 1, user->size + 4, user->size + 8, 4096, SIZE_MAX};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            assert_int_equal(call_with_size(user, *state, sizes[i]), MOEP_ERROR_INCOMPATIBLE);
            assert_says(user->name);
            assert_says("or use a newer library");
        }
    }
}

static void a_size_never_set_is_refused_with_what_to_do(void **state)
{
    for_each_user(user)
    {
        const size_t sizes[] = {0, 1, 4, 8, 15, 17, 20};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            char advice[80];
            snprintf(advice, sizeof advice, "set it to sizeof(%s)", user->name);
            assert_int_equal(call_with_size(user, *state, sizes[i]), MOEP_ERROR_INVALID_ARGUMENT);
            assert_says(advice);
        }
    }
}

static void nothing_past_a_smaller_struct_is_read_or_written(void **state)
{
    moep_predictor_config config = {.struct_size = offsetof(moep_predictor_config, history), .history = 77};
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_config_init(&config, MOEP_SW_AVG), MOEP_OK);
    assert_int_equal(config.history, 77);
    assert_int_equal(config.sw_avg_window, 200);
    assert_int_equal(moep_predictor_create(1, 1, &config, NULL, &predictor), MOEP_OK);
    assert_int_equal(info_of(predictor).history, 200);
    moep_predictor_destroy(predictor);

    moep_info info = {.struct_size = offsetof(moep_info, steps), .steps = 55};
    assert_int_equal(moep_predictor_info(*state, &info), MOEP_OK);
    assert_int_equal(info.history, 5);
    assert_int_equal(info.steps, 55);
    assert_int_equal(info.struct_size, offsetof(moep_info, steps));
}

static void every_method_has_its_number_asserted_above(void **state)
{
    (void)state;
    assert_non_null(moep_method_name(MOEP_AUTO));
    assert_null(moep_method_name(MOEP_AUTO + 1)); /* a new method: assert its number too, and name it here */
}

int main(void)
{
    const struct CMUnitTest abi[] = {
        cmocka_unit_test(every_method_has_its_number_asserted_above),
        cmocka_unit_test(a_dtype_has_the_size_of_its_type),
        cmocka_unit_test(an_unknown_dtype_has_no_size),
        cmocka_unit_test(every_smaller_size_is_accepted),
        cmocka_unit_test(a_larger_size_is_incompatible),
        cmocka_unit_test(a_size_never_set_is_refused_with_what_to_do),
        cmocka_unit_test(nothing_past_a_smaller_struct_is_read_or_written),
    };
    return cmocka_run_group_tests(abi, make_trace, free_trace);
}
