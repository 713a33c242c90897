/* SPDX-License-Identifier: BSD-3-Clause */
/* By the processor's own instructions, or by tables.
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

static void make_tables(struct crc32c *crc)
{
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
#include <immintrin.h>
#define INSTRUCTION __attribute__((target("sse4.2")))
#define HAS_INSTRUCTION (__builtin_cpu_init(), __builtin_cpu_supports("sse4.2") != 0)
#define NEXT_8 _mm_crc32_u64
#define NEXT_1 _mm_crc32_u8
#elif defined(__AARCH64EL__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define INSTRUCTION
#define HAS_INSTRUCTION true
#define NEXT_8 __crc32cd
#define NEXT_1 __crc32cb
#endif

#ifdef INSTRUCTION

/* From this size on, three streams or folding are faster than one stream: their factors take a microsecond. */
enum { LONG = 16384 };

static uint32_t product(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;
    for (; a != 0; a <<= 1, b = shifted(b))
        sum ^= b & (0 - (a >> 31));
    return sum;
}

/* x^n */
static uint32_t power_of_x(size_t n)
{
    uint32_t power = (uint32_t)1 << 31, square = (uint32_t)1 << 30;
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
    uint32_t first = value, second = 0, third = 0;
    uint32_t past = power_of_x(8 * n); /* what n zeros multiply the register by */
    for (const unsigned char *end = p + n; p < end; p += 8) {
        first = (uint32_t)NEXT_8(first, eight_bytes(p));
        second = (uint32_t)NEXT_8(second, eight_bytes(p + n));
        third = (uint32_t)NEXT_8(third, eight_bytes(p + 2 * n));
    }
    return product(product(first, past) ^ second, past) ^ third;
}

INSTRUCTION static uint32_t one_stream(uint32_t value, const unsigned char *p, size_t size)
{
    const unsigned char *end = p + size;
    for (; end - p >= 8; p += 8)
        value = (uint32_t)NEXT_8(value, eight_bytes(p));
    for (; p < end; p++)
        value = NEXT_1(value, *p);
    return value;
}

static uint32_t by_instruction(uint32_t value, const unsigned char *p, size_t size)
{
    size_t third = size >= LONG ? size / 24 * 8 : 0;
    if (third > 0)
        value = three_streams(value, p, third);
    return one_stream(value, p + 3 * third, size - 3 * third);
}

#else
#define HAS_INSTRUCTION false
#define by_instruction(value, p, size) (value)
#endif

/* ---- by folding -------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)

#define FOLDING __attribute__((target("sse4.2,avx512f,vpclmulqdq")))
#define HAS_FOLDING (HAS_INSTRUCTION && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq"))

/* The bytes that are folded at once, four vectors of four pairs of 64 bits. */
enum { FOLDED = 256 };

/* The factor that moves 64 bits n bits on. Bit i of a word is the coefficient of x^(63 - i); in the 128 bits of a
 * product of two words it is that of x^(126 - i), so the product comes out one power of x too large. */
static int64_t factor(size_t n)
{
    return (int64_t)((uint64_t)power_of_x(n - 1) << 32);
}

/* A message is divided by P with the same remainder if bits of it are replaced by others, further on, that are congruent
 * modulo P: each 128 bits by two products of 64 (V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ Instruction", 2009). So the first FOLDED bytes are moved onto the next, until only the last are left. */
FOLDING static uint32_t fold(uint32_t value, const unsigned char *p, size_t size)
{
    const int64_t far = factor(8 * FOLDED + 64), near = factor(8 * FOLDED); /* of the first and the second 64 bits */
    const __m512i factors = _mm512_set_epi64(near, far, near, far, near, far, near, far);
    __m512i sum[4];
    unsigned char last[FOLDED];
    memcpy(sum, p, sizeof sum);
    sum[0] = _mm512_xor_si512(sum[0], _mm512_set_epi64(0, 0, 0, 0, 0, 0, 0, (int64_t)value));
    for (const unsigned char *end = p + size; (p += FOLDED) < end;)
        for (size_t i = 0; i < 4; i++) {
            __m512i first = _mm512_clmulepi64_epi128(sum[i], factors, 0x00);
            __m512i second = _mm512_clmulepi64_epi128(sum[i], factors, 0x11);
            sum[i] = _mm512_xor_si512(_mm512_xor_si512(first, second), _mm512_loadu_si512(p + 64 * i));
        }
    memcpy(last, sum, sizeof last);
    return one_stream(0, last, sizeof last);
}

static uint32_t by_folding(uint32_t value, const unsigned char *p, size_t size)
{
    size_t folded = size >= LONG ? size / FOLDED * FOLDED : 0;
    if (folded > 0)
        value = fold(value, p, folded);
    return one_stream(value, p + folded, size - folded);
}

#else
#define HAS_FOLDING false
#define by_folding(value, p, size) (value)
#endif

/* ---- the choice -------------------------------------------------------------------------------------------------- */

static enum crc32c_way fastest(void)
{
    if (HAS_FOLDING)
        return MP_CRC_BY_FOLDING;
    return HAS_INSTRUCTION ? MP_CRC_BY_INSTRUCTION : MP_CRC_BY_TABLES;
}

bool mp_crc32c_init_way(struct crc32c *crc, enum crc32c_way way)
{
    crc->way = way;
    if (way == MP_CRC_BY_TABLES)
        make_tables(crc);
    return way <= fastest();
}

void mp_crc32c_init(struct crc32c *crc)
{
    mp_crc32c_init_way(crc, fastest());
}

uint32_t mp_crc32c(const struct crc32c *crc, uint32_t before, const void *bytes, size_t size)
{
    switch (crc->way) {
    case MP_CRC_BY_FOLDING: return ~by_folding(~before, bytes, size);
    case MP_CRC_BY_INSTRUCTION: return ~by_instruction(~before, bytes, size);
    default: return ~by_tables(crc->table, ~before, bytes, size);
    }
}
