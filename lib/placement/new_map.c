/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers, ties to the lowest index; allocates: nothing. */
#include "placement/new_map.h"

#include <string.h>

void mp_new_map_lay_out(struct new_map *new_map, struct arena *arena, const struct layout *layout)
{
    mp_fresh_lay_out(&new_map->fresh, arena, layout->experts, layout->ranks);
    mp_placement_lay_out(&new_map->of_groups, arena, layout->groups, layout->groups, layout->nodes, 1);
    mp_candidates_lay_out(&new_map->candidates, arena, layout->slots, 1);
    new_map->groups = mp_arena_take(arena, layout->groups, sizeof *new_map->groups);
    new_map->experts = mp_arena_take(arena, layout->experts, sizeof *new_map->experts);
    new_map->load = mp_arena_take(arena, layout->experts / layout->nodes, sizeof *new_map->load);
    new_map->map = mp_arena_take(arena, layout->slots, sizeof *new_map->map);
}

/* Each node gets as many groups, with loads as equal as swaps can make them. */
static void assign_groups(struct new_map *new_map, const struct layout *layout, const int32_t *load, size_t effort)
{
    struct placement *of_groups = &new_map->of_groups;
    size_t size = layout->experts / layout->groups;
    int64_t total = 0;
    memset(of_groups->load, 0, layout->groups * sizeof *of_groups->load);
    for (size_t e = 0; e < layout->experts; e++) {
        of_groups->load[e / size] += load[e];
        total += load[e];
    }
    mp_fresh_map(&new_map->fresh, of_groups->load, layout->groups, layout->groups, layout->nodes, new_map->groups);
    mp_placement_begin(of_groups, NULL);
    mp_placement_set(of_groups, new_map->groups);
    mp_search_balance(of_groups, &new_map->candidates, (int32_t)(total / (int64_t)layout->nodes), effort);
    for (size_t i = 0; i < layout->experts; i++)
        new_map->experts[i] = of_groups->expert[i / size] * (int32_t)size + (int32_t)(i % size);
}

/* Distributes a node's experts over its ranks. No rank of it can carry less than what is returned. */
static int32_t fill_node(struct new_map *new_map, const struct layout *layout, const int32_t *load, size_t node)
{
    size_t experts = layout->experts / layout->nodes, slots = layout->slots / layout->nodes;
    size_t ranks = layout->ranks / layout->nodes;
    const int32_t *names = new_map->experts + node * experts;
    int32_t *map = new_map->map + node * slots;
    int64_t total = 0;
    for (size_t e = 0; e < experts; e++) {
        new_map->load[e] = load[names[e]];
        total += new_map->load[e];
    }
    int32_t largest_part = mp_fresh_map(&new_map->fresh, new_map->load, experts, slots, ranks, map);
    for (size_t slot = 0; slot < slots; slot++)
        map[slot] = names[map[slot]];
    return mp_larger(largest_part, (int32_t)(total / (int64_t)ranks));
}

int32_t mp_new_map(struct new_map *new_map, const struct layout *layout, struct placement *placement, size_t effort)
{
    int32_t bound = 0;
    assign_groups(new_map, layout, placement->load, effort);
    for (size_t node = 0; node < layout->nodes; node++)
        bound = mp_larger(bound, fill_node(new_map, layout, placement->load, node));
    mp_placement_set(placement, new_map->map);
    mp_placement_repair(placement);
    mp_search_balance(placement, &new_map->candidates, bound, effort);
    return bound;
}
