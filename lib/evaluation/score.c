/* SPDX-License-Identifier: BSD-3-Clause */
#include "evaluation/score.h"

#include "series/error.h"
#include "series/intake.h"
#include "series/trace.h"

#include <math.h>
#include <string.h>

const struct score mp_no_score = {NAN, NAN, NAN, NAN, NAN, NAN, 0};

/* Sums over the steps of a horizon that hold a token. */
struct sums {
    struct score score;           /* error, paper_error, left_out */
    double *actual;               /* [experts]: x_t of the present step */
    double *realised, *predicted; /* [experts]: sums of x_t and f_t; later the means x and f */
    double tokens;                /* NaN where counts need not be tokens */
    size_t steps;                 /* T */
};

static void add(double *sum, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += values[i];
}

static void divide(double *values, size_t n, double by)
{
    for (size_t i = 0; i < n; i++)
        values[i] /= by;
}

static const void *counts_of(const struct comparison *comparison, size_t layer, size_t step)
{
    return mp_trace_counts(comparison->trace, comparison->origin + step, layer);
}

/* Computes the shares of one step of the horizon, and returns the total of its counts. */
static double read_step(const struct comparison *comparison, size_t layer, size_t step, double *actual)
{
    const moep_trace *trace = comparison->trace;
    return mp_intake_exact_shares(counts_of(comparison, layer, step), trace->dtype, (size_t)trace->experts, actual);
}

static bool are_tokens(const struct comparison *comparison, size_t layer, size_t step)
{
    const moep_trace *trace = comparison->trace;
    return mp_intake_are_tokens(counts_of(comparison, layer, step), trace->dtype, (size_t)trace->experts);
}

static struct sums add_steps(const struct comparison *comparison, size_t layer)
{
    size_t n = (size_t)comparison->trace->experts, layers = (size_t)comparison->trace->layers;
    double *scratch = comparison->scratch;
    struct sums sums = {.actual = scratch, .realised = scratch + n, .predicted = scratch + 2 * n};
    memset(sums.realised, 0, 2 * n * sizeof *scratch);
    for (size_t step = 0; step < comparison->horizon; step++) {
        double total = read_step(comparison, layer, step, sums.actual);
        if (!(total > 0))
            continue;
        const double *row = comparison->forecast + (step / comparison->stride * layers + layer) * n;
        size_t left_out;
        sums.score.error += mp_error(row, sums.actual, n);
        sums.score.paper_error += mp_paper_error(row, sums.actual, n, &left_out);
        sums.score.left_out += left_out;
        add(sums.realised, sums.actual, n);
        add(sums.predicted, row, n);
        sums.tokens += are_tokens(comparison, layer, step) ? total : NAN;
        sums.steps++;
    }
    return sums;
}

/* The sum over t of e(x, x_t). */
static double add_floors(const struct comparison *comparison, size_t layer, const struct sums *sums)
{
    double floor = 0;
    for (size_t step = 0; step < comparison->horizon; step++)
        if (read_step(comparison, layer, step, sums->actual) > 0)
            floor += mp_error(sums->realised, sums->actual, (size_t)comparison->trace->experts);
    return floor;
}

/* The tokens of which the realised mean x is a sample. */
static double tokens_of_mean(const struct comparison *comparison, const struct sums *sums)
{
    if (comparison->assignments > 0)
        return comparison->assignments * (double)sums->steps;
    return sums->tokens;
}

struct score mp_score(const struct comparison *comparison, size_t layer)
{
    size_t n = (size_t)comparison->trace->experts;
    struct sums sums = add_steps(comparison, layer);
    if (sums.steps == 0)
        return mp_no_score;
    double steps = (double)sums.steps;
    divide(sums.realised, n, steps);
    divide(sums.predicted, n, steps);
    return (struct score){
        .error = sums.score.error / steps,
        .error_of_mean = mp_error(sums.predicted, sums.realised, n),
        .paper_error = sums.score.paper_error / steps,
        .total_variation = mp_total_variation(sums.predicted, sums.realised, n),
        .floor = add_floors(comparison, layer, &sums) / steps,
        .floor_of_mean = mp_sampling_error(sums.realised, n, tokens_of_mean(comparison, &sums)),
        .left_out = sums.score.left_out,
    };
}
