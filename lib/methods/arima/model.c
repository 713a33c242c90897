/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/model.h"

#include "support/arena.h"

#include <math.h>

static struct arima_model lay_out(struct arena *arena, size_t series)
{
    struct arima_model view;
    view.progress = mp_arena_take(arena, 1, sizeof *view.progress);
    view.estimates = mp_arena_take(arena, series, sizeof *view.estimates);
    view.factors = mp_arena_take(arena, series, sizeof *view.factors);
    view.has_estimate = mp_arena_take(arena, series, sizeof *view.has_estimate);
    view.requested = mp_arena_take(arena, series, sizeof *view.requested);
    return view;
}

size_t mp_arima_model_size(const moep_predictor_config *config, size_t layers, size_t experts)
{
    struct arena arena = {0};
    (void)config;
    lay_out(&arena, mp_product(layers, experts));
    return arena.used;
}

struct arima_model mp_arima_model(void *model, size_t series)
{
    struct arena arena = mp_arena_over(model);
    return lay_out(&arena, series);
}

/* ---- checkpoint -------------------------------------------------------------------------------------------------- */

static void field_unsigned(struct checkpoint *checkpoint, unsigned *value)
{
    uint32_t wide = *value;
    mp_field_u32(checkpoint, &wide);
    if (checkpoint->mode == MP_READ)
        *value = wide;
}

static void field_bool(struct checkpoint *checkpoint, bool *value)
{
    uint32_t wide = *value;
    mp_field_u32(checkpoint, &wide);
    mp_checkpoint_require(checkpoint, wide <= 1);
    if (checkpoint->mode == MP_READ)
        *value = wide == 1;
}

static void field_finite(struct checkpoint *checkpoint, double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mp_field_f64(checkpoint, &values[i]);
        mp_checkpoint_require(checkpoint, isfinite(values[i]));
    }
}

/* The n coefficients of an order. Those beyond must be zeros: kernels compute with the largest order of their lanes. */
static void coefficients_fields(struct checkpoint *checkpoint, double *values, unsigned n)
{
    field_finite(checkpoint, values, MP_ARIMA_ORDER);
    for (size_t i = n; i < MP_ARIMA_ORDER; i++)
        mp_checkpoint_require(checkpoint, values[i] == 0);
}

static void order_fields(struct checkpoint *checkpoint, struct arima_order *order)
{
    field_unsigned(checkpoint, &order->p);
    field_unsigned(checkpoint, &order->d);
    field_unsigned(checkpoint, &order->q);
    field_bool(checkpoint, &order->mean);
    mp_checkpoint_require(checkpoint, order->p <= MP_ARIMA_ORDER && order->q <= MP_ARIMA_ORDER && order->d <= 2);
}

/* The likelihood of a constant series is infinite, and so is the standard error of a coefficient that the data do not
 * determine. */
static void estimate_fields(struct checkpoint *checkpoint, struct arima_estimate *estimate)
{
    order_fields(checkpoint, &estimate->order);
    field_unsigned(checkpoint, &estimate->fallback);
    field_unsigned(checkpoint, &estimate->period);
    field_bool(checkpoint, &estimate->done);
    coefficients_fields(checkpoint, estimate->phi, estimate->order.p);
    coefficients_fields(checkpoint, estimate->theta, estimate->order.q);
    for (size_t i = 0; i < MP_ARIMA_ORDER; i++) {
        mp_field_f64(checkpoint, &estimate->phi_error[i]);
        mp_field_f64(checkpoint, &estimate->theta_error[i]);
        mp_checkpoint_require(checkpoint, !isnan(estimate->phi_error[i]) && !isnan(estimate->theta_error[i]));
    }
    field_finite(checkpoint, &estimate->mean, 1);
    field_finite(checkpoint, &estimate->sigma2, 1);
    mp_field_f64(checkpoint, &estimate->loglik);
    mp_field_f64(checkpoint, &estimate->aicc);
    mp_checkpoint_require(checkpoint, !isnan(estimate->loglik) && !isnan(estimate->aicc));
    mp_checkpoint_require(checkpoint, estimate->sigma2 >= 0 && estimate->fallback <= MP_ARIMA_MEAN);
}

/* Calibration bounds factors by 1/32 and 8, and the SEEN term (calibrate.c) adds less than 0.2 to the logarithm. All
 * factors lie within exp(-5) .. exp(5); others are damage. */
static const double LARGEST_LOG_FACTOR = 5;

static void factors_fields(struct checkpoint *checkpoint, struct arima_factors *factors)
{
    mp_field_f64(checkpoint, &factors->step);
    mp_checkpoint_require(checkpoint, fabs(factors->step) < LARGEST_LOG_FACTOR);
    for (size_t k = 0; k < MP_ARIMA_HORIZONS; k++) {
        mp_field_f64(checkpoint, &factors->horizon[k]);
        mp_checkpoint_require(checkpoint, fabs(factors->horizon[k]) < LARGEST_LOG_FACTOR);
    }
}

void mp_arima_model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series,
                           void *model)
{
    struct arima_model view = mp_arima_model(model, series);
    (void)config;
    mp_field_u64(checkpoint, &view.progress->rounds);
    mp_field_u64(checkpoint, &view.progress->orders_selected);
    mp_field_u64(checkpoint, &view.progress->complete);
    mp_field_u64(checkpoint, &view.progress->calibration_horizons);
    mp_checkpoint_require(checkpoint, view.progress->calibration_horizons <= MP_ARIMA_HORIZONS);
    mp_checkpoint_require(checkpoint, view.progress->orders_selected <= series && view.progress->complete <= 1);
    mp_checkpoint_require(checkpoint, !view.progress->complete || view.progress->orders_selected == series);
    for (size_t s = 0; s < series; s++) {
        estimate_fields(checkpoint, &view.estimates[s]);
        order_fields(checkpoint, &view.requested[s]);
        factors_fields(checkpoint, &view.factors[s]);
        mp_field_u64(checkpoint, &view.has_estimate[s]);
        mp_checkpoint_require(checkpoint, view.has_estimate[s] <= 1);
    }
}
