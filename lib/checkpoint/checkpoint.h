/* SPDX-License-Identifier: BSD-3-Clause */
/* State out and in, field by field.
 *
 * A part of a handle describes its state once, as a function that names every field in turn. The same function measures the
 * state, writes it, and reads it back, according to the checkpoint that it is handed; so what is written is what is
 * read, and memory layout has no part in it. Numbers are little-endian, floating-point ones as their IEEE bits.
 *
 *     header    magic (8 bytes), format major, minor (u16 each), sections (u32), total length (u64),
 *               version of the library that wrote it (u32), CRC-32C of the header so far (u32)
 *     section   tag (4 bytes), version, flags (u16 each; bit 0: critical), length of what follows the section's own
 *               header (u64), CRC-32C of the section but for these four bytes (u32), fields
 *
 * The magic has a byte above 127, a CR LF, an end-of-file mark and a LF: a transfer as text damages it. The header
 * keeps this layout for ever, whatever the major. */
#ifndef MP_CHECKPOINT_CHECKPOINT_H
#define MP_CHECKPOINT_CHECKPOINT_H

#include "moepredict.h"
#include "support/crc32c.h"

#include <stdbool.h>

enum checkpoint_mode { MP_MEASURE, MP_WRITE, MP_READ };

enum { MP_MOST_SECTIONS = 8 }; /* that a reader may know */

struct checkpoint {
    enum checkpoint_mode mode;
    unsigned char *out;      /* MP_WRITE: the buffer, as long as was measured */
    const unsigned char *in; /* MP_READ */
    size_t at;               /* the next byte */
    size_t section;          /* where the header of the present section begins */
    uint32_t sections;       /* how many there are so far; MP_READ: in all */
    size_t size, end;        /* MP_READ: the end of the last section, of the present one */
    bool bad;                /* MP_READ: a field was missing or out of range; later ones are left alone */
    struct crc32c crc;
};

/* ---- the whole --------------------------------------------------------------------------------------------------- */

void mp_checkpoint_measure(struct checkpoint *checkpoint);
void mp_checkpoint_write(struct checkpoint *checkpoint, void *buffer);

/* Puts the header before the sections; returns the size of all. */
size_t mp_checkpoint_finish(struct checkpoint *checkpoint);

/* What save does: `put` goes through the sections of a handle, and finishes. A NULL buffer only asks for the size. */
moep_status mp_checkpoint_save(size_t (*put)(struct checkpoint *checkpoint, const void *handle), const void *handle,
                               void *buffer, size_t capacity, size_t *size);

/* A kind of section, and the latest version of it that is known. */
struct section {
    const char *tag;
    uint16_t version;
};

/* Checks all that can be checked without knowing the fields: the header; the bounds and checksum of each section; that
 * each of the `known` sections comes once, in no later version; that no other section is critical. CORRUPT,
 * INCOMPATIBLE. */
moep_status mp_checkpoint_read(struct checkpoint *checkpoint, const void *buffer, size_t size,
                               const struct section *known, size_t n);

/* ---- a section --------------------------------------------------------------------------------------------------- */

/* Begins a section, critical when written. Reading: one that mp_checkpoint_read was told of. */
void mp_checkpoint_section(struct checkpoint *checkpoint, const struct section *section);

/* Ends it. Reading: CORRUPT if a field was bad or fields are left over. */
moep_status mp_checkpoint_end(struct checkpoint *checkpoint);

/* What of a handle makes up a section, and the function that goes through its fields. */
struct checkpoint_part {
    const struct section *section;
    void (*fields)(struct checkpoint *checkpoint, void *handle);
};

/* All parts of a handle, each in its section. Reading: as far as the first that is CORRUPT. */
moep_status mp_checkpoint_parts(struct checkpoint *checkpoint, const struct checkpoint_part *parts, size_t n,
                                void *handle);

/* Reading: bytes of the section that are still to be read. */
size_t mp_checkpoint_left(const struct checkpoint *checkpoint);

/* A section to which later releases append fields that earlier ones may ignore. Before such a field: is it there? If
 * not, it keeps its default. And after the last: passes over what a later release has appended. */
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
                     float limit);                            /* each within -limit .. limit */
void mp_field_zeros(struct checkpoint *checkpoint, size_t n); /* in the place of n unused floats */

/* Reading: the value just read is not one that can be. */
void mp_checkpoint_require(struct checkpoint *checkpoint, bool condition);

#endif
