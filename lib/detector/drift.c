/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/drift.h"

#include "api/status.h"
#include "detector/fixed_point.h"
#include "support/simd.h"

#include <string.h>

#define UNIT 0x1p-26 /* of a block mean */

/* ---- life -------------------------------------------------------------------------------------------------------- */

static size_t rows_of(size_t blocks)
{
    return 3 * blocks + 1;
}

size_t mp_drift_ring_size(size_t series, size_t blocks)
{
    return mp_product(series, mp_product(rows_of(blocks), sizeof(uint32_t)));
}

/* The four sums, the ring, and a row of zeros. */
static size_t arena_size(size_t series, size_t blocks)
{
    return mp_product(series, 4 * sizeof(uint64_t) + (rows_of(blocks) + 1) * sizeof(uint32_t));
}

moep_status mp_drift_make(struct drift *drift, size_t series, size_t steps, size_t blocks, const struct memory *memory)
{
    *drift = (struct drift){.series = series, .steps = steps, .blocks = blocks};
    drift->arena = mp_allocate(memory, arena_size(series, blocks), 1);
    if (!drift->arena)
        return mp_out_of_memory("the blocks: layers x experts x drift_window / block is too large");
    drift->sum = drift->arena;
    drift->difference = (int64_t *)drift->sum + series;
    drift->earlier = drift->difference + series;
    drift->squares = drift->sum + 3 * series;
    drift->ring = (uint32_t *)(drift->sum + 4 * series);
    drift->none = drift->ring + rows_of(blocks) * series;
    mp_drift_reset(drift);
    return MOEP_OK;
}

void mp_drift_free(struct drift *drift, const struct memory *memory)
{
    mp_release(memory, drift->arena, arena_size(drift->series, drift->blocks), 1);
    drift->arena = NULL;
}

void mp_drift_reset(struct drift *drift)
{
    memset(drift->arena, 0, arena_size(drift->series, drift->blocks));
    drift->pushed = 0;
}

void mp_drift_copy(struct drift *to, const struct drift *from)
{
    to->pushed = from->pushed;
    memcpy(to->arena, from->arena, arena_size(from->series, from->blocks));
}

/* ---- steps in ---------------------------------------------------------------------------------------------------- */

uint64_t mp_drift_ended(const struct drift *drift)
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

/* Rounded to the nearest unit. */
MP_VECTORISED static void mp_take_means(uint32_t *restrict means, uint64_t *restrict sum, size_t steps, size_t n)
{
    double unit = MP_FIXED_UNIT / UNIT / (double)steps;
    for (size_t s = 0; s < n; s++) {
        means[s] = (uint32_t)(int32_t)((double)(int64_t)sum[s] * unit + 0.5);
        sum[s] = 0;
    }
}

/* The difference of two halves, the newest block being `now`: it enters the later half, `middle` leaves that for the
 * earlier one, `oldest` leaves the earlier one. */
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

/* The pair (now, before) comes in; the pair (second, first) leaves. */
MP_VECTORISED static void mp_slide_squares(uint64_t *restrict squares, const uint32_t *now, const uint32_t *before,
                                           const uint32_t *second, const uint32_t *first, size_t n)
{
    for (size_t s = 0; s < n; s++)
        squares[s] += square_of_difference(now[s], before[s]) - square_of_difference(second[s], first[s]);
}

/* The row of the block so many before; of zeros where that has not come in. */
static const uint32_t *row_before(const struct drift *drift, uint64_t block, size_t back, uint64_t come_in)
{
    return come_in >= back ? row_of(drift, block - back) : drift->none;
}

/* Takes in that block, which is in the ring. The sums begin with block `first`: none before it has come in. */
static void slide(struct drift *drift, uint64_t block, uint64_t first)
{
    size_t m = drift->blocks, n = drift->series;
    uint64_t come_in = block - first;
    const uint32_t *now = row_of(drift, block), *middle = row_before(drift, block, m, come_in);
    const uint32_t *oldest = row_before(drift, block, 2 * m, come_in);
    mp_slide_halves(drift->difference, now, middle, oldest, n);
    mp_slide_halves(drift->earlier, middle, oldest, row_before(drift, block, 3 * m, come_in), n);
    const uint32_t *second = come_in >= 2 * m ? row_of(drift, block - 2 * m + 1) : drift->none;
    if (come_in > 0)
        mp_slide_squares(drift->squares, now, row_of(drift, block - 1), second, oldest, n);
}

bool mp_drift_push(struct drift *drift, const float *shares)
{
    uint64_t block = mp_drift_ended(drift);
    mp_add_step(drift->sum, shares, drift->series);
    drift->pushed++;
    if (mp_drift_ended(drift) == block)
        return false;
    mp_take_means(row_of(drift, block), drift->sum, drift->steps, drift->series);
    slide(drift, block, 0);
    return true;
}

/* ---- movements out ----------------------------------------------------------------------------------------------- */

MP_VECTORISED static void mp_measure(const int64_t *difference, const int64_t *earlier, const uint64_t *squares,
                                     size_t n, double blocks, double *restrict moved, double *restrict onward,
                                     double *restrict noise)
{
    double unit = UNIT / blocks, share = UNIT * UNIT / (blocks * (2 * blocks - 1));
    for (size_t s = 0; s < n; s++) {
        double d = (double)difference[s] * unit, before = (double)earlier[s] * unit, v = (double)squares[s] * share;
        moved[s] = d * d - v;
        onward[s] = d * before + v / 2;
        noise[s] = v;
    }
}

void mp_drift_measure(const struct drift *drift, size_t first, size_t n, const struct movement *out)
{
    mp_measure(drift->difference + first, drift->earlier + first, drift->squares + first, n, (double)drift->blocks,
               out->moved, out->onward, out->noise);
}

double mp_drift_mean(const struct drift *drift, size_t series)
{
    uint64_t sum = 0, ended = mp_drift_ended(drift);
    for (uint64_t back = 1; back <= 2 * drift->blocks; back++)
        sum += row_of(drift, ended - back)[series];
    return (double)sum * UNIT / (2 * (double)drift->blocks);
}

double mp_drift_variance(const struct drift *drift, size_t series)
{
    double pairs = 2 * (double)drift->blocks - 1;
    return (double)drift->squares[series] * (UNIT * UNIT) / (2 * pairs) * (double)drift->steps;
}

/* ---- checkpoint -------------------------------------------------------------------------------------------------- */

/* The running sums are not among the fields: the ring says what they are. */
static void rebuild(struct drift *drift)
{
    uint64_t ended = mp_drift_ended(drift), rows = rows_of(drift->blocks), held = ended < rows ? ended : rows;
    for (uint64_t block = ended - held; block < ended; block++)
        slide(drift, block, ended - held);
}

void mp_drift_fields(struct drift *drift, struct checkpoint *checkpoint)
{
    mp_field_u64(checkpoint, &drift->pushed);
    uint64_t in_block = drift->pushed % drift->steps, ended = mp_drift_ended(drift), rows = rows_of(drift->blocks);
    size_t held = (size_t)(ended < rows ? ended : rows);
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
