/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule by which a layer, or an expert, becomes STABLE and ceases to be. The two differ in their tolerance only.
 *
 * It becomes STABLE when the drift that a forecast over the horizon must expect, smoothed, and with a standard
 * deviation added for what noise may hide, has been within the tolerance for a while. It ceases to be when the last
 * block's drift is certainly, whatever part of it may be noise, beyond a tolerance somewhat larger. A drift that goes on
 * in one direction will be larger at a far horizon than one that may turn: where that is certainly beyond the same limit,
 * the state is not entered, and it is left once the whole last difference lies in it. */
#ifndef MP_DETECTOR_STABILITY_H
#define MP_DETECTOR_STABILITY_H

#include "checkpoint/checkpoint.h"
#include "detector/drift.h"

struct stability_rule {
    double tolerance; /* squared, in units of the mean load, as the drifts */
    double limit;     /* the larger one beyond which STABLE is left, squared */
    uint32_t dwell;   /* blocks */
    size_t blocks;    /* of drift_window */
};

struct stability_rule mp_stability_rule(double tolerance, uint32_t dwell, size_t blocks);

struct expected_drift {
    double drift, error; /* squared, and the standard deviation that noise gives it */
    bool beyond;         /* certainly, whatever part of it may be noise, it is beyond the limit */
    bool beyond_onward;  /* the same, if it goes on in the direction that it had; of no meaning before 3 x blocks */
};

struct stability {
    moep_state state;
    uint32_t quiet;          /* blocks in a row within the tolerance */
    uint64_t since, changes; /* as in the public calls */
    uint64_t entered;        /* blocks that had ended when it became STABLE */
    double drift;            /* squared; half of it the last block's, a quarter that of the one before, ... */
};

/* WARMUP, from that step on. */
void mp_stability_restart(struct stability *stability, uint64_t step);

/* A block has ended, with that step and as the ended-th; 2 x blocks or more have. */
void mp_stability_judge(struct stability *stability, const struct stability_rule *rule,
                        const struct expected_drift *expected, uint64_t ended, uint64_t step);

/* Its state as a checkpoint's fields, and their bytes; warmup: of a detector that is still in it; ended, next_step: as
 * that detector has them. */
enum { MP_STABILITY_SAVED = 40 };
void mp_stability_fields(struct stability *stability, struct checkpoint *checkpoint, bool warmup, uint64_t ended,
                         uint64_t next_step);

#endif
