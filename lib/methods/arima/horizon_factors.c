/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/horizon_factors.h"

#include "support/logarithm.h"

#include <math.h>

/* Found on small16-seed1, -seed2, wsd8 and biasfree32 by tests/bench/interval_coverage.py: with less of each,
 * intervals of the mean of 1,000 steps cover too little for models that revert to a mean, with more, too much for
 * walks. */
static const double growth = 1.5, rise = 0.18;

/* The exponent that is believed, up or down: a walk that is all noise has -1/2. */
static const double steepest = 0.5;

double mp_arima_log_factor(const struct arima_factors *factors, size_t rungs, size_t ahead)
{
    static const double log_2 = 0.69314718055994531;
    const double *at = factors->horizon;
    size_t rung = 0;
    if (rungs == 0)
        return 0;
    while (rung + 1 < rungs && (size_t)2 << rung <= ahead)
        rung++;
    double beyond = mp_logarithm((double)ahead / (double)((size_t)1 << rung));
    if (rung + 1 < rungs)
        return at[rung] + beyond / log_2 * (at[rung + 1] - at[rung]);
    double slope = rung >= 2 ? (at[rung] - at[rung - 2]) / (2 * log_2) : 0;
    return at[rung] + beyond * (rise + growth * fmin(fmax(slope, -steepest), steepest));
}
