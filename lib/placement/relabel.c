/* SPDX-License-Identifier: BSD-3-Clause */
#include "placement/relabel.h"

#include <string.h>

void mp_relabel_lay_out(struct relabel *relabel, struct arena *arena, size_t slots, size_t ranks, size_t nodes)
{
    relabel->common = mp_arena_take(arena, mp_product(ranks, ranks), sizeof *relabel->common);
    relabel->common_nodes = mp_arena_take(arena, mp_product(nodes, nodes), sizeof *relabel->common_nodes);
    relabel->becomes = mp_arena_take(arena, ranks, sizeof *relabel->becomes);
    relabel->node_becomes = mp_arena_take(arena, nodes, sizeof *relabel->node_becomes);
    relabel->taken = mp_arena_take(arena, ranks, sizeof *relabel->taken);
    relabel->map = mp_arena_take(arena, slots, sizeof *relabel->map);
}

/* ---- matching ---------------------------------------------------------------------------------------------------- */

static void find_common(struct relabel *relabel, const struct placement *placement)
{
    size_t ranks = placement->ranks, nodes = ranks / placement->node_ranks;
    memset(relabel->common, 0, ranks * ranks * sizeof *relabel->common);
    memset(relabel->common_nodes, 0, nodes * nodes * sizeof *relabel->common_nodes);
    for (size_t slot = 0; slot < placement->slots; slot++) {
        int32_t *row = relabel->common + mp_rank_of(placement, slot) * ranks;
        for (size_t r = 0; r < ranks; r++)
            row[r] += *mp_held_before(placement, r, (size_t)placement->expert[slot]) > 0;
    }
    for (size_t i = 0; i < ranks; i++)
        for (size_t j = 0; j < ranks; j++)
            relabel->common_nodes[i / placement->node_ranks * nodes + j / placement->node_ranks] +=
                relabel->common[i * ranks + j];
}

/* A square part of a matrix with rows of `width`: of new ranks or nodes from `row` on, and of present ones from
 * `column` on. */
struct square {
    const int32_t *common;
    size_t width, row, column, n;
};

static int32_t largest_of(const struct square *square)
{
    int32_t largest = 0;
    for (size_t i = 0; i < square->n * square->n; i++) {
        int32_t common = square->common[(square->row + i / square->n) * square->width + square->column + i % square->n];
        largest = common > largest ? common : largest;
    }
    return largest;
}

/* Matches what has exactly `level` in common. */
static void match_level(const struct square *square, int32_t level, int32_t *becomes, bool *taken)
{
    for (size_t i = square->row; i < square->row + square->n; i++)
        for (size_t j = square->column; becomes[i] < 0 && j < square->column + square->n; j++)
            if (!taken[j] && square->common[i * square->width + j] == level) {
                becomes[i] = (int32_t)j;
                taken[j] = true;
            }
}

static void match(const struct square *square, int32_t *becomes, bool *taken)
{
    for (size_t i = 0; i < square->n; i++) {
        becomes[square->row + i] = -1;
        taken[square->column + i] = false;
    }
    for (int32_t level = largest_of(square); level >= 0; level--)
        match_level(square, level, becomes, taken);
}

void mp_relabel(struct relabel *relabel, struct placement *placement)
{
    size_t ranks = placement->ranks, each = placement->node_ranks, nodes = ranks / each;
    find_common(relabel, placement);
    match(&(struct square){relabel->common_nodes, nodes, 0, 0, nodes}, relabel->node_becomes, relabel->taken);
    for (size_t node = 0; node < nodes; node++)
        match(&(struct square){relabel->common, ranks, node * each, (size_t)relabel->node_becomes[node] * each, each},
              relabel->becomes, relabel->taken);
    for (size_t slot = 0; slot < placement->slots; slot++) {
        size_t rank = (size_t)relabel->becomes[mp_rank_of(placement, slot)];
        relabel->map[rank * placement->rank_slots + slot % placement->rank_slots] = placement->expert[slot];
    }
    mp_placement_set(placement, relabel->map);
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

/* Brings to `slot` the expert that it has at present, if the rank has a copy that is not at its present place. */
static void keep_slot(const int64_t *present, int32_t *map, size_t slot, size_t first, size_t end)
{
    if (map[slot] == present[slot])
        return;
    for (size_t i = first; i < end; i++)
        if (map[i] == present[slot] && map[i] != present[i]) {
            map[i] = map[slot];
            map[slot] = (int32_t)present[slot];
            return;
        }
}

void mp_keep_slots(const struct placement *placement, const int64_t *present, int32_t *map)
{
    for (size_t slot = 0; slot < placement->slots; slot++) {
        size_t first = slot - slot % placement->rank_slots;
        keep_slot(present, map, slot, first, first + placement->rank_slots);
    }
}
