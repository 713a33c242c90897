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

/* malloc and free. */
void *mp_default_allocate(void *user, size_t size);
void mp_default_release(void *user, void *pointer, size_t size);

/* a * b, or SIZE_MAX, which no allocator grants, where that does not fit. */
size_t mp_product(size_t a, size_t b);

/* a + b, or SIZE_MAX. */
size_t mp_sum(size_t a, size_t b);

/* Parts of one block that begin at multiples of this do not share a cache line. */
enum { MP_CACHE_LINE = 64 };

/* The bytes of count items of size bytes, up to the next such multiple, or SIZE_MAX. */
size_t mp_whole_lines(size_t count, size_t size);

/* count items of size bytes, not cleared; NULL if refused. */
void *mp_allocate(const struct memory *memory, size_t count, size_t size);

/* Takes the numbers that mp_allocate was given; NULL is fine. */
void mp_release(const struct memory *memory, void *pointer, size_t count, size_t size);

#endif
