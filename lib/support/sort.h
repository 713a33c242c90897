/* SPDX-License-Identifier: BSD-3-Clause */
/* Heaps of keys, and sorting by one: Williams's heapsort (1964, algorithm 232). In place, since qsort may take memory.
 *
 * A value and an index make one key, so that no two keys are equal and ties go to the lowest index. */
#ifndef MP_SUPPORT_SORT_H
#define MP_SUPPORT_SORT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Floats >= 0 are ordered as their bits are. Adding +0 turns a negative zero into a positive one. */
static inline uint32_t mp_order_of(float value)
{
    uint32_t bits;
    value += 0.0F;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Keys of a value >= 0, infinity included. The largest key is the one of the largest value, or of the least. Of equal
 * values, it is the one with the lowest index. */
static inline uint64_t mp_largest_key(float value, uint32_t index)
{
    return (uint64_t)mp_order_of(value) << 32 | (uint32_t)~index;
}

static inline uint64_t mp_least_key(float value, uint32_t index)
{
    return (uint64_t)(uint32_t)~mp_order_of(value) << 32 | (uint32_t)~index;
}

static inline uint32_t mp_key_index(uint64_t key)
{
    return ~(uint32_t)key;
}

/* The value of a least key. */
static inline float mp_least_key_value(uint64_t key)
{
    uint32_t bits = ~(uint32_t)(key >> 32);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* In a heap no key is larger than that of its parent; keys 2 i + 1 and 2 i + 2 are children of key i. So the first is
 * the largest. Puts `key` in the place of key i, where all below are in order, and lets it sink. */
static inline void mp_heap_replace(uint64_t *heap, size_t n, size_t i, uint64_t key)
{
    size_t child;
    while ((child = 2 * i + 2) < n) {
        child -= heap[child - 1] > heap[child]; /* no branch: processors cannot predict it */
        if (heap[child] <= key)
            break;
        heap[i] = heap[child];
        i = child;
    }
    if (child == n && heap[child - 1] > key) { /* a single child at the end */
        heap[i] = heap[child - 1];
        i = child - 1;
    }
    heap[i] = key;
}

/* Makes a heap of any keys. */
static inline void mp_heap_make(uint64_t *keys, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        mp_heap_replace(keys, n, i, keys[i]);
}

/* Takes the first key out of a heap of n, which then has one less. */
static inline void mp_heap_remove(uint64_t *heap, size_t n)
{
    mp_heap_replace(heap, n - 1, 0, heap[n - 1]);
}

/* Sorts keys, ascending. */
static inline void mp_sort_keys(uint64_t *keys, size_t n)
{
    mp_heap_make(keys, n);
    for (; n > 1; n--) {
        uint64_t largest = keys[0];
        mp_heap_remove(keys, n);
        keys[n - 1] = largest;
    }
}

#endif
