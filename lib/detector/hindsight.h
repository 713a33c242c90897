/* SPDX-License-Identifier: BSD-3-Clause */
/* How well the past means of a layer's experts forecast what then came, and how well the constant growth said so.
 *
 * A period is W steps, m blocks. A_i is an expert's mean share in period i. When period i ends, it shows how well A_o
 * forecast the S periods since o = i - S, for a span S of 5 periods and one as long as the horizon, in whole periods. In
 * units of the mean load, with E the number of experts, g the growth (growth.h) and V the noise of a difference between
 * two periods, as it is measured at i:
 *
 *     p = g E^2 ((A_o - A_(o-1))^2 - V)                                        the squared error predicted at o
 *     e = g / g(S) E^2 ((mean of A_(o+1) .. A_i - A_o)^2 - (1 + 1/S) V / 2)    that which came, scaled to the horizon
 *
 * A horizon below 6 periods has one span, of at least one period; one beyond 20 has a span of 20.
 *
 * bytes: every sum has a fixed order; allocates: at make only. */
#ifndef MP_DETECTOR_HINDSIGHT_H
#define MP_DETECTOR_HINDSIGHT_H

#include "checkpoint/checkpoint.h"
#include "detector/drift.h"
#include "detector/growth.h"
#include "series/block_means.h"

enum {
    MP_SPANS = 2,
    MP_SHORT_SPAN = 5, /* periods */
    MP_LONGEST_SPAN = 20
};

struct hindsight {
    size_t layers, experts, period; /* steps: W */
    size_t spans, span[MP_SPANS];   /* in periods, ascending */
    double growth, scale[MP_SPANS]; /* g; g / g(S) */
    struct arena arena;
    float *means; /* [layers][rows][experts] (block_means.h) */
    double *sum;  /* [experts], without a meaning between calls */
    double *came; /* [experts], the same */
};

/* After OUT_OF_MEMORY, mp_hindsight_free is still allowed, as it is on zeroed memory. */
moep_status mp_hindsight_make(struct hindsight *hindsight, size_t layers, size_t experts,
                              const moep_detector_config *config, const struct memory *memory);
void mp_hindsight_free(struct hindsight *hindsight, const struct memory *memory);

/* When a period has ended: keeps the means of all layers. */
void mp_hindsight_end_period(struct hindsight *hindsight, const struct drift *drift);

/* The number of spans, of which the shortest come first, that have errors when so many periods have ended. */
size_t mp_hindsight_spans(const struct hindsight *hindsight, uint64_t periods);

/* Fills predicted (p) and realised (e) of a layer's experts for span i, one of those. noise: V; all [experts]. */
void mp_hindsight_errors(const struct hindsight *hindsight, size_t layer, uint64_t periods, size_t i,
                         const double *noise, double *predicted, double *realised);

/* Its state as a checkpoint's fields. */
void mp_hindsight_fields(struct hindsight *hindsight, struct checkpoint *checkpoint);

#endif
