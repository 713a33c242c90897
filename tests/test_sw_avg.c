/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include "methods/method.h"

/* A window of random shares, and the recursion of the paper for each series: append the mean of the last w shares, step
 * by step. */
struct fixture {
    size_t n, window, held;
    float *ring;
    double *path; /* [horizon][n] */
};

static void make_fixture(struct fixture *fixture, size_t n, size_t window, size_t held, size_t horizon)
{
    uint64_t seed = 17 * window + held;
    fixture->n = n;
    fixture->window = window;
    fixture->held = held;
    fixture->ring = malloc(held * n * sizeof *fixture->ring);
    fixture->path = malloc(horizon * n * sizeof *fixture->path);
    for (size_t i = 0; i < held * n; i++)
        fixture->ring[i] = (float)(random_number(&seed) >> 40) / (float)(1 << 24);
    size_t effective = held < window ? held : window;
    double *series = malloc((held + horizon) * sizeof *series);
    for (size_t s = 0; s < n; s++) {
        for (size_t t = 0; t < held; t++)
            series[t] = (double)fixture->ring[t * n + s];
        for (size_t k = 0; k < horizon; k++) {
            double sum = 0;
            for (size_t i = 0; i < effective; i++)
                sum += series[held + k - 1 - i];
            series[held + k] = fixture->path[k * n + s] = sum / (double)effective;
        }
    }
    free(series);
}

static void free_fixture(struct fixture *fixture)
{
    free(fixture->ring);
    free(fixture->path);
}

static void forecast(const struct fixture *fixture, size_t horizon, size_t stride, double *rows)
{
    moep_predictor_config config = {.struct_size = sizeof config, .sw_avg_window = (uint32_t)fixture->window};
    struct task task = {
        .config = &config,
        .panel = {fixture->ring, fixture->held, 0, fixture->held, fixture->n},
        .experts = fixture->n,
        .runtime = &mp_runtime_default,
    };
    assert_int_equal(mp_sw_avg.forecast(&task, NULL, horizon, stride, rows), MOEP_OK);
}

static void assert_rows_are_means_of_the_path(const struct fixture *fixture, size_t horizon, size_t stride)
{
    size_t n = fixture->n, rows = moep_forecast_rows(horizon, stride);
    double *result = malloc(rows * n * sizeof *result);
    forecast(fixture, horizon, stride, result);
    for (size_t row = 0; row < rows; row++) {
        size_t first = row * stride, last = first + stride < horizon ? first + stride : horizon;
        for (size_t s = 0; s < n; s++) {
            double sum = 0;
            for (size_t k = first; k < last; k++)
                sum += fixture->path[k * n + s];
            assert_near(result[row * n + s], sum / (double)(last - first), 1e-13);
        }
    }
    free(result);
}

static void rows_are_means_of_the_recursions_path(void **state)
{
    (void)state;
    const size_t windows[] = {1, 2, 3, 10, 37, 100}, strides[] = {1, 2, 7, 100, 699, 700};
    for (size_t i = 0; i < 6; i++) {
        for (size_t held = windows[i] < 5 ? 1 : 5; held <= 120; held = 2 * held + 1) {
            struct fixture fixture;
            make_fixture(&fixture, 3, windows[i], held, 700);
            for (size_t k = 0; k < 6; k++)
                assert_rows_are_means_of_the_path(&fixture, 700, strides[k]);
            free_fixture(&fixture);
        }
    }
}

static void any_number_of_series_is_forecast_in_the_same_way(void **state)
{
    (void)state;
    const size_t numbers[] = {1, 8, 255, 256, 257, 511, 512, 600, 1025};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct fixture fixture;
        make_fixture(&fixture, numbers[i], 10, 12, 30);
        assert_rows_are_means_of_the_path(&fixture, 30, 1);
        assert_rows_are_means_of_the_path(&fixture, 30, 30);
        free_fixture(&fixture);
    }
}

static void a_long_forecast_tends_to_the_triangular_mean(void **state)
{
    (void)state;
    enum { SERIES = 3, WINDOW = 50, HORIZON = 200000 };
    struct fixture fixture;
    double rows[2 * SERIES], limit[SERIES] = {0};
    make_fixture(&fixture, SERIES, WINDOW, WINDOW, 1);
    for (size_t i = 0; i < WINDOW; i++)
        for (size_t s = 0; s < SERIES; s++)
            limit[s] += 2.0 * (double)(i + 1) / (WINDOW * (WINDOW + 1)) * (double)fixture.ring[i * SERIES + s];
    forecast(&fixture, HORIZON, HORIZON / 2, rows);
    for (size_t s = 0; s < SERIES; s++) {
        assert_near(rows[s], limit[s], 1e-3); /* the first steps still differ from the limit */
        assert_near(rows[SERIES + s], limit[s], 1e-12);
    }
    free_fixture(&fixture);
}

static void window_1_is_the_last_value(void **state)
{
    (void)state;
    enum { SERIES = 3 };
    struct fixture fixture;
    double rows[SERIES];
    make_fixture(&fixture, SERIES, 1, 9, 1);
    forecast(&fixture, 1000, 1000, rows);
    for (size_t s = 0; s < SERIES; s++)
        assert_true(rows[s] == (double)fixture.ring[8 * SERIES + s]);
    free_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest sw_avg[] = {
        cmocka_unit_test(rows_are_means_of_the_recursions_path),
        cmocka_unit_test(any_number_of_series_is_forecast_in_the_same_way),
        cmocka_unit_test(a_long_forecast_tends_to_the_triangular_mean),
        cmocka_unit_test(window_1_is_the_last_value),
    };
    return cmocka_run_group_tests(sw_avg, NULL, NULL);
}
