/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule by which a layer, or an expert, becomes STABLE and ceases to be. expected_drift.h explains what is known
 * when a block ends.
 *
 *     enter    E2 and its margin within the tolerance in `dwell` blocks in a row, with no trend certain to exceed the
 *              limit
 *     leave    the drift beyond the limit, or a trend certain to exceed it, 2 m blocks or more after STABLE was entered
 *
 * A jump leaves STABLE immediately. A trend leaves it only when all 2 m blocks of the last difference lie in STABLE. A
 * trend is undefined before 3 m blocks have ended, and is then left out of both. */
#ifndef MP_DETECTOR_STABILITY_H
#define MP_DETECTOR_STABILITY_H

#include "checkpoint/checkpoint.h"

#include <stdint.h>

struct stability_rule {
    uint32_t dwell; /* blocks */
    size_t blocks;  /* m */
};

/* What a block's end says of a series. */
enum { MP_WITHIN = 1, MP_BEYOND = 2, MP_TREND = 4 };

struct stability {
    moep_state state;
    uint32_t blocks_within;  /* in a row within the tolerance */
    uint64_t since, changes; /* as in the public calls */
    uint64_t entered;        /* blocks that had ended when it became STABLE */
};

/* Begins WARMUP with that step. */
void mp_stability_restart(struct stability *stability, uint64_t step);

/* Updates the state when a block ends with that step, at least 2 m blocks having ended. says: MP_WITHIN and so on. */
void mp_stability_update(struct stability *stability, const struct stability_rule *rule, unsigned says,
                         uint64_t blocks_ended, uint64_t step);

/* Its state as a checkpoint's fields, and their bytes. The smoothed drift (expected_drift.h) stands among them, as it did
 * in 0.1.0. warmup: its
 * detector is still in WARMUP. blocks_ended, next_step: the detector's. */
enum { MP_STABILITY_SAVED = 40 };
void mp_stability_fields(struct stability *stability, double *smoothed, struct checkpoint *checkpoint, bool warmup,
                         uint64_t blocks_ended, uint64_t next_step);

#endif
