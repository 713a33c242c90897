/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/work.h"

#include "methods/auto/calibration.h"
#include "methods/auto/jump.h"
#include "methods/auto/spread.h"
#include "methods/auto/weights.h"

void mp_auto_learn(const struct auto_view *view, const struct auto_scratch *scratch)
{
    struct auto_layer *layer = view->layer;
    uint64_t blocks = layer->blocks + 1;
    uint64_t before = mp_auto_origin(view, blocks - 1).start;
    layer->start[blocks % MP_AUTO_ORIGINS] = mp_auto_find_jump(view, before, blocks - 1);
    mp_auto_score(view, blocks, scratch);
    mp_auto_measure_noise(view, blocks);
    mp_auto_calibrate(view, blocks, scratch);
    layer->blocks = blocks;
}

static void store(float *row, const double *shares, size_t experts)
{
    for (size_t e = 0; e < experts; e++)
        row[e] = (float)shares[e];
}

/* The forecasts from the end of the newest block: the network's, and AUTO's own with its intervals. */
static void look_ahead(const struct auto_view *view, const struct auto_run *run, const struct auto_network *network,
                       const struct auto_scratch *scratch)
{
    size_t experts = view->experts;
    struct block_origin origin = mp_auto_origin(view, view->layer->blocks);
    double weights[MP_AUTO_CANDIDATES], *row = scratch->candidates + MP_AUTO_NETWORK * experts;
    bool with_network = mp_auto_has_network(&origin);
    mp_auto_fill_windows(view, &origin, scratch->sum, scratch->candidates);
    if (with_network) {
        mp_auto_network_forecast(network, view, &origin, run->end_step, MP_AUTO_HORIZON, MP_AUTO_HORIZON, scratch, row,
                                 experts);
        store(mp_auto_network(view, origin.blocks), row, experts);
    }
    mp_auto_weigh(view->layer, with_network, weights);
    mp_auto_mix(weights, scratch->candidates, experts, scratch->sum);
    store(mp_auto_own(view, origin.blocks), scratch->sum, experts);
    struct auto_spread spread = mp_auto_spread(view, scratch->candidates, scratch->sum);
    mp_auto_keep_intervals(view->layer, origin.blocks, spread.square);
}

void mp_auto_work(const struct auto_view *view, const struct auto_run *run, const struct auto_network *network,
                  const struct auto_scratch *scratch)
{
    mp_auto_learn(view, scratch);
    look_ahead(view, run, network, scratch);
}
