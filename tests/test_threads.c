/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread rule: const calls on one handle may overlap, and different handles are independent. All threads get the
 * same bytes. tests/run.sh --threads runs this under ThreadSanitizer. */
#include "support.h"

#include <pthread.h>

enum { THREADS = 8, ROUNDS = 20, LAYERS = 3, EXPERTS = 40, SERIES = LAYERS * EXPERTS, STEPS = 60, WINDOW = 12 };
enum { MOST = 8192, MOST_DETECTED = 131072, DETECTED_STEPS = 720, LSTM_STEPS = 700 };
enum { SLOTS = 48, RANKS = 8 };

/* A thread's input and output. The outputs are compared when all threads have ended. */
struct work {
    const moep_predictor *shared;
    const moep_detector *detector; /* shared as well */
    const moep_planner *planner;   /* this too */
    const moep_predictor *lstm;    /* and this */
    const int64_t *counts;
    double forecast[5 * SERIES], of_clone[5 * SERIES], errors[3 * LAYERS];
    unsigned char state[MOST];
    unsigned char detected[MOST_DETECTED];
    moep_state states[SERIES];
    double values[6][SERIES];
    int64_t map[LAYERS * SLOTS];
    uint64_t moved[LAYERS];
    uint8_t advice[LAYERS];
    moep_info info;
    moep_status worst;
};

static void note(struct work *work, moep_status status)
{
    if (status < work->worst)
        work->worst = status;
}

/* Every const call, and the calls that make new handles, on the shared handle. */
static void *use_shared(void *argument)
{
    struct work *work = argument;
    moep_trace trace = {sizeof trace, work->counts, MOEP_INT64, 0, STEPS, LAYERS, EXPERTS};
    moep_backtest_config config = {.struct_size = sizeof config, .first = 20, .every = 10, .horizon = 20, .stride = 20};
    moep_backtest_result result = {.struct_size = sizeof result, .error = work->errors};
    for (size_t round = 0; round < ROUNDS; round++) {
        moep_predictor *clone = NULL, *loaded = NULL;
        size_t size = 0;
        work->info.struct_size = sizeof work->info;
        note(work, moep_predictor_predict(work->shared, 35, 7, work->forecast, 5 * SERIES));
        note(work, moep_predictor_info(work->shared, &work->info));
        note(work, moep_predictor_save(work->shared, work->state, MOST, &size));
        note(work, moep_predictor_load(work->state, size, NULL, &loaded));
        note(work, moep_predictor_clone(work->shared, NULL, &clone));
        note(work, moep_predictor_push(clone, 3, work->counts, MOEP_INT64));
        note(work, moep_predictor_predict(clone, 35, 7, work->of_clone, 5 * SERIES));
        note(work, moep_backtest(work->shared, &trace, &config, NULL, &result));
        moep_predictor_destroy(loaded);
        moep_predictor_destroy(clone);
    }
    return NULL;
}

static void *use_shared_detector(void *argument)
{
    struct work *work = argument;
    for (size_t round = 0; round < ROUNDS; round++) {
        moep_detector *clone = NULL, *loaded = NULL;
        size_t size = 0;
        note(work, moep_detector_states(work->detector, NULL, work->states));
        for (moep_quantity quantity = MOEP_MEAN; quantity <= MOEP_DISPERSION; quantity++) {
            note(work, moep_detector_read(work->detector, quantity, 0, NULL, work->values[quantity]));
            note(work, moep_detector_read(work->detector, quantity, 0, work->of_clone, NULL));
        }
        note(work, moep_detector_save(work->detector, work->detected, MOST_DETECTED, &size));
        note(work, moep_detector_load(work->detected, size, NULL, &loaded));
        note(work, moep_detector_clone(work->detector, NULL, &clone));
        note(work, moep_detector_push(clone, 3, work->counts, MOEP_INT64));
        moep_detector_destroy(loaded);
        moep_detector_destroy(clone);
    }
    return NULL;
}

static const moep_layout layout = {sizeof layout, LAYERS, EXPERTS, SLOTS, RANKS, 0, 0};

/* A plan's calls start threads of their own. */
static void *use_shared_planner(void *argument)
{
    struct work *work = argument;
    const double half = 0.5;
    for (size_t round = 0; round < 3; round++) {
        moep_planner *clone = NULL;
        double *stay = work->values[0], *go = work->values[1];
        moep_plan_result result = {sizeof result, work->map, stay, go, work->moved, work->advice, 0};
        note(work, moep_plan(work->planner, &layout, NULL, NULL, NULL, &result));
        note(work, moep_plan(work->planner, &layout, work->forecast, work->map, NULL, &result));
        note(work, moep_planner_predict_ranks(work->planner, &layout, work->map, NULL, 1, &half, work->values[2],
                                              work->values[3], work->values[4]));
        note(work,
             moep_planner_predict_rank_quantiles(work->planner, &layout, work->map, NULL, 1, &half, work->values[5]));
        note(work, moep_planner_clone(work->planner, NULL, &clone));
        note(work, moep_planner_push(clone, 3, work->counts, MOEP_INT64));
        note(work, moep_plan(clone, &layout, NULL, work->map, NULL, &result));
        moep_planner_destroy(clone);
    }
    return NULL;
}

/* An LSTM's calls start threads of their own. */
static void *use_shared_lstm(void *argument)
{
    struct work *work = argument;
    const double half = 0.5;
    moep_lstm_training training = {.struct_size = sizeof training};
    for (size_t round = 0; round < 3; round++) {
        moep_predictor *clone = NULL;
        note(work, moep_predictor_predict(work->lstm, 1000, 200, work->forecast, 5 * SERIES));
        note(work, moep_predictor_predict_quantiles(work->lstm, 1000, 200, &half, 1, work->of_clone, 5 * SERIES));
        note(work, moep_predictor_lstm_training(work->lstm, &training));
        note(work, moep_predictor_clone(work->lstm, NULL, &clone));
        note(work, moep_predictor_fit(clone));
        note(work, moep_predictor_predict(clone, 1000, 200, work->of_clone, 5 * SERIES));
        moep_predictor_destroy(clone);
    }
    return NULL;
}

/* A handle of the thread's own, from create to destroy. */
static void *use_own(void *argument)
{
    struct work *work = argument;
    for (size_t round = 0; round < ROUNDS; round++) {
        moep_predictor_config config = {.struct_size = sizeof config};
        moep_predictor *predictor = NULL;
        size_t size = 0;
        note(work, moep_predictor_config_init(&config, MOEP_SW_AVG));
        config.sw_avg_window = WINDOW;
        note(work, moep_predictor_create(LAYERS, EXPERTS, &config, NULL, &predictor));
        for (size_t step = 0; step < STEPS; step++)
            note(work, moep_predictor_push(predictor, 1, work->counts + step * SERIES, MOEP_INT64));
        note(work, moep_predictor_fit(predictor));
        note(work, moep_predictor_predict(predictor, 35, 7, work->forecast, 5 * SERIES));
        note(work, moep_predictor_save(predictor, work->state, MOST, &size));
        note(work, moep_predictor_reset(predictor));
        moep_predictor_destroy(predictor);
    }
    return NULL;
}

static void *use_own_detector(void *argument)
{
    struct work *work = argument;
    moep_detector *detector = make_detector(LAYERS, EXPERTS, NULL);
    size_t size = 0;
    for (size_t pushed = 0; pushed < DETECTED_STEPS; pushed++)
        note(work, moep_detector_push(detector, 1, work->counts + pushed % STEPS * SERIES, MOEP_INT64));
    note(work, moep_detector_read(detector, MOEP_NOISE, 0, NULL, work->values[MOEP_NOISE]));
    note(work, moep_detector_save(detector, work->detected, MOST_DETECTED, &size));
    moep_detector_destroy(detector);
    return NULL;
}

static moep_planner *make_shared_planner(const int64_t *counts)
{
    moep_runtime runtime = {.struct_size = sizeof runtime, .threads = 2};
    moep_planner *planner = make_planner(LAYERS, EXPERTS, &runtime);
    assert_int_equal(moep_planner_push(planner, STEPS, counts, MOEP_INT64), MOEP_OK);
    return planner;
}

static moep_predictor *make_lstm(const int64_t *counts)
{
    moep_runtime runtime = {.struct_size = sizeof runtime, .threads = 2};
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_config_init(&config, MOEP_LSTM), MOEP_OK);
    config.lstm_hidden = 3;
    config.fit_budget = 400; /* a few updates */
    assert_int_equal(moep_predictor_create(LAYERS, EXPERTS, &config, &runtime, &predictor), MOEP_OK);
    for (size_t step = 0; step < LSTM_STEPS; step++)
        assert_int_equal(moep_predictor_push(predictor, 1, counts + step % STEPS * SERIES, MOEP_INT64), MOEP_OK);
    return predictor;
}

static struct work *new_work(const moep_predictor *shared, const moep_detector *detector, const moep_planner *planner,
                             const moep_predictor *lstm, const int64_t *counts)
{
    struct work *work = calloc(1, sizeof *work);
    work->shared = shared;
    work->detector = detector;
    work->planner = planner;
    work->lstm = lstm;
    work->counts = counts;
    return work;
}

static void assert_all_threads_get_the_bytes_of_one(void *(*use)(void *))
{
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 61);
    moep_predictor *shared = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, WINDOW, NULL);
    assert_int_equal(moep_predictor_push(shared, STEPS, counts, MOEP_INT64), MOEP_OK);
    moep_detector *detector = make_detector(LAYERS, EXPERTS, NULL);
    for (size_t pushed = 0; pushed < DETECTED_STEPS; pushed += STEPS)
        assert_int_equal(moep_detector_push(detector, STEPS, counts, MOEP_INT64), MOEP_OK);
    moep_planner *planner = make_shared_planner(counts);
    moep_predictor *lstm = make_lstm(counts);
    struct work *alone = new_work(shared, detector, planner, lstm, counts), *works[THREADS];
    pthread_t threads[THREADS];
    use(alone);
    assert_int_equal(alone->worst, MOEP_OK);
    for (size_t i = 0; i < THREADS; i++) {
        works[i] = new_work(shared, detector, planner, lstm, counts);
        assert_int_equal(pthread_create(&threads[i], NULL, use, works[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_memory_equal(works[i], alone, sizeof *alone);
        free(works[i]);
    }
    free(alone);
    moep_predictor_destroy(lstm);
    moep_planner_destroy(planner);
    moep_detector_destroy(detector);
    moep_predictor_destroy(shared);
    free(counts);
}

static void const_calls_on_one_handle_overlap(void **state)
{
    (void)state;
    assert_all_threads_get_the_bytes_of_one(use_shared);
    assert_all_threads_get_the_bytes_of_one(use_shared_detector);
    assert_all_threads_get_the_bytes_of_one(use_shared_planner);
}

static void const_calls_on_one_lstm_overlap(void **state)
{
    (void)state;
    assert_all_threads_get_the_bytes_of_one(use_shared_lstm);
}

static void handles_are_independent(void **state)
{
    (void)state;
    assert_all_threads_get_the_bytes_of_one(use_own);
    assert_all_threads_get_the_bytes_of_one(use_own_detector);
}

/* With an argument, runs the tests that train a network. */
int main(int argc, char **argv)
{
    (void)argv;
    const struct CMUnitTest threads[] = {
        cmocka_unit_test(const_calls_on_one_handle_overlap),
        cmocka_unit_test(handles_are_independent),
    };
    const struct CMUnitTest lstm_threads[] = {cmocka_unit_test(const_calls_on_one_lstm_overlap)};
    return argc > 1 ? cmocka_run_group_tests(lstm_threads, NULL, NULL) : cmocka_run_group_tests(threads, NULL, NULL);
}
