/* SPDX-License-Identifier: BSD-3-Clause */
/* The forecasts that AUTO mixes: means of windows, a network's forecast, and uniform loads. */
#ifndef MP_METHODS_AUTO_CANDIDATES_H
#define MP_METHODS_AUTO_CANDIDATES_H

#include "methods/auto/state.h"

/* The origin at the end of a block, one of the layer's last MP_AUTO_ORIGINS. */
struct block_origin mp_auto_origin(const struct auto_view *view, uint64_t blocks);

/* The last step of the run, for a layer that has learned from all blocks. */
struct block_origin mp_auto_now(const struct auto_view *view, const struct auto_run *run);

/* Fills candidates[MP_AUTO_CANDIDATES][experts], all but the network's row. */
void mp_auto_fill_windows(const struct auto_view *view, const struct block_origin *origin, double *sum,
                          double *candidates);

/* mixture[experts] = the sum of weights[k] times candidate k. A candidate without weight is not read. */
void mp_auto_mix(const double weights[MP_AUTO_CANDIDATES], const double *candidates, size_t experts, double *mixture);

/* NULL past the last. */
const char *mp_auto_candidate_name(size_t candidate);

#endif
