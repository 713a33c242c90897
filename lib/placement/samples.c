/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: every running sum adds a block's steps in their order; allocates: at make only. */
#include "placement/samples.h"

#include "api/status.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void lay_out(void *self, struct arena *arena)
{
    struct samples *samples = self;
    size_t series = mp_product(samples->layers, samples->experts);
    samples->steps = mp_arena_take(arena, mp_product(samples->capacity, series), sizeof *samples->steps);
    samples->means = mp_arena_take(arena, mp_product(MP_SAMPLE_BLOCKS, series), sizeof *samples->means);
    samples->running = mp_arena_take(arena, series, sizeof *samples->running);
}

moep_status mp_samples_make(struct samples *samples, size_t layers, size_t experts, const moep_planner_config *config,
                            const struct memory *memory)
{
    *samples = (struct samples){
        .layers = layers,
        .experts = experts,
        .capacity = config->scenarios,
        .stride = config->span / config->scenarios,
        .block = config->span / MP_SAMPLE_BLOCKS,
    };
    if (!mp_arena_make(&samples->arena, lay_out, samples, memory))
        return mp_out_of_memory("the samples: layers x experts x scenarios is too large");
    return MOEP_OK;
}

void mp_samples_free(struct samples *samples, const struct memory *memory)
{
    mp_arena_free(&samples->arena, memory);
}

void mp_samples_copy(struct samples *to, const struct samples *from)
{
    to->pushed = from->pushed;
    mp_arena_copy(&to->arena, &from->arena);
}

/* ---- steps in ---------------------------------------------------------------------------------------------------- */

MP_VECTORISED static void mp_samples_add(double *restrict sums, const float *restrict shares, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sums[i] += (double)shares[i];
}

MP_VECTORISED static void mp_samples_divide(float *restrict means, const double *restrict sums, double steps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        means[i] = (float)(sums[i] / steps);
}

static size_t series_of(const struct samples *samples)
{
    return samples->layers * samples->experts;
}

static void keep(struct samples *samples, const float *shares)
{
    size_t series = series_of(samples), row = (size_t)(mp_samples_end(samples) % samples->capacity);
    memcpy(samples->steps + row * series, shares, series * sizeof *shares);
}

static void end_block(struct samples *samples)
{
    uint64_t block = samples->pushed / samples->block - 1;
    for (size_t layer = 0; layer < samples->layers; layer++) {
        struct block_means blocks = mp_samples_blocks(samples, layer);
        mp_samples_divide(mp_block_mean(&blocks, block), blocks.running, (double)blocks.steps, blocks.experts);
    }
    memset(samples->running, 0, series_of(samples) * sizeof *samples->running);
}

void mp_samples_push(struct samples *samples, const float *shares)
{
    if (samples->pushed % samples->stride == 0)
        keep(samples, shares);
    mp_samples_add(samples->running, shares, series_of(samples));
    samples->pushed++;
    if (samples->pushed % samples->block == 0)
        end_block(samples);
}

/* ---- means out --------------------------------------------------------------------------------------------------- */

struct block_means mp_samples_blocks(const struct samples *samples, size_t layer)
{
    return (struct block_means){
        .experts = samples->experts,
        .rows = MP_SAMPLE_BLOCKS,
        .steps = samples->block,
        .means = samples->means + layer * MP_SAMPLE_BLOCKS * samples->experts,
        .running = samples->running + layer * samples->experts,
    };
}

struct block_origin mp_samples_now(const struct samples *samples)
{
    uint64_t blocks = samples->pushed / samples->block;
    return (struct block_origin){
        .blocks = blocks,
        .start = blocks > MP_SAMPLE_BLOCKS ? blocks - MP_SAMPLE_BLOCKS : 0,
        .phase = (size_t)(samples->pushed % samples->block),
    };
}

/* ---- state out and in -------------------------------------------------------------------------------------------- */

/* Plans add up the loads of kept steps as integers, which hold two layers' loads. */
static bool kept_steps_sum_to_one(const struct samples *samples)
{
    size_t rows = (size_t)(mp_samples_end(samples) - mp_samples_first(samples)) * samples->layers;
    for (size_t row = 0; row < rows; row++) {
        double sum = 0;
        for (size_t e = 0; e < samples->experts; e++)
            sum += (double)samples->steps[row * samples->experts + e];
        if (!(fabs(sum - 1) < 1e-3)) /* floats round far less */
            return false;
    }
    return true;
}

/* A share is at most 1, so a sum is at most the number of its steps: 0 at the end of a block. */
void mp_samples_fields(struct samples *samples, struct checkpoint *checkpoint)
{
    size_t series = series_of(samples);
    mp_field_shares(checkpoint, samples->steps, samples->capacity * series);
    mp_checkpoint_require(checkpoint, checkpoint->mode != MP_READ || kept_steps_sum_to_one(samples));
    mp_field_shares(checkpoint, samples->means, MP_SAMPLE_BLOCKS * series);
    mp_field_doubles(checkpoint, samples->running, series, 0, (double)(samples->pushed % samples->block));
}
