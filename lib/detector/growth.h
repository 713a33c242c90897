/* SPDX-License-Identifier: BSD-3-Clause */
/* How far a drift grows with the time ahead, by a constant exponent.
 *
 * Lag W compares two neighbouring means of W steps; a span of S steps compares the mean of the last W steps with the
 * mean of the next S. A squared drift grows from the one to the other by
 *
 *     random walk of step variance q    2 W q / 3  and  (W + S) q / 3     ratio r = (W + S) / (2 W)
 *     linear trend a t, squared         (a W)^2  and  (a (W + S) / 2)^2   ratio r^2
 *
 * In general it is r^(2 H), with H the diffusion (Hurst) exponent: 1/2 for a random walk, 1 for a trend, 0 for a load
 * that changes but comes back. H is config.growth, or 0.3 where the detector learns from the run how far this is off
 * (learning.h). */
#ifndef MP_DETECTOR_GROWTH_H
#define MP_DETECTOR_GROWTH_H

#include "detector/config.h"

#include <stdbool.h>

struct growth {
    double drift; /* of a squared drift to the horizon, g */
    double trend; /* the same for a drift that keeps its direction */
};

struct growth mp_growth(const moep_detector_config *config);

/* The growth of a squared drift to a span of steps. */
double mp_growth_to(const moep_detector_config *config, double steps);

static inline bool mp_learns(const moep_detector_config *config)
{
    return config->growth < 0;
}

#endif
