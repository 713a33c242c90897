/* SPDX-License-Identifier: BSD-3-Clause */
/* Eight bytes per round, each looked up in its own table (M. Kounavis, F. Berry, "A Systematic Approach to Building
 * High Performance Software-Based CRC Generators", 2005). */
#include "support/crc32c.h"

void mp_crc32c_init(struct crc32c *crc)
{
    const uint32_t polynomial = 0x82f63b78; /* bits reversed */
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ polynomial : value >> 1;
        crc->table[0][i] = value;
    }
    for (int t = 1; t < 8; t++)
        for (int i = 0; i < 256; i++)
            crc->table[t][i] = crc->table[t - 1][i] >> 8 ^ crc->table[0][crc->table[t - 1][i] & 0xff];
}

static uint32_t little_endian(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t mp_crc32c(const struct crc32c *crc, uint32_t before, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    const uint32_t(*t)[256] = crc->table;
    uint32_t value = ~before;
    for (; size >= 8; size -= 8, p += 8) {
        uint32_t low = little_endian(p) ^ value, high = little_endian(p + 4);
        value = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff] ^ t[4][low >> 24] ^
                t[3][high & 0xff] ^ t[2][high >> 8 & 0xff] ^ t[1][high >> 16 & 0xff] ^ t[0][high >> 24];
    }
    for (; size > 0; size--, p++)
        value = value >> 8 ^ t[0][(value ^ *p) & 0xff];
    return ~value;
}
