/* SPDX-License-Identifier: BSD-3-Clause */
/* Header and sections: their layout, and all checks that need no knowledge of the fields. */
#include "checkpoint/checkpoint.h"

#include "api/status.h"
#include "support/bytes.h"

#include <string.h>

static const unsigned char magic[8] = {0x89, 'M', 'O', 'P', '\r', '\n', 0x1a, '\n'};

enum { FORMAT_MAJOR = 1, FORMAT_MINOR = 0 };
enum { MAJOR_AT = 8, MINOR_AT = 10, SECTIONS_AT = 12, TOTAL_AT = 16, WRITER_AT = 24, HEADER_CRC_AT = 28, HEADER = 32 };
enum { VERSION_AT = 4, FLAGS_AT = 6, LENGTH_AT = 8, CRC_AT = 16, SECTION_HEADER = 20 };
enum { CRITICAL = 1 };

static moep_status corrupt(const char *what)
{
    return mp_fail(MOEP_ERROR_CORRUPT, "the checkpoint is damaged: %s", what);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

void mp_checkpoint_measure(struct checkpoint *checkpoint)
{
    *checkpoint = (struct checkpoint){.mode = MP_MEASURE, .at = HEADER};
}

void mp_checkpoint_write(struct checkpoint *checkpoint, void *buffer)
{
    *checkpoint = (struct checkpoint){.mode = MP_WRITE, .out = buffer, .at = HEADER};
    mp_crc32c_init(&checkpoint->crc);
}

size_t mp_checkpoint_finish(struct checkpoint *checkpoint)
{
    unsigned char *out = checkpoint->out;
    if (checkpoint->mode == MP_WRITE) {
        memcpy(out, magic, sizeof magic);
        mp_store(out + MAJOR_AT, FORMAT_MAJOR, 2);
        mp_store(out + MINOR_AT, FORMAT_MINOR, 2);
        mp_store(out + SECTIONS_AT, checkpoint->sections, 4);
        mp_store(out + TOTAL_AT, checkpoint->at, 8);
        mp_store(out + WRITER_AT, MP_VERSION, 4);
        mp_store(out + HEADER_CRC_AT, mp_crc32c(&checkpoint->crc, 0, out, HEADER_CRC_AT), 4);
    }
    return checkpoint->at;
}

/* The checksum of a section, from the header's first byte to the last field, without the checksum itself. */
static uint32_t section_crc(const struct checkpoint *checkpoint, const unsigned char *section, size_t length)
{
    uint32_t crc = mp_crc32c(&checkpoint->crc, 0, section, CRC_AT);
    return mp_crc32c(&checkpoint->crc, crc, section + SECTION_HEADER, length);
}

static moep_status read_header(struct checkpoint *checkpoint, size_t size)
{
    const unsigned char *in = checkpoint->in;
    if (size < HEADER || memcmp(in, magic, sizeof magic) != 0)
        return corrupt("wrong magic number");
    if (mp_load(in + HEADER_CRC_AT, 4) != mp_crc32c(&checkpoint->crc, 0, in, HEADER_CRC_AT))
        return corrupt("the checksum of its header does not match");
    unsigned major = (unsigned)mp_load(in + MAJOR_AT, 2);
    if (major > FORMAT_MAJOR)
        return mp_fail(MOEP_ERROR_INCOMPATIBLE, "the checkpoint has format %u, this library reads %u: use a newer one",
                       major, (unsigned)FORMAT_MAJOR);
    uint64_t total = mp_load(in + TOTAL_AT, 8);
    if (major < 1 || total < HEADER)
        return corrupt("its header holds impossible values");
    if (total > size)
        return mp_fail(MOEP_ERROR_CORRUPT, "the checkpoint is damaged: it is %llu bytes long, but only %zu were given",
                       (unsigned long long)total, size);
    checkpoint->size = (size_t)total;
    checkpoint->sections = (uint32_t)mp_load(in + SECTIONS_AT, 4);
    return MOEP_OK;
}

static bool has_tag(const unsigned char *section, const char *tag)
{
    return memcmp(section, tag, VERSION_AT) == 0;
}

/* A known section must occur once and in no later version. An unknown one is skipped, unless it is critical. */
static moep_status check_section(const unsigned char *section, const struct section *known, bool *seen, size_t n)
{
    unsigned version = (unsigned)mp_load(section + VERSION_AT, 2);
    for (size_t i = 0; i < n; i++) {
        if (!has_tag(section, known[i].tag))
            continue;
        if (seen[i] || version < 1)
            return corrupt("a section occurs twice, or has version 0");
        seen[i] = true;
        if (version > known[i].version)
            return mp_fail(MOEP_ERROR_INCOMPATIBLE, "section %s of the checkpoint was written by a newer library",
                           known[i].tag);
        return MOEP_OK;
    }
    if (mp_load(section + FLAGS_AT, 2) & CRITICAL)
        return mp_fail(MOEP_ERROR_INCOMPATIBLE,
                       "the checkpoint has a section that this library does not know: another "
                       "kind of handle's, or a newer library's");
    return MOEP_OK;
}

static moep_status read_sections(struct checkpoint *checkpoint, const struct section *known, bool *seen, size_t n)
{
    size_t at = HEADER;
    for (uint32_t i = 0; i < checkpoint->sections; i++) {
        const unsigned char *section = checkpoint->in + at;
        size_t left = checkpoint->size - at;
        if (left < SECTION_HEADER || mp_load(section + LENGTH_AT, 8) > left - SECTION_HEADER)
            return corrupt("a section reaches past its end");
        size_t length = (size_t)mp_load(section + LENGTH_AT, 8);
        if (mp_load(section + CRC_AT, 4) != section_crc(checkpoint, section, length))
            return corrupt("the checksum of a section does not match");
        moep_status status = check_section(section, known, seen, n);
        if (status != MOEP_OK)
            return status;
        at += SECTION_HEADER + length;
    }
    return at == checkpoint->size ? MOEP_OK : corrupt("it has bytes that belong to no section");
}

moep_status mp_checkpoint_read(struct checkpoint *checkpoint, const void *buffer, size_t size,
                               const struct section *known, size_t n)
{
    bool seen[MP_MOST_SECTIONS] = {false};
    *checkpoint = (struct checkpoint){.mode = MP_READ, .in = buffer};
    mp_crc32c_init(&checkpoint->crc);
    moep_status status = read_header(checkpoint, size);
    if (status == MOEP_OK)
        status = read_sections(checkpoint, known, seen, n);
    for (size_t i = 0; i < n && status == MOEP_OK; i++)
        if (!seen[i])
            status = mp_fail(MOEP_ERROR_INCOMPATIBLE,
                             "the checkpoint has no section %s: it is another kind of handle's", known[i].tag);
    return status;
}

/* ---- a section --------------------------------------------------------------------------------------------------- */

static void find_section(struct checkpoint *checkpoint, const char *tag)
{
    size_t at = HEADER;
    while (!has_tag(checkpoint->in + at, tag))
        at += SECTION_HEADER + (size_t)mp_load(checkpoint->in + at + LENGTH_AT, 8);
    checkpoint->section = at;
    checkpoint->at = at + SECTION_HEADER;
    checkpoint->end = checkpoint->at + (size_t)mp_load(checkpoint->in + at + LENGTH_AT, 8);
}

void mp_checkpoint_section(struct checkpoint *checkpoint, const struct section *section)
{
    if (checkpoint->mode == MP_READ) {
        find_section(checkpoint, section->tag);
        return;
    }
    checkpoint->section = checkpoint->at;
    if (checkpoint->mode == MP_WRITE) {
        unsigned char *header = checkpoint->out + checkpoint->at;
        memcpy(header, section->tag, VERSION_AT);
        mp_store(header + VERSION_AT, section->version, 2);
        mp_store(header + FLAGS_AT, CRITICAL, 2);
    }
    checkpoint->at += SECTION_HEADER;
    checkpoint->sections++;
}

moep_status mp_checkpoint_end(struct checkpoint *checkpoint)
{
    if (checkpoint->mode == MP_READ && (checkpoint->bad || checkpoint->at != checkpoint->end))
        return mp_fail(MOEP_ERROR_CORRUPT, "the checkpoint is damaged: section %.4s holds impossible values",
                       (const char *)checkpoint->in + checkpoint->section);
    if (checkpoint->mode == MP_WRITE) {
        unsigned char *header = checkpoint->out + checkpoint->section;
        size_t length = checkpoint->at - checkpoint->section - SECTION_HEADER;
        mp_store(header + LENGTH_AT, length, 8);
        mp_store(header + CRC_AT, section_crc(checkpoint, header, length), 4);
    }
    return MOEP_OK;
}

size_t mp_checkpoint_left(const struct checkpoint *checkpoint)
{
    return checkpoint->end - checkpoint->at;
}

bool mp_checkpoint_more(const struct checkpoint *checkpoint)
{
    return checkpoint->mode != MP_READ || mp_checkpoint_left(checkpoint) > 0;
}

void mp_checkpoint_skip(struct checkpoint *checkpoint)
{
    if (checkpoint->mode == MP_READ)
        checkpoint->at = checkpoint->end;
}
