/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests every public call that allocates, with each of its requests refused, alone or with all later ones. The call
 * returns OUT_OF_MEMORY, leaks nothing, does not change the handle's saved bytes, and works the next time. */
#include "support.h"

#include <stdio.h>

enum { LAYERS = 3, EXPERTS = 4, SERIES = LAYERS * EXPERTS, STEPS = 40, WINDOW = 10, MOST = 8192 };

/* The input of a call, and the memory for its output. */
struct stage {
    struct test_memory memory;
    moep_runtime runtime;
    moep_predictor *predictor; /* on the same memory */
    moep_detector *detector;   /* on it too */
    moep_planner *planner;     /* on it too */
    int64_t *counts;
    unsigned char state[MOST], output[MOST]; /* the saved predictor; results */
    unsigned char detected[MOST];            /* the saved detector */
    unsigned char planned[MOST];             /* the saved planner */
    size_t size, detected_size, planned_size;
};

static moep_status call_create(struct stage *stage)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    moep_predictor_config_init(&config, MOEP_SW_AVG);
    moep_status status = moep_predictor_create(LAYERS, EXPERTS, &config, &stage->runtime, &predictor);
    assert_true((status == MOEP_OK) == (predictor != NULL));
    moep_predictor_destroy(predictor);
    return status;
}

static moep_status call_push(struct stage *stage)
{
    moep_status status = moep_predictor_push(stage->predictor, STEPS, stage->counts, MOEP_INT64);
    moep_predictor_save(stage->predictor, stage->state, MOST, &stage->size); /* the state it leaves */
    return status;
}

static moep_status call_push_at(struct stage *stage)
{
    moep_info info = {.struct_size = sizeof info};
    moep_predictor_info(stage->predictor, &info);
    moep_status status = moep_predictor_push_at(stage->predictor, info.next_step + 5, STEPS, stage->counts, MOEP_INT64);
    moep_predictor_save(stage->predictor, stage->state, MOST, &stage->size);
    return status;
}

static moep_status call_reset(struct stage *stage)
{
    moep_status status = moep_predictor_reset(stage->predictor);
    moep_predictor_save(stage->predictor, stage->state, MOST, &stage->size);
    return status;
}

static moep_status call_config(struct stage *stage)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_status status = moep_predictor_config_init(&config, MOEP_SW_AVG);
    return status == MOEP_OK ? moep_predictor_config_read(stage->predictor, &config) : status;
}

static moep_status call_fit(struct stage *stage)
{
    return moep_predictor_fit(stage->predictor);
}

static moep_status call_predict(struct stage *stage)
{
    return moep_predictor_predict(stage->predictor, 10, 3, (double *)(void *)stage->output, 4 * SERIES);
}

static moep_status call_predict_quantiles(struct stage *stage)
{
    double *rows = (double *)(void *)stage->output, half = 0.5;
    moep_status status = moep_predictor_predict_quantiles(stage->predictor, 10, 3, &half, 1, rows, 4 * SERIES);
    return status == MOEP_ERROR_UNSUPPORTED ? MOEP_OK : status; /* by SW_Avg */
}

static moep_predictor *made_auto(struct stage *stage, moep_status *status)
{
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    moep_predictor_config_init(&config, MOEP_AUTO);
    *status = moep_predictor_create(LAYERS, EXPERTS, &config, &stage->runtime, &predictor);
    if (*status == MOEP_OK)
        *status = moep_predictor_push(predictor, STEPS, stage->counts, MOEP_INT64);
    return predictor;
}

static moep_status call_auto_predict(struct stage *stage)
{
    moep_status status;
    moep_predictor *predictor = made_auto(stage, &status);
    if (status == MOEP_OK)
        status = moep_predictor_predict(predictor, 10, 3, (double *)(void *)stage->output, 4 * SERIES);
    moep_predictor_destroy(predictor);
    return status;
}

static moep_status call_auto_report(struct stage *stage)
{
    moep_status status;
    moep_predictor *predictor = made_auto(stage, &status);
    moep_auto_report report = {.struct_size = sizeof report, .weights = (double *)(void *)stage->output};
    if (status == MOEP_OK)
        status = moep_predictor_auto_report(predictor, &report);
    moep_predictor_destroy(predictor);
    return status;
}

static moep_status call_adopt(struct stage *stage)
{
    return moep_predictor_adopt(stage->predictor, stage->predictor);
}

static moep_status call_clone(struct stage *stage)
{
    moep_predictor *clone = NULL;
    moep_status status = moep_predictor_clone(stage->predictor, NULL, &clone);
    assert_true((status == MOEP_OK) == (clone != NULL));
    moep_predictor_destroy(clone);
    return status;
}

static moep_status call_save(struct stage *stage)
{
    size_t size;
    return moep_predictor_save(stage->predictor, stage->output, MOST, &size);
}

static moep_status call_load(struct stage *stage)
{
    moep_predictor *loaded = NULL;
    moep_status status = moep_predictor_load(stage->state, stage->size, &stage->runtime, &loaded);
    assert_true((status == MOEP_OK) == (loaded != NULL));
    moep_predictor_destroy(loaded);
    return status;
}

static moep_status call_info(struct stage *stage)
{
    moep_info info = {.struct_size = sizeof info};
    return moep_predictor_info(stage->predictor, &info);
}

static moep_status call_forecast_error(struct stage *stage)
{
    double loads[SERIES] = {0}, *error = (double *)(void *)stage->output;
    return moep_forecast_error(LAYERS, EXPERTS, loads, loads, error, NULL, NULL);
}

static moep_status call_backtest(struct stage *stage)
{
    moep_trace trace = {sizeof trace, stage->counts, MOEP_INT64, 0, STEPS, LAYERS, EXPERTS};
    moep_backtest_config config = {.struct_size = sizeof config, .first = 20, .every = 10, .horizon = 10, .stride = 3};
    moep_backtest_result result = {.struct_size = sizeof result, .error = (double *)(void *)stage->output};
    assert_int_equal(moep_backtest_origins(STEPS, &config), 2);
    return moep_backtest(stage->predictor, &trace, &config, NULL, &result);
}

static moep_status call_detector_create(struct stage *stage)
{
    moep_detector_config config = {.struct_size = sizeof config};
    moep_detector *detector = NULL;
    moep_detector_config_init(&config);
    moep_status status = moep_detector_create(LAYERS, EXPERTS, &config, &stage->runtime, &detector);
    assert_true((status == MOEP_OK) == (detector != NULL));
    moep_detector_destroy(detector);
    return status;
}

static moep_status call_detector_push(struct stage *stage)
{
    moep_status status = moep_detector_push(stage->detector, STEPS, stage->counts, MOEP_INT64);
    moep_detector_save(stage->detector, stage->detected, MOST, &stage->detected_size);
    return status;
}

static moep_status call_detector_reads(struct stage *stage)
{
    double *values = (double *)(void *)stage->output;
    uint64_t *numbers = (uint64_t *)(void *)stage->output;
    moep_info info = {.struct_size = sizeof info};
    moep_detector_config config = {.struct_size = sizeof config};
    moep_status worst = moep_detector_since(stage->detector, NULL, numbers);
    worst |= moep_detector_changes(stage->detector, NULL, numbers);
    worst |= moep_detector_states(stage->detector, (moep_state *)(void *)stage->output, NULL);
    worst |= moep_detector_info(stage->detector, &info);
    worst |= moep_detector_config_read(stage->detector, &config);
    for (moep_quantity quantity = MOEP_MEAN; quantity <= MOEP_DISPERSION; quantity++)
        worst |= moep_detector_read(stage->detector, quantity, 0, NULL, values);
    return worst;
}

static moep_status call_detector_read_layers(struct stage *stage)
{
    return moep_detector_read(stage->detector, MOEP_VARIANCE, 1, (double *)(void *)stage->output, NULL);
}

static moep_status call_detector_clone(struct stage *stage)
{
    moep_detector *clone = NULL;
    moep_status status = moep_detector_clone(stage->detector, NULL, &clone);
    assert_true((status == MOEP_OK) == (clone != NULL));
    moep_detector_destroy(clone);
    return status;
}

static moep_status call_detector_save(struct stage *stage)
{
    size_t size;
    return moep_detector_save(stage->detector, stage->output, MOST, &size);
}

static moep_status call_detector_load(struct stage *stage)
{
    moep_detector *loaded = NULL;
    moep_status status = moep_detector_load(stage->detected, stage->detected_size, &stage->runtime, &loaded);
    assert_true((status == MOEP_OK) == (loaded != NULL));
    moep_detector_destroy(loaded);
    return status;
}

static moep_status call_planner_create(struct stage *stage)
{
    moep_planner_config config = {.struct_size = sizeof config};
    moep_planner *planner = NULL;
    moep_planner_config_init(&config);
    moep_status status = moep_planner_create(LAYERS, EXPERTS, &config, &stage->runtime, &planner);
    assert_true((status == MOEP_OK) == (planner != NULL));
    moep_planner_destroy(planner);
    return status;
}

static moep_status call_planner_push(struct stage *stage)
{
    moep_status status = moep_planner_push(stage->planner, STEPS, stage->counts, MOEP_INT64);
    moep_planner_save(stage->planner, stage->planned, MOST, &stage->planned_size);
    return status;
}

static moep_status call_planner_reads(struct stage *stage)
{
    moep_info info = {.struct_size = sizeof info};
    moep_planner_config config = {.struct_size = sizeof config};
    return moep_planner_info(stage->planner, &info) | moep_planner_config_read(stage->planner, &config);
}

enum { SLOTS = 6, RANKS = 3 };

static moep_layout layout_of_plans(void)
{
    return (moep_layout){sizeof(moep_layout), LAYERS, EXPERTS, SLOTS, RANKS, 0, 0};
}

/* From scratch, and from the map of zeros that a first plan would fill; every output is in `output`. */
static moep_status plan(struct stage *stage, const int64_t *current)
{
    moep_layout layout = layout_of_plans();
    double *stay = (double *)(void *)stage->output;
    moep_plan_result result = {.struct_size = sizeof result,
                               .stay = stay,
                               .go = stay + LAYERS,
                               .phy2log = (int64_t *)(void *)(stay + 2 * LAYERS),
                               .moved = (uint64_t *)(void *)(stay + 2 * LAYERS + LAYERS * SLOTS),
                               .advice = stage->output + (3 * LAYERS + LAYERS * SLOTS) * sizeof *stay,
                               .net_gain = -7};
    moep_status status = moep_plan(stage->planner, &layout, NULL, current, NULL, &result);
    assert_true((status == MOEP_OK) == (result.net_gain != -7));
    return status;
}

static moep_status call_plan(struct stage *stage)
{
    return plan(stage, NULL);
}

static moep_status call_plan_from(struct stage *stage)
{
    static const int64_t zeros[LAYERS * SLOTS];
    return plan(stage, zeros);
}

static moep_status call_predict_ranks(struct stage *stage)
{
    static const int64_t map[LAYERS * SLOTS] = {0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 0, 1};
    moep_layout layout = layout_of_plans();
    double *loads = (double *)(void *)stage->output, half = 0.5;
    return moep_planner_predict_ranks(stage->planner, &layout, map, NULL, 1, &half, loads, loads + LAYERS * RANKS,
                                      loads + LAYERS * RANKS + LAYERS);
}

static moep_status call_predict_rank_quantiles(struct stage *stage)
{
    static const int64_t map[LAYERS * SLOTS] = {0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 0, 1};
    moep_layout layout = layout_of_plans();
    const double half = 0.5;
    return moep_planner_predict_rank_quantiles(stage->planner, &layout, map, NULL, 1, &half,
                                               (double *)(void *)stage->output);
}

static moep_status call_planner_clone(struct stage *stage)
{
    moep_planner *clone = NULL;
    moep_status status = moep_planner_clone(stage->planner, NULL, &clone);
    assert_true((status == MOEP_OK) == (clone != NULL));
    moep_planner_destroy(clone);
    return status;
}

static moep_status call_planner_save(struct stage *stage)
{
    size_t size;
    return moep_planner_save(stage->planner, stage->output, MOST, &size);
}

static moep_status call_planner_load(struct stage *stage)
{
    moep_planner *loaded = NULL;
    moep_status status = moep_planner_load(stage->planned, stage->planned_size, &stage->runtime, &loaded);
    assert_true((status == MOEP_OK) == (loaded != NULL));
    moep_planner_destroy(loaded);
    return status;
}

#define CALL(name, takes_memory)         \
    {                                    \
#name, call_##name, takes_memory \
    }

static const struct call {
    const char *name;
    moep_status (*run)(struct stage *stage);
    bool takes_memory;
} calls[] = {
    CALL(create, true),
    CALL(push, false),
    CALL(push_at, false),
    CALL(reset, false),
    CALL(config, false),
    CALL(fit, false),
    CALL(predict, true),
    CALL(predict_quantiles, false),
    CALL(auto_predict, true),
    CALL(auto_report, true),
    CALL(adopt, false),
    CALL(clone, true),
    CALL(save, false),
    CALL(load, true),
    CALL(info, false),
    CALL(forecast_error, false),
    CALL(backtest, true),
    CALL(detector_create, true),
    CALL(detector_push, false),
    CALL(detector_reads, false),
    CALL(detector_read_layers, true),
    CALL(detector_clone, true),
    CALL(detector_save, false),
    CALL(detector_load, true),
    CALL(planner_create, true),
    CALL(planner_push, false),
    CALL(planner_reads, false),
    CALL(plan, true),
    CALL(plan_from, true),
    CALL(predict_ranks, true),
    CALL(predict_rank_quantiles, true),
    CALL(planner_clone, true),
    CALL(planner_save, false),
    CALL(planner_load, true),
};

static void set(struct stage *stage)
{
    *stage = (struct stage){.counts = random_counts(STEPS, LAYERS, EXPERTS, 7)};
    stage->runtime = runtime_on(&stage->memory);
    stage->predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, WINDOW, &stage->runtime);
    assert_int_equal(moep_predictor_push(stage->predictor, STEPS, stage->counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_save(stage->predictor, stage->state, MOST, &stage->size), MOEP_OK);
    stage->detector = make_detector(LAYERS, EXPERTS, &stage->runtime);
    for (size_t pushed = 0; pushed < 720; pushed += STEPS) /* until it learns */
        assert_int_equal(moep_detector_push(stage->detector, STEPS, stage->counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_detector_save(stage->detector, stage->detected, MOST, &stage->detected_size), MOEP_OK);
    stage->planner = make_planner(LAYERS, EXPERTS, &stage->runtime);
    assert_int_equal(moep_planner_push(stage->planner, STEPS, stage->counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_planner_save(stage->planner, stage->planned, MOST, &stage->planned_size), MOEP_OK);
    memset(stage->output, 0x7f, MOST);
}

static void clear(struct stage *stage)
{
    moep_predictor_destroy(stage->predictor);
    moep_detector_destroy(stage->detector);
    moep_planner_destroy(stage->planner);
    assert_int_equal(stage->memory.live_blocks, 0);
    assert_int_equal(stage->memory.live_bytes, 0);
    free(stage->counts);
}

/* Makes the call with its n-th request refused. False if it made fewer requests. */
static bool refuse(const struct call *call, size_t n, bool for_ever)
{
    static struct stage stage;
    static unsigned char untouched[MOST], state[MOST];
    size_t size;
    set(&stage);
    memset(untouched, 0x7f, MOST);
    size_t live = stage.memory.live_bytes, requests = stage.memory.requests;
    stage.memory.refuse_at = requests + n;
    stage.memory.refuse_after = for_ever;
    moep_status status = call->run(&stage);
    bool refused = stage.memory.requests >= requests + n;
    stage.memory.refuse_at = 0;
    assert_int_equal(status, refused ? MOEP_ERROR_OUT_OF_MEMORY : MOEP_OK);
    assert_int_equal(stage.memory.live_bytes, live);
    if (refused) {
        assert_says("no memory for");
        assert_memory_equal(stage.output, untouched, MOST);
    }
    assert_int_equal(moep_predictor_save(stage.predictor, state, MOST, &size), MOEP_OK);
    assert_memory_equal(state, stage.state, size);
    assert_int_equal(moep_detector_save(stage.detector, state, MOST, &size), MOEP_OK);
    assert_memory_equal(state, stage.detected, size);
    assert_int_equal(moep_planner_save(stage.planner, state, MOST, &size), MOEP_OK);
    assert_memory_equal(state, stage.planned, size);
    assert_int_equal(call->run(&stage), MOEP_OK);
    clear(&stage);
    return refused;
}

static void any_refused_request_is_an_error_that_changes_nothing(void **state)
{
    (void)state;
    size_t points = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        for (int for_ever = 0; for_ever <= 1; for_ever++) {
            size_t n = 1;
            while (refuse(&calls[i], n, for_ever))
                n++;
            assert_true(calls[i].takes_memory == (n > 1));
            points += n - 1;
        }
    }
    print_message("# %zu requests refused, each once and for ever\n", points / 2);
    assert_true(points > 0);
}

int main(void)
{
    const struct CMUnitTest refusal[] = {
        cmocka_unit_test(any_refused_request_is_an_error_that_changes_nothing),
    };
    return cmocka_run_group_tests(refusal, NULL, NULL);
}
