/* SPDX-License-Identifier: BSD-3-Clause */
/* The work that the end of a block asks of a layer.
 *
 * First it learns from what the block brought: whether the load has jumped (jump.h), which candidates were right
 * (weights.h), how far AUTO itself was off (spread.h, calibration.h). Then it forecasts from the block's end, to be
 * scored later. A forecast for the caller needs the first part alone. */
#ifndef MP_METHODS_AUTO_WORK_H
#define MP_METHODS_AUTO_WORK_H

#include "methods/auto/network.h"

/* The first part, for the next block of the layer. */
void mp_auto_learn(const struct auto_view *view, const struct auto_scratch *scratch);

/* Both parts. */
void mp_auto_work(const struct auto_view *view, const struct auto_run *run, const struct auto_network *network,
                  const struct auto_scratch *scratch);

static inline bool mp_auto_is_pending(const struct auto_view *view, const struct auto_run *run)
{
    return view->layer->blocks < run->blocks;
}

#endif
