/* SPDX-License-Identifier: BSD-3-Clause */
/* AUTO's quantiles. A row covers the m steps first + 1 .. last ahead, and f is its forecast. With z the normal quantile
 * of the probability, an expert's quantile has from f the square distance (spread.h, calibration.h)
 *
 *     w^2 = (Q(z) s)^2 (H / 1000)^0.7 + (z + 0.03 z^3)^2 g(m) (4 r_e + r) / 5,   H = first + last
 *
 * The first part is drift's: a row is as uncertain as the mean of all steps up to twice its middle. That of 1,000 steps
 * is calibrated. Solved for the quantile, with u = w^2 / 2 + sqrt(w^2 (1 + w^2 / 4)):
 *
 *     f + (f + eps) u   above,   f - (f + eps) (1 - 1 / (1 + u))   below
 *
 * Each operation from |z| on is monotonic, rounded or not, so that quantiles never cross. */
#include "api/status.h"
#include "methods/auto/calibration.h"
#include "methods/auto/forecast.h"
#include "methods/auto/spread.h"
#include "series/error.h"
#include "series/simplex.h"
#include "support/exponential.h"
#include "support/logarithm.h"
#include "support/normal.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

/* The growth of s^2 with H: a random walk has 1, a load that keeps returning 0. */
static const double GROWTH = 0.7;

/* Noise is learned from a few blocks, so its tails are heavier than normal ones: without TAIL intervals of 95 % for
 * single steps hold 92 % of them (tests/bench/run.sh interval_coverage). */
static const double TAIL = 0.03;

/* Of each expert w^2 = drift + noise (4 (r_e + start) + r) / 5 = drift + noise (4/5 r_e + shared). */
struct variance {
    double drift, noise, shared, least;
};

static inline double distance(const struct variance *variance, double noise)
{
    double square = variance->drift + variance->noise * (0.8 * noise + variance->shared);
    return square / 2 + sqrt(square * (1 + square / 4));
}

MP_VECTORISED static void mp_auto_quantiles_above(struct variance variance, const double *restrict forecast,
                                                  const float *restrict noise, double *restrict row, size_t n)
{
    for (size_t e = 0; e < n; e++) {
        double quantile = forecast[e] + (forecast[e] + variance.least) * distance(&variance, (double)noise[e]);
        row[e] = quantile < 1 ? quantile : 1;
    }
}

MP_VECTORISED static void mp_auto_quantiles_below(struct variance variance, const double *restrict forecast,
                                                  const float *restrict noise, double *restrict row, size_t n)
{
    for (size_t e = 0; e < n; e++) {
        double part = 1 - 1 / (1 + distance(&variance, (double)noise[e]));
        double quantile = forecast[e] - (forecast[e] + variance.least) * part;
        row[e] = quantile > 0 ? quantile : 0;
    }
}

/* The rows of a call for one layer. */
struct rows {
    const struct quantiles *quantiles;
    size_t horizon, stride, n, series;
    double *first; /* the layer's part of the first row */
};

/* Scales the forecasts, which stand in the place of the first quantile's rows, as the handle does (predictor.c); mean:
 * that of all rows. */
static void scale(const struct rows *rows, size_t experts, double *mean)
{
    memset(mean, 0, experts * sizeof *mean);
    for (size_t r = 0; r < rows->n; r++) {
        double *row = rows->first + r * rows->series;
        mp_simplex(row, experts);
        for (size_t e = 0; e < experts; e++)
            mean[e] += 1 / (double)rows->n * row[e];
    }
}

static void fill_row(const struct rows *rows, const struct auto_view *view, const struct auto_spread *spread, size_t r,
                     double *forecast)
{
    size_t experts = view->experts, first = r * rows->stride, left = rows->horizon - first;
    size_t length = left < rows->stride ? left : rows->stride;
    double whole = 2 * (double)first + (double)length,
           growth = mp_exponential(GROWTH * mp_logarithm(whole / MP_AUTO_HORIZON));
    double noise = mp_auto_noise_of(spread, length);
    memcpy(forecast, rows->first + r * rows->series, experts * sizeof *forecast);
    for (size_t i = 0; i < rows->quantiles->n; i++) {
        double z = mp_normal_quantile(rows->quantiles->probabilities[i]);
        double times = mp_auto_times_spread(view->layer, z), tail = z * (1 + TAIL * z * z);
        struct variance variance = {.drift = times * times * (spread->square * growth),
                                    .noise = tail * tail * noise,
                                    .shared = 0.8 * spread->start + 0.2 * spread->noise,
                                    .least = mp_min_load((double)experts)};
        double *row = rows->first + (i * rows->n + r) * rows->series;
        (z < 0 ? mp_auto_quantiles_below : mp_auto_quantiles_above)(variance, forecast, view->noise, row, experts);
    }
}

moep_status mp_auto_quantiles(const struct task *task, const void *model, size_t horizon, size_t stride,
                              const struct quantiles *quantiles, double *shares)
{
    struct auto_call call;
    if (quantiles->n == 0)
        return MOEP_OK;
    if (!mp_auto_call_make(&call, task, model))
        return mp_out_of_memory("the forecast's scratch");
    struct rows rows = {quantiles, horizon, stride, mp_forecast_rows(horizon, stride), task->panel.series, shares};
    double *mean = call.scratch.actual, *forecast = call.scratch.weight;
    for (size_t l = 0; l < call.state.layers; l++, rows.first += task->experts) {
        struct auto_view view = mp_auto_call_layer(&call, l);
        mp_auto_forecast_layer(&call, &view, horizon, stride, rows.first, rows.series);
        scale(&rows, task->experts, mean);
        struct auto_spread spread = mp_auto_spread(&view, call.scratch.candidates, mean);
        for (size_t r = 0; r < rows.n; r++)
            fill_row(&rows, &view, &spread, r, forecast);
    }
    mp_auto_call_free(&call, &task->runtime->memory);
    return MOEP_OK;
}
