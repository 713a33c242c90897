/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole numbers as bytes, least significant byte first. */
#ifndef MP_SUPPORT_BYTES_H
#define MP_SUPPORT_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline void mp_store(unsigned char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static inline uint64_t mp_load(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

/* The number whose bytes in memory are those of the value, least significant byte first. Unlike mp_store and mp_load,
 * they become vector code in a loop. */
static inline uint32_t mp_little_endian_32(uint32_t value)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap32(value);
}

static inline uint64_t mp_little_endian_64(uint64_t value)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap64(value);
}

#endif
