/* SPDX-License-Identifier: BSD-3-Clause */
/* The checksum by all ways that this processor has: by tables, by its instruction, by folding. */
#include "support.h"

#include "support/crc32c.h"

enum { WAYS = MP_CRC_BY_FOLDING + 1 };

/* Those that the processor has, and how many. */
static size_t init_ways(struct crc32c ways[WAYS])
{
    size_t n = 0;
    for (size_t way = 0; way < WAYS; way++)
        n += mp_crc32c_init_way(&ways[n], (enum crc32c_way)way);
    assert_true(n >= 1 && ways[0].way == MP_CRC_BY_TABLES);
    return n;
}

/* The vectors of RFC 3720, appendix B.4, and the usual check value. */
static void all_ways_give_the_published_checksums(void **state)
{
    (void)state;
    unsigned char zeros[32] = {0}, ones[32], rising[32], falling[32];
    static const unsigned char read_command[48] = {0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
                                                   0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
                                                   0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0};
    memset(ones, 0xff, sizeof ones);
    for (unsigned char i = 0; i < 32; i++) {
        rising[i] = i;
        falling[i] = (unsigned char)(31 - i);
    }
    struct crc32c ways[WAYS];
    for (size_t way = init_ways(ways); way-- > 0;) {
        assert_int_equal(mp_crc32c(&ways[way], 0, zeros, 32), 0x8a9136aa);
        assert_int_equal(mp_crc32c(&ways[way], 0, ones, 32), 0x62a8ab43);
        assert_int_equal(mp_crc32c(&ways[way], 0, rising, 32), 0x46dd794e);
        assert_int_equal(mp_crc32c(&ways[way], 0, falling, 32), 0x113fdb5c);
        assert_int_equal(mp_crc32c(&ways[way], 0, read_command, 48), 0xd9963a56);
        assert_int_equal(mp_crc32c(&ways[way], 0, "123456789", 9), 0xe3069283);
        assert_int_equal(mp_crc32c(&ways[way], 0, "", 0), 0);
    }
}

static uint32_t next_bit_by_bit(uint32_t crc, unsigned char byte)
{
    crc = ~crc ^ byte;
    for (int bit = 0; bit < 8; bit++)
        crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    return ~crc;
}

/* Every length to 3,000, and around those at which another loop begins: at any alignment, continuing any checksum. */
static void all_ways_are_division_bit_by_bit(void **state)
{
    (void)state;
    enum { SHORT = 3000, SIZE = 50000, ALIGNMENTS = 8 };
    unsigned char *bytes = malloc(SIZE + ALIGNMENTS);
    uint64_t seed = 5;
    for (size_t i = 0; i < SIZE + ALIGNMENTS; i++)
        bytes[i] = (unsigned char)(random_number(&seed) >> 56);
    struct crc32c ways[WAYS];
    size_t n = init_ways(ways);
    for (size_t from = 0; from < ALIGNMENTS; from++) {
        uint32_t before = (uint32_t)from * 0x9e3779b9, expected = before;
        for (size_t size = 0; size <= SIZE; size++) {
            bool is_checked = size <= SHORT || size % 1024 < 2 || size % 1024 == 1023 || size > SIZE - 100;
            for (size_t way = 0; way < n && is_checked; way++)
                assert_int_equal(mp_crc32c(&ways[way], before, bytes + from, size), expected);
            if (size < SIZE)
                expected = next_bit_by_bit(expected, bytes[from + size]);
        }
    }
    free(bytes);
}

static void a_checksum_of_parts_is_that_of_the_whole(void **state)
{
    (void)state;
    enum { SIZE = 70000 };
    unsigned char *bytes = malloc(SIZE);
    uint64_t seed = 6;
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(random_number(&seed) >> 56);
    struct crc32c crc;
    mp_crc32c_init(&crc); /* the fastest */
    uint32_t whole = mp_crc32c(&crc, 0, bytes, SIZE);
    for (size_t first = 0; first <= SIZE; first += 997)
        assert_int_equal(mp_crc32c(&crc, mp_crc32c(&crc, 0, bytes, first), bytes + first, SIZE - first), whole);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest crc32c[] = {
        cmocka_unit_test(all_ways_give_the_published_checksums),
        cmocka_unit_test(all_ways_are_division_bit_by_bit),
        cmocka_unit_test(a_checksum_of_parts_is_that_of_the_whole),
    };
    return cmocka_run_group_tests(crc32c, NULL, NULL);
}
