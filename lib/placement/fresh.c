/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes: exact integers, ties to the lowest index; allocates: nothing. */
#include "placement/fresh.h"

#include "support/simd.h"
#include "support/sort.h"

#include <string.h>

void mp_fresh_lay_out(struct fresh *fresh, struct arena *arena, size_t experts, size_t ranks)
{
    fresh->copies = mp_arena_take(arena, experts, sizeof *fresh->copies);
    fresh->part = mp_arena_take(arena, experts, sizeof *fresh->part);
    fresh->order = mp_arena_take(arena, experts, sizeof *fresh->order);
    fresh->room = mp_arena_take(arena, ranks, sizeof *fresh->room);
    fresh->used = mp_arena_take(arena, ranks, sizeof *fresh->used);
    fresh->load = mp_arena_take(arena, ranks, sizeof *fresh->load);
}

/* The index of the first of the largest values. */
MP_VECTORISED static size_t mp_first_largest(const int32_t *values, size_t n)
{
    int32_t largest = values[0];
    for (size_t i = 1; i < n; i++)
        largest = values[i] > largest ? values[i] : largest;
    size_t first = 0;
    while (values[first] != largest)
        first++;
    return first;
}

/* An expert with a copy on every rank gets no more. Until all copies are made, its part is marked as negative. */
static void make_copies(struct fresh *fresh, const int32_t *load, size_t n, size_t slots, size_t ranks)
{
    for (size_t e = 0; e < n; e++) {
        fresh->copies[e] = 1;
        fresh->part[e] = ranks > 1 ? load[e] : -1;
    }
    for (size_t i = n; i < slots; i++) {
        size_t e = mp_first_largest(fresh->part, n);
        int32_t copies = ++fresh->copies[e];
        fresh->part[e] = (size_t)copies < ranks ? load[e] / copies : -1;
    }
    for (size_t e = 0; e < n; e++)
        fresh->part[e] = load[e] / fresh->copies[e];
}

/* Experts by descending part. */
static void sort_experts(struct fresh *fresh, size_t n)
{
    for (size_t e = 0; e < n; e++)
        fresh->order[e] = (uint64_t)(INT32_MAX - fresh->part[e]) << 32 | e;
    mp_sort_keys(fresh->order, n);
}

static void put(struct fresh *fresh, size_t rank, int32_t expert, size_t rank_slots, int32_t *map)
{
    map[rank * rank_slots + (size_t)fresh->used[rank]++] = expert;
    fresh->load[rank] += fresh->part[expert];
    fresh->room[rank] = INT32_MIN;
}

/* Opens the ranks with a free slot again. */
static void open_ranks(struct fresh *fresh, size_t ranks, size_t rank_slots)
{
    for (size_t r = 0; r < ranks; r++)
        fresh->room[r] = (size_t)fresh->used[r] < rank_slots ? -fresh->load[r] : INT32_MIN;
}

/* Each copy goes to the rank with the least load that has none yet; if there is no such rank, to any. */
static void place(struct fresh *fresh, int32_t expert, size_t ranks, size_t rank_slots, int32_t *map)
{
    for (int32_t copy = 0; copy < fresh->copies[expert]; copy++) {
        size_t rank = mp_first_largest(fresh->room, ranks);
        if (fresh->room[rank] == INT32_MIN) {
            open_ranks(fresh, ranks, rank_slots);
            rank = mp_first_largest(fresh->room, ranks);
        }
        put(fresh, rank, expert, rank_slots, map);
    }
    open_ranks(fresh, ranks, rank_slots);
}

int32_t mp_fresh_map(struct fresh *fresh, const int32_t *load, size_t n, size_t slots, size_t ranks, int32_t *map)
{
    make_copies(fresh, load, n, slots, ranks);
    sort_experts(fresh, n);
    memset(fresh->used, 0, ranks * sizeof *fresh->used);
    memset(fresh->load, 0, ranks * sizeof *fresh->load);
    open_ranks(fresh, ranks, slots / ranks);
    for (size_t i = 0; i < n; i++)
        place(fresh, (int32_t)(fresh->order[i] & INT32_MAX), ranks, slots / ranks, map);
    return fresh->part[fresh->order[0] & INT32_MAX];
}
