/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/arena.h"

#include <stdint.h>
#include <string.h>

void *mp_arena_take(struct arena *arena, size_t count, size_t size)
{
    size_t start = arena->used;
    arena->used = mp_sum(start, mp_whole_lines(count, size));
    return arena->memory ? arena->lines + start : NULL;
}

/* The first cache line that lies wholly in the memory. */
static unsigned char *first_line(void *memory)
{
    size_t misalignment = (uintptr_t)memory % MP_CACHE_LINE;
    return (unsigned char *)memory + (MP_CACHE_LINE - misalignment) % MP_CACHE_LINE;
}

bool mp_arena_make(struct arena *arena, void (*lay_out)(void *self, struct arena *arena), void *self,
                   const struct memory *memory)
{
    *arena = (struct arena){0};
    lay_out(self, arena);
    size_t size = mp_sum(arena->used, MP_CACHE_LINE - 1);
    void *bytes = mp_allocate(memory, size, 1);
    *arena = (struct arena){0};
    if (!bytes)
        return false;
    memset(bytes, 0, size); /* before the layout, which may store pointers in the memory itself */
    *arena = (struct arena){.memory = bytes, .lines = first_line(bytes), .size = size};
    lay_out(self, arena);
    return true;
}

void mp_arena_free(struct arena *arena, const struct memory *memory)
{
    mp_release(memory, arena->memory, arena->size, 1);
    *arena = (struct arena){0};
}

void mp_arena_copy(struct arena *to, const struct arena *from)
{
    if (from->used > 0)
        memcpy(to->lines, from->lines, from->used);
}

void mp_arena_clear(struct arena *arena)
{
    if (arena->used > 0)
        memset(arena->lines, 0, arena->used);
}
