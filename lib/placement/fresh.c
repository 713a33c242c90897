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
    fresh->carried = mp_arena_take(arena, ranks, sizeof *fresh->carried);
    fresh->used = mp_arena_take(arena, ranks, sizeof *fresh->used);
    fresh->last = mp_arena_take(arena, ranks, sizeof *fresh->last);
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

/* The rank with the least load among those with a free slot, without the expert if there is one. The copies of an
 * expert are placed one after the other, so that the last expert of each rank tells where it is. */
static size_t rank_for(const struct fresh *fresh, int32_t expert, size_t ranks, int32_t rank_slots)
{
    size_t best = SIZE_MAX, any = SIZE_MAX;
    for (size_t r = 0; r < ranks; r++) {
        if (fresh->used[r] == rank_slots)
            continue;
        if (any == SIZE_MAX || fresh->carried[r] < fresh->carried[any])
            any = r;
        if (fresh->last[r] != expert && (best == SIZE_MAX || fresh->carried[r] < fresh->carried[best]))
            best = r;
    }
    return best == SIZE_MAX ? any : best;
}

int32_t mp_fresh_map(struct fresh *fresh, const int32_t *load, size_t n, size_t slots, size_t ranks, int32_t *map)
{
    size_t rank_slots = slots / ranks;
    make_copies(fresh, load, n, slots, ranks);
    sort_experts(fresh, n);
    for (size_t r = 0; r < ranks; r++) {
        fresh->carried[r] = fresh->used[r] = 0;
        fresh->last[r] = -1;
    }
    for (size_t i = 0; i < n; i++) {
        int32_t expert = (int32_t)(fresh->order[i] & INT32_MAX);
        for (int32_t copy = 0; copy < fresh->copies[expert]; copy++) {
            size_t rank = rank_for(fresh, expert, ranks, (int32_t)rank_slots);
            map[rank * rank_slots + (size_t)fresh->used[rank]++] = expert;
            fresh->carried[rank] += fresh->part[expert];
            fresh->last[rank] = expert;
        }
    }
    return fresh->part[fresh->order[0] & INT32_MAX];
}
