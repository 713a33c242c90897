/* SPDX-License-Identifier: BSD-3-Clause */
/* AUTO's pretrained network: the LSTM's without recurrent layers, which needs no steps but the means of four windows.
 * AUTO reaches it by the table of methods alone; its model is AUTO's model. */
#ifndef MP_METHODS_AUTO_NETWORK_H
#define MP_METHODS_AUTO_NETWORK_H

#include "methods/auto/candidates.h"

struct auto_network {
    const struct method *method;
    moep_predictor_config config; /* of the network's method */
    const void *model;
};

/* model: may be NULL where no forecast is wanted. */
struct auto_network mp_auto_network_of(const moep_predictor_config *config, const void *model);

/* Is there a forecast from the origin? The network must have seen 100 steps, those of its reference. */
bool mp_auto_has_network(const struct block_origin *origin);

/* Fills rows[mp_forecast_rows(horizon, stride)][experts], each `row_stride` doubles after the one before.
 * age: the steps of the run before the origin. */
void mp_auto_network_forecast(const struct auto_network *network, const struct auto_view *view,
                              const struct block_origin *origin, uint64_t age, size_t horizon, size_t stride,
                              const struct auto_scratch *scratch, double *rows, size_t row_stride);

#endif
