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

#endif
