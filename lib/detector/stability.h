/* SPDX-License-Identifier: BSD-3-Clause */
/* The rule by which a layer, or an expert, becomes STABLE and ceases to be. The two differ in their tolerance only.
 *
 * These numbers are known when a block ends, all in units of the mean load (expected_drift.c). T is the tolerance.
 *
 *     p        the squared drift that a forecast over the horizon must expect by the constant growth
 *     d        c p, as the run has taught (learning.h); c is 1 where it has not
 *     se       the standard error of d, from noise
 *     t        as d, for a load that keeps its direction
 *     s        the smoothed p
 *     E2       the smoothed d, mixed with the squared errors that came lately; s where none has
 *     m        the margin: se, or se / 2 once errors have come
 *
 *     enter    max(E2, 0) + m <= T^2 in `dwell` blocks in a row, with no trend certain to exceed the limit
 *     leave    d certain to exceed the limit (1.3 T)^2, or t certain to, 2 m blocks or more after STABLE was entered,
 *              or E2 - m > (1.3 T)^2 once errors have come
 *     s        begins as the first p; then s = (s + p) / 2
 *
 * A jump leaves STABLE immediately. A trend leaves it only when all 2 m blocks of the last difference lie in STABLE. t
 * is undefined before 3 m blocks have ended, and is then left out of both inequalities.
 *
 * The table shows what changing one number does, as tests/bench/detector_quality.py prints it for the recorded small16
 * runs. False exits are per 10,000 steps and layer (or expert); b is the balanced accuracy.
 *
 *     as it is               0.20 false exits, b = 0.883; of experts 0.04, 0.745
 *     limit 1.3 T            1.2 T: 0.59 false exits;  1.5 T: b = 0.863, and ramps are left late and entered again
 *     3 se, of a layer       2 se: 0.49 false exits;  4 se: b = 0.862
 *     3 sqrt(V), expert      2 sqrt(V): 0.12 false exits of experts;  4 sqrt(V): b = 0.693 of experts
 *     + se on entering       without: 0.40 false exits, though the state agrees with the truth in 0.949, not 0.935
 *     s by halves            without smoothing: agrees in 0.929, and STABLE is entered up to 50 steps sooner */
#ifndef MP_DETECTOR_STABILITY_H
#define MP_DETECTOR_STABILITY_H

#include "checkpoint/checkpoint.h"
#include "detector/learning.h"

struct stability_rule {
    double tolerance; /* T^2, in units of the mean load squared, as the drifts */
    double limit;     /* (1.3 T)^2 */
    uint32_t dwell;   /* blocks */
    size_t blocks;    /* m */
};

struct stability_rule mp_stability_rule(double tolerance, uint32_t dwell, size_t blocks);

struct expected_drift {
    double predicted, standard_error; /* p, se */
    bool exceeds_limit;               /* d certainly does, however much of it is noise */
    bool trend_exceeds_limit;         /* t certainly does; undefined before 3 m blocks have ended */
    struct learned learned;
};

struct stability {
    moep_state state;
    uint32_t blocks_within;  /* in a row within the tolerance */
    uint64_t since, changes; /* as in the public calls */
    uint64_t entered;        /* blocks that had ended when it became STABLE */
    double predicted;        /* s */
};

/* Begins WARMUP with that step. */
void mp_stability_restart(struct stability *stability, uint64_t step);

/* Updates the state when a block ends with that step, at least 2 m blocks having ended. */
void mp_stability_update(struct stability *stability, const struct stability_rule *rule,
                         const struct expected_drift *expected, uint64_t blocks_ended, uint64_t step);

/* Its state as a checkpoint's fields, and their bytes. warmup: its detector is still in WARMUP. blocks_ended,
 * next_step: the detector's. */
enum { MP_STABILITY_SAVED = 40 };
void mp_stability_fields(struct stability *stability, struct checkpoint *checkpoint, bool warmup, uint64_t blocks_ended,
                         uint64_t next_step);

#endif
