/* SPDX-License-Identifier: BSD-3-Clause */
/* What a run teaches about its drift: how much of what the constant growth predicts (growth.h) then comes.
 *
 * A period is W steps, m blocks. A_i is an expert's mean share in period i. When period i ends, it shows how well A_o
 * forecast the S periods since o = i - S, for a span S of 5 periods and one as long as the horizon. In units of the mean
 * load, with E the number of experts and V the noise of a difference between two periods (drift.h):
 *
 *     p = g E^2 ((A_o - A_(o-1))^2 - V)                                        the squared error predicted at o
 *     e = g / g(S) E^2 ((mean of A_(o+1) .. A_i - A_o)^2 - (1 + 1/S) V / 2)    that which came, scaled to the horizon
 *
 * A layer's are the means over its experts. With T the tolerance, every layer and every expert keeps
 *
 *     P    sum over the origins and spans of min(p, 8 T^2); a sum's past loses half its weight in 30 periods
 *     R    sum of min(e, max(2 T^2, 3 p)): how far the loads went when the data changed says little of other times
 *     r    mean over the spans of min(e, T^2), smoothed by halves: what came lately
 *     c    (max(R, 0) + 3 T^2 c') / (max(P, 0) + 3 T^2), kept within 0.18 .. 5: the part of the predicted that comes.
 *          c' is 1 for a layer, and the layer's c for its experts. A load whose noise is remembered for W steps and then
 *          forgotten has the least c, 1 / (2 g)
 *
 * expected_drift.h says what is made of them.
 *
 * A horizon below 5 periods has one span, of at least one period; one beyond 20 is learned from 20.
 *
 * bytes: every sum has a fixed order; allocates: at make only. */
#ifndef MP_DETECTOR_LEARNING_H
#define MP_DETECTOR_LEARNING_H

#include "checkpoint/checkpoint.h"
#include "detector/drift.h"
#include "detector/growth.h"
#include "series/block_means.h"

enum {
    MP_SPANS = 2,
    MP_SHORT_SPAN = 5, /* periods */
    MP_LONGEST_SPAN = 20
};

/* P, R and r of n series. */
struct lessons {
    double *predicted, *realised, *recent;
};

/* Working memory of a layer, without a meaning between calls. */
struct learning_scratch {
    double *sum, *predicted, *realised; /* [experts]; p and e */
    double *came;                       /* [MP_SPANS][experts] */
    struct lessons lessons;             /* [experts]: what a period's end adds */
};

struct learning {
    size_t layers, experts, period;     /* W */
    size_t spans, span[MP_SPANS];       /* in periods, ascending; none where the growth is constant */
    double growth, scale[MP_SPANS];     /* g; g / g(S) */
    double tolerance, expert_tolerance; /* T^2 of layers, of experts */
    struct arena arena;
    float *means;                         /* [layers][rows][experts] (block_means.h) */
    struct lessons of_layers, of_experts; /* [layers]; [layers][experts] */
    struct learning_scratch scratch;
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

/* What a layer or an expert has learned; c = 1 before an error has come. */
struct learned {
    bool any;              /* an error has come */
    double factor, recent; /* c, r */
};
struct learned mp_learned_of_layer(const struct learning *learning, size_t layer, uint64_t periods);

/* The same of a layer's experts. factor: [experts], memory to be filled; recent has no meaning before an error has come. */
struct learned_experts {
    bool any;
    const double *factor, *recent;
};
struct learned_experts mp_learned_of_experts(const struct learning *learning, size_t layer, uint64_t periods,
                                             double *factor);

/* The bytes of its means, in memory as in a checkpoint. */
size_t mp_learning_means_size(size_t layers, size_t experts, const moep_detector_config *config);

/* Its state as a checkpoint's fields. */
void mp_learning_fields(struct learning *learning, struct checkpoint *checkpoint);

#endif
