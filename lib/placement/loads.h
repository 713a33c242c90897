/* SPDX-License-Identifier: BSD-3-Clause */
/* The loads that a layer is planned for: the forecast, and the forecast with room for experts that fluctuate. */
#ifndef MP_PLACEMENT_LOADS_H
#define MP_PLACEMENT_LOADS_H

#include "placement/samples.h"

/* Of one layer, all [experts]; loads are in units of MP_LOAD_UNIT. */
struct layer_loads {
    const struct samples *samples;
    size_t layer;
    int32_t *forecast;   /* loads */
    int32_t *kept_mean;  /* mean loads of the kept steps */
    double *shares;      /* of the forecast */
    double *mean, *sums; /* scratch */
    int64_t *kept_sums;  /* scratch */
};

void mp_layer_loads_lay_out(struct layer_loads *loads, struct arena *arena, size_t experts);

/* Fills in a layer's. forecast: the caller's, [layers][experts], brought to sum 1; if it is NULL, the mean of the last
 * fifth of the span. */
void mp_layer_loads_set(struct layer_loads *loads, const struct samples *samples, size_t layer, const double *forecast);

/* Fills to[experts] with the loads of forecast + risk x sigma, sigma being the standard deviation of the layer's block
 * means, brought to sum 1. */
void mp_layer_loads_with_risk(const struct layer_loads *loads, double risk, int32_t *to);

#endif
