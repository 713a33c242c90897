/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/state.h"

#include <string.h>

void mp_auto_scratch_lay_out(struct auto_scratch *scratch, struct arena *arena, size_t experts)
{
    const struct means_forecast *network = mp_method(MOEP_LSTM)->means_forecast;
    scratch->candidates = mp_arena_take(arena, experts, MP_AUTO_CANDIDATES * sizeof *scratch->candidates);
    scratch->windows = mp_arena_take(arena, experts, network->windows * sizeof *scratch->windows);
    scratch->sum = mp_arena_take(arena, experts, sizeof *scratch->sum);
    scratch->actual = mp_arena_take(arena, experts, sizeof *scratch->actual);
    scratch->weight = mp_arena_take(arena, experts, sizeof *scratch->weight);
    scratch->network = mp_arena_take(arena, network->scratch_size(experts), 1);
}

/* All of a layer but its running block. */
static void lay_out_layer(struct auto_view *view, struct arena *arena, size_t experts)
{
    view->experts = experts;
    view->layer = mp_arena_take(arena, 1, sizeof *view->layer);
    view->blocks = (struct block_means){.experts = experts, .rows = MP_AUTO_BLOCKS, .steps = MP_AUTO_BLOCK};
    view->blocks.means = mp_arena_take(arena, experts, MP_AUTO_BLOCKS * sizeof *view->blocks.means);
    view->network = mp_arena_take(arena, experts, MP_AUTO_ORIGINS * sizeof *view->network);
    view->own = mp_arena_take(arena, experts, MP_AUTO_OWN_ORIGINS * sizeof *view->own);
    view->noise = mp_arena_take(arena, experts, sizeof *view->noise);
}

static size_t layer_size(size_t experts)
{
    struct auto_view view;
    struct arena arena = {0};
    lay_out_layer(&view, &arena, experts);
    return arena.used;
}

static struct auto_state lay_out(struct arena *arena, size_t layers, size_t experts)
{
    struct auto_state state = {.layers = layers, .experts = experts, .layer_size = layer_size(experts)};
    state.run = mp_arena_take(arena, 1, sizeof *state.run);
    mp_auto_scratch_lay_out(&state.scratch, arena, experts);
    state.running = mp_arena_take(arena, mp_product(layers, experts), sizeof *state.running);
    state.first = mp_arena_take(arena, layers, state.layer_size);
    return state;
}

size_t mp_auto_state_size(const moep_predictor_config *config, size_t layers, size_t experts)
{
    (void)config;
    struct arena arena = {0};
    lay_out(&arena, layers, experts);
    return arena.used;
}

struct auto_state mp_auto_state(void *memory, size_t layers, size_t experts)
{
    struct arena arena = mp_arena_over(memory);
    return lay_out(&arena, layers, experts);
}

static struct auto_view view_of(const struct auto_state *state, size_t layer, void *memory)
{
    struct auto_view view;
    struct arena arena = mp_arena_over(memory);
    lay_out_layer(&view, &arena, state->experts);
    view.blocks.running = state->running + layer * state->experts;
    return view;
}

struct auto_view mp_auto_layer(const struct auto_state *state, size_t layer)
{
    return view_of(state, layer, state->first + layer * state->layer_size);
}

struct auto_view mp_auto_copy(const struct auto_state *state, size_t layer, void *memory)
{
    memcpy(memory, state->first + layer * state->layer_size, state->layer_size);
    return view_of(state, layer, memory);
}
