/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC-32C (Castagnoli): the checksum of iSCSI, RFC 3720 section 12.1. */
#ifndef MP_SUPPORT_CRC32C_H
#define MP_SUPPORT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Its tables are made by the caller that needs them, not kept: the library has no global state. 8 KiB, microseconds. */
struct crc32c {
    uint32_t table[8][256];
};

void mp_crc32c_init(struct crc32c *crc);

/* The checksum of bytes that follow those whose checksum `before` is; 0 at the start. */
uint32_t mp_crc32c(const struct crc32c *crc, uint32_t before, const void *bytes, size_t size);

#endif
