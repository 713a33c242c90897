/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads tests/data/arima/golden.txt, whose make.py says what its lines mean. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include "support.h"

#include <stdio.h>

enum { GOLDEN_VALUES = 1000, GOLDEN_STEPS = 20, GOLDEN_COEFFICIENTS = 17 };

struct golden {
    FILE *file;
    char what[16], name[32], kind[8];
    double series[GOLDEN_VALUES];
    size_t n;
    unsigned p, d, q, mean, lag;
    double loglik, aicc, statistic, probability, sigma2;
    double coefficients[GOLDEN_COEFFICIENTS]; /* phi, theta, mean */
    size_t steps;
    double step[GOLDEN_STEPS][3];
};

static inline void golden_open(struct golden *golden)
{
    golden->file = fopen(TEST_DATA "/arima/golden.txt", "r");
    assert_non_null(golden->file);
}

static inline void golden_numbers(struct golden *golden, double *numbers, size_t n)
{
    assert_true(n <= GOLDEN_VALUES);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(fscanf(golden->file, "%lf", &numbers[i]), 1);
}

static inline void golden_order(struct golden *golden)
{
    assert_int_equal(fscanf(golden->file, "%u %u %u", &golden->p, &golden->d, &golden->q), 3);
}

/* The next line; false after the last. A series stays until the next one. */
static inline bool golden_next(struct golden *golden)
{
    if (fscanf(golden->file, "%15s", golden->what) != 1) {
        fclose(golden->file);
        return false;
    }
    if (strcmp(golden->what, "series") == 0) {
        assert_int_equal(fscanf(golden->file, "%31s %zu", golden->name, &golden->n), 2);
        golden_numbers(golden, golden->series, golden->n);
    } else if (strcmp(golden->what, "likelihood") == 0) {
        golden_order(golden);
        golden_numbers(golden, &golden->loglik, 1);
        golden_numbers(golden, golden->coefficients, golden->p + golden->q);
    } else if (strcmp(golden->what, "fit") == 0) {
        golden_order(golden);
        assert_int_equal(fscanf(golden->file, "%u", &golden->mean), 1);
        golden_numbers(golden, golden->coefficients, golden->p + golden->q + golden->mean);
    } else if (strcmp(golden->what, "forecast") == 0) {
        golden_order(golden);
        assert_int_equal(fscanf(golden->file, "%u %lf %zu", &golden->mean, &golden->sigma2, &golden->steps), 3);
        assert_true(golden->steps <= GOLDEN_STEPS);
        golden_numbers(golden, golden->coefficients, golden->p + golden->q + golden->mean);
        golden_numbers(golden, golden->step[0], 3 * golden->steps);
    } else if (strcmp(golden->what, "auto") == 0) {
        golden_order(golden);
        assert_int_equal(fscanf(golden->file, "%u %lf", &golden->mean, &golden->aicc), 2);
    } else {
        assert_int_equal(fscanf(golden->file, "%7s %u", golden->kind, &golden->lag), 2);
        golden_numbers(golden, &golden->statistic, 1);
        golden_numbers(golden, &golden->probability, 1);
    }
    return true;
}

static inline bool golden_is(const struct golden *golden, const char *what)
{
    return strcmp(golden->what, what) == 0;
}

static inline size_t golden_differences(const struct golden *golden, double *values)
{
    memcpy(values, golden->series, golden->n * sizeof *values);
    for (unsigned k = 0; k < golden->d; k++)
        for (size_t t = 0; t + 1 < golden->n - k; t++)
            values[t] = values[t + 1] - values[t];
    return golden->n - golden->d;
}

#endif
