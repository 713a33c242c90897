/* SPDX-License-Identifier: BSD-3-Clause */
/* The formula of a forecast's standard error assumes that the model is true, and no ARMA model is true of real loads. A
 * model without a moving average takes noise for a walk; one that reverts to a mean misses that the mean drifts. So we
 * forecast from up to 25 rolling origins in the latter half of the history. The coefficients are those estimated from
 * all of the history, but a mean is that of the observations before the origin. With
 *
 *     r = |mean of the next h observations - forecast| / standard error by the formula
 *
 * of all origins with h observations after them, and all series of a group, the factor of the horizon h is
 *
 *     factor(h) = q / 1.2816 x sqrt((n + k) / (n - k)) x max(h / 4, 1)^0.03,
 *
 * where q is the ceil(0.8 (N + 1))-th smallest of the N values of r, the 80 % quantile of N past errors and one future
 * error. 1.2816 is that of |z|, z normal. The root is Akaike's final prediction error: after a fit of k coefficients to
 * n observations, the mean square of future errors is (n + k) / (n - k) times as large. The power corrects for long
 * spans: the history holds few, and the fit has seen them. Horizons are 1, 2, 4, .. observations, up to a third of the
 * history.
 *
 * A group is the series of a layer that have the same d and whose standard errors all grow with the horizon, or all
 * shrink. Walks and noise need factors of their own.
 *
 * bytes: a layer's factors do not depend on other layers. threads: layers. allocates: one arena per call. */
#include "methods/arima/calibrate.h"

#include "api/status.h"
#include "methods/arima/chunks.h"
#include "methods/arima/forecast.h"
#include "support/logarithm.h"
#include "support/select.h"

#include <math.h>
#include <string.h>

/* Half of fewer than LEAST_OBSERVATIONS holds too few errors for a quantile. Measured as in horizon_factors.c: 12
 * origins widen the intervals of 1,000 steps by up to 14 %; 50 change next to nothing and take twice the time. */
enum { LEAST_OBSERVATIONS = 32, MOST_ORIGINS = 25 };

enum { GROUPS = 2 * 3 }; /* growing or not, for each d */

/* Bounds of q / 1.2816 times the root, against errors that are 0 by accident or come from one jump of the load.
 * Measured likewise: a least factor of 1/2 makes the intervals of walks six times as wide; a least of 1/8 or a largest
 * of 4 changes nothing. */
static const double LEAST_FACTOR = 1.0 / 32, LARGEST_FACTOR = 8;

/* Above SEEN_FROM observations errors within the history are smaller than future ones, by this power of the horizon.
 * Found like the constants of horizon_factors.c: intervals of 80 % of 1,000 steps cover 4 % less with 0, and 4 % more
 * with 0.06. */
static const double SEEN = 0.03;
enum { SEEN_FROM = 4 };

/* A worker's scratch, for one layer. */
struct calibration_scratch {
    struct arima_state_scratch of_states;
    double *values, *differences, *residuals; /* [experts][observations] */
    double *step_variance;                    /* [experts] */
    double *scaled_errors;               /* [horizons][experts][origins]: r; infinite where the history ends before */
    double *scaled_step_errors;          /* [experts][origins]: of the next step */
    double *pooled;                      /* [experts x origins]: the scaled errors of a group */
    double *sums;                        /* [observations]: Psi of forecast.c, then a step response */
    double *totals;                      /* [observations + 1]: sums of the first t observations */
    struct arima_forecast_state *states; /* [experts]: at the history's end */
    unsigned *groups;                    /* [experts] */
};

struct calibration {
    const struct task *task;
    const struct arima_model *model;
    const struct arima_observations *observed;
    size_t horizons, origins, spacing; /* spacing: observations between origins */
    struct calibration_scratch *scratch;
    size_t threads;
};

static void lay_out(void *self, struct arena *arena)
{
    struct calibration *calibration = self;
    size_t e = calibration->observed->experts, n = calibration->observed->observations;
    size_t all = mp_product(e, n), origins = mp_product(e, calibration->origins);
    calibration->scratch = mp_arena_take(arena, calibration->threads, sizeof *calibration->scratch);
    for (size_t w = 0; w < calibration->threads; w++) {
        struct calibration_scratch counted, *scratch = calibration->scratch ? &calibration->scratch[w] : &counted;
        mp_arima_state_scratch_lay_out(&scratch->of_states, arena, n, 0);
        scratch->values = mp_arena_take(arena, all, sizeof(double));
        scratch->differences = mp_arena_take(arena, all, sizeof(double));
        scratch->residuals = mp_arena_take(arena, all, sizeof(double));
        scratch->step_variance = mp_arena_take(arena, e, sizeof(double));
        scratch->scaled_errors = mp_arena_take(arena, mp_product(calibration->horizons, origins), sizeof(double));
        scratch->scaled_step_errors = mp_arena_take(arena, origins, sizeof(double));
        scratch->pooled = mp_arena_take(arena, origins, sizeof(double));
        scratch->sums = mp_arena_take(arena, n, sizeof(double));
        scratch->totals = mp_arena_take(arena, mp_sum(n, 1), sizeof(double));
        scratch->states = mp_arena_take(arena, e, sizeof *scratch->states);
        scratch->groups = mp_arena_take(arena, e, sizeof *scratch->groups);
    }
}

/* ---- scaled errors ----------------------------------------------------------------------------------------------- */

/* The number of observations before an origin; index 0 is the latest. */
static size_t origin_at(const struct calibration *calibration, size_t index)
{
    return calibration->observed->observations - (index + 1) * calibration->spacing;
}

/* Finds the states at the history's end, and the differences and residuals from which earlier states follow. */
static void find_states(const struct calibration *calibration, const struct calibration_scratch *scratch, size_t first)
{
    const struct arima_observations *observed = calibration->observed;
    size_t all = observed->experts * observed->observations;
    mp_arima_read_observations(observed, first, observed->experts, scratch->values);
    mp_arima_step_variance(observed, first, observed->experts, scratch->step_variance);
    memcpy(scratch->differences, scratch->values, all * sizeof *scratch->values);
    memset(scratch->residuals, 0, all * sizeof *scratch->residuals);
    mp_arima_forecast_states(calibration->model->estimates + first, scratch->differences, observed->experts,
                             observed->observations, calibration->task->config->arima_root_limit, &scratch->of_states,
                             scratch->states, scratch->residuals);
}

/* r of the step after an origin. With V the variance of steps, a step has the variance V (1 - 1 / bucket) about the
 * mean of its observation. A standard error of logarithms times the share is one of shares. */
static double scaled_step_error(const struct calibration *calibration, const struct calibration_scratch *scratch,
                                size_t series, size_t origin, double mean, double standard_error)
{
    const struct arima_observations *observed = calibration->observed;
    size_t step = observed->panel->steps - (observed->observations - origin) * observed->bucket;
    double share = mp_arima_share(observed, mean), scale = observed->logarithms ? share : 1;
    double within = scratch->step_variance[series % observed->experts] * (1 - 1 / (double)observed->bucket);
    return fabs((double)mp_panel_row(observed->panel, step)[series] - share) /
           sqrt(standard_error * standard_error * scale * scale + within);
}

/* The part of a series' forecasts that is the same at every origin. */
struct series_forecast {
    size_t series;
    double standard_error[MP_ARIMA_HORIZONS];
    arima_dyadic_weights weights[MP_ARIMA_HORIZONS];
};

/* Stores r of all horizons of one origin. */
static void scale_errors(const struct calibration *calibration, const struct calibration_scratch *scratch,
                         const struct series_forecast *forecast, size_t index, const struct arima_forecast_state *state)
{
    size_t experts = calibration->observed->experts, n = calibration->observed->observations;
    size_t expert = forecast->series % experts, origin = origin_at(calibration, index);
    for (size_t k = 0; k < calibration->horizons; k++) {
        size_t horizon = (size_t)1 << k;
        double *error = &scratch->scaled_errors[(k * experts + expert) * calibration->origins + index];
        *error = INFINITY;
        if (horizon <= n - origin) {
            double actual = (scratch->totals[origin + horizon] - scratch->totals[origin]) / (double)horizon;
            *error = fabs(actual - mp_arima_dyadic_mean(state, k, forecast->weights)) / forecast->standard_error[k];
        }
    }
    scratch->scaled_step_errors[expert * calibration->origins + index] =
        scaled_step_error(calibration, scratch, forecast->series, origin,
                          mp_arima_dyadic_mean(state, 0, forecast->weights), forecast->standard_error[0]);
}

static void accumulate(const double *values, size_t n, double *totals)
{
    totals[0] = 0;
    for (size_t t = 0; t < n; t++)
        totals[t + 1] = totals[t] + values[t];
}

static void forecast_from_origins(const struct calibration *calibration, const struct calibration_scratch *scratch,
                                  size_t series)
{
    size_t n = calibration->observed->observations, horizons = calibration->horizons;
    size_t expert = series % calibration->observed->experts, at = expert * n;
    const struct arima_forecast_state *present = &scratch->states[expert];
    struct series_forecast forecast = {.series = series};
    mp_arima_dyadic_standard_errors(present, horizons, forecast.standard_error, scratch->sums);
    mp_arima_dyadic_weights(present, horizons, forecast.weights);
    accumulate(scratch->values + at, n, scratch->totals);
    bool grows = forecast.standard_error[horizons - 1] > forecast.standard_error[0];
    scratch->groups[expert] = 2 * present->order.d + grows;
    if (present->order.mean)
        mp_arima_step_response(present, scratch->sums, n);
    for (size_t i = 0; i < calibration->origins; i++) {
        size_t origin = origin_at(calibration, i);
        struct arima_forecast_state state = mp_arima_state_at(present, scratch->values + at, scratch->differences + at,
                                                              scratch->residuals + at, origin);
        if (state.order.mean)
            mp_arima_change_mean(&state, scratch->totals[origin] / (double)origin, scratch->sums, origin);
        scale_errors(calibration, scratch, &forecast, i, &state);
    }
}

/* ---- factors ----------------------------------------------------------------------------------------------------- */

/* q / 1.2816 of a group, from errors[experts][origins]; 1 if the group has no errors. */
static double group_factor(const struct calibration *calibration, const struct calibration_scratch *scratch,
                           const double *errors, unsigned group)
{
    size_t origins = calibration->origins, count = 0;
    for (size_t e = 0; e < calibration->observed->experts; e++)
        for (size_t i = 0; i < origins && scratch->groups[e] == group; i++)
            if (isfinite(errors[e * origins + i]))
                scratch->pooled[count++] = errors[e * origins + i];
    if (count == 0)
        return 1;
    size_t rank = (4 * (count + 1) + 4) / 5; /* ceil(0.8 (count + 1)) */
    return mp_select(scratch->pooled, count, (rank < count ? rank : count) - 1) / MP_ARIMA_HALF_WIDTH;
}

static double final_prediction_factor(const struct arima_order *order, size_t observations)
{
    double k = (double)(order->p + order->q + order->mean), n = (double)observations;
    return sqrt((n + k) / fmax(n - k, 1));
}

static double log_factor(double factor, double least)
{
    return mp_logarithm(fmin(fmax(factor, least), LARGEST_FACTOR));
}

/* One observation ahead, the formula holds unless the noise grows: that factor is at least 1. */
static void store_factor(const struct calibration *calibration, const struct calibration_scratch *scratch, size_t first,
                         unsigned group, size_t k)
{
    size_t experts = calibration->observed->experts, n = calibration->observed->observations, horizon = (size_t)1 << k;
    const double *errors = scratch->scaled_errors + k * experts * calibration->origins;
    double factor = group_factor(calibration, scratch, errors, group);
    double seen = horizon > SEEN_FROM ? SEEN * mp_logarithm((double)horizon / SEEN_FROM) : 0;
    for (size_t e = 0; e < experts; e++)
        if (scratch->groups[e] == group)
            calibration->model->factors[first + e].horizon[k] =
                log_factor(factor * final_prediction_factor(&scratch->states[e].order, n), k == 0 ? 1 : LEAST_FACTOR) +
                seen;
}

static void store_step_factor(const struct calibration *calibration, const struct calibration_scratch *scratch,
                              size_t first, unsigned group)
{
    double factor = group_factor(calibration, scratch, scratch->scaled_step_errors, group);
    for (size_t e = 0; e < calibration->observed->experts; e++)
        if (scratch->groups[e] == group)
            calibration->model->factors[first + e].step = log_factor(factor, LEAST_FACTOR);
}

static void calibrate_layer(void *user, size_t worker, size_t first, size_t experts)
{
    struct calibration *calibration = user;
    struct calibration_scratch *scratch = &calibration->scratch[worker];
    find_states(calibration, scratch, first);
    for (size_t e = 0; e < experts; e++)
        forecast_from_origins(calibration, scratch, first + e);
    for (unsigned group = 0; group < GROUPS; group++) {
        store_step_factor(calibration, scratch, first, group);
        for (size_t k = 0; k < calibration->horizons; k++)
            store_factor(calibration, scratch, first, group, k);
    }
}

/* ---- all layers -------------------------------------------------------------------------------------------------- */

static size_t horizons_of(size_t observations)
{
    size_t horizons = 0;
    while (horizons < MP_ARIMA_HORIZONS && (size_t)1 << horizons <= observations / 3)
        horizons++;
    return observations < LEAST_OBSERVATIONS ? 0 : horizons;
}

moep_status mp_arima_calibrate(const struct task *task, struct arima_model *model,
                               const struct arima_observations *observed)
{
    size_t n = observed->observations, series = task->panel.series, horizons = horizons_of(n);
    struct calibration calibration = {.task = task, .model = model, .observed = observed, .horizons = horizons};
    struct arena arena;
    model->progress->calibration_horizons = horizons;
    if (horizons == 0)
        return MOEP_OK;
    calibration.spacing = (n / 2 + MOST_ORIGINS - 1) / MOST_ORIGINS;
    calibration.origins = n / 2 / calibration.spacing;
    calibration.threads = mp_arima_workers(task->runtime->threads, series / observed->experts);
    if (!mp_arena_make(&arena, lay_out, &calibration, &task->runtime->memory)) /* zeroed: see estimate.c */
        return mp_out_of_memory("the calibration of an ARIMA fit");
    moep_status status = mp_arima_run_chunks(&(struct arima_chunks){.end = series,
                                                                    .size = observed->experts,
                                                                    .workers = calibration.threads,
                                                                    .work = calibrate_layer,
                                                                    .user = &calibration});
    mp_arena_free(&arena, &task->runtime->memory);
    return status;
}
