/* SPDX-License-Identifier: BSD-3-Clause */
/* The drift that a forecast over the horizon must expect, of a layer and of its experts, when a block ends.
 *
 * For expert e, drift.h gives estimates of D^2, of D D' and of the noise V, as shares squared. E is the number of
 * experts, g the growth of a squared drift from W to the horizon (growth.h), and c the part of it that comes
 * (learning.h). Drifts are measured in units of the mean load 1 / E, so squared shares are multiplied by E^2:
 *
 *     expert    p = g E^2 (D^2 - V)               v = c g E^2 sqrt(2) V
 *     layer     p = g E sum_e (D_e^2 - V_e)       v = c g E sqrt(sum_e 2 V_e^2)      the mean over its experts
 *
 * p is the squared drift to expect by the constant growth, d = c p that by what the run has taught, and v the standard
 * error of d: a normal number with mean 0 and variance V has a square with the standard deviation sqrt(2) V. For a drift
 * that keeps its direction, t is as d, where
 *
 *     D D' + V / 2 replaces D^2 - V, and the growth of a trend replaces g
 *
 * with the same standard error, although the product scatters a little less, by sqrt(5/4) V. s is the smoothed p: it
 * begins as the first, then s = (s + p) / 2. With T the tolerance, the expected squared drift and its margin are
 *
 *     E2 = s, m = v                                              before an error has come
 *     E2 = 3/4 (a c s + (1 - a) r), m = a v / 2                  then, with a = 7/10 2 T^2 / (2 T^2 + v)
 *
 * So the more noise there is in the drift of now, the more the errors r that came lately count, which have less. 3/4:
 * loads settle, and on recorded runs errors to come are smaller than those that came. At a block's end a series is
 *
 *     within    if max(E2, 0) + m <= T^2
 *     beyond    if d is certain to exceed the limit (1.3 T)^2, or E2 - m does once an error has come, or p is certain to
 *               exceed both the limit and four times the usual (u, learning.h): of such a drift the past says nothing
 *     trend     if t is certain to exceed the limit
 *
 * Here t has max(c, 1) in the place of c: a trend has not come back so far. A quantity is "certain" to exceed a limit L
 * if it does even where three standard deviations are noise:
 *
 *     layer     d - 3 v > L                                    a sum over many experts is about normal
 *     expert    sqrt(c g) E (|D| - 3 sqrt(V)) > sqrt(L)        a single square is not, but D itself is */
#ifndef MP_DETECTOR_EXPECTED_DRIFT_H
#define MP_DETECTOR_EXPECTED_DRIFT_H

#include "detector/growth.h"
#include "detector/learning.h"

/* What is kept of n series from block to block. */
struct expected_drift {
    double *smoothed, *expected; /* s; E2 */
};

/* What a block's numbers are compared with. */
struct drift_rule {
    struct growth growth;
    double tolerance, limit; /* T^2; (1.3 T)^2 */
};

struct drift_rule mp_drift_rule(const struct growth *growth, double tolerance);

/* Updates a layer at a block's end. first: none has been evaluated before. Returns what it says (stability.h). */
unsigned mp_expect_of_layer(const struct drift_rule *rule, const struct drift_estimate *estimate, size_t experts,
                            const struct learned *learned, bool first, double *smoothed, double *expected);

/* The same of its n experts; says: [n]. */
void mp_expect_of_experts(const struct drift_rule *rule, const struct drift_estimate *estimate, size_t n,
                          const struct learned_experts *learned, bool first, double *smoothed, double *expected,
                          int64_t *says);

#endif
