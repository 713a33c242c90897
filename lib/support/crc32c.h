/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC-32C (Castagnoli): the checksum of iSCSI, RFC 3720 section 12.1. */
#ifndef MP_SUPPORT_CRC32C_H
#define MP_SUPPORT_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The ways to compute it, from the slowest to the fastest. Every processor can look bytes up in tables. */
enum crc32c_way { MP_CRC_BY_TABLES, MP_CRC_BY_INSTRUCTION, MP_CRC_BY_FOLDING };

/* 8 KiB of tables. The caller makes them, in microseconds, because the library has no global state. */
struct crc32c {
    enum crc32c_way way;
    uint32_t table[8][256]; /* MP_CRC_BY_TABLES only */
};

/* Chooses the fastest way on this processor. */
void mp_crc32c_init(struct crc32c *crc);

/* Chooses a way; false if this processor has not got it. */
bool mp_crc32c_init_way(struct crc32c *crc, enum crc32c_way way);

/* Continues a checksum: `before` is that of the preceding bytes, 0 at the start. */
uint32_t mp_crc32c(const struct crc32c *crc, uint32_t before, const void *bytes, size_t size);

#endif
