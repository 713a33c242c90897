/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/growth.h"

#include <math.h>

/* Between a load that comes back (0) and a random walk (0.5): recorded runs show both. */
static const double FIRST_EXPONENT = 0.3;

static double exponent_of(const moep_detector_config *config)
{
    return mp_learns(config) ? FIRST_EXPONENT : config->growth;
}

/* It is rounded to float, because pow may differ in its last digits between C libraries. */
static double grow(const moep_detector_config *config, double steps, double exponent)
{
    double window = config->drift_window;
    return (double)(float)pow((window + steps) / (2 * window), 2 * exponent);
}

double mp_growth_to(const moep_detector_config *config, double steps)
{
    return grow(config, steps, exponent_of(config));
}

/* A drift that keeps its direction is assumed to grow with twice the exponent, up to a linear trend's 1. But a single
 * jump J within the blocks that D and D' share splits into x J and (1 - x) J, so that D D' <= J^2 / 4. A factor of at
 * most 4 g keeps its product from counting for more than the jump itself, g J^2. */
struct growth mp_growth(const moep_detector_config *config)
{
    double horizon = (double)config->horizon, drift = mp_growth_to(config, horizon);
    return (struct growth){drift, fmin(grow(config, horizon, fmin(2 * exponent_of(config), 1)), 4 * drift)};
}
