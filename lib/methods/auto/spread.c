/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/spread.h"

#include "series/error.h"
#include "support/exponential.h"
#include "support/logarithm.h"
#include "support/simd.h"
#include "support/sum.h"

/* Chosen on recorded, spliced and simulated runs, for intervals that hold as often as they say and are narrow. On the
 * recorded ones a half-life of 400 makes them 10 % worse by the interval score, s^2 without V or without r 2 to 3 %. */
static const double RATE = 0.2928932188134524 /* 1 - 2^(-50/100) */, START = 0.06, START_OF_STEPS = 0.12;
static const double OF_DISAGREEMENT = 0.75, OF_NOISE = 0.17, AHEAD = 0.8;

/* The windows that are compared: the shortest is mostly noise, and uncut ones remember levels that are past. */
enum { FIRST_WINDOW = MP_AUTO_CUT + 1, END_OF_WINDOWS = MP_AUTO_UNCUT };

static const double TINY = 1e-12; /* against 0 / 0 where a layer does not move at all */

static inline double squared(double x)
{
    return x * x;
}

static inline double square_distance(double a, double b, double least)
{
    return squared(a - b) / ((a + least) * (b + least));
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */

/* The sum of ((last - mean) / (mean + least))^2. */
MP_VECTORISED static double mp_auto_step_noise(const float *last, const float *mean, double least, size_t n)
{
    double sum;
    MP_SUM(sum, e, n, squared(((double)last[e] - (double)mean[e]) / ((double)mean[e] + least)));
    return sum;
}

void mp_auto_measure_step(const struct auto_view *view, const float *last_step, uint64_t block)
{
    double experts = (double)view->experts;
    view->layer->newest_step =
        mp_auto_step_noise(last_step, mp_block_mean(&view->blocks, block), mp_min_load(experts), view->experts) /
        experts;
}

/* A square counts as at most 1: an expert that dies is no noise. */
MP_VECTORISED static void mp_auto_update_noise(float *restrict noise, const float *restrict mean,
                                               const float *restrict forecast, double least, size_t n)
{
    for (size_t e = 0; e < n; e++) {
        double square = square_distance((double)mean[e], (double)forecast[e], least);
        square = square < 1 ? square : 1;
        noise[e] = (float)((double)noise[e] + RATE * (square - (double)noise[e]));
    }
}

void mp_auto_measure_noise(const struct auto_view *view, uint64_t blocks)
{
    struct auto_layer *layer = view->layer;
    uint64_t origin = blocks - 1;
    if (origin == 0)
        return;
    mp_auto_update_noise(view->noise, mp_block_mean(&view->blocks, origin), mp_auto_own(view, origin),
                         mp_min_load((double)view->experts), view->experts);
    layer->step_noise += RATE * (layer->newest_step - layer->step_noise);
    layer->measured += RATE * (1 - layer->measured);
}

/* ---- s^2 --------------------------------------------------------------------------------------------------------- */

MP_VECTORISED static double mp_auto_sum_of_noise(const float *noise, size_t n)
{
    double sum;
    MP_SUM(sum, e, n, (double)noise[e]);
    return sum;
}

MP_VECTORISED static double mp_auto_square_distances(const double *a, const double *b, double least, size_t n)
{
    double sum;
    MP_SUM(sum, e, n, square_distance(a[e], b[e], least));
    return sum;
}

/* V */
static double disagreement_of(const double *candidates, const double *forecast, size_t experts)
{
    double sum = 0, least = mp_min_load((double)experts);
    for (size_t k = FIRST_WINDOW; k < END_OF_WINDOWS; k++)
        sum += mp_auto_square_distances(candidates + k * experts, forecast, least, experts);
    return sum / (double)experts / (END_OF_WINDOWS - FIRST_WINDOW);
}

struct auto_spread mp_auto_spread(const struct auto_view *view, const double *candidates, const double *forecast)
{
    const struct auto_layer *layer = view->layer;
    double rest = 1 - layer->measured;
    double noise = mp_auto_sum_of_noise(view->noise, view->experts) / (double)view->experts + rest * START;
    double single = (layer->step_noise + rest * START_OF_STEPS + TINY) / (noise + TINY);
    double disagreement = disagreement_of(candidates, forecast, view->experts);
    return (struct auto_spread){.square = OF_DISAGREEMENT * disagreement + OF_NOISE * noise,
                                .start = rest * START,
                                .noise = noise,
                                .single = single > AHEAD ? single : AHEAD};
}

/* ---- g ----------------------------------------------------------------------------------------------------------- */

double mp_auto_noise_of(const struct auto_spread *spread, size_t steps)
{
    const double most = (double)MP_AUTO_BLOCK / MP_AUTO_HORIZON;
    if (steps > MP_AUTO_HORIZON)
        return 0;
    if (steps > MP_AUTO_BLOCK)
        return AHEAD * (MP_AUTO_BLOCK / (double)steps - most) / (1 - most);
    double part = mp_logarithm((double)steps) / mp_logarithm(MP_AUTO_BLOCK);
    return mp_exponential((1 - part) * mp_logarithm(spread->single) + part * mp_logarithm(AHEAD));
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

MP_VECTORISED static size_t mp_auto_beyond(const double *actual, const double *forecast, double square, double least,
                                           size_t n)
{
    size_t beyond = 0;
    for (size_t e = 0; e < n; e++)
        beyond += square_distance(actual[e], forecast[e], least) > square;
    return beyond;
}

size_t mp_auto_count_beyond(const double *actual, const double *forecast, double square, size_t experts)
{
    return mp_auto_beyond(actual, forecast, square, mp_min_load((double)experts), experts);
}
