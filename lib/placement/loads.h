/* SPDX-License-Identifier: BSD-3-Clause */
/* The loads that a layer is planned for: the forecast, or the forecast with room for what fluctuates. */
#ifndef MP_PLACEMENT_LOADS_H
#define MP_PLACEMENT_LOADS_H

#include "placement/samples.h"

/* A layer's mean shares to plan for: the caller's forecast of this layer, [experts], brought to sum 1, or if that is
 * NULL the mean of the last fifth of the span. sums: [experts], for the call. */
void mp_forecast_shares(const struct samples *samples, size_t layer, const double *forecast, double *sums,
                        double *shares);

/* Adds to each share risk standard deviations of the layer's block means, and brings the sum back to 1.
 * mean, sums: [experts], for the call. */
void mp_add_risk(const struct samples *samples, size_t layer, double risk, double *mean, double *sums, double *shares);

/* Shares in units of MP_LOAD_UNIT, rounded. */
void mp_loads_of(const double *shares, size_t experts, int32_t *loads);

#endif
