/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/quantiles.h"

#include "methods/arima/horizon_factors.h"
#include "support/normal.h"

#include <math.h>

/* How far the mean of a row's steps may be off: normal but for the part of the variance that is about the level of the
 * load, whose own size is told by few spans of the history as long as the horizon. */
struct spread {
    double variance, scatter; /* scatter: of the steps beyond that of their buckets' means */
    double level;             /* its part of the variance */
    double freedom;           /* degrees of */
};

/* `row`: the variance of the row's mean by the formula, `whole`: that of the mean of all up to its end, in
 * observations. What the calibration has found out is about the latter. Errors larger than the formula's are drift of
 * the level, which the row has too; the noise of the row stays as it is. Errors smaller than the formula's mean that a
 * part of the noise was taken for a walk: then the row's variance shrinks alike, to no less than the noise that its
 * steps have by themselves. */
static struct spread calibrated(const struct arima_call *call, size_t series, const struct arima_state *state,
                                size_t ahead, size_t width, double row, double whole)
{
    const struct arima_factors *factors = &call->model.factors[series];
    size_t rungs = call->model.progress->rungs;
    double squared = exp(2 * mp_arima_log_factor(factors, rungs, ahead));
    double noise = fmin(state->sigma2 / (double)width * (rungs > 0 ? exp(2 * factors->horizon[0]) : 1), row);
    struct spread spread = {.variance = squared > 1 ? row + (squared - 1) * whole : fmax(squared * row, noise),
                            .freedom = 4 + (double)call->source.observations / (double)ahead,
                            .level = 0};
    if (rungs > 0 && spread.variance > 0)
        spread.level = fmin(squared * whole / spread.variance, 1);
    return spread;
}

/* A normal quantile as one of Student's t, whose interval of 80 % is the normal one (Cornish and Fisher). */
static double with_tails(double z, double freedom)
{
    const double kept = MP_ARIMA_HALF_WIDTH;
    return z * (1 + (z * z + 1) / (4 * freedom)) / (1 + (kept * kept + 1) / (4 * freedom));
}

static double quantile(const struct arima_call *call, double centre, double z, const struct spread *spread)
{
    double heavy = z + spread->level * (with_tails(z, spread->freedom) - z);
    double value = call->source.logarithms
                       ? centre * exp(fmin(heavy * sqrt(spread->variance), 700)) + z * sqrt(spread->scatter)
                       : centre + heavy * sqrt(fmax(spread->variance + spread->scatter, 0));
    return fmin(fmax(value, 0), 1);
}

/* Of the row of standard errors in which that row ends. */
static size_t error_row(const struct arima_call *call, size_t row)
{
    return (mp_arima_end_of_row(call, row) - 1) / call->source.bucket / call->width;
}

/* The observations that it is about: the last has what is left. */
static size_t width_of_error(const struct arima_call *call, size_t index)
{
    size_t left = call->ahead - index * call->width;
    return left < call->width ? left : call->width;
}

/* The first k of the b steps of the next observation: their mean has the variance that was found for the next step
 * where k = 1, the observation's where k = b, and in between as much more or less as 1 / k - 1 / b tells. Returns the
 * factor of that; below 0 where the next step, being nearer to the last ones, is surer than the observation. */
static double next_scatter(const struct arima_call *call, size_t series, double centre, double formula, double variance,
                           double scatter)
{
    double part = 1 - 1 / (double)call->source.bucket, unit = call->source.logarithms ? centre * centre : 1;
    if (call->model.progress->rungs == 0 || !(part > 0))
        return scatter;
    double found = exp(2 * call->model.factors[series].step) * (formula * unit + scatter * part);
    return (found - variance * unit) / part;
}

/* What is computed once per row of standard errors. */
static struct spread spread_of(const struct arima_call *call, const struct arima_scratch *scratch, size_t series,
                               size_t index, double squares)
{
    const struct arima_state *state = &scratch->present[series % call->source.experts];
    size_t width = width_of_error(call, index), ahead = index * call->width + width;
    double error = scratch->errors[index], mean = sqrt(squares) / (double)ahead;
    struct spread spread = calibrated(call, series, state, ahead, width, error * error, state->sigma2 * mean * mean);
    return isfinite(spread.variance) ? spread : (struct spread){.variance = 1, .freedom = 1};
}

/* With what a row that is shorter than its observations has beyond them; what it has less on the scale of logarithms
 * is taken from the variance there. */
static struct spread of_shorter_row(const struct arima_call *call, struct spread spread, double centre, double scatter)
{
    spread.scatter = scatter;
    if (call->source.logarithms && scatter < 0) {
        spread.variance = fmax(spread.variance + scatter / (centre * centre), 0);
        spread.scatter = 0;
    }
    return spread;
}

static void quantiles_of_expert(const struct arima_call *call, const struct arima_scratch *scratch, size_t first,
                                size_t expert)
{
    size_t experts = call->source.experts, all = call->task->panel.series, ahead = 0, last = SIZE_MAX;
    struct spread spread = {.variance = 0};
    double squares = 0, scatter = 0;
    for (size_t row = 0; row < call->count; row++) {
        size_t index = error_row(call, row), width = width_of_error(call, index);
        double centre = scratch->centre[row * experts + expert], formula = scratch->errors[index];
        for (; ahead < index * call->width + width; ahead++)
            squares += scratch->sums[ahead] * scratch->sums[ahead];
        if (index != last) {
            spread = spread_of(call, scratch, first + expert, index, squares);
            scatter = scratch->scatter[expert];
            if (ahead == 1)
                scatter = next_scatter(call, first + expert, centre, formula * formula, spread.variance, scatter);
            last = index;
        }
        double steps = (double)(mp_arima_end_of_row(call, row) - row * call->stride);
        double beyond = scatter * fmax(1 / steps - 1 / (double)(width * call->source.bucket), 0);
        struct spread of_row = of_shorter_row(call, spread, centre, beyond);
        for (size_t i = 0; i < call->quantiles->n; i++)
            call->rows[(i * call->count + row) * all + first + expert] = quantile(call, centre, scratch->z[i], &of_row);
    }
}

void mp_arima_quantiles(const struct arima_call *call, struct arima_scratch *scratch, size_t first)
{
    size_t experts = call->source.experts;
    mp_arima_scatter(&call->source, first, experts, scratch->scatter);
    for (size_t i = 0; i < call->quantiles->n; i++)
        scratch->z[i] = mp_normal_quantile(call->quantiles->probabilities[i]);
    for (size_t e = 0; e < experts; e++) {
        mp_arima_forecast(&scratch->present[e], call->ahead, call->width, NULL, scratch->errors, 1, scratch->sums);
        quantiles_of_expert(call, scratch, first, e);
    }
}
