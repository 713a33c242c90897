/* SPDX-License-Identifier: BSD-3-Clause */
/* EPLB's greedy balancing. Groups of experts are packed into nodes, the experts of each node get copies, and the copies
 * are packed into ranks.
 *
 * Copies are given one by one to the expert whose copies carry most. Packing takes items by descending load, each into
 * the least loaded pack with room (longest processing time first, Graham 1969). Heaps find both, in float as EPLB
 * computes, so numbers of copies and loads of slots are its own.
 *
 * bytes: the order of all sums is fixed; threads: none; allocates: scratch for one layer. */
#include "api/runtime.h"
#include "api/status.h"
#include "api/struct.h"
#include "placement/maps.h"
#include "series/intake.h"
#include "support/arena.h"
#include "support/environment.h"
#include "support/sort.h"

#include <float.h>

struct balancer {
    struct layout layout;
    const char *weights; /* the caller's */
    moep_dtype dtype;
    size_t node_experts, node_slots, node_ranks;
    struct arena arena;
    double *values;    /* [experts]: a layer's weights as they are given */
    float *weight;     /* [experts] */
    uint32_t *member;  /* [experts]: the expert in each place; the first node's are the first node_experts */
    uint32_t *copies;  /* [experts], by place */
    uint32_t *item;    /* [node_slots]: the place of each copy's expert, counted in the node */
    float *load;       /* of the items that are packed */
    uint64_t *order;   /* of these items */
    uint32_t *packed;  /* where these items go */
    uint64_t *heap;    /* of experts or packs */
    uint32_t *filling; /* items in each pack */
    int64_t *map;      /* [slots] */
};

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void lay_out(void *self, struct arena *arena)
{
    struct balancer *b = self;
    size_t experts = b->layout.experts, items = larger(b->node_slots, b->layout.groups);
    size_t packs = larger(b->node_ranks, b->layout.nodes);
    b->values = mp_arena_take(arena, experts, sizeof *b->values);
    b->weight = mp_arena_take(arena, experts, sizeof *b->weight);
    b->member = mp_arena_take(arena, experts, sizeof *b->member);
    b->copies = mp_arena_take(arena, experts, sizeof *b->copies);
    b->item = mp_arena_take(arena, b->node_slots, sizeof *b->item);
    b->load = mp_arena_take(arena, items, sizeof *b->load);
    b->order = mp_arena_take(arena, items, sizeof *b->order);
    b->packed = mp_arena_take(arena, items, sizeof *b->packed);
    b->heap = mp_arena_take(arena, larger(b->node_experts, packs), sizeof *b->heap);
    b->filling = mp_arena_take(arena, packs, sizeof *b->filling);
    b->map = mp_arena_take(arena, b->layout.slots, sizeof *b->map);
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

static void read_values(struct balancer *b, size_t layer)
{
    size_t experts = b->layout.experts, stride = experts * mp_dtype_size(b->dtype);
    mp_intake_values(b->weights + layer * stride, b->dtype, experts, b->values);
}

static moep_status check_layer(struct balancer *b, size_t layer)
{
    read_values(b, layer);
    for (size_t e = 0; e < b->layout.experts; e++)
        if (!(b->values[e] >= 0 && b->values[e] <= FLT_MAX))
            return mp_fail(MOEP_ERROR_INVALID_ARGUMENT,
                           "weights: layer %zu, expert %zu is %g, must be finite and >= 0, also as a float", layer, e,
                           b->values[e]);
    return MOEP_OK;
}

static moep_status check_weights(struct balancer *b)
{
    moep_status status = MOEP_OK;
    for (size_t layer = 0; layer < b->layout.layers && status == MOEP_OK; layer++)
        status = check_layer(b, layer);
    return status;
}

static void read_weights(struct balancer *b, size_t layer)
{
    read_values(b, layer);
    for (size_t e = 0; e < b->layout.experts; e++)
        b->weight[e] = (float)b->values[e];
}

/* ---- packing ----------------------------------------------------------------------------------------------------- */

static void sort_items(struct balancer *b, size_t items)
{
    for (size_t i = 0; i < items; i++)
        b->order[i] = mp_largest_key(b->load[i], (uint32_t)i);
    mp_sort_keys(b->order, items);
}

/* Keys that descend are a heap. */
static void empty_packs(struct balancer *b, size_t packs)
{
    memset(b->filling, 0, packs * sizeof *b->filling);
    for (size_t p = 0; p < packs; p++)
        b->heap[p] = mp_least_key(0, (uint32_t)p);
}

/* Packs items into so many packs of `room` each. As in EPLB, packs with room for one take the items as they come. */
static void pack(struct balancer *b, size_t packs, uint32_t room)
{
    size_t items = packs * room;
    if (room == 1) {
        for (size_t i = 0; i < items; i++)
            b->packed[i] = (uint32_t)i;
        return;
    }
    sort_items(b, items);
    empty_packs(b, packs);
    for (size_t i = items; i-- > 0;) {
        uint32_t item = mp_key_index(b->order[i]), least = mp_key_index(b->heap[0]);
        float load = mp_least_key_value(b->heap[0]) + b->load[item];
        b->packed[item] = least * room + b->filling[least]++;
        if (b->filling[least] < room)
            mp_heap_replace(b->heap, packs, 0, mp_least_key(load, least));
        else
            mp_heap_remove(b->heap, packs--);
    }
}

/* ---- the three steps of a layer ---------------------------------------------------------------------------------- */

static void pack_groups(struct balancer *b)
{
    size_t groups = b->layout.groups, size = b->layout.experts / groups;
    for (size_t g = 0; g < groups; g++) {
        double sum = 0;
        for (size_t e = 0; e < size; e++)
            sum += (double)b->weight[g * size + e];
        b->load[g] = (float)sum;
    }
    pack(b, b->layout.nodes, (uint32_t)(groups / b->layout.nodes));
    for (size_t e = 0; e < b->layout.experts; e++)
        b->member[b->packed[e / size] * size + e % size] = (uint32_t)e;
}

/* Fills in the node's copies and items: each expert once, and then whose next copy every further slot holds. */
static void give_copies(struct balancer *b, size_t node)
{
    const uint32_t *member = b->member + node * b->node_experts;
    uint32_t *copies = b->copies + node * b->node_experts;
    for (size_t e = 0; e < b->node_experts; e++) {
        copies[e] = 1;
        b->item[e] = (uint32_t)e;
        b->heap[e] = mp_largest_key(b->weight[member[e]], (uint32_t)e);
    }
    mp_heap_make(b->heap, b->node_experts);
    for (size_t i = b->node_experts; i < b->node_slots; i++) {
        uint32_t e = b->item[i] = mp_key_index(b->heap[0]);
        float each = b->weight[member[e]] / (float)++copies[e];
        mp_heap_replace(b->heap, b->node_experts, 0, mp_largest_key(each, e));
    }
}

static void pack_copies(struct balancer *b, size_t node)
{
    size_t first = node * b->node_experts;
    for (size_t i = 0; i < b->node_slots; i++) {
        size_t place = first + b->item[i];
        b->load[i] = b->weight[b->member[place]] / (float)b->copies[place];
    }
    pack(b, b->node_ranks, (uint32_t)b->layout.rank_slots);
    for (size_t i = 0; i < b->node_slots; i++)
        b->map[node * b->node_slots + b->packed[i]] = (int64_t)b->member[first + b->item[i]];
}

/* ---- the call ---------------------------------------------------------------------------------------------------- */

static void balance_layer(struct balancer *b, size_t layer)
{
    read_weights(b, layer);
    pack_groups(b);
    for (size_t node = 0; node < b->layout.nodes; node++) {
        give_copies(b, node);
        pack_copies(b, node);
    }
}

static moep_status check_copies(struct balancer *b, size_t layer, size_t room)
{
    read_weights(b, layer);
    pack_groups(b);
    for (size_t node = 0; node < b->layout.nodes; node++)
        give_copies(b, node);
    for (size_t place = 0; place < b->layout.experts; place++)
        if (b->copies[place] > room)
            return mp_copies_fail(layer, b->member[place], room);
    return MOEP_OK;
}

/* No expert has more copies than its node has slots beyond one for each expert, and one. */
static moep_status check_fit(struct balancer *b, size_t room)
{
    moep_status status = MOEP_OK;
    if (room <= b->node_slots - b->node_experts)
        for (size_t layer = 0; layer < b->layout.layers && status == MOEP_OK; layer++)
            status = check_copies(b, layer, room);
    return status;
}

/* EPLB orders experts by groups on a single node too. That decides between experts that tie, and nothing else. */
static void order_by_groups(struct layout *to, const moep_layout *from)
{
    moep_layout given = {0};
    mp_struct_read(&given, sizeof given, from, "moep_layout"); /* which has succeeded before */
    if (to->nodes == 1 && given.nodes == 1 && given.groups > 1 && to->experts % given.groups == 0)
        to->groups = given.groups;
}

static moep_status read_call(struct balancer *b, const moep_layout *layout, const void *weights, moep_dtype dtype)
{
    moep_status status = mp_layout_read(&b->layout, layout, false);
    if (status != MOEP_OK)
        return status;
    order_by_groups(&b->layout, layout);
    if (!weights)
        return mp_fail_null("weights");
    if (mp_dtype_size(dtype) == 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "dtype %d is unknown", (int)dtype);
    b->weights = weights;
    b->dtype = dtype;
    b->node_experts = b->layout.experts / b->layout.nodes;
    b->node_slots = b->layout.slots / b->layout.nodes;
    b->node_ranks = b->layout.ranks / b->layout.nodes;
    return MOEP_OK;
}

moep_status moep_rebalance(const moep_layout *layout, const void *weights, moep_dtype dtype, int64_t *phy2log,
                           int64_t *log2phy, size_t copies, int64_t *logcnt)
{
    MP_BORDER
    struct balancer b = {0};
    moep_status status = read_call(&b, layout, weights, dtype);
    if (status == MOEP_OK)
        status = mp_copies_check(&b.layout, log2phy, copies);
    if (status != MOEP_OK)
        return status;
    if (!mp_arena_make(&b.arena, lay_out, &b, &mp_runtime_default.memory))
        return mp_out_of_memory("balancing");
    status = check_weights(&b);
    if (status == MOEP_OK && log2phy)
        status = check_fit(&b, copies);
    size_t experts = b.layout.experts, slots = b.layout.slots;
    for (size_t layer = 0; layer < b.layout.layers && status == MOEP_OK; layer++) {
        balance_layer(&b, layer);
        if (phy2log)
            memcpy(phy2log + layer * slots, b.map, slots * sizeof *b.map);
        mp_map_invert(&b.layout, b.map, log2phy ? log2phy + layer * experts * copies : NULL, copies,
                      logcnt ? logcnt + layer * experts : NULL);
    }
    mp_arena_free(&b.arena, &mp_runtime_default.memory);
    return status;
}
