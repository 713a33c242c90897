/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC-32C (Castagnoli): the checksum of iSCSI, RFC 3720 section 12.1. */
#ifndef MP_SUPPORT_CRC32C_H
#define MP_SUPPORT_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 8 KiB of tables. The caller makes them, in microseconds, because the library has no global state. */
struct crc32c {
    bool by_instruction; /* the processor has one, so there are no tables */
    uint32_t table[8][256];
};

/* Chooses the faster way on this processor. */
void mp_crc32c_init(struct crc32c *crc);

/* Chooses the way of every processor. */
void mp_crc32c_init_tables(struct crc32c *crc);

/* Continues a checksum: `before` is that of the preceding bytes, 0 at the start. */
uint32_t mp_crc32c(const struct crc32c *crc, uint32_t before, const void *bytes, size_t size);

#endif
