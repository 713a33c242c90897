/* SPDX-License-Identifier: BSD-3-Clause */
/* The public call that only ARIMA supports. */
#include "api/status.h"
#include "api/struct.h"
#include "methods/arima/model.h"
#include "predictor/predictor.h"
#include "support/environment.h"

#include <string.h>

_Static_assert(sizeof((moep_arima_model *)0)->phi / sizeof(double) == MP_ARIMA_ORDER,
               "phi and theta do not hold the largest order");

static moep_arima_model model_of(const struct arima_estimate *estimate)
{
    moep_arima_model model = {.p = estimate->order.p,
                              .d = estimate->order.d,
                              .q = estimate->order.q,
                              .period = estimate->period,
                              .fallback = estimate->fallback,
                              .mean = estimate->mean,
                              .sigma2 = estimate->sigma2,
                              .loglik = estimate->loglik,
                              .aicc = estimate->aicc};
    memcpy(model.phi, estimate->phi, sizeof model.phi);
    memcpy(model.theta, estimate->theta, sizeof model.theta);
    memcpy(model.phi_error, estimate->phi_error, sizeof model.phi_error);
    memcpy(model.theta_error, estimate->theta_error, sizeof model.theta_error);
    return model;
}

moep_status moep_predictor_arima_model(const moep_predictor *predictor, size_t layer, size_t expert,
                                       moep_arima_model *model)
{
    MP_BORDER
    if (!predictor)
        return mp_fail_null("predictor");
    const struct history *history = &predictor->history;
    if (predictor->config.method != MOEP_ARIMA)
        return mp_fail(MOEP_ERROR_UNSUPPORTED, "the method is %s, not arima", predictor->method->name);
    if (layer >= history->layers || expert >= history->experts)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "layer %zu, expert %zu: there are %zu layers of %zu experts", layer,
                       expert, history->layers, history->experts);
    size_t series = layer * history->experts + expert;
    struct arima_model parts = mp_arima_model(predictor->model, history->layers * history->experts);
    if (!parts.has_estimate[series])
        return mp_fail(MOEP_ERROR_NOT_FITTED, "layer %zu, expert %zu has not been fitted", layer, expert);
    moep_arima_model ours = model_of(&parts.estimates[series]);
    return mp_struct_write(model, &ours, sizeof ours, "moep_arima_model");
}
