/* SPDX-License-Identifier: BSD-3-Clause */
/* By the processor's own instruction, or by tables.
 *
 * The bits that have passed are the coefficients of a polynomial over GF(2). The register is the remainder of its
 * division by P, bit 31 - i the coefficient of x^i. */
#include "support/crc32c.h"

#include "support/bytes.h"

#include <string.h>

static const uint32_t polynomial = 0x82f63b78; /* P without x^32 */

/* The register times x. */
static uint32_t shifted(uint32_t value)
{
    return value >> 1 ^ (polynomial & (0 - (value & 1)));
}

/* ---- by tables --------------------------------------------------------------------------------------------------- */

void mp_crc32c_init_tables(struct crc32c *crc)
{
    crc->by_instruction = false;
    for (uint32_t i = 0; i < 256; i++) {
        crc->table[0][i] = i;
        for (int bit = 0; bit < 8; bit++)
            crc->table[0][i] = shifted(crc->table[0][i]);
    }
    for (int t = 1; t < 8; t++)
        for (int i = 0; i < 256; i++)
            crc->table[t][i] = crc->table[t - 1][i] >> 8 ^ crc->table[0][crc->table[t - 1][i] & 0xff];
}

/* Eight bytes per round, each looked up in its own table (M. Kounavis, F. Berry, "A Systematic Approach to Building
 * High Performance Software-Based CRC Generators", 2005). */
static uint32_t by_tables(const uint32_t (*t)[256], uint32_t value, const unsigned char *p, size_t size)
{
    for (; size >= 8; size -= 8, p += 8) {
        uint32_t low = (uint32_t)mp_load(p, 4) ^ value, high = (uint32_t)mp_load(p + 4, 4);
        value = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff] ^ t[4][low >> 24] ^
                t[3][high & 0xff] ^ t[2][high >> 8 & 0xff] ^ t[1][high >> 16 & 0xff] ^ t[0][high >> 24];
    }
    for (; size > 0; size--, p++)
        value = value >> 8 ^ t[0][(value ^ *p) & 0xff];
    return value;
}

/* ---- by the processor's instruction ------------------------------------------------------------------------------ */

/* NEXT_8 and NEXT_1 pass 8 bytes, the least significant first, or one through the register. On x86-64 the processor
 * says at run time whether it has them; on ARM the compiler says whether every processor that it compiles for does. */
#if defined(__x86_64__)
#define INSTRUCTION __attribute__((target("sse4.2")))
#define HAS_INSTRUCTION (__builtin_cpu_init(), __builtin_cpu_supports("sse4.2") != 0)
#define NEXT_8 __builtin_ia32_crc32di
#define NEXT_1 __builtin_ia32_crc32qi
#elif defined(__AARCH64EL__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define INSTRUCTION
#define HAS_INSTRUCTION true
#define NEXT_8 __crc32cd
#define NEXT_1 __crc32cb
#endif

#ifdef INSTRUCTION

/* From this size on, three streams are faster than one: their ends take about a microsecond to join. */
enum { LONG = 16384 };

static uint32_t product(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;
    for (; a != 0; a <<= 1, b = shifted(b))
        sum ^= b & (0 - (a >> 31));
    return sum;
}

/* x^(8 n), by which the register is multiplied as n zeros pass. */
static uint32_t zeros(size_t n)
{
    uint32_t power = (uint32_t)1 << 31, square = (uint32_t)1 << (31 - 8);
    for (; n > 0; n >>= 1, square = product(square, square))
        if (n & 1)
            power = product(power, square);
    return power;
}

static uint64_t eight_bytes(const unsigned char *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

/* Three times n bytes, n a multiple of 8. An instruction ends three cycles after it begins, but one can begin in every
 * cycle. So three streams run side by side, the latter two from an empty register; then each is moved past the next. */
INSTRUCTION static uint32_t three_streams(uint32_t value, const unsigned char *p, size_t n)
{
    uint32_t first = value, second = 0, third = 0, past = zeros(n);
    for (const unsigned char *end = p + n; p < end; p += 8) {
        first = (uint32_t)NEXT_8(first, eight_bytes(p));
        second = (uint32_t)NEXT_8(second, eight_bytes(p + n));
        third = (uint32_t)NEXT_8(third, eight_bytes(p + 2 * n));
    }
    return product(product(first, past) ^ second, past) ^ third;
}

INSTRUCTION static uint32_t by_instruction(uint32_t value, const unsigned char *p, size_t size)
{
    const unsigned char *end = p + size;
    if (size >= LONG) {
        size_t third = size / 24 * 8;
        value = three_streams(value, p, third);
        p += 3 * third;
    }
    for (; end - p >= 8; p += 8)
        value = (uint32_t)NEXT_8(value, eight_bytes(p));
    for (; p < end; p++)
        value = NEXT_1(value, *p);
    return value;
}

#else
#define HAS_INSTRUCTION false
#define by_instruction(value, p, size) (value)
#endif

/* ---- the choice -------------------------------------------------------------------------------------------------- */

void mp_crc32c_init(struct crc32c *crc)
{
    crc->by_instruction = HAS_INSTRUCTION;
    if (!crc->by_instruction)
        mp_crc32c_init_tables(crc);
}

uint32_t mp_crc32c(const struct crc32c *crc, uint32_t before, const void *bytes, size_t size)
{
    if (crc->by_instruction)
        return ~by_instruction(~before, bytes, size);
    return ~by_tables(crc->table, ~before, bytes, size);
}
