/* SPDX-License-Identifier: BSD-3-Clause */
/* No public call, good or bad, changes the host process: its floating-point environment, signals, locale, threads and
 * files stay the same, and nothing is printed. */
#define _GNU_SOURCE
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 30, LAYERS = 2, EXPERTS = 3, SERIES = LAYERS * EXPERTS, SIGNALS = 64 };

/* ---- what is the host's ------------------------------------------------------------------------------------------ */

struct host {
    int rounding;
    unsigned control; /* of the vector unit: masks, rounding, denormals */
    void (*handlers[SIGNALS + 1])(int);
    int flags[SIGNALS + 1];
    bool blocked[SIGNALS + 1];
    char locale[64];
    size_t threads, files;
    mode_t umask;
};

static size_t entries(const char *folder)
{
    size_t n = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    while (readdir(directory))
        n++;
    closedir(directory);
    return n;
}

/* Writes into zeroed memory, so that two structs can be compared byte by byte in spite of padding. */
static void look(struct host *host)
{
    memset(host, 0, sizeof *host);
    host->rounding = fegetround();
#if defined(__x86_64__)
    host->control = __builtin_ia32_stmxcsr() & ~0x3fu; /* not the flags that arithmetic sets */
#endif
    sigset_t blocked;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int s = 1; s <= SIGNALS; s++) {
        struct sigaction action;
        if (sigaction(s, NULL, &action) != 0)
            continue;
        host->handlers[s] = action.sa_handler;
        host->flags[s] = action.sa_flags;
        host->blocked[s] = sigismember(&blocked, s) == 1;
    }
    strncpy(host->locale, setlocale(LC_ALL, NULL), sizeof host->locale - 1);
    host->threads = entries("/proc/self/task");
    host->files = entries("/proc/self/fd");
    host->umask = umask(0);
    umask(host->umask);
}

static struct host before, after;

/* Makes one call, and compares the host before and after it. */
#define LEAVES(call)                                     \
    do {                                                 \
        look(&before);                                   \
        (void)(call);                                    \
        look(&after);                                    \
        if (memcmp(&before, &after, sizeof before) != 0) \
            fail_msg("%s changed the host", #call);      \
    } while (0)

/* ---- every public call ------------------------------------------------------------------------------------------- */

static int64_t *counts;
static moep_predictor *predictor; /* a new one for each call, with all steps pushed */
static double shares[2 * SERIES];

static void call_names(void)
{
    LEAVES(moep_version());
    LEAVES(moep_version_number());
    LEAVES(moep_status_string(MOEP_ERROR_CORRUPT));
    LEAVES(moep_last_error());
    LEAVES(moep_dtype_size(MOEP_FLOAT64));
    LEAVES(moep_method_name(MOEP_SW_AVG));
    LEAVES(moep_forecast_rows(10, 5));
}

static void call_create(void)
{
    LEAVES((moep_predictor_destroy(make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 5, NULL)), 0));
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *other = NULL;
    LEAVES(moep_predictor_config_init(&config, 77));
    LEAVES(moep_predictor_config_init(&config, MOEP_SW_AVG));
    LEAVES(moep_predictor_config_read(predictor, &config));
    LEAVES(moep_predictor_create(SIZE_MAX, SIZE_MAX, &config, NULL, &other));
    LEAVES(moep_predictor_create(0, 1, &config, NULL, &other));
}

static void call_push(void)
{
    int64_t bad[SERIES] = {-1};
    double extremes[SERIES] = {1.7e308, 1.7e308, 5e-324, 5e-324, 0, NAN};
    LEAVES(moep_predictor_push(predictor, STEPS, counts, MOEP_INT64));
    LEAVES(moep_predictor_push_at(predictor, 1000, 1, counts, MOEP_INT64));
    LEAVES(moep_predictor_push_at(predictor, 0, 1, counts, MOEP_INT64));
    LEAVES(moep_predictor_push(predictor, 1, bad, MOEP_INT64));
    LEAVES(moep_predictor_push(predictor, 1, extremes, MOEP_FLOAT64));
    extremes[5] = 1;
    LEAVES(moep_predictor_push(predictor, 1, extremes, MOEP_FLOAT64));
}

static void call_predict(void)
{
    double half = 0.5;
    LEAVES(moep_predictor_fit(predictor));
    LEAVES(moep_predictor_adopt(predictor, predictor));
    LEAVES(moep_predictor_predict_quantiles(predictor, 10, 5, &half, 1, shares, 2 * SERIES));
    LEAVES(moep_predictor_predict(predictor, 10, 5, shares, 2 * SERIES));
    LEAVES(moep_predictor_predict(predictor, 10, 5, shares, 1));
    LEAVES(moep_predictor_predict(predictor, SIZE_MAX, SIZE_MAX, shares, 2 * SERIES));
}

static void call_reset(void)
{
    moep_info info = {.struct_size = sizeof info};
    LEAVES(moep_predictor_reset(predictor));
    LEAVES(moep_predictor_info(predictor, &info));
    LEAVES(moep_predictor_predict(predictor, 10, 5, shares, 2 * SERIES));
}

static void call_state(void)
{
    unsigned char bytes[2048];
    size_t size = 0;
    moep_predictor *other = NULL;
    LEAVES(moep_predictor_clone(predictor, NULL, &other));
    LEAVES((moep_predictor_destroy(other), 0));
    LEAVES(moep_predictor_save(predictor, bytes, sizeof bytes, &size));
    LEAVES(moep_predictor_load(bytes, size, NULL, &other));
    LEAVES((moep_predictor_destroy(other), 0));
    bytes[size / 2] ^= 1;
    LEAVES(moep_predictor_load(bytes, size, NULL, &other));
}

static void call_evaluation(void)
{
    double errors[4 * LAYERS];
    moep_trace trace = {sizeof trace, counts, MOEP_INT64, 0, STEPS, LAYERS, EXPERTS};
    moep_backtest_config config = {.struct_size = sizeof config, .first = 10, .every = 5, .horizon = 10, .stride = 5};
    moep_backtest_result result = {.struct_size = sizeof result, .floor_of_mean = errors};
    LEAVES(moep_forecast_error(LAYERS, EXPERTS, shares, shares, errors, NULL, NULL));
    LEAVES(moep_backtest_origins(STEPS, &config));
    LEAVES(moep_backtest(predictor, &trace, &config, NULL, &result));
    trace.steps = 3;
    LEAVES(moep_backtest(predictor, &trace, &config, NULL, &result));
}

/* Training on two threads, which end before the call does. */
static void call_lstm(void)
{
    enum { HELD = 700 };
    const double half = 0.5;
    float ih[4] = {0}, hh[4] = {0}, bias[4] = {0};
    moep_runtime runtime = {.struct_size = sizeof runtime, .threads = 2};
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_lstm_training training = {.struct_size = sizeof training};
    moep_lstm_weights weights = {sizeof weights, 1, 1, ih, hh, bias, bias};
    moep_trace trace = {sizeof trace, counts, MOEP_INT64, 0, STEPS, LAYERS, EXPERTS};
    moep_predictor *lstm = NULL;
    LEAVES(moep_predictor_config_init(&config, MOEP_LSTM));
    config.lstm_hidden = 1;
    config.fit_budget = 500; /* a few updates */
    LEAVES(moep_predictor_create(LAYERS, EXPERTS, &config, &runtime, &lstm));
    for (size_t step = 0; step < HELD; step++)
        assert_int_equal(moep_predictor_push(lstm, 1, counts + step % STEPS * SERIES, MOEP_INT64), MOEP_OK);
    LEAVES(moep_predictor_fit(lstm));
    LEAVES(moep_predictor_lstm_training(lstm, &training));
    assert_true(training.updates > 1);
    LEAVES(moep_predictor_predict(lstm, 10, 5, shares, 2 * SERIES));
    LEAVES(moep_predictor_predict_quantiles(lstm, 10, 5, &half, 1, shares, 2 * SERIES));
    LEAVES(moep_predictor_lstm_weights(lstm, 0, &weights));
    LEAVES(moep_predictor_set_lstm_weights(lstm, 0, &weights));
    weights.inputs = 2;
    LEAVES(moep_predictor_set_lstm_weights(lstm, 0, &weights));
    LEAVES(moep_predictor_fit_traces(lstm, &trace, 1)); /* too short */
    LEAVES((moep_predictor_destroy(lstm), 0));
}

static void call_detector(void)
{
    static unsigned char bytes[8192];
    size_t size = 0;
    moep_detector *detector = make_detector(LAYERS, EXPERTS, NULL), *other = NULL;
    moep_detector_config config = {.struct_size = sizeof config};
    moep_info info = {.struct_size = sizeof info};
    moep_state states[SERIES];
    uint64_t numbers[SERIES];
    LEAVES(moep_detector_config_init(&config));
    LEAVES(moep_detector_create(SIZE_MAX, SIZE_MAX, &config, NULL, &other));
    config.dwell = 0;
    LEAVES(moep_detector_create(1, 1, &config, NULL, &other));
    for (size_t pushed = 0; pushed < 720; pushed += STEPS) /* until it learns */
        LEAVES(moep_detector_push(detector, STEPS, counts, MOEP_INT64));
    LEAVES(moep_detector_push_at(detector, 900, 1, counts, MOEP_INT64));
    LEAVES(moep_detector_push_at(detector, 0, 1, counts, MOEP_INT64));
    LEAVES(moep_detector_states(detector, NULL, states));
    LEAVES(moep_detector_since(detector, NULL, numbers));
    LEAVES(moep_detector_changes(detector, numbers, NULL));
    for (moep_quantity quantity = MOEP_MEAN - 1; quantity <= MOEP_DISPERSION + 1; quantity++)
        LEAVES(moep_detector_read(detector, quantity, 0, shares, NULL));
    LEAVES(moep_detector_info(detector, &info));
    LEAVES(moep_detector_config_read(detector, &config));
    LEAVES(moep_detector_clone(detector, NULL, &other));
    LEAVES((moep_detector_destroy(other), 0));
    LEAVES(moep_detector_save(detector, bytes, sizeof bytes, &size));
    LEAVES(moep_detector_load(bytes, size, NULL, &other));
    LEAVES((moep_detector_destroy(other), 0));
    bytes[size / 2] ^= 1;
    LEAVES(moep_detector_load(bytes, size, NULL, &other));
    LEAVES((moep_detector_destroy(detector), 0));
}

static void call_plan(const moep_planner *planner)
{
    int64_t map[2 * LAYERS * EXPERTS], from[2 * LAYERS * EXPERTS];
    double stay[LAYERS], go[LAYERS], loads[LAYERS * EXPERTS], half = 0.5;
    moep_layout layout = {sizeof layout, LAYERS, EXPERTS, 2 * EXPERTS, EXPERTS, 0, 0};
    moep_plan_options options = {.struct_size = sizeof options};
    moep_plan_result result = {.struct_size = sizeof result, .phy2log = map, .stay = stay, .go = go};
    LEAVES(moep_plan_options_init(&options));
    LEAVES(moep_plan(planner, &layout, NULL, NULL, &options, &result));
    memcpy(from, map, sizeof from);
    for (options.method = MOEP_PLAN_SCENARIOS; options.method <= MOEP_PLAN_MEAN + 1; options.method++)
        LEAVES(moep_plan(planner, &layout, NULL, from, &options, &result));
    LEAVES(moep_planner_predict_ranks(planner, &layout, map, NULL, 1, &half, loads, stay, go));
    LEAVES(moep_planner_predict_rank_quantiles(planner, &layout, map, NULL, 1, &half, loads));
    map[0] = EXPERTS;
    LEAVES(moep_plan(planner, &layout, NULL, map, &options, &result));
    LEAVES(moep_planner_predict_ranks(planner, &layout, map, NULL, 0, NULL, loads, NULL, NULL));
    layout.slots = 1;
    LEAVES(moep_plan(planner, &layout, NULL, NULL, NULL, &result));
}

static void call_planner(void)
{
    static unsigned char bytes[8192];
    size_t size = 0;
    moep_planner *planner = make_planner(LAYERS, EXPERTS, NULL), *other = NULL;
    moep_planner_config config = {.struct_size = sizeof config};
    moep_info info = {.struct_size = sizeof info};
    LEAVES(moep_planner_config_init(&config));
    LEAVES(moep_planner_create(SIZE_MAX, SIZE_MAX, &config, NULL, &other));
    config.risk = NAN;
    LEAVES(moep_planner_create(1, 1, &config, NULL, &other));
    call_plan(planner); /* without a step */
    LEAVES(moep_planner_push(planner, STEPS, counts, MOEP_INT64));
    call_plan(planner);
    LEAVES(moep_planner_push_at(planner, 900, 1, counts, MOEP_INT64));
    LEAVES(moep_planner_push_at(planner, 0, 1, counts, MOEP_INT64));
    LEAVES(moep_planner_info(planner, &info));
    LEAVES(moep_planner_config_read(planner, &config));
    LEAVES(moep_planner_clone(planner, NULL, &other));
    LEAVES((moep_planner_destroy(other), 0));
    LEAVES(moep_planner_save(planner, bytes, sizeof bytes, &size));
    LEAVES(moep_planner_load(bytes, size, NULL, &other));
    LEAVES((moep_planner_destroy(other), 0));
    bytes[size / 2] ^= 1;
    LEAVES(moep_planner_load(bytes, size, NULL, &other));
    LEAVES((moep_planner_destroy(planner), 0));
}

static void (*const calls[])(void) = {call_names, call_create, call_push,     call_predict, call_lstm,
                                      call_reset, call_state,  call_detector, call_planner, call_evaluation};

/* ---- before and after -------------------------------------------------------------------------------------------- */

static void run_all(void)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, 5, NULL);
        assert_int_equal(moep_predictor_push(predictor, STEPS, counts, MOEP_INT64), MOEP_OK);
        calls[i]();
        moep_predictor_destroy(predictor);
    }
}

static void no_call_changes_the_host(void **state)
{
    (void)state;
    counts = random_counts(STEPS, LAYERS, EXPERTS, 71);
    run_all();
    fesetround(FE_UPWARD); /* a host may have set any mode */
    run_all();
    assert_int_equal(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    free(counts);
}

static void no_call_prints(void **state)
{
    (void)state;
    counts = random_counts(STEPS, LAYERS, EXPERTS, 72);
    FILE *sink = tmpfile();
    assert_non_null(sink);
    fflush(stdout);
    fflush(stderr);
    int out = dup(STDOUT_FILENO), error = dup(STDERR_FILENO);
    dup2(fileno(sink), STDOUT_FILENO);
    dup2(fileno(sink), STDERR_FILENO);
    run_all();
    fflush(stdout);
    fflush(stderr);
    dup2(out, STDOUT_FILENO);
    dup2(error, STDERR_FILENO);
    close(out);
    close(error);
    assert_int_equal(lseek(fileno(sink), 0, SEEK_END), 0);
    fclose(sink);
    free(counts);
}

/* Uses the LSTM in a forked child of a process that has used it on threads. True if everything is right. */
static bool works_in_a_child(moep_predictor *lstm, const double *expected)
{
    moep_lstm_training parents = {.struct_size = sizeof parents}, own = {.struct_size = sizeof own};
    size_t threads = entries("/proc/self/task");
    if (moep_predictor_predict(lstm, 1000, 1000, shares, SERIES) != MOEP_OK)
        return false;
    for (size_t s = 0; s < SERIES; s++)
        if (!(fabs(shares[s] - expected[s]) <= 1e-6)) /* by another kernel, on some processors */
            return false;
    return moep_predictor_lstm_training(lstm, &parents) == MOEP_OK && moep_predictor_fit(lstm) == MOEP_OK &&
           moep_predictor_lstm_training(lstm, &own) == MOEP_OK && parents.updates > 1 &&
           own.updates > parents.updates + 1 && entries("/proc/self/task") == threads;
}

static void a_forked_child_forecasts_and_fits(void **state)
{
    (void)state;
    if (THREAD_SANITIZER)
        return; /* which does not follow threads into a child */
    double expected[SERIES];
    moep_runtime runtime = {.struct_size = sizeof runtime, .threads = 2};
    moep_predictor_config config = {.struct_size = sizeof config};
    moep_predictor *lstm = NULL;
    counts = random_counts(700, LAYERS, EXPERTS, 73);
    assert_int_equal(moep_predictor_config_init(&config, MOEP_LSTM), MOEP_OK);
    config.lstm_hidden = 1;
    config.fit_budget = 500; /* a few updates */
    assert_int_equal(moep_predictor_create(LAYERS, EXPERTS, &config, &runtime, &lstm), MOEP_OK);
    assert_int_equal(moep_predictor_push(lstm, 700, counts, MOEP_INT64), MOEP_OK);
    assert_int_equal(moep_predictor_fit(lstm), MOEP_OK);
    assert_int_equal(moep_predictor_predict(lstm, 1000, 1000, expected, SERIES), MOEP_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(100);
        bool works = works_in_a_child(lstm, expected);
        moep_predictor_destroy(lstm);
        free(counts);
        _exit(works ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    moep_predictor_destroy(lstm);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest host[] = {
        cmocka_unit_test(no_call_changes_the_host),
        cmocka_unit_test(no_call_prints),
        cmocka_unit_test(a_forked_child_forecasts_and_fits),
    };
    return cmocka_run_group_tests(host, NULL, NULL);
}
