/* SPDX-License-Identifier: BSD-3-Clause */
/* The plain matrix product, compiled once per vector width. A tile of the result stays in registers while its sums run.
 *
 * bytes: element (i, j) is the sum over k in ascending order; tile sizes do not change it, RUN does. */
#include "support/gemm_kernel.h"

/* TALLEST is the largest number of rows of a tile, each two vectors wide. A row of the right factor (2) and an element
 * of the left one (1) need registers too: 12 x 2 + 3 of the 32 with AVX-512, 6 x 2 + 3 of 16 otherwise. */
enum { TALLEST = MP_LANE_BYTES == 64 ? 12 : 6, PANEL = 2 * WIDTH };

/* The terms that are summed before they are added to the result. Fewer terms round less, but the result is read and
 * written more often. */
enum { RUN = 512 };

struct factors {
    const real *left; /* element (i, k) is left[i * row_stride + k * column_stride] */
    size_t row_stride, column_stride;
    const real *right;
    size_t right_stride, terms;
};

/* A tile of the result. */
struct place {
    real *at;
    size_t stride;
};

/* Computes the tile left x right, plus `start` in every row if it is not NULL. `add`: adds the tile to c. */
INLINE void tile(const int rows, const int vectors, const struct factors f, const real *start, const bool add,
                 struct place c)
{
    vector sum[TALLEST][2];
    UNROLLED
    for (int i = 0; i < rows; i++) {
        UNROLLED
        for (int j = 0; j < vectors; j++)
            sum[i][j] = start ? load(start + j * WIDTH) : splat(0);
    }
    for (size_t k = 0; k < f.terms; k++) {
        const real *right = f.right + k * f.right_stride, *left = f.left + k * f.column_stride;
        UNROLLED
        for (int i = 0; i < rows; i++) {
            vector a = splat(left[(size_t)i * f.row_stride]);
            UNROLLED
            for (int j = 0; j < vectors; j++)
                sum[i][j] = fused(a, load(right + j * WIDTH), sum[i][j]);
        }
    }
    UNROLLED
    for (int i = 0; i < rows; i++) {
        UNROLLED
        for (int j = 0; j < vectors; j++) {
            real *result = c.at + (size_t)i * c.stride + j * WIDTH;
            if (add)
                sum[i][j] += load(result);
            store(result, sum[i][j]);
        }
    }
}

#define ROWS(n) \
    case n: tile(n, vectors, f, start, add, c); break

INLINE void tile_of(size_t rows, const int vectors, const struct factors f, const real *start, const bool add,
                    struct place c)
{
    switch (rows) {
        ROWS(1);
        ROWS(2);
        ROWS(3);
        ROWS(4);
        ROWS(5);
        ROWS(6);
#if MP_LANE_BYTES == 64
        ROWS(7);
        ROWS(8);
        ROWS(9);
        ROWS(10);
        ROWS(11);
        ROWS(12);
#endif
    }
}

/* The height of the next tile. All are nearly equal, because a low tile takes as long as one of twice its height. */
INLINE size_t height(size_t rows)
{
    size_t tiles = (rows + TALLEST - 1) / TALLEST;
    return (rows + tiles - 1) / tiles;
}

/* All rows of the result, of its next `columns` columns: at most a panel. */
INLINE void strip(size_t m, size_t columns, struct factors f, const real *start, const bool add, struct place c)
{
    for (size_t h; m > 0; m -= h) {
        h = height(m);
        if (columns >= PANEL)
            tile_of(h, 2, f, start, add, c);
        else
            tile_of(h, 1, f, start, add, c);
        f.left += h * f.row_stride;
        c.at += h * c.stride;
    }
}

void MP_WIDE(mp_gemm_packed)(size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *packed,
                             size_t panel, const real *row, real *c, size_t c_stride)
{
    for (size_t j = 0; j < n; j += PANEL) {
        size_t first = j / panel * panel, right_stride = n - first < panel ? n - first : panel;
        struct factors f = {a, a_stride, 1, packed + first * k + (j - first), right_stride, k};
        strip(m, n - j, f, row ? row + j : NULL, false, (struct place){c + j, c_stride});
    }
}

void MP_WIDE(mp_gemm_plain)(size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *b,
                            size_t b_stride, const real *row, real *c, size_t c_stride)
{
    for (size_t j = 0; j < n; j += PANEL) {
        struct factors f = {a, a_stride, 1, b + j, b_stride, k};
        strip(m, n - j, f, row ? row + j : NULL, false, (struct place){c + j, c_stride});
    }
}

static void add_run(size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *b, size_t b_stride,
                    real *c, size_t c_stride)
{
    for (size_t j = 0; j < n; j += PANEL) {
        struct factors f = {a, 1, a_stride, b + j, b_stride, k};
        strip(m, n - j, f, NULL, true, (struct place){c + j, c_stride});
    }
}

void MP_WIDE(mp_gemm_add_transposed)(size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *b,
                                     size_t b_stride, real *c, size_t c_stride)
{
    for (size_t first = 0; first < k; first += RUN)
        add_run(m, n, k - first < RUN ? k - first : RUN, a + first * a_stride, a_stride, b + first * b_stride, b_stride,
                c, c_stride);
}
