/* SPDX-License-Identifier: BSD-3-Clause */
/* How far loads may come from AUTO's forecasts of them, before it is known how far they did (calibration.h).
 *
 * Two loads a and b of a layer of E experts are compared by their square distance
 *
 *     d2(a, b) = (a - b)^2 / ((a + eps) (b + eps)),   eps = 0.1 / E
 *
 * about the square of their logarithms' difference if they are close. At the end of each block i a layer measures, as
 * means that halve the weight of the past every 100 steps,
 *
 *     r_e   of min(1, d2(B_i,e, f_e)), B_i the block's mean, f AUTO's forecast of it: the noise of 50 steps
 *     v     of the mean over the experts of ((x_e - B_i,e) / (B_i,e + eps))^2, x the block's last step: that of one
 *
 * At first r_e is 0.06 and v 0.12. The errors of means of 1,000 steps have about the variance
 *
 *     s^2 = 0.75 V + 0.17 r,   r the mean over e of r_e, V that over e and windows k of d2(f_k,e, f_e)
 *
 * with the cut windows of 100 to 2,000 steps (candidates.h): means that differ show a load that moves. A fifth of an
 * expert's r_e is replaced by the layer's r, because a mean of so few blocks is itself uncertain. The noise of a mean
 * of m steps is g(m) (4 r_e + r) / 5,
 *
 *     g(m) = max(v / r, 4/5)^(1 - u) (4/5)^u,  u = log m / log 50      up to 50 steps
 *     g(m) = 4/5 max(0, (50/m - 1/20) / (1 - 1/20))                    beyond: s^2 includes that of 1,000
 *
 * where 4/5 is for what the errors of a block have in common with those of the steps after it. */
#ifndef MP_METHODS_AUTO_SPREAD_H
#define MP_METHODS_AUTO_SPREAD_H

#include "methods/auto/state.h"

/* Compares the last step of the block with its mean. This is done when the block ends, because no step is kept. */
void mp_auto_measure_step(const struct auto_view *view, const float *last_step, uint64_t block);

/* Learns r_e and v from the newest block, if AUTO has forecast it. */
void mp_auto_measure_noise(const struct auto_view *view, uint64_t blocks);

struct auto_spread {
    double square; /* s^2 */
    double start;  /* to be added to the noise of an expert in the view for its r_e: what is left of the first value */
    double noise;  /* r */
    double single; /* max(v / r, 4/5) */
};

/* The candidates' forecasts [MP_AUTO_CANDIDATES][experts], of which windows are read, and AUTO's. */
struct auto_spread mp_auto_spread(const struct auto_view *view, const double *candidates, const double *forecast);

/* g(steps) */
double mp_auto_noise_of(const struct auto_spread *spread, size_t steps);

/* The number of experts whose d2(actual, forecast) exceeds the square. */
size_t mp_auto_count_beyond(const double *actual, const double *forecast, double square, size_t experts);

#endif
