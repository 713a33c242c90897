/* SPDX-License-Identifier: BSD-3-Clause */
/* The fields of a section: measured, written or read, according to the checkpoint's mode.
 *
 * bytes: the same on every machine; allocates: nothing. */
#include "checkpoint/checkpoint.h"
#include "support/bytes.h"
#include "support/simd.h"

#include <math.h>
#include <string.h>

/* Only reading writes to a field: threads may save the same handle at once. A field that is missing keeps its value. */
static void field(struct checkpoint *checkpoint, uint64_t *value, size_t bytes)
{
    if (checkpoint->mode == MP_READ && mp_checkpoint_left(checkpoint) < bytes) {
        checkpoint->bad = true;
        return;
    }
    if (checkpoint->mode == MP_READ)
        *value = mp_load(checkpoint->in + checkpoint->at, bytes);
    if (checkpoint->mode == MP_WRITE)
        mp_store(checkpoint->out + checkpoint->at, *value, bytes);
    checkpoint->at += bytes;
}

void mp_field_u32(struct checkpoint *checkpoint, uint32_t *value)
{
    uint64_t wide = *value;
    field(checkpoint, &wide, sizeof *value);
    if (checkpoint->mode == MP_READ)
        *value = (uint32_t)wide;
}

void mp_field_i32(struct checkpoint *checkpoint, int32_t *value)
{
    uint32_t bits;
    memcpy(&bits, value, sizeof bits);
    mp_field_u32(checkpoint, &bits);
    if (checkpoint->mode == MP_READ)
        memcpy(value, &bits, sizeof bits);
}

void mp_field_u64(struct checkpoint *checkpoint, uint64_t *value)
{
    field(checkpoint, value, sizeof *value);
}

void mp_field_size(struct checkpoint *checkpoint, size_t *value)
{
    uint64_t wide = *value;
    field(checkpoint, &wide, sizeof wide);
    mp_checkpoint_require(checkpoint, wide <= SIZE_MAX);
    if (checkpoint->mode == MP_READ)
        *value = (size_t)wide;
}

/* All NaNs are written as the same one, so that equal states give equal bytes. */
void mp_field_f64(struct checkpoint *checkpoint, double *value)
{
    double plain = isnan(*value) ? (double)NAN : *value;
    uint64_t bits;
    memcpy(&bits, &plain, sizeof bits);
    field(checkpoint, &bits, sizeof bits);
    if (checkpoint->mode == MP_READ)
        memcpy(value, &bits, sizeof bits);
}

/* store: n numbers become bytes. load: the opposite; is each within least .. most? */
#define ARRAYS(type, bits)                                                                                         \
    static void store_##type##s(unsigned char *restrict at, const type *restrict values, size_t n)                 \
    {                                                                                                              \
        for (size_t i = 0; i < n; i++) {                                                                           \
            uint##bits##_t value;                                                                                  \
            memcpy(&value, &values[i], sizeof value);                                                              \
            value = mp_little_endian_##bits(value);                                                                \
            memcpy(at + i * sizeof value, &value, sizeof value);                                                   \
        }                                                                                                          \
    }                                                                                                              \
    MP_VECTORISED static bool mp_load_##type##s(type *restrict values, const unsigned char *restrict at, size_t n, \
                                                type least, type most)                                             \
    {                                                                                                              \
        int bad = 0;                                                                                               \
        for (size_t i = 0; i < n; i++) {                                                                           \
            uint##bits##_t value;                                                                                  \
            memcpy(&value, at + i * sizeof value, sizeof value);                                                   \
            value = mp_little_endian_##bits(value);                                                                \
            memcpy(&values[i], &value, sizeof value);                                                              \
            bad |= !(values[i] >= least) | !(values[i] <= most);                                                   \
        }                                                                                                          \
        return !bad;                                                                                               \
    }

ARRAYS(float, 32)
ARRAYS(double, 64)

MP_VECTORISED static bool mp_all_zero(const unsigned char *bytes, size_t n)
{
    unsigned char seen = 0;
    for (size_t i = 0; i < n; i++)
        seen |= bytes[i];
    return seen == 0;
}

/* Skips n numbers and returns where they begin. MP_READ: n becomes 0 if fewer are left. */
static size_t skip(struct checkpoint *checkpoint, size_t *n, size_t bytes)
{
    size_t at = checkpoint->at;
    if (checkpoint->mode == MP_READ && mp_checkpoint_left(checkpoint) / bytes < *n) {
        checkpoint->bad = true;
        *n = 0;
    }
    checkpoint->at += *n * bytes;
    return at;
}

static void field_range(struct checkpoint *checkpoint, float *values, size_t n, float least, float most)
{
    size_t at = skip(checkpoint, &n, sizeof *values);
    if (checkpoint->mode == MP_WRITE)
        store_floats(checkpoint->out + at, values, n);
    if (checkpoint->mode == MP_READ)
        mp_checkpoint_require(checkpoint, mp_load_floats(values, checkpoint->in + at, n, least, most));
}

void mp_field_shares(struct checkpoint *checkpoint, float *shares, size_t n)
{
    field_range(checkpoint, shares, n, 0, 1);
}

void mp_field_floats(struct checkpoint *checkpoint, float *values, size_t n, float limit)
{
    field_range(checkpoint, values, n, -limit, limit);
}

void mp_field_doubles(struct checkpoint *checkpoint, double *values, size_t n, double least, double most)
{
    size_t at = skip(checkpoint, &n, sizeof *values);
    if (checkpoint->mode == MP_WRITE)
        store_doubles(checkpoint->out + at, values, n);
    if (checkpoint->mode == MP_READ)
        mp_checkpoint_require(checkpoint, mp_load_doubles(values, checkpoint->in + at, n, least, most));
}

void mp_field_zeros(struct checkpoint *checkpoint, size_t n)
{
    size_t at = skip(checkpoint, &n, sizeof(float));
    if (checkpoint->mode == MP_WRITE)
        memset(checkpoint->out + at, 0, n * sizeof(float));
    if (checkpoint->mode == MP_READ)
        mp_checkpoint_require(checkpoint, mp_all_zero(checkpoint->in + at, n * sizeof(float)));
}

void mp_field_unused(struct checkpoint *checkpoint, size_t n)
{
    size_t at = skip(checkpoint, &n, sizeof(float));
    if (checkpoint->mode == MP_WRITE)
        memset(checkpoint->out + at, 0, n * sizeof(float));
}

void mp_checkpoint_require(struct checkpoint *checkpoint, bool condition)
{
    checkpoint->bad |= checkpoint->mode == MP_READ && !condition;
}
