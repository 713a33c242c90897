/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule by which a layer, or an expert, becomes STABLE and ceases to be. The two differ in their tolerance only.
 *
 * It becomes STABLE when the drift that a forecast over the horizon must expect has been within the tolerance for a while.
 * It ceases to be when that drift is certainly, whatever part of it may be noise, beyond a tolerance somewhat larger. The
 * longer scale sees slow drifts to which the first is blind, once what it looks at lies in the stable time. */
#ifndef MP_STABILITY_H
#define MP_STABILITY_H

#include "checkpoint.h"
#include "drift.h"

struct stability_rule {
    double tolerance; /* squared */
    uint32_t dwell;   /* blocks */
    size_t blocks;    /* of drift_window */
};

/* In units of the mean load, squared. */
struct expected_drift {
    double drift;              /* at the first scale */
    double certain[MP_SCALES]; /* what of it noise cannot have made */
};

struct stability {
    moep_state state;
    uint32_t quiet;          /* blocks in a row within the tolerance */
    uint64_t since, changes; /* as in the public calls */
    uint64_t entered;        /* blocks that had ended when it became STABLE */
    double drift; /* squared; smoothed over about as many blocks as drift_window has: states must be quick, the
                                number need not be */
};

/* WARMUP, from that step on. */
void mp_stability_restart(struct stability *stability, uint64_t step);

/* A block has ended, with that step and as the ended-th; 2 x blocks or more have. */
void mp_stability_judge(struct stability *stability, const struct stability_rule *rule,
                        const struct expected_drift *expected, uint64_t ended, uint64_t step);

/* Its state as a checkpoint's fields, and their bytes. */
enum { MP_STABILITY_SAVED = 40 };
void mp_stability_visit(struct stability *stability, struct checkpoint *checkpoint);

#endif
