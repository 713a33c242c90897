/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/state.h"

#include <float.h>

static void run_fields(struct checkpoint *checkpoint, struct auto_run *run)
{
    mp_field_u64(checkpoint, &run->blocks);
    mp_field_u64(checkpoint, &run->phase);
    mp_field_u64(checkpoint, &run->end_step);
    mp_checkpoint_require(checkpoint, run->phase < MP_AUTO_BLOCK);
    mp_checkpoint_require(checkpoint, run->blocks <= (UINT64_MAX - run->phase) / MP_AUTO_BLOCK);
}

static void numbers(struct checkpoint *checkpoint, double *values, size_t n)
{
    mp_field_doubles(checkpoint, values, n, 0, DBL_MAX);
}

/* Squares of shares over eps have a mean of at most 100 times the experts. */
static const double MOST_STEP_NOISE = 1e12;

static void interval_fields(struct checkpoint *checkpoint, struct auto_layer *layer)
{
    mp_field_doubles(checkpoint, &layer->newest_step, 1, 0, MOST_STEP_NOISE);
    mp_field_doubles(checkpoint, &layer->step_noise, 1, 0, MOST_STEP_NOISE);
    mp_field_doubles(checkpoint, &layer->measured, 1, 0, 1);
    mp_field_doubles(checkpoint, layer->widening, MP_AUTO_LEVELS, -MP_AUTO_MOST_WIDENING, MP_AUTO_MOST_WIDENING);
    numbers(checkpoint, layer->square[0], MP_AUTO_OWN_ORIGINS * MP_AUTO_LEVELS);
    numbers(checkpoint, layer->inside, MP_AUTO_LEVELS);
    numbers(checkpoint, &layer->error, 1);
    numbers(checkpoint, &layer->error_weight, 1);
    mp_checkpoint_require(checkpoint, layer->widening[1] >= layer->widening[0] + MP_AUTO_LEAST_STEP);
    uint64_t finished = mp_auto_finished(layer->blocks);
    mp_checkpoint_require(checkpoint, (finished > 0) == (layer->error_weight > 0));
    for (size_t level = 0; level < MP_AUTO_LEVELS; level++)
        mp_checkpoint_require(checkpoint, layer->inside[level] <= (double)finished);
}

/* is_pending: is a block's work still to come at this phase? */
static void layer_fields(struct checkpoint *checkpoint, const struct auto_run *run, bool is_pending,
                         struct auto_layer *layer)
{
    mp_field_u64(checkpoint, &layer->blocks);
    mp_checkpoint_require(checkpoint, layer->blocks == run->blocks - is_pending);
    for (size_t i = 0; i < MP_AUTO_ORIGINS; i++) {
        mp_field_u64(checkpoint, &layer->start[i]);
        mp_checkpoint_require(checkpoint, layer->start[i] <= run->blocks);
    }
    numbers(checkpoint, layer->score, MP_AUTO_CANDIDATES);
    for (size_t side = 0; side < MP_AUTO_SIDES; side++)
        numbers(checkpoint, layer->distance[side], MP_AUTO_DISTANCES);
    interval_fields(checkpoint, layer);
}

void mp_auto_state_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t layers,
                          size_t experts, void *memory)
{
    (void)config;
    struct auto_state state = mp_auto_state(memory, layers, experts);
    run_fields(checkpoint, state.run);
    size_t done = mp_auto_first_due(layers, state.run->phase + 1);
    mp_field_doubles(checkpoint, state.running, layers * experts, 0, (double)state.run->phase);
    for (size_t l = 0; l < layers; l++) {
        struct auto_view view = mp_auto_layer(&state, l);
        layer_fields(checkpoint, state.run, state.run->blocks > 0 && l >= done, view.layer);
        mp_field_shares(checkpoint, view.blocks.means, MP_AUTO_BLOCKS * experts);
        mp_field_shares(checkpoint, view.network, MP_AUTO_ORIGINS * experts);
        mp_field_shares(checkpoint, view.own, MP_AUTO_OWN_ORIGINS * experts);
        mp_field_shares(checkpoint, view.noise, experts);
    }
}
