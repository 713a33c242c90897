/* SPDX-License-Identifier: BSD-3-Clause */
/* AUTO beside its definition in NumPy: tests/auto_reference.py, whose numbers tests/data/auto/make.py has written. */
#include "support.h"

#include <stdio.h>

enum { STEPS = 2700, LAYERS = 3, EXPERTS = 8, SERIES = LAYERS * EXPERTS, JUMP = 1230, MOST_ROWS = 3 };

/* Layer 0 stays, the loads of layer 1 move towards each other, those of layer 2 jump. As in make.py. */
static int64_t *golden_counts(void)
{
    int64_t *counts = malloc(STEPS * SERIES * sizeof *counts), *count = counts;
    uint64_t state = 1;
    for (int64_t step = 0; step < STEPS; step++)
        for (size_t layer = 0; layer < LAYERS; layer++)
            for (int64_t expert = 0; expert < EXPERTS; expert++, count++) {
                const int64_t loads[LAYERS] = {200 + 100 * expert, 500 + expert * 100000 / (1000 + step),
                                               200 + 100 * (step < JUMP ? expert : EXPERTS - 1 - expert)};
                state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
                *count = loads[layer] + (int64_t)((state >> 33) % 200);
            }
    return counts;
}

struct line {
    FILE *file;
    char what[16];
    size_t step, horizon, stride;
};

static bool next_line(struct line *line)
{
    if (fscanf(line->file, "%15s %zu", line->what, &line->step) != 2)
        return false;
    if (strcmp(line->what, "forecast") == 0)
        assert_int_equal(fscanf(line->file, "%zu %zu", &line->horizon, &line->stride), 2);
    return true;
}

static void assert_next_number_is(const struct line *line, double value, double tolerance)
{
    double golden;
    assert_int_equal(fscanf(line->file, "%lf", &golden), 1);
    assert_near(value, golden, tolerance);
}

static void check_forecast(const struct line *line, const moep_predictor *predictor)
{
    double shares[MOST_ROWS * SERIES];
    size_t n = moep_forecast_rows(line->horizon, line->stride) * SERIES;
    assert_int_equal(moep_predictor_predict(predictor, line->horizon, line->stride, shares, MOST_ROWS * SERIES),
                     MOEP_OK);
    for (size_t i = 0; i < n; i++)
        assert_next_number_is(line, shares[i], 1e-6 * shares[i]);
}

static void check_report(const struct line *line, const moep_predictor *predictor)
{
    double weights[LAYERS * 16];
    uint64_t since[LAYERS];
    size_t candidates = moep_auto_candidates();
    moep_auto_report report = {.struct_size = sizeof report, .weights = weights, .since_jump = since};
    assert_true(candidates <= 16);
    assert_int_equal(moep_predictor_auto_report(predictor, &report), MOEP_OK);
    if (strcmp(line->what, "since") == 0)
        for (size_t l = 0; l < LAYERS; l++)
            assert_next_number_is(line, (double)since[l], 0);
    else
        for (size_t i = 0; i < LAYERS * candidates; i++)
            assert_next_number_is(line, weights[i], 1e-5);
}

static void jumps_weights_and_forecasts_are_those_of_the_definition(void **state)
{
    (void)state;
    int64_t *counts = golden_counts();
    moep_predictor *predictor = make_predictor(MOEP_AUTO, LAYERS, EXPERTS, 0, NULL);
    struct line line = {.file = fopen(TEST_DATA "/auto/golden.txt", "r")};
    size_t lines = 0;
    assert_non_null(line.file);
    for (; next_line(&line); lines++) {
        size_t pushed = (size_t)info_of(predictor).steps;
        assert_int_equal(moep_predictor_push(predictor, line.step - pushed, counts + pushed * SERIES, MOEP_INT64),
                         MOEP_OK);
        if (strcmp(line.what, "forecast") == 0)
            check_forecast(&line, predictor);
        else
            check_report(&line, predictor);
    }
    assert_true(lines > 50);
    fclose(line.file);
    moep_predictor_destroy(predictor);
    free(counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jumps_weights_and_forecasts_are_those_of_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
