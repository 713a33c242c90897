/* SPDX-License-Identifier: BSD-3-Clause */
/* Every public call that computes, of every method, good and bad, on four threads. Tests use it to check how much stack
 * calls need and that they leave the caller's environment unchanged. So nothing here computes with floating-point
 * numbers, and nothing large is on the stack. */
#ifndef TESTS_EVERY_CALL_H
#define TESTS_EVERY_CALL_H

#include "support.h"

enum { CALL_STEPS = 700, CALL_LAYERS = 4, CALL_EXPERTS = 16, CALL_SERIES = CALL_LAYERS * CALL_EXPERTS, CALL_ROWS = 4 };

static int64_t call_counts[CALL_STEPS * CALL_SERIES];
static double call_shares[2 * CALL_ROWS * CALL_SERIES];
static float call_weights[4][4 * 16 * 16];
static unsigned char call_bytes[1 << 20];
static uint64_t answers;                     /* a hash of the calls' results */
static void (*after_each)(const char *call); /* called after each call */

#define CALL(call)                                            \
    do {                                                      \
        moep_status status_ = (call);                         \
        after_each(#call);                                    \
        answers = hash_of(answers, &status_, sizeof status_); \
    } while (0)
#define ANSWER(object) (answers = hash_of(answers, &(object), sizeof(object)))

static bool cancel_soon;

static int32_t call_progress(void *user, double fraction)
{
    (void)user;
    (void)fraction;
    return cancel_soon;
}

static moep_runtime call_runtime(void)
{
    return (moep_runtime){.struct_size = sizeof(moep_runtime), .threads = 4, .progress = call_progress};
}

/* Different loads, with noise. The first expert of the last layer has no load. */
static void make_call_counts(void)
{
    uint64_t state = 31;
    for (size_t i = 0; i < sizeof call_counts / sizeof *call_counts; i++) {
        size_t series = i % CALL_SERIES, step = i / CALL_SERIES;
        int64_t level = 1000 + 50 * (int64_t)(series % 7) + (int64_t)(step / 100 % 3 * (series % 5) * 40);
        call_counts[i] =
            series == CALL_SERIES - CALL_EXPERTS ? 0 : level + (int64_t)(random_number(&state) >> 40) % 300;
    }
}

static const moep_trace call_trace = {sizeof(moep_trace), call_counts, MOEP_INT64,  0,
                                      CALL_STEPS,         CALL_LAYERS, CALL_EXPERTS};

static void call_states(moep_predictor *predictor, const moep_runtime *runtime)
{
    moep_predictor *other = NULL;
    size_t size = 0;
    CALL(moep_predictor_save(predictor, call_bytes, 1, &size));
    CALL(moep_predictor_save(predictor, call_bytes, sizeof call_bytes, &size));
    answers = hash_of(answers, call_bytes, size);
    CALL(moep_predictor_load(call_bytes, size, runtime, &other));
    CALL(moep_predictor_adopt(predictor, other));
    CALL((moep_predictor_destroy(other), 0));
    call_bytes[size / 2] ^= 1;
    CALL(moep_predictor_load(call_bytes, size, runtime, &other));
    CALL(moep_predictor_clone(predictor, runtime, &other));
    CALL((moep_predictor_destroy(other), 0));
}

static void call_of_auto(const moep_predictor *predictor)
{
    static uint64_t since[CALL_LAYERS];
    double *weights = call_shares, *errors = weights + 16 * CALL_LAYERS, *coverage = errors + CALL_LAYERS;
    moep_auto_report report = {sizeof report, weights, errors, coverage, since};
    memset(call_shares, 0, sizeof call_shares);
    memset(since, 0, sizeof since);
    CALL((moep_status)moep_auto_candidates());
    CALL((moep_auto_candidate_name(0), 0));
    CALL(moep_predictor_auto_report(predictor, &report));
    ANSWER(call_shares);
    ANSWER(since);
}

static void call_of_lstm(moep_predictor *predictor)
{
    moep_lstm_training training = {.struct_size = sizeof training};
    moep_lstm_weights weights = {.struct_size = sizeof weights};
    CALL(moep_predictor_lstm_training(predictor, &training));
    ANSWER(training);
    CALL(moep_predictor_lstm_weights(predictor, 0, &weights));
    if (4 * weights.hidden * (weights.inputs + weights.hidden) <= sizeof call_weights / sizeof **call_weights) {
        weights.weight_ih = call_weights[0];
        weights.weight_hh = call_weights[1];
        weights.bias_ih = call_weights[2];
        weights.bias_hh = call_weights[3];
        CALL(moep_predictor_lstm_weights(predictor, 0, &weights));
        CALL(moep_predictor_set_lstm_weights(predictor, 0, &weights));
    }
    weights.inputs++;
    CALL(moep_predictor_set_lstm_weights(predictor, 0, &weights));
    cancel_soon = true;
    CALL(moep_predictor_fit_traces(predictor, &call_trace, 1));
    cancel_soon = false;
}

static void call_forecasts(moep_predictor *predictor)
{
    static const double probabilities[] = {0.1, 0.95}, impossible[] = {0.5, 1e300};
    size_t capacity = sizeof call_shares / sizeof *call_shares;
    memset(call_shares, 0, sizeof call_shares);
    CALL(moep_predictor_predict(predictor, 1000, 250, call_shares, capacity));
    ANSWER(call_shares);
    CALL(moep_predictor_predict_quantiles(predictor, 1000, 250, probabilities, 2, call_shares, capacity));
    ANSWER(call_shares);
    CALL(moep_predictor_predict_quantiles(predictor, 4, 1, probabilities, 2, call_shares, capacity));
    ANSWER(call_shares);
    CALL(moep_predictor_predict_quantiles(predictor, 4, 1, impossible, 2, call_shares, capacity));
    CALL(moep_predictor_predict(predictor, 1000, 250, call_shares, 1));
}

static void call_evaluation(const moep_predictor *prototype)
{
    static double errors[3][8 * CALL_LAYERS];
    moep_backtest_config config = {.struct_size = sizeof config, .first = 620, .every = 40, .horizon = 40, .stride = 8};
    moep_backtest_result result = {.struct_size = sizeof result, .error = errors[0], .floor_of_mean = errors[1]};
    CALL((moep_status)moep_backtest_origins(CALL_STEPS, &config));
    CALL(moep_backtest(prototype, &call_trace, &config, NULL, &result));
    CALL(moep_forecast_error(CALL_LAYERS, CALL_EXPERTS, call_shares, call_shares + CALL_SERIES, errors[2],
                             errors[2] + 4, NULL));
    ANSWER(errors);
}

static void call_predictor(const moep_predictor_config *config)
{
    static const double bad[CALL_SERIES] = {1, 2, -1};
    moep_runtime runtime = call_runtime();
    moep_predictor *predictor = NULL;
    moep_info info = {.struct_size = sizeof info};
    moep_predictor_config read = {.struct_size = sizeof read};
    moep_arima_model model = {.struct_size = sizeof model};
    CALL(moep_predictor_create(0, CALL_EXPERTS, config, &runtime, &predictor));
    CALL(moep_predictor_create(CALL_LAYERS, CALL_EXPERTS, config, &runtime, &predictor));
    call_forecasts(predictor); /* without history */
    CALL(moep_predictor_fit(predictor));
    CALL(moep_predictor_push(predictor, CALL_STEPS - 100, call_counts, MOEP_INT64));
    CALL(moep_predictor_push_at(predictor, 1000, 100, call_counts + (CALL_STEPS - 100) * CALL_SERIES, MOEP_INT64));
    CALL(moep_predictor_push(predictor, 1, bad, MOEP_FLOAT64));
    CALL(moep_predictor_fit(predictor));
    CALL(moep_predictor_arima_model(predictor, 0, 1, &model));
    ANSWER(model);
    call_of_auto(predictor);
    call_forecasts(predictor);
    call_states(predictor, &runtime);
    call_evaluation(predictor);
    if (config->method == MOEP_LSTM)
        call_of_lstm(predictor);
    CALL(moep_predictor_info(predictor, &info));
    CALL(moep_predictor_config_read(predictor, &read));
    CALL(moep_predictor_reset(predictor));
    CALL((moep_predictor_destroy(predictor), 0));
}

static void call_detector(void)
{
    moep_runtime runtime = call_runtime();
    moep_detector_config config = {.struct_size = sizeof config};
    moep_detector *detector = NULL, *other = NULL;
    moep_info info = {.struct_size = sizeof info};
    static moep_state states[CALL_SERIES];
    static uint64_t numbers[CALL_SERIES];
    size_t size = 0;
    CALL(moep_detector_config_init(&config));
    CALL(moep_detector_create(CALL_LAYERS, CALL_EXPERTS, &config, &runtime, &detector));
    CALL(moep_detector_push(detector, 500, call_counts, MOEP_INT64));
    CALL(moep_detector_push_at(detector, 600, 200, call_counts + 500 * CALL_SERIES, MOEP_INT64)); /* until it learns */
    CALL(moep_detector_push_at(detector, 0, 1, call_counts, MOEP_INT64));
    CALL(moep_detector_states(detector, NULL, states));
    ANSWER(states);
    CALL(moep_detector_since(detector, NULL, numbers));
    CALL(moep_detector_changes(detector, NULL, numbers));
    for (moep_quantity quantity = MOEP_MEAN; quantity <= MOEP_DISPERSION + 1; quantity++) {
        CALL(moep_detector_read(detector, quantity, 0, call_shares, quantity == MOEP_RANGE ? NULL : call_shares + 4));
        ANSWER(call_shares);
    }
    CALL(moep_detector_info(detector, &info));
    CALL(moep_detector_config_read(detector, &config));
    CALL(moep_detector_clone(detector, NULL, &other));
    CALL((moep_detector_destroy(other), 0));
    CALL(moep_detector_save(detector, call_bytes, sizeof call_bytes, &size));
    answers = hash_of(answers, call_bytes, size);
    CALL(moep_detector_load(call_bytes, size, &runtime, &other));
    CALL((moep_detector_destroy(other), 0));
    call_bytes[size / 2] ^= 1;
    CALL(moep_detector_load(call_bytes, size, &runtime, &other));
    CALL((moep_detector_destroy(detector), 0));
}

/* From scratch, from a map, with groups, and refused. */
static void call_plan(const moep_planner *planner)
{
    enum { SLOTS = 24, RANKS = 8 };
    static int64_t map[CALL_LAYERS * SLOTS];
    static uint64_t moved[CALL_LAYERS];
    static uint8_t advice[CALL_LAYERS];
    static const double probabilities[] = {0.5, 0.99}, bad[CALL_SERIES] = {1, 2, -1};
    moep_layout layout = {sizeof layout, CALL_LAYERS, CALL_EXPERTS, SLOTS, RANKS, 0, 0};
    moep_plan_options options = {.struct_size = sizeof options};
    double *stay = call_shares, *go = stay + CALL_LAYERS, *loads = go + CALL_LAYERS;
    moep_plan_result result = {sizeof result, map, stay, go, moved, advice, 0};
    memset(call_shares, 0, sizeof call_shares);
    memset(map, 0, sizeof map);
    memset(moved, 0, sizeof moved);
    memset(advice, 0, sizeof advice);
    CALL(moep_plan_options_init(&options));
    CALL(moep_plan(planner, &layout, bad, NULL, &options, &result));
    for (options.method = MOEP_PLAN_SCENARIOS; options.method <= MOEP_PLAN_MEAN + 1; options.method++) {
        CALL(moep_plan(planner, &layout, NULL, NULL, &options, &result));
        ANSWER(map);
        layout.groups = layout.nodes = layout.nodes == 4 ? 0 : 4;
        CALL(moep_plan(planner, &layout, NULL, map, &options, &result));
        ANSWER(result.net_gain);
        ANSWER(map);
        ANSWER(moved);
        ANSWER(advice);
        answers = hash_of(answers, go, CALL_LAYERS * sizeof *go);
    }
    map[5] = CALL_EXPERTS;
    CALL(moep_plan(planner, &layout, NULL, map, &options, &result));
    CALL(moep_planner_predict_ranks(planner, &layout, map, NULL, 2, probabilities, loads, stay, NULL));
    map[5] = 0;
    memset(call_shares, 0, sizeof call_shares);
    CALL(moep_planner_predict_ranks(planner, &layout, map, NULL, 2, probabilities, loads, stay, go));
    ANSWER(call_shares);
    CALL(moep_planner_predict_rank_quantiles(planner, &layout, map, NULL, 2, probabilities, loads));
    ANSWER(call_shares);
}

static void call_planner(void)
{
    moep_runtime runtime = call_runtime();
    moep_planner_config config = {.struct_size = sizeof config};
    moep_planner *planner = NULL, *other = NULL;
    moep_info info = {.struct_size = sizeof info};
    size_t size = 0;
    CALL(moep_planner_config_init(&config));
    CALL(moep_planner_create(CALL_LAYERS, 0, &config, &runtime, &planner));
    CALL(moep_planner_create(CALL_LAYERS, CALL_EXPERTS, &config, &runtime, &planner));
    call_plan(planner); /* without history */
    CALL(moep_planner_push(planner, 500, call_counts, MOEP_INT64));
    CALL(moep_planner_push_at(planner, 600, 200, call_counts + 500 * CALL_SERIES, MOEP_INT64));
    CALL(moep_planner_push_at(planner, 0, 1, call_counts, MOEP_INT64));
    CALL(moep_planner_info(planner, &info));
    ANSWER(info);
    call_plan(planner);
    CALL(moep_planner_config_read(planner, &config));
    CALL(moep_planner_clone(planner, NULL, &other));
    CALL((moep_planner_destroy(other), 0));
    CALL(moep_planner_save(planner, call_bytes, sizeof call_bytes, &size));
    answers = hash_of(answers, call_bytes, size);
    CALL(moep_planner_load(call_bytes, size, &runtime, &other));
    CALL((moep_planner_destroy(other), 0));
    call_bytes[size / 2] ^= 1;
    CALL(moep_planner_load(call_bytes, size, &runtime, &other));
    CALL((moep_planner_destroy(planner), 0));
}

static void call_maps(void)
{
    enum { SLOTS = 24, RANKS = 8, ROOM = SLOTS - CALL_EXPERTS + 1 };
    static int64_t map[2][CALL_LAYERS * SLOTS], log2phy[CALL_SERIES * ROOM], logcnt[CALL_SERIES];
    static uint64_t moves[CALL_LAYERS];
    static const double bad[CALL_SERIES] = {1, 2, -1};
    moep_layout layout = {sizeof layout, CALL_LAYERS, CALL_EXPERTS, SLOTS, RANKS, 0, 0};
    CALL(moep_rebalance(&layout, call_counts, MOEP_INT64, map[0], log2phy, ROOM, logcnt));
    ANSWER(log2phy);
    CALL(moep_rebalance(&layout, call_counts, MOEP_INT64, NULL, log2phy, 1, NULL));
    CALL(moep_rebalance(&layout, bad, MOEP_FLOAT64, map[0], NULL, 0, NULL));
    layout.groups = layout.nodes = 4;
    CALL(moep_rebalance(&layout, call_counts, MOEP_INT64, map[1], NULL, 0, NULL));
    ANSWER(map);
    CALL(moep_map_invert(&layout, map[1], log2phy, ROOM, logcnt));
    ANSWER(logcnt);
    CALL(moep_map_moves(&layout, map[0], map[1], moves));
    ANSWER(moves);
    memset(call_shares, 0, sizeof call_shares);
    CALL(moep_rank_loads(&layout, map[1], 1, call_shares, call_shares + CALL_SERIES, call_shares + 2 * CALL_SERIES));
    CALL(moep_rank_loads(&layout, map[1], 1, bad, call_shares + CALL_SERIES, NULL));
    ANSWER(call_shares);
}

/* The defaults of a method, with which a fit of the LSTM makes a few updates and a validation. */
static void make_default(moep_method method, moep_predictor_config *config)
{
    *config = (moep_predictor_config){.struct_size = sizeof *config};
    CALL(moep_predictor_config_init(config, method));
    if (method == MOEP_LSTM)
        config->fit_budget = 2000;
}

/* Configurations whose scratch memory and code paths differ from those of the defaults. */
static void make_arima_of_large_orders(moep_predictor_config *config)
{
    config->arima_p = config->arima_q = 8;
    config->arima_bucket = 20;
}

static void make_arima_that_selects(moep_predictor_config *config)
{
    config->arima_p = config->arima_d = config->arima_q = MOEP_SELECT;
    config->arima_bucket = 20;
}

static void make_arima_of_log_ratios(moep_predictor_config *config)
{
    config->arima_d = 0;
    config->arima_scale = MOEP_ARIMA_LOG_RATIOS;
}

static void make_joint_lstm(moep_predictor_config *config)
{
    config->lstm_scope = MOEP_LSTM_JOINT;
    config->lstm_hidden = 4;
}

static const struct {
    moep_method method;
    void (*change)(moep_predictor_config *config);
} call_variants[] = {
    {MOEP_ARIMA, make_arima_of_large_orders},
    {MOEP_ARIMA, make_arima_that_selects},
    {MOEP_ARIMA, make_arima_of_log_ratios},
    {MOEP_LSTM, make_joint_lstm},
};

/* Calls everything, of all methods and variants; returns a hash of all answers. */
static uint64_t call_everything(void)
{
    moep_predictor_config config;
    answers = HASH_START;
    for (moep_method method = 0; moep_method_name(method); method++) {
        make_default(method, &config);
        call_predictor(&config);
    }
    for (size_t i = 0; i < sizeof call_variants / sizeof *call_variants; i++) {
        make_default(call_variants[i].method, &config);
        call_variants[i].change(&config);
        call_predictor(&config);
    }
    call_detector();
    call_planner();
    call_maps();
    return answers;
}

#endif
