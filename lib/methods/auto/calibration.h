/* SPDX-License-Identifier: BSD-3-Clause */
/* What AUTO learns from its own finished forecasts of the mean of 1,000 steps: how wide its intervals must be.
 *
 * With s^2 of spread.h and d2 its square distance, the intervals of p = 80 and 95 % from an origin are the loads a with
 *
 *     d2(a, f) <= (Q_p s)^2,   Q_80 = 1.28 exp(c_80),   Q_95 = 2.84 exp(c_95)
 *
 * both c 0 at first. 1,000 steps later it is known which part of the layer's experts they missed, and
 *
 *     c_p <- c_p + eta_p (missed - (1 - p)),   eta_80 = 0.2, eta_95 = 0.3
 *
 * within +- log 8, since a layer that rests for weeks must not need weeks to unlearn it, and with Q_95 more than 1.1
 * Q_80. While c_p meets no bound, the intervals from n origins miss 1 - p on average, whatever the errors are, but for
 * the change of c_p divided by eta_p n. (Online gradient descent on the quantile loss of log(distance / s): Gibbs and
 * Candes 2021 adapt 1 - p so.) Without it intervals of 80 % hold within 4 points of that in the stable layers of 5 of
 * 25 runs instead of 21, with half the rates in 15; they are then a fifth narrower. A histogram of past errors, which
 * needs more memory, does no better. */
#ifndef MP_METHODS_AUTO_CALIBRATION_H
#define MP_METHODS_AUTO_CALIBRATION_H

#include "methods/auto/state.h"

/* Learns from the forecast and the intervals 1,000 steps before the newest block's end, if there are. */
void mp_auto_calibrate(const struct auto_view *view, uint64_t blocks, const struct auto_scratch *scratch);

/* Keeps the intervals from an origin with this s^2, to be compared with what comes. */
void mp_auto_keep_intervals(struct auto_layer *layer, uint64_t origin, double square);

/* How many times s a quantile lies from the forecast: Q_80 and Q_95 at the normal quantiles z of these intervals,
 * elsewhere on a line, or within 80 %, where errors crowd, on a parabola. It never falls as |z| rises, rounded or
 * not. */
double mp_auto_times_spread(const struct auto_layer *layer, double z);

/* The discounted mean of the errors of the forecasts of 1,000 steps (series/error.h), and the parts of the experts that
 * the intervals of 80 and 95 % held. NaN before the first is finished. */
double mp_auto_expected_error(const struct auto_layer *layer);
double mp_auto_coverage(const struct auto_layer *layer, size_t level);

#endif
