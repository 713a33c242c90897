/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run teaches about its drift: how much of what the constant growth predicts (growth.h) then comes.
 *
 * hindsight.h explains p, the squared error that was predicted for a past mean, and e, that which came.
 * A layer's are the means over its experts. With T the tolerance, every layer and every expert keeps
 *
 *     P    sum over the origins and spans of min(p, 8 T^2); a sum's past loses half its weight in 20 periods
 *     R    sum of min(e, max(2 T^2, 3 min(p, 8 T^2))): how far the loads went when the data changed says little of other times
 *     r    mean over the spans of min(e, 3/2 T^2), smoothed by halves: what came lately. It may exceed T^2, as
 *          it must where noise hides all else
 *     c    (max(R, 0) + 3 T^2 c') / (max(P, 0) + 3 T^2), kept within 0.18 .. 5: the part of the predicted that comes.
 *          c' is 1 for a layer, and the layer's c for its experts. With the default
 *          horizon, the least is 1 / (2 g): that of a load whose noise is remembered for W steps and then forgotten
 *     u    max(P, 0) / N, the usual min(p, 8 T^2), with N the sum of ones in the place of those
 *
 * expected_drift.h says what is made of them.
 *
 * bytes: every sum has a fixed order; allocates: at make only. */
#ifndef MP_DETECTOR_LEARNING_H
#define MP_DETECTOR_LEARNING_H

#include "detector/hindsight.h"

/* P, R and r of n series. */
struct lessons {
    double *predicted, *realised, *recent;
};

struct learning {
    bool enabled;                       /* false: the growth is constant, and nothing below is used */
    double errors;                      /* N */
    double tolerance, expert_tolerance; /* T^2 of layers, of experts */
    struct hindsight hindsight;
    struct arena arena;
    struct lessons of_layers, of_experts; /* [layers]; [layers][experts] */
    struct lessons added;                 /* [experts]: of a period's end, without a meaning between calls */
    double *predicted, *realised;         /* [experts]: p and e of a span, the same */
};

/* After OUT_OF_MEMORY, mp_learning_free is still allowed, as it is on zeroed memory. */
moep_status mp_learning_make(struct learning *learning, size_t layers, size_t experts,
                             const moep_detector_config *config, const struct memory *memory);
void mp_learning_free(struct learning *learning, const struct memory *memory);

/* Returns to the state after make. */
void mp_learning_reset(struct learning *learning);

/* Copies what a detector of the same shape and configuration has learned. */
void mp_learning_copy(struct learning *to, const struct learning *from);

/* When a period has ended, before any layer learns: keeps the means of all layers. */
void mp_learning_end_period(struct learning *learning, const struct drift *drift);

/* Learns from the errors that a layer's newest period has brought. periods: that have ended; noise: V, [experts]. */
void mp_learning_learn(struct learning *learning, size_t layer, uint64_t periods, const double *noise);

/* What a layer or an expert has learned. Before an error has come c is 1, and the others have no meaning. */
struct learned {
    bool any;                     /* an error has come */
    double factor, recent, usual; /* c, r, u */
};
struct learned mp_learned_of_layer(const struct learning *learning, size_t layer, uint64_t periods);

/* The same of a layer's n experts. factor, usual: [n], memory to be filled. */
struct learned_experts {
    bool any;
    const double *factor, *recent, *usual;
};
struct learned_experts mp_learned_of_experts(const struct learning *learning, size_t layer, uint64_t periods, size_t n,
                                             double *factor, double *usual);

/* Its state as a checkpoint's fields. */
void mp_learning_fields(struct learning *learning, struct checkpoint *checkpoint);

#endif
