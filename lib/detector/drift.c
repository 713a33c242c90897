/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/drift.h"

#include "api/status.h"
#include "detector/fixed_point.h"
#include "support/simd.h"

#include <string.h>

/* The unit of a block mean. Then a squared difference is at most 2^52, and the sum of 2 m - 1 <= 1023 of them stays
 * below 2^62 (MP_MOST_BLOCKS). */
#define UNIT 0x1p-26

/* ---- life -------------------------------------------------------------------------------------------------------- */

static size_t rows_of(size_t blocks)
{
    return 3 * blocks + 1;
}

size_t mp_drift_ring_size(size_t series, size_t blocks)
{
    return mp_product(series, mp_product(rows_of(blocks), sizeof(uint32_t)));
}

static void lay_out(void *self, struct arena *arena)
{
    struct drift *drift = self;
    size_t n = drift->series;
    drift->sum = mp_arena_take(arena, n, sizeof *drift->sum);
    drift->difference = mp_arena_take(arena, n, sizeof *drift->difference);
    drift->earlier = mp_arena_take(arena, n, sizeof *drift->earlier);
    drift->squares = mp_arena_take(arena, n, sizeof *drift->squares);
    drift->ring = mp_arena_take(arena, mp_drift_ring_size(n, drift->blocks), 1);
    drift->zeros = mp_arena_take(arena, n, sizeof *drift->zeros);
}

moep_status mp_drift_make(struct drift *drift, size_t series, size_t steps, size_t blocks, const struct memory *memory)
{
    *drift = (struct drift){.series = series, .steps = steps, .blocks = blocks};
    if (!mp_arena_make(&drift->arena, lay_out, drift, memory))
        return mp_out_of_memory("the blocks: layers x experts x drift_window / block is too large");
    return MOEP_OK;
}

void mp_drift_free(struct drift *drift, const struct memory *memory)
{
    mp_arena_free(&drift->arena, memory);
}

void mp_drift_reset(struct drift *drift)
{
    drift->pushed = 0;
    mp_arena_clear(&drift->arena);
}

void mp_drift_copy(struct drift *to, const struct drift *from)
{
    to->pushed = from->pushed;
    mp_arena_copy(&to->arena, &from->arena);
}

/* ---- steps in ---------------------------------------------------------------------------------------------------- */

uint64_t mp_drift_blocks_ended(const struct drift *drift)
{
    return drift->pushed / drift->steps;
}

static uint32_t *row_of(const struct drift *drift, uint64_t block)
{
    return drift->ring + (size_t)(block % rows_of(drift->blocks)) * drift->series;
}

MP_VECTORISED static void mp_add_step(uint64_t *restrict sum, const float *shares, size_t n)
{
    for (size_t s = 0; s < n; s++)
        sum[s] += mp_fixed(shares[s]);
}

/* Computes the means of the block that ends, rounded to the nearest unit, and clears the sums for the next one. */
MP_VECTORISED static void mp_end_means(uint32_t *restrict means, uint64_t *restrict sum, size_t steps, size_t n)
{
    double scale = MP_FIXED_UNIT / UNIT / (double)steps;
    for (size_t s = 0; s < n; s++) {
        means[s] = (uint32_t)(int32_t)((double)(int64_t)sum[s] * scale + 0.5);
        sum[s] = 0;
    }
}

/* Updates m (A - B) when the block `now` ends: it enters A, `middle` passes from A to B, `oldest` leaves B. */
MP_VECTORISED static void mp_slide_halves(int64_t *restrict difference, const uint32_t *now, const uint32_t *middle,
                                          const uint32_t *oldest, size_t n)
{
    for (size_t s = 0; s < n; s++)
        difference[s] += (int64_t)now[s] - 2 * (int64_t)middle[s] + (int64_t)oldest[s];
}

static inline uint64_t square_of_difference(uint32_t a, uint32_t b)
{
    int64_t difference = (int64_t)a - (int64_t)b;
    return (uint64_t)(difference * difference);
}

/* The pair (now, before) enters; the pair (second, first) leaves. */
MP_VECTORISED static void mp_slide_squares(uint64_t *restrict squares, const uint32_t *now, const uint32_t *before,
                                           const uint32_t *second, const uint32_t *first, size_t n)
{
    for (size_t s = 0; s < n; s++)
        squares[s] += square_of_difference(now[s], before[s]) - square_of_difference(second[s], first[s]);
}

/* The row of the block `back` before this one; zeros if fewer than `back` blocks have been added before it. */
static const uint32_t *row_before(const struct drift *drift, uint64_t block, size_t back, uint64_t added)
{
    return added >= back ? row_of(drift, block - back) : drift->zeros;
}

/* Adds a block of the ring to the running sums, which begin with block `first`. */
static void slide(struct drift *drift, uint64_t block, uint64_t first)
{
    size_t m = drift->blocks, n = drift->series;
    uint64_t added = block - first;
    const uint32_t *now = row_of(drift, block), *middle = row_before(drift, block, m, added);
    const uint32_t *oldest = row_before(drift, block, 2 * m, added);
    mp_slide_halves(drift->difference, now, middle, oldest, n);
    mp_slide_halves(drift->earlier, middle, oldest, row_before(drift, block, 3 * m, added), n);
    const uint32_t *second = added >= 2 * m ? row_of(drift, block - 2 * m + 1) : drift->zeros;
    if (added > 0)
        mp_slide_squares(drift->squares, now, row_of(drift, block - 1), second, oldest, n);
}

bool mp_drift_push(struct drift *drift, const float *shares)
{
    uint64_t block = mp_drift_blocks_ended(drift);
    mp_add_step(drift->sum, shares, drift->series);
    drift->pushed++;
    if (mp_drift_blocks_ended(drift) == block)
        return false;
    mp_end_means(row_of(drift, block), drift->sum, drift->steps, drift->series);
    slide(drift, block, 0);
    return true;
}

/* ---- estimates out ----------------------------------------------------------------------------------------------- */

MP_VECTORISED static void mp_estimate(const int64_t *difference, const int64_t *earlier, const uint64_t *squares,
                                      size_t n, double m, double *restrict squared, double *restrict trend,
                                      double *restrict noise)
{
    double scale = UNIT / m, squared_scale = UNIT * UNIT / (m * (2 * m - 1));
    for (size_t s = 0; s < n; s++) {
        double d = (double)difference[s] * scale, before = (double)earlier[s] * scale,
               v = (double)squares[s] * squared_scale;
        squared[s] = d * d - v;
        trend[s] = d * before + v / 2;
        noise[s] = v;
    }
}

void mp_drift_estimate(const struct drift *drift, size_t first, size_t n, const struct drift_estimate *out)
{
    mp_estimate(drift->difference + first, drift->earlier + first, drift->squares + first, n, (double)drift->blocks,
                out->squared, out->trend, out->noise);
}

MP_VECTORISED static void mp_drift_add_row(double *restrict sum, const uint32_t *restrict row, size_t n)
{
    for (size_t s = 0; s < n; s++)
        sum[s] += (double)(int32_t)row[s];
}

MP_VECTORISED static void mp_drift_scale(float *restrict means, const double *restrict sum, double scale, size_t n)
{
    for (size_t s = 0; s < n; s++)
        means[s] = (float)(sum[s] * scale);
}

void mp_drift_last_means(const struct drift *drift, size_t first, size_t n, double *sum, float *means)
{
    uint64_t blocks_ended = mp_drift_blocks_ended(drift);
    memset(sum, 0, n * sizeof *sum);
    for (uint64_t back = 1; back <= drift->blocks; back++)
        mp_drift_add_row(sum, row_of(drift, blocks_ended - back) + first, n);
    mp_drift_scale(means, sum, UNIT / (double)drift->blocks, n);
}

double mp_drift_mean(const struct drift *drift, size_t series)
{
    uint64_t sum = 0, blocks_ended = mp_drift_blocks_ended(drift);
    for (uint64_t back = 1; back <= 2 * drift->blocks; back++)
        sum += row_of(drift, blocks_ended - back)[series];
    return (double)sum * UNIT / (2 * (double)drift->blocks);
}

double mp_drift_variance(const struct drift *drift, size_t series)
{
    double pairs = 2 * (double)drift->blocks - 1;
    return (double)drift->squares[series] * (UNIT * UNIT) / (2 * pairs) * (double)drift->steps;
}

/* ---- checkpoint -------------------------------------------------------------------------------------------------- */

/* The running sums are not among the fields: they are computed again from the ring. */
static void rebuild(struct drift *drift)
{
    uint64_t blocks_ended = mp_drift_blocks_ended(drift), rows = rows_of(drift->blocks),
             held = blocks_ended < rows ? blocks_ended : rows;
    for (uint64_t block = blocks_ended - held; block < blocks_ended; block++)
        slide(drift, block, blocks_ended - held);
}

void mp_drift_fields(struct drift *drift, struct checkpoint *checkpoint)
{
    mp_field_u64(checkpoint, &drift->pushed);
    uint64_t in_block = drift->pushed % drift->steps, blocks_ended = mp_drift_blocks_ended(drift),
             rows = rows_of(drift->blocks);
    size_t held = (size_t)(blocks_ended < rows ? blocks_ended : rows);
    for (size_t s = 0; s < drift->series; s++) {
        mp_field_u64(checkpoint, &drift->sum[s]);
        mp_checkpoint_require(checkpoint, drift->sum[s] <= in_block << 31);
    }
    for (size_t i = 0; i < held * drift->series; i++) {
        mp_field_u32(checkpoint, &drift->ring[i]);
        mp_checkpoint_require(checkpoint, drift->ring[i] <= 1 << 26);
    }
    mp_field_zeros(checkpoint, ((size_t)rows - held) * drift->series);
    if (checkpoint->mode == MP_READ && !checkpoint->bad)
        rebuild(drift);
}
