/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "detector/window.h"
#include "series/history.h"

#include <stdio.h>

#if WITH_GSL
#include <gsl/gsl_movstat.h>
#endif

static const struct memory memory = {mp_default_allocate, mp_default_release, NULL};

enum { KINDS = 3 };
static void (*const kinds[KINDS])(const struct window *, double *) = {mp_window_mean, mp_window_variance,
                                                                      mp_window_range};

/* ---- a history with a window ------------------------------------------------------------------------------------- */

struct stage {
    struct history history;
    struct window window;
};

static struct stage make(size_t steps, size_t layers, size_t experts)
{
    struct stage stage;
    assert_int_equal(mp_history_make(&stage.history, layers, experts, steps + 1, &memory), MOEP_OK);
    assert_int_equal(mp_window_make(&stage.window, steps, layers * experts, &memory), MOEP_OK);
    return stage;
}

static void clear(struct stage *stage)
{
    mp_window_free(&stage->window, &memory);
    mp_history_free(&stage->history, &memory);
}

static void push(struct stage *stage, const void *counts, moep_dtype dtype)
{
    assert_int_equal(mp_history_push(&stage->history, stage->history.next_step, 1, counts, dtype), MOEP_OK);
    struct panel panel = mp_history_panel(&stage->history);
    mp_window_push(&stage->window, &panel);
}

/* ---- the definitions, computed from all shares ------------------------------------------------------------------- */

static void define(const double *shares, size_t n, double statistics[KINDS])
{
    long double sum = 0, squares = 0;
    double least = shares[0], largest = shares[0];
    for (size_t i = 0; i < n; i++) {
        sum += (long double)shares[i];
        least = fmin(least, shares[i]);
        largest = fmax(largest, shares[i]);
    }
    for (size_t i = 0; i < n; i++)
        squares += ((long double)shares[i] - sum / n) * ((long double)shares[i] - sum / n);
    statistics[0] = (double)(sum / n);
    statistics[1] = (double)(squares / n);
    statistics[2] = largest - least;
}

/* ---- a real run -------------------------------------------------------------------------------------------------- */

enum { LAYERS = 6, EXPERTS = 16, SERIES = LAYERS * EXPERTS, STEPS = 1500, TRACE_STEPS = 10000 };

static double series[SERIES][STEPS]; /* shares as the history keeps them, step after step */
static int32_t *trace;

static int read_trace(void **state)
{
    (void)state;
    FILE *file = fopen(TRACE, "rb");
    assert_non_null(file);
    long size = TRACE_STEPS * SERIES * (long)sizeof *trace;
    assert_int_equal(fseek(file, -size, SEEK_END), 0);
    trace = malloc((size_t)size);
    assert_int_equal(fread(trace, sizeof *trace, TRACE_STEPS * SERIES, file), TRACE_STEPS * SERIES);
    fclose(file);
    for (size_t step = 0; step < STEPS; step++)
        for (size_t s = 0; s < SERIES; s++) {
            double total = 0;
            for (size_t e = 0; e < EXPERTS; e++)
                total += trace[step * SERIES + s / EXPERTS * EXPERTS + e];
            series[s][step] = (double)(float)(trace[step * SERIES + s] / total);
        }
    return 0;
}

static int free_trace(void **state)
{
    (void)state;
    free(trace);
    return 0;
}

/* A share below 2^-8 may have digits below the unit, 2^-31. Their contribution is within the tolerance. */
static void assert_statistics(const double actual[KINDS], const double expected[KINDS], double tolerance)
{
    const double unit = 0x1p-31;
    assert_near(actual[0], expected[0], tolerance * expected[0] + unit);
    assert_near(actual[1], expected[1], tolerance * expected[1] + 2 * unit * sqrt(expected[1]) + unit * unit);
    assert_near(actual[2], expected[2], 0);
}

static void statistics_of_a_real_run_follow_their_definitions(void **state)
{
    (void)state;
    const size_t windows[] = {1, 2, 10, 97, 100, 1024};
    static double out[KINDS][SERIES];
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct stage stage = make(windows[i], LAYERS, EXPERTS);
        for (size_t step = 0; step < STEPS; step++) {
            push(&stage, trace + step * SERIES, MOEP_INT32);
            if (step % 7 != 3 && step > 20)
                continue;
            for (size_t kind = 0; kind < KINDS; kind++)
                kinds[kind](&stage.window, out[kind]);
            size_t n = step + 1 < windows[i] ? step + 1 : windows[i];
            for (size_t s = step % 5; s < SERIES; s += 5) {
                double expected[KINDS], actual[KINDS] = {out[0][s], out[1][s], out[2][s]};
                define(series[s] + step + 1 - n, n, expected);
                assert_statistics(actual, expected, 1e-13);
            }
        }
        clear(&stage);
    }
}

#if WITH_GSL
static void statistics_of_a_real_run_are_those_of_gsl(void **state)
{
    (void)state;
    const size_t windows[] = {10, 100, 1000};
    static double out[KINDS][SERIES], expected[KINDS][SERIES][STEPS];
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        size_t w = windows[i];
        gsl_movstat_workspace *workspace = gsl_movstat_alloc2(w - 1, 0);
        static double least[STEPS], largest[STEPS];
        for (size_t s = 0; s < SERIES; s++) {
            gsl_vector_view x = gsl_vector_view_array(series[s], STEPS);
            gsl_vector_view mean = gsl_vector_view_array(expected[0][s], STEPS);
            gsl_vector_view variance = gsl_vector_view_array(expected[1][s], STEPS);
            gsl_vector_view low = gsl_vector_view_array(least, STEPS), high = gsl_vector_view_array(largest, STEPS);
            gsl_movstat_mean(GSL_MOVSTAT_END_TRUNCATE, &x.vector, &mean.vector, workspace);
            gsl_movstat_variance(GSL_MOVSTAT_END_TRUNCATE, &x.vector, &variance.vector, workspace);
            gsl_movstat_minmax(GSL_MOVSTAT_END_TRUNCATE, &x.vector, &low.vector, &high.vector, workspace);
            for (size_t step = 0; step < STEPS; step++)
                expected[2][s][step] = largest[step] - least[step];
        }
        gsl_movstat_free(workspace);
        struct stage stage = make(w, LAYERS, EXPERTS);
        for (size_t step = 0; step < STEPS; step++) {
            push(&stage, trace + step * SERIES, MOEP_INT32);
            for (size_t kind = 0; kind < KINDS; kind++)
                kinds[kind](&stage.window, out[kind]);
            double n = (double)(step + 1 < w ? step + 1 : w); /* GSL divides by n - 1 */
            for (size_t s = 0; s < SERIES; s++) {
                const double ours[KINDS] = {out[0][s], out[1][s], out[2][s]};
                const double theirs[KINDS] = {expected[0][s][step], expected[1][s][step] * (n - 1) / n,
                                              expected[2][s][step]};
                assert_statistics(ours, theirs, 1e-9);
            }
        }
        clear(&stage);
    }
}
#endif

/* ---- exactness --------------------------------------------------------------------------------------------------- */

static void variance_keeps_its_digits_where_the_mean_is_large(void **state)
{
    (void)state;
    struct stage stage = make(100, 1, 2);
    const int64_t half = INT64_C(1) << 23; /* shares 1/2 - 2^-24 and 1/2 + 2^-24 */
    double variance[2];
    for (size_t step = 0; step < 1000; step++) {
        int64_t counts[2] = {half + (step % 2 ? 1 : -1), half - (step % 2 ? 1 : -1)};
        push(&stage, counts, MOEP_INT64);
    }
    mp_window_variance(&stage.window, variance);
    assert_true(variance[0] == 0x1p-48 && variance[1] == 0x1p-48);
    clear(&stage);
}

static void the_longest_window_of_the_widest_swings_is_exact(void **state)
{
    (void)state;
    enum { W = MP_LONGEST_WINDOW, N = 5000 };
    struct stage stage = make(W, 1, 2);
    double out[KINDS][2];
    uint64_t seed = 4, all_of_it[N + 1] = {0}; /* steps so far at which the first expert has the whole load */
    for (size_t step = 0; step < N; step++) {
        bool all = step < 2 || random_number(&seed) >> 63;
        int64_t counts[2] = {all ? INT64_MAX : 0, all ? 0 : 1};
        push(&stage, counts, MOEP_INT64);
        all_of_it[step + 1] = all_of_it[step] + all;
        for (size_t kind = 0; kind < KINDS; kind++)
            kinds[kind](&stage.window, out[kind]);
        size_t n = step < W ? step + 1 : W;
        double mean = (double)(all_of_it[step + 1] - all_of_it[step + 1 - n]) / (double)n;
        assert_near(out[0][0], mean, 1e-15);
        assert_near(out[1][0], mean * (1 - mean), 1e-15);
        assert_near(out[1][1], mean * (1 - mean), 1e-15);
    }
    assert_true(out[2][0] == 1 && out[2][1] == 1);
    clear(&stage);
}

static void a_constant_load_has_no_variance_and_no_range(void **state)
{
    (void)state;
    struct stage stage = make(7, 1, 3);
    double out[KINDS][3];
    for (size_t step = 0; step < 40; step++) {
        const int32_t counts[3] = {1, 3, 996};
        push(&stage, counts, MOEP_INT32);
        for (size_t kind = 0; kind < KINDS; kind++)
            kinds[kind](&stage.window, out[kind]);
        for (size_t e = 0; e < 3; e++) {
            assert_near(out[0][e], counts[e] / 1000.0, 0x1p-25 * counts[e] / 1000.0 + 0x1p-31);
            assert_true(out[1][e] == 0 && out[2][e] == 0);
        }
    }
    clear(&stage);
}

/* Spikes of a whole layer's load occur between loads of millionths. After them the window equals a new one. */
static void spikes_leave_no_trace_once_they_have_left_the_window(void **state)
{
    (void)state;
    enum { W = 50, N = 200000 };
    struct stage stage = make(W, 1, 4), fresh = make(W, 1, 4);
    uint64_t seed = 3;
    for (size_t step = 0; step < N; step++) {
        int64_t counts[4] = {1, 2, 3 + (int64_t)(random_number(&seed) >> 61), 1000000};
        if (step % 137 == 0 && step < N - W)
            counts[step % 3] = INT64_C(1) << 50;
        push(&stage, counts, MOEP_INT64);
        if (step >= N - W)
            push(&fresh, counts, MOEP_INT64);
    }
    for (size_t kind = 0; kind < KINDS; kind++) {
        double out[4], expected[4];
        kinds[kind](&stage.window, out);
        kinds[kind](&fresh.window, expected);
        assert_memory_equal(out, expected, sizeof out);
    }
    clear(&fresh);
    clear(&stage);
}

static void a_rebuilt_window_reads_the_same_now_and_later(void **state)
{
    (void)state;
    const size_t windows[] = {1, 2, 7, 40, 150}; /* shorter and longer than there are series */
    enum { E = 12, N = 400, LATER = 170 };
    int64_t *counts = random_counts(N + LATER, 1, E, 5);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (size_t end = 0; end < N; end += 13) {
            struct stage stage = make(windows[i], 1, E), rebuilt = make(windows[i], 1, E);
            for (size_t step = 0; step < end; step++)
                push(&stage, counts + step * E, MOEP_INT64);
            mp_history_copy(&rebuilt.history, &stage.history);
            struct panel panel = mp_history_panel(&rebuilt.history);
            mp_window_rebuild(&rebuilt.window, &panel, end);
            for (size_t step = end; step < end + LATER; step++) {
                for (size_t kind = 0; kind < KINDS && step > 0; kind++) {
                    double out[E], expected[E];
                    kinds[kind](&rebuilt.window, out);
                    kinds[kind](&stage.window, expected);
                    assert_memory_equal(out, expected, sizeof out);
                }
                push(&stage, counts + step * E, MOEP_INT64);
                push(&rebuilt, counts + step * E, MOEP_INT64);
            }
            clear(&rebuilt);
            clear(&stage);
        }
    free(counts);
}

static void a_size_too_large_for_any_memory_is_refused(void **state)
{
    (void)state;
    struct window window;
    assert_int_equal(mp_window_make(&window, 1024, SIZE_MAX / 100, &memory), MOEP_ERROR_OUT_OF_MEMORY);
    mp_window_free(&window, &memory);
}

/* If half of the steps are one unit above the others, the variance is a quarter of the unit's square. */
static void a_variance_of_one_unit_is_exact(void **state)
{
    (void)state;
    const double unit = 0x1p-31;
    struct stage stage = make(100, 1, 2);
    double variance[2];
    for (size_t step = 0; step < 150; step++) {
        double counts[2] = {0x1p-8 + (step % 2 ? unit : 0), 0};
        counts[1] = 1 - counts[0];
        push(&stage, counts, MOEP_FLOAT64);
        size_t n = step + 1 < 100 ? step + 1 : 100;
        double part = (double)(n / 2) / (double)n;
        mp_window_variance(&stage.window, variance);
        assert_near(variance[0], part * (1 - part) * unit * unit, 1e-12 * unit * unit);
    }
    clear(&stage);
}

int main(void)
{
    const struct CMUnitTest window[] = {
        cmocka_unit_test(statistics_of_a_real_run_follow_their_definitions),
#if WITH_GSL
        cmocka_unit_test(statistics_of_a_real_run_are_those_of_gsl),
#endif
        cmocka_unit_test(variance_keeps_its_digits_where_the_mean_is_large),
        cmocka_unit_test(the_longest_window_of_the_widest_swings_is_exact),
        cmocka_unit_test(a_constant_load_has_no_variance_and_no_range),
        cmocka_unit_test(a_variance_of_one_unit_is_exact),
        cmocka_unit_test(spikes_leave_no_trace_once_they_have_left_the_window),
        cmocka_unit_test(a_rebuilt_window_reads_the_same_now_and_later),
        cmocka_unit_test(a_size_too_large_for_any_memory_is_refused),
    };
    return cmocka_run_group_tests(window, read_trace, free_trace);
}
