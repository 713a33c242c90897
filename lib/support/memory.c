/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/memory.h"

#include <stdint.h>
#include <stdlib.h>

void *mp_default_allocate(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

void mp_default_release(void *user, void *pointer, size_t size)
{
    (void)user;
    (void)size;
    free(pointer);
}

size_t mp_product(size_t a, size_t b)
{
    return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

size_t mp_sum(size_t a, size_t b)
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

size_t mp_whole_lines(size_t count, size_t size)
{
    size_t bytes = mp_product(count, size);
    size_t padding = (MP_CACHE_LINE - bytes % MP_CACHE_LINE) % MP_CACHE_LINE;
    return mp_sum(bytes, padding);
}

void *mp_allocate(const struct memory *memory, size_t count, size_t size)
{
    size_t bytes = mp_product(count, size);
    return bytes > PTRDIFF_MAX ? NULL : memory->allocate(memory->user, bytes);
}

void mp_release(const struct memory *memory, void *pointer, size_t count, size_t size)
{
    if (pointer)
        memory->release(memory->user, pointer, count * size);
}
