/* SPDX-License-Identifier: BSD-3-Clause */
/* The quantile of a row's mean of steps is its forecast plus z standard deviations. The larger the part of the variance
 * that comes from drift, the heavier are the tails.
 *
 * `formula` is the model's variance of the mean of the row's `width` observations, `whole` that of the mean of all
 * `ahead` observations up to the row's end. F is the squared factor that calibration has found for `ahead`, and so for
 * `whole`. Errors larger than the formula's come from drift of the level, which the row shares. Smaller errors mean
 * that the model took noise for a walk. Then the row's variance shrinks too, to no less than the noise of its steps:
 *
 *     F > 1:   variance = formula + (F - 1) whole
 *     F <= 1:  variance = max(F formula, noise),   noise = min(F(1) sigma2 / width, formula)
 *
 * `drift` = min(F whole / variance, 1) is the part of the variance that comes from the level. Few spans of the history
 * are as long as the horizon. So this part has the tails of Student's t with few degrees of freedom.
 *
 * A row covers s of the N = width x bucket steps of its observations. This adds the variance
 *     within = V (1 / s - 1 / N),   V the variance of a step about the mean of its observation,
 * that of the mean of s out of N drawn without replacement. */
#include "methods/arima/quantiles.h"

#include "methods/arima/horizon_factors.h"
#include "support/normal.h"

#include <math.h>

/* The distribution of the error of a row. */
struct error_distribution {
    double variance; /* of the row's observations, in their unit */
    double within;   /* the variance that the row's steps add, in shares; may be negative */
    double drift;    /* the part of the variance that comes from drift */
    double freedom;  /* degrees of freedom of the drift */
};

/* The degrees of freedom are LEAST_FREEDOM plus n / ahead, the number of spans of the history as long as the horizon.
 * Measured as in horizon_factors.c: with 1 the intervals of 95 % of 1,000 steps are 10 % wider, with 10 they cover 1 %
 * less. */
static const double LEAST_FREEDOM = 4;

/* ---- observations ------------------------------------------------------------------------------------------------ */

static struct error_distribution calibrated(const struct arima_forecast_request *request, size_t series,
                                            const struct arima_forecast_state *state, size_t ahead, size_t width,
                                            double formula, double whole)
{
    const struct arima_factors *factors = &request->model.factors[series];
    size_t horizons = request->model.progress->calibration_horizons;
    double squared = exp(2 * mp_arima_log_factor(factors, horizons, ahead));
    double noise = fmin(state->sigma2 / (double)width * (horizons > 0 ? exp(2 * factors->horizon[0]) : 1), formula);
    struct error_distribution error = {
        .variance = squared > 1 ? formula + (squared - 1) * whole : fmax(squared * formula, noise),
        .freedom = LEAST_FREEDOM + (double)request->observed.observations / (double)ahead};
    if (horizons > 0 && error.variance > 0)
        error.drift = fmin(squared * whole / error.variance, 1);
    return error;
}

/* The index of the standard error for the observations in which a row ends. */
static size_t error_row(const struct arima_forecast_request *request, size_t row)
{
    return (mp_arima_row_end(request, row) - 1) / request->observed.bucket / request->width;
}

/* The number of observations of a standard error: the last one covers the rest. */
static size_t width_of_error(const struct arima_forecast_request *request, size_t index)
{
    size_t left = request->ahead - index * request->width;
    return left < request->width ? left : request->width;
}

/* squares: the sum over i < ahead of Psi(i)^2, so that whole = sigma2 squares / ahead^2. */
static struct error_distribution error_of(const struct arima_forecast_request *request,
                                          const struct arima_forecast_scratch *scratch, size_t series, size_t index,
                                          double squares)
{
    const struct arima_forecast_state *state = &scratch->present[series % request->observed.experts];
    size_t width = width_of_error(request, index), ahead = index * request->width + width;
    double standard_error = scratch->standard_errors[index], mean = sqrt(squares) / (double)ahead;
    struct error_distribution error =
        calibrated(request, series, state, ahead, width, standard_error * standard_error, state->sigma2 * mean * mean);
    return isfinite(error.variance) ? error : (struct error_distribution){.variance = 1, .freedom = 1};
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

/* V for the steps of the next observation, whose first step was calibrated too: with this V, s = 1 gives the variance
 * found for that step. V is negative if the error of the next step is smaller than that of its observation. */
static double next_step_variance(const struct arima_forecast_request *request, size_t series, double centre,
                                 double formula, double variance, double step_variance)
{
    double part = 1 - 1 / (double)request->observed.bucket, scale = request->observed.logarithms ? centre * centre : 1;
    if (request->model.progress->calibration_horizons == 0 || !(part > 0))
        return step_variance;
    double found = exp(2 * request->model.factors[series].step) * (formula * scale + step_variance * part);
    return (found - variance * scale) / part;
}

/* Adds the variance of a row's steps within their observations. On the scale of logarithms a negative amount is
 * subtracted from the variance of logarithms, where a share's deviation counts 1 / centre times. */
static struct error_distribution with_steps(const struct arima_forecast_request *request,
                                            struct error_distribution error, double centre, double within)
{
    error.within = within;
    if (request->observed.logarithms && within < 0) {
        error.variance = fmax(error.variance + within / (centre * centre), 0);
        error.within = 0;
    }
    return error;
}

/* ---- quantiles --------------------------------------------------------------------------------------------------- */

/* The quantile of Student's t for the normal quantile z, by Cornish and Fisher's z (1 + (z^2 + 1) / (4 freedom)). It is
 * scaled to keep the normal interval of 80 %, to which factors are calibrated. */
static double with_tails(double z, double freedom)
{
    const double kept = MP_ARIMA_HALF_WIDTH;
    return z * (1 + (z * z + 1) / (4 * freedom)) / (1 + (kept * kept + 1) / (4 * freedom));
}

static double quantile(const struct arima_forecast_request *request, double centre, double z,
                       const struct error_distribution *error)
{
    double heavy = z + error->drift * (with_tails(z, error->freedom) - z);
    double value = request->observed.logarithms
                       ? centre * mp_arima_finite_exp(heavy * sqrt(error->variance)) + z * sqrt(error->within)
                       : centre + heavy * sqrt(fmax(error->variance + error->within, 0));
    return fmin(fmax(value, 0), 1);
}

static void quantiles_of_expert(const struct arima_forecast_request *request,
                                const struct arima_forecast_scratch *scratch, size_t first, size_t expert)
{
    size_t experts = request->observed.experts, all = request->task->panel.series, ahead = 0, last = SIZE_MAX;
    struct error_distribution error = {.variance = 0};
    double squares = 0, step_variance = 0;
    for (size_t row = 0; row < request->count; row++) {
        size_t index = error_row(request, row), width = width_of_error(request, index);
        double centre = scratch->centre[row * experts + expert], formula = scratch->standard_errors[index];
        for (; ahead < index * request->width + width; ahead++)
            squares += scratch->psi_sums[ahead] * scratch->psi_sums[ahead];
        if (index != last) {
            error = error_of(request, scratch, first + expert, index, squares);
            step_variance = scratch->step_variance[expert];
            if (ahead == 1)
                step_variance = next_step_variance(request, first + expert, centre, formula * formula, error.variance,
                                                   step_variance);
            last = index;
        }
        double steps = (double)(mp_arima_row_end(request, row) - row * request->stride);
        double within = step_variance * fmax(1 / steps - 1 / (double)(width * request->observed.bucket), 0);
        struct error_distribution of_row = with_steps(request, error, centre, within);
        for (size_t i = 0; i < request->quantiles->n; i++)
            request->rows[(i * request->count + row) * all + first + expert] =
                quantile(request, centre, scratch->z[i], &of_row);
    }
}

void mp_arima_quantiles(const struct arima_forecast_request *request, struct arima_forecast_scratch *scratch,
                        size_t first)
{
    size_t experts = request->observed.experts;
    mp_arima_step_variance(&request->observed, first, experts, scratch->step_variance);
    for (size_t i = 0; i < request->quantiles->n; i++)
        scratch->z[i] = mp_normal_quantile(request->quantiles->probabilities[i]);
    for (size_t e = 0; e < experts; e++) {
        mp_arima_forecast(&scratch->present[e], request->ahead, request->width, NULL, scratch->standard_errors, 1,
                          scratch->psi_sums);
        quantiles_of_expert(request, scratch, first, e);
    }
}
