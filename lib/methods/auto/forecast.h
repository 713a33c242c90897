/* SPDX-License-Identifier: BSD-3-Clause */
/* AUTO's forecasts for the caller, made from the last step that was pushed. */
#ifndef MP_METHODS_AUTO_FORECAST_H
#define MP_METHODS_AUTO_FORECAST_H

#include "methods/auto/work.h"

/* What a call works with: the state, which it only reads, and memory of its own. */
struct auto_call {
    struct auto_state state;
    struct auto_network network;
    uint64_t age; /* of the run, in steps */
    struct auto_scratch scratch;
    unsigned char *copy; /* of a layer whose work is pending */
    double *base;        /* [experts]: the mixture without the network */
    struct arena arena;
};

/* False if memory is refused; then there is nothing to free. */
bool mp_auto_call_make(struct auto_call *call, const struct task *task, const void *model);
void mp_auto_call_free(struct auto_call *call, const struct memory *memory);

/* A layer that has learned from all blocks, which may be a copy. It is only read. */
struct auto_view mp_auto_call_layer(const struct auto_call *call, size_t layer);

/* Fills rows[mp_forecast_rows(horizon, stride)][experts] of the layer, `row_stride` doubles apart. All candidates but
 * the network stay in the scratch. */
void mp_auto_forecast_layer(const struct auto_call *call, const struct auto_view *view, size_t horizon, size_t stride,
                            double *rows, size_t row_stride);

moep_status mp_auto_forecast(const struct task *task, const void *model, size_t horizon, size_t stride, double *rows);

moep_status mp_auto_quantiles(const struct task *task, const void *model, size_t horizon, size_t stride,
                              const struct quantiles *quantiles, double *shares);

#endif
