/* SPDX-License-Identifier: BSD-3-Clause */
/* One allocation for many arrays, laid out by one function that runs twice.
 *
 *     static void lay_out(void *self, struct arena *arena)
 *     {
 *         struct window *window = self;
 *         window->sum = mp_arena_take(arena, window->series, sizeof *window->sum);
 *         window->least = mp_arena_take(arena, window->series, sizeof *window->least);
 *     }
 *
 * On the first run mp_arena_take returns NULL and counts bytes; on the second it returns each array. So the size and
 * the layout cannot disagree. Every array begins at a multiple of MP_CACHE_LINE, so that no two workers share a cache
 * line and vectors may be loaded whole.
 *
 * Code that only needs the size runs the layout once on a zeroed arena and reads `used`:
 *
 *     struct arena counted = {0};
 *     lay_out(self, &counted);
 *     size_t bytes = counted.used; */
#ifndef MP_SUPPORT_ARENA_H
#define MP_SUPPORT_ARENA_H

#include "support/memory.h"

#include <stdbool.h>

struct arena {
    void *memory;         /* what the allocator returned; NULL while the layout is counted */
    unsigned char *lines; /* its first whole cache line, where the first array begins */
    size_t used, size;    /* bytes of the arrays, from `lines` on; bytes of the memory */
};

/* The next array, of count items of size bytes: NULL while counting. Sizes that overflow make mp_arena_make fail. */
void *mp_arena_take(struct arena *arena, size_t count, size_t size);

/* Runs lay_out, allocates and zeroes the memory, and runs lay_out again. False if the allocator refuses; then there is
 * nothing to free. */
bool mp_arena_make(struct arena *arena, void (*lay_out)(void *self, struct arena *arena), void *self,
                   const struct memory *memory);

/* An arena over memory that is there already, as many bytes as the layout counts. Its first array begins where the memory
 * does, so the arrays are aligned as that is. */
static inline struct arena mp_arena_over(void *memory)
{
    return (struct arena){.memory = memory, .lines = memory};
}

/* Of these three, an arena may be zeroed and never made. */
void mp_arena_free(struct arena *arena, const struct memory *memory);

/* Copies all arrays from an arena of the same layout. */
void mp_arena_copy(struct arena *to, const struct arena *from);

/* Sets all arrays to zero bytes. */
void mp_arena_clear(struct arena *arena);

#endif
