/* SPDX-License-Identifier: BSD-3-Clause */
/* What a planner keeps of a run: single steps at a stride, and means of blocks.
 *
 * Kept steps are numbered from 0 on. Plans search on the even ones, and are valued on the odd ones. */
#ifndef MP_PLACEMENT_SAMPLES_H
#define MP_PLACEMENT_SAMPLES_H

#include "checkpoint/checkpoint.h"
#include "series/block_means.h"
#include "support/arena.h"

enum { MP_SAMPLE_BLOCKS = 20 };

struct samples {
    size_t layers, experts;
    size_t capacity, stride; /* steps kept; of every stride steps the first is */
    size_t block;            /* steps of a block */
    uint64_t pushed;         /* steps */
    struct arena arena;
    float *steps;    /* [capacity][layers][experts]: kept step k in row k % capacity */
    float *means;    /* [layers][MP_SAMPLE_BLOCKS][experts]: of blocks */
    double *running; /* [layers][experts]: sums of the running block */
};

/* After OUT_OF_MEMORY, mp_samples_free is still allowed. All arrays are zero. */
moep_status mp_samples_make(struct samples *samples, size_t layers, size_t experts, const moep_planner_config *config,
                            const struct memory *memory);
void mp_samples_free(struct samples *samples, const struct memory *memory);
void mp_samples_copy(struct samples *to, const struct samples *from);

/* Takes a step's shares, [layers][experts]. */
void mp_samples_push(struct samples *samples, const float *shares);

/* Its arrays as a checkpoint's fields. A reader sets `pushed` before it reads them. */
void mp_samples_fields(struct samples *samples, struct checkpoint *checkpoint);

/* The numbers of the kept steps are first .. end - 1. */
static inline uint64_t mp_samples_end(const struct samples *samples)
{
    return samples->pushed / samples->stride + (samples->pushed % samples->stride != 0);
}

static inline uint64_t mp_samples_first(const struct samples *samples)
{
    uint64_t end = mp_samples_end(samples);
    return end > samples->capacity ? end - samples->capacity : 0;
}

/* A layer's shares in a kept step. */
static inline const float *mp_samples_step(const struct samples *samples, uint64_t number, size_t layer)
{
    return samples->steps + (number % samples->capacity * samples->layers + layer) * samples->experts;
}

/* A layer's means of blocks, and the present as an origin of their windows. */
struct block_means mp_samples_blocks(const struct samples *samples, size_t layer);
struct block_origin mp_samples_now(const struct samples *samples);

#endif
