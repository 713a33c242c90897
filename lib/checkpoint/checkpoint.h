/* SPDX-License-Identifier: BSD-3-Clause */
/* State out and in, field by field.
 *
 * A part of a handle describes its state once, as a function that names every field in turn. The checkpoint's mode says
 * whether that function measures the state, writes it or reads it back. So writing and reading cannot disagree, and the
 * format does not depend on the layout of memory. Numbers are little-endian; floating-point ones are their IEEE bits.
 *
 *     header    magic (8 bytes), format major, minor (u16 each), sections (u32), total length (u64),
 *               version of the library that wrote it (u32), CRC-32C of the header so far (u32)
 *     section   tag (4 bytes), version, flags (u16 each; bit 0: critical), length of what follows the section's own
 *               header (u64), CRC-32C of the section except these four bytes (u32), fields
 *
 * The magic has a byte above 127, a CR LF, an end-of-file mark and a LF, so a transfer as text damages it. The header
 * keeps this layout in every future major. */
#ifndef MP_CHECKPOINT_CHECKPOINT_H
#define MP_CHECKPOINT_CHECKPOINT_H

#include "moepredict.h"
#include "support/crc32c.h"

#include <stdbool.h>

enum checkpoint_mode { MP_MEASURE, MP_WRITE, MP_READ };

enum { MP_MOST_SECTIONS = 8 }; /* a reader knows at most this many kinds of section */

struct checkpoint {
    enum checkpoint_mode mode;
    unsigned char *out;      /* MP_WRITE: the buffer, as long as was measured */
    const unsigned char *in; /* MP_READ */
    size_t at;               /* the next byte */
    size_t section;          /* where the header of the present section begins */
    uint32_t sections;       /* their number so far; MP_READ: in all */
    size_t size, end;        /* MP_READ: the end of the last section, of the present one */
    bool bad;                /* MP_READ: a field was missing or out of range; later ones are left alone */
    struct crc32c crc;
};

/* ---- the whole --------------------------------------------------------------------------------------------------- */

void mp_checkpoint_measure(struct checkpoint *checkpoint);
void mp_checkpoint_write(struct checkpoint *checkpoint, void *buffer);

/* Writes the header in front of the sections; returns the size of all. */
size_t mp_checkpoint_finish(struct checkpoint *checkpoint);

/* A kind of section, and the latest version of it that is known. */
struct section {
    const char *tag;
    uint16_t version;
};

/* Begins reading. Checks what can be checked without knowing the fields: the header, and the bounds and checksum of
 * each section. Each of the `known` sections must occur once, in no later version. No other section may be critical.
 * CORRUPT, INCOMPATIBLE. */
moep_status mp_checkpoint_read(struct checkpoint *checkpoint, const void *buffer, size_t size,
                               const struct section *known, size_t n);

/* ---- a section --------------------------------------------------------------------------------------------------- */

/* Begins a section. Writing marks it as critical. Reading takes the `known` sections in any order, and as often as
 * needed. */
void mp_checkpoint_section(struct checkpoint *checkpoint, const struct section *section);

/* Ends it. Reading: CORRUPT if a field was bad or fields are left over. */
moep_status mp_checkpoint_end(struct checkpoint *checkpoint);

/* Reading: bytes of the section that are still to be read. */
size_t mp_checkpoint_left(const struct checkpoint *checkpoint);

/* For a section to which later releases append fields that earlier ones may ignore. more: is there another field? A
 * missing field keeps its default. skip, after the last known field: skips those that a later release has appended. */
bool mp_checkpoint_more(const struct checkpoint *checkpoint);
void mp_checkpoint_skip(struct checkpoint *checkpoint);

/* ---- fields ------------------------------------------------------------------------------------------------------ */

void mp_field_u32(struct checkpoint *checkpoint, uint32_t *value);
void mp_field_i32(struct checkpoint *checkpoint, int32_t *value);
void mp_field_u64(struct checkpoint *checkpoint, uint64_t *value);
void mp_field_size(struct checkpoint *checkpoint, size_t *value); /* as 8 bytes */
void mp_field_f64(struct checkpoint *checkpoint, double *value);
void mp_field_shares(struct checkpoint *checkpoint, float *shares, size_t n); /* reading: each within 0 .. 1 */
void mp_field_floats(struct checkpoint *checkpoint, float *values, size_t n,
                     float limit); /* each within -limit .. limit */
void mp_field_doubles(struct checkpoint *checkpoint, double *values, size_t n, double least,
                      double most);                            /* each within least .. most; no NaN */
void mp_field_zeros(struct checkpoint *checkpoint, size_t n);  /* in the place of n unused floats */
void mp_field_unused(struct checkpoint *checkpoint, size_t n); /* the same, but reading ignores what is there */

/* Reading: marks the section as bad if the condition, on a value just read, does not hold. */
void mp_checkpoint_require(struct checkpoint *checkpoint, bool condition);

#endif
