/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/weights.h"

#include "methods/auto/candidates.h"
#include "series/error.h"
#include "support/exponential.h"
#include "support/simd.h"
#include "support/sum.h"

#include <float.h>
#include <math.h>

/* The optimum is flat: rates of 3 to 6, half-lives of 150 to 300 steps, and priors of the network from 0.25 to 0.6 give
 * errors within 1.5 points of each other. */
static const struct {
    size_t blocks;
    double factor;
} lags[] = {{1, 0.20}, {2, 0.30}, {4, 0.25}, {MP_AUTO_LONGEST_LAG, 0.25}};
enum { LAGS = sizeof lags / sizeof *lags };
static const double DISCOUNT = 0.8408964152537145 /* 2^(-50/200) */, RATE = 5;
static const double NETWORK_PRIOR = 0.40, UNIFORM_PRIOR = 0.05;

/* Smaller mean losses are the rounding of means to floats: a load that never changes says nothing of the candidates. */
static const double LEAST_LOSS = 1e-6;

/* weight[e] = 1 / max(actual[e], least) */
MP_VECTORISED static void mp_auto_loss_weights(const double *restrict actual, double least, double *restrict weight,
                                               size_t n)
{
    for (size_t e = 0; e < n; e++)
        weight[e] = 1 / (actual[e] > least ? actual[e] : least);
}

/* Sum of |forecast - actual| weight. */
MP_VECTORISED static double mp_auto_loss(const double *forecast, const double *actual, const double *weight, size_t n)
{
    double sum;
    MP_SUM(sum, e, n, fabs(forecast[e] - actual[e]) * weight[e]);
    return sum;
}

/* The candidates' forecasts from an origin at the end of a block. */
static void fill_candidates(const struct auto_view *view, uint64_t blocks, const struct auto_scratch *scratch)
{
    struct block_origin origin = mp_auto_origin(view, blocks);
    const float *network = mp_auto_network(view, blocks);
    double *row = scratch->candidates + MP_AUTO_NETWORK * view->experts;
    mp_auto_fill_windows(view, &origin, scratch->sum, scratch->candidates);
    for (size_t e = 0; e < view->experts; e++)
        row[e] = (double)network[e];
}

static void score_lag(const struct auto_view *view, uint64_t blocks, size_t lag, double factor,
                      const struct auto_scratch *scratch)
{
    size_t experts = view->experts, steps = lag * MP_AUTO_BLOCK;
    struct block_origin now = {.blocks = blocks};
    double loss[MP_AUTO_CANDIDATES], mean = 0;
    mp_window_means(&view->blocks, &now, &steps, 1, scratch->sum, scratch->actual);
    mp_auto_loss_weights(scratch->actual, mp_min_load((double)experts), scratch->weight, experts);
    fill_candidates(view, blocks - lag, scratch);
    for (size_t k = 0; k < MP_AUTO_CANDIDATES; k++) {
        loss[k] = mp_auto_loss(scratch->candidates + k * experts, scratch->actual, scratch->weight, experts);
        mean += loss[k] / MP_AUTO_CANDIDATES;
    }
    for (size_t k = 0; k < MP_AUTO_CANDIDATES && mean > LEAST_LOSS * (double)experts; k++)
        view->layer->score[k] += factor * loss[k] / mean;
}

void mp_auto_score(const struct auto_view *view, uint64_t blocks, const struct auto_scratch *scratch)
{
    for (size_t k = 0; k < MP_AUTO_CANDIDATES; k++)
        view->layer->score[k] *= DISCOUNT;
    for (size_t i = 0; i < LAGS; i++)
        if (blocks >= MP_AUTO_FIRST_ORIGIN + lags[i].blocks)
            score_lag(view, blocks, lags[i].blocks, lags[i].factor, scratch);
}

static double prior(size_t candidate)
{
    if (candidate == MP_AUTO_NETWORK)
        return NETWORK_PRIOR;
    return candidate == MP_AUTO_UNIFORM ? UNIFORM_PRIOR : (1 - NETWORK_PRIOR - UNIFORM_PRIOR) / MP_AUTO_WINDOWS;
}

void mp_auto_weigh(const struct auto_layer *layer, bool with_network, double weights[MP_AUTO_CANDIDATES])
{
    double least = DBL_MAX, sum = 0;
    for (size_t k = 0; k < MP_AUTO_CANDIDATES; k++)
        least = layer->score[k] < least ? layer->score[k] : least;
    for (size_t k = 0; k < MP_AUTO_CANDIDATES; k++) {
        weights[k] = prior(k) * mp_exponential(-RATE * (layer->score[k] - least));
        weights[k] = k == MP_AUTO_NETWORK && !with_network ? 0 : weights[k];
        sum += weights[k];
    }
    for (size_t k = 0; k < MP_AUTO_CANDIDATES; k++)
        weights[k] /= sum;
}
