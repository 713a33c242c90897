/* SPDX-License-Identifier: BSD-3-Clause */
/* The caller's allocator, and sizes that cannot overflow. */
#ifndef MP_SUPPORT_MEMORY_H
#define MP_SUPPORT_MEMORY_H

#include <stddef.h>

struct memory {
    void *(*allocate)(void *user, size_t size);
    void (*release)(void *user, void *pointer, size_t size);
    void *user;
};

/* The default: malloc and free. */
void *mp_default_allocate(void *user, size_t size);
void mp_default_release(void *user, void *pointer, size_t size);

/* a * b, or SIZE_MAX if that overflows. mp_allocate refuses SIZE_MAX bytes. */
size_t mp_product(size_t a, size_t b);

/* a + b, or SIZE_MAX if that overflows. */
size_t mp_sum(size_t a, size_t b);

/* The bytes of a cache line. Arrays that begin at multiples of it do not share one. */
enum { MP_CACHE_LINE = 64 };

/* The bytes of count items of size bytes, rounded up to whole cache lines, or SIZE_MAX if that overflows. */
size_t mp_whole_lines(size_t count, size_t size);

/* count items of size bytes, uninitialised. NULL if the allocator refuses or the size exceeds PTRDIFF_MAX. */
void *mp_allocate(const struct memory *memory, size_t count, size_t size);

/* Releases the result of mp_allocate with the same count and size; the pointer may be NULL. */
void mp_release(const struct memory *memory, void *pointer, size_t count, size_t size);

#endif
