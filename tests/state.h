/* SPDX-License-Identifier: BSD-3-Clause */
/* A run, and its saved bytes, which the checkpoint tests inspect and change. */
#ifndef TESTS_STATE_H
#define TESTS_STATE_H

#include "toy.h"

#include "support/crc32c.h"

enum { LAYERS = 2, EXPERTS = 3, SERIES = LAYERS * EXPERTS, WINDOW = 5, STEPS = 23 };
enum { HEADER = 32, SECTION_HEADER = 20, MOST = 2048 };

struct bytes {
    unsigned char at[MOST];
    size_t size;
};

/* ---- a run, and its state ---------------------------------------------------------------------------------------- */

/* Steps 7, 8, then a gap, and layers without tokens. */
static inline void push_step(moep_predictor *predictor, const int64_t *counts, size_t step)
{
    int64_t row[SERIES];
    memcpy(row, counts + step * SERIES, sizeof row);
    if (step % 6 == 0)
        memset(row, 0, EXPERTS * sizeof *row);
    assert_int_equal(moep_predictor_push_at(predictor, step < 2 ? 7 + step : 20 + step, 1, row, MOEP_INT64), MOEP_OK);
}

static inline moep_predictor *predictor_after(const int64_t *counts, size_t steps)
{
    moep_predictor *predictor = make_predictor(MOEP_SW_AVG, LAYERS, EXPERTS, WINDOW, NULL);
    for (size_t step = 0; step < steps; step++)
        push_step(predictor, counts, step);
    return predictor;
}

static inline struct bytes saved(const moep_predictor *predictor)
{
    struct bytes bytes = {.size = 0};
    size_t size = 0;
    assert_int_equal(moep_predictor_save(predictor, NULL, 0, &size), MOEP_OK);
    assert_true(size <= MOST);
    assert_int_equal(moep_predictor_save(predictor, bytes.at, size, &bytes.size), MOEP_OK);
    assert_int_equal(bytes.size, size);
    return bytes;
}

static inline moep_predictor *loaded(const struct bytes *bytes)
{
    moep_predictor *predictor = NULL;
    assert_int_equal(moep_predictor_load(bytes->at, bytes->size, NULL, &predictor), MOEP_OK);
    return predictor;
}

static inline struct bytes usual_state(void)
{
    int64_t *counts = random_counts(STEPS, LAYERS, EXPERTS, 41);
    moep_predictor *predictor = predictor_after(counts, STEPS);
    struct bytes bytes = saved(predictor);
    moep_predictor_destroy(predictor);
    free(counts);
    return bytes;
}

static inline void assert_same_state(const moep_predictor *a, const moep_predictor *b)
{
    struct bytes of_a = saved(a), of_b = saved(b);
    assert_int_equal(of_a.size, of_b.size);
    assert_memory_equal(of_a.at, of_b.at, of_a.size);
    double shares[4 * SERIES] = {0}, others[4 * SERIES] = {0};
    moep_status status = moep_predictor_predict(a, 10, 3, shares, 4 * SERIES);
    assert_int_equal(moep_predictor_predict(b, 10, 3, others, 4 * SERIES), status);
    if (status == MOEP_OK)
        assert_memory_equal(shares, others, sizeof shares);
    moep_info info_a = info_of(a), info_b = info_of(b);
    assert_memory_equal(&info_a, &info_b, sizeof info_a);
}

/* ---- changed bytes with correct checksums ------------------------------------------------------------------------ */

static inline uint64_t get(const unsigned char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

static inline void set(unsigned char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static inline unsigned char *section_of(struct bytes *bytes, const char *tag)
{
    size_t at = HEADER;
    while (at < bytes->size && memcmp(bytes->at + at, tag, 4) != 0)
        at += SECTION_HEADER + (size_t)get(bytes->at + at + 8, 8);
    assert_true(at < bytes->size);
    return bytes->at + at;
}

static inline unsigned char *field(struct bytes *bytes, const char *tag, size_t offset)
{
    return section_of(bytes, tag) + SECTION_HEADER + offset;
}

static inline void sign(struct bytes *bytes)
{
    struct crc32c crc;
    mp_crc32c_init(&crc);
    for (size_t at = HEADER; at < bytes->size; at += SECTION_HEADER + (size_t)get(bytes->at + at + 8, 8)) {
        uint32_t sum = mp_crc32c(&crc, 0, bytes->at + at, 16);
        size_t length = (size_t)get(bytes->at + at + 8, 8);
        if (length <= bytes->size - at - SECTION_HEADER)
            set(bytes->at + at + 16, mp_crc32c(&crc, sum, bytes->at + at + SECTION_HEADER, length), 4);
        else
            break;
    }
    set(bytes->at + 16, bytes->size, 8);
    set(bytes->at + 28, mp_crc32c(&crc, 0, bytes->at, 28), 4);
}

/* Appends a section of 5 bytes. */
static inline void append(struct bytes *bytes, const char *tag, uint16_t version, uint16_t flags)
{
    unsigned char *section = bytes->at + bytes->size;
    memcpy(section, tag, 4);
    set(section + 4, version, 2);
    set(section + 6, flags, 2);
    set(section + 8, 5, 8);
    memcpy(section + SECTION_HEADER, "hello", 5);
    bytes->size += SECTION_HEADER + 5;
    set(bytes->at + 12, get(bytes->at + 12, 4) + 1, 4);
}

static inline uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline void set_share_of(struct bytes *bytes, const char *tag, size_t offset, float share)
{
    set(field(bytes, tag, offset), bits_of(share), 4);
}

/* The section loses or gains bytes at its end. */
static inline void resize(struct bytes *bytes, const char *tag, int by)
{
    unsigned char *section = section_of(bytes, tag);
    size_t length = (size_t)get(section + 8, 8);
    unsigned char *end = section + SECTION_HEADER + length, *behind = bytes->at + bytes->size;
    memmove(end + by, end, (size_t)(behind - end));
    if (by > 0)
        memset(end, 0, (size_t)by);
    set(section + 8, (uint64_t)((int64_t)length + by), 8);
    bytes->size = (size_t)((int64_t)bytes->size + by);
    sign(bytes);
}

#endif
