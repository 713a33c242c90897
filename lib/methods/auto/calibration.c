/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/calibration.h"

#include "methods/auto/candidates.h"
#include "methods/auto/spread.h"
#include "series/error.h"
#include "support/exponential.h"

#include <math.h>

/* Of an interval: its probability p, the normal quantile at its upper end, Q_p at first, and eta_p. Errors have heavier
 * tails than the normal distribution, so Q_95 is more than z. */
static const struct {
    double probability, z, times, rate;
} levels[MP_AUTO_LEVELS] = {{0.80, 1.2815515655446004, 1.2815515655446004, 0.2}, {0.95, 1.959963984540054, 2.84, 0.3}};

static const double ERROR_RATE = 0.034063671075154375 /* 1 - 2^(-50/1000) */;

static double within(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

/* ---- learning ---------------------------------------------------------------------------------------------------- */

static void learn_level(struct auto_layer *layer, size_t level, double missed)
{
    layer->inside[level] += 1 - missed;
    layer->widening[level] =
        within(layer->widening[level] + levels[level].rate * (missed - (1 - levels[level].probability)),
               -MP_AUTO_MOST_WIDENING, MP_AUTO_MOST_WIDENING);
}

void mp_auto_calibrate(const struct auto_view *view, uint64_t blocks, const struct auto_scratch *scratch)
{
    struct auto_layer *layer = view->layer;
    struct block_origin now = {.blocks = blocks};
    size_t experts = view->experts, steps = MP_AUTO_HORIZON;
    if (mp_auto_finished(blocks) == 0)
        return;
    uint64_t origin = blocks - MP_AUTO_HORIZON_BLOCKS;
    const float *own = mp_auto_own(view, origin);
    double *forecast = scratch->weight, *actual = scratch->actual;
    mp_window_means(&view->blocks, &now, &steps, 1, scratch->sum, actual);
    for (size_t e = 0; e < experts; e++)
        forecast[e] = (double)own[e];
    for (size_t level = 0; level < MP_AUTO_LEVELS; level++) {
        double square = layer->square[origin % MP_AUTO_OWN_ORIGINS][level];
        size_t missed = mp_auto_count_beyond(actual, forecast, square, experts);
        learn_level(layer, level, (double)missed / (double)experts);
    }
    layer->widening[1] = fmax(layer->widening[1], layer->widening[0] + MP_AUTO_LEAST_STEP);
    layer->error += ERROR_RATE * (mp_error(forecast, actual, experts) - layer->error);
    layer->error_weight += ERROR_RATE * (1 - layer->error_weight);
}

/* ---- intervals --------------------------------------------------------------------------------------------------- */

static double times_at(const struct auto_layer *layer, size_t level)
{
    return levels[level].times * mp_exponential(layer->widening[level]);
}

void mp_auto_keep_intervals(struct auto_layer *layer, uint64_t origin, double square)
{
    for (size_t level = 0; level < MP_AUTO_LEVELS; level++) {
        double times = times_at(layer, level);
        layer->square[origin % MP_AUTO_OWN_ORIGINS][level] = times * times * square;
    }
}

double mp_auto_times_spread(const struct auto_layer *layer, double z)
{
    double near = times_at(layer, 0), far = times_at(layer, 1), x = fabs(z) / levels[0].z;
    if (x <= 1)
        return near * ((x + x * x) / 2);
    return near + (far - near) * ((fabs(z) - levels[0].z) / (levels[1].z - levels[0].z));
}

/* ---- reports ----------------------------------------------------------------------------------------------------- */

double mp_auto_expected_error(const struct auto_layer *layer)
{
    return mp_auto_finished(layer->blocks) > 0 ? layer->error / layer->error_weight : (double)NAN;
}

double mp_auto_coverage(const struct auto_layer *layer, size_t level)
{
    uint64_t finished = mp_auto_finished(layer->blocks);
    return finished > 0 ? layer->inside[level] / (double)finished : (double)NAN;
}
