/* SPDX-License-Identifier: BSD-3-Clause */
/* Products of row-major matrices. All widths of the right factor are multiples of MP_ROW (vectors.h). */
#ifndef MP_SUPPORT_GEMM_H
#define MP_SUPPORT_GEMM_H

#include "support/vectors.h"

#include <stdbool.h>

/* The way to compute a product: our plain kernel of one vector width, all of which give the same bytes, or OpenBLAS. */
struct gemm {
    int bytes; /* of a vector: 16, 32, 64 */
    bool openblas;
};

/* The faster way on this processor. Ask once per call of the library, not once per product. It is OpenBLAS where our
 * narrowest kernel would run, which on x86-64 has no fused multiply-add. In a forked child it is always our kernel,
 * because the parent's OpenBLAS threads do not exist there.
 *
 * The table has the least and largest GFLOP/s of one Zen 5 core at 3.5 GHz. The products are those of networks of 32 to
 * 128 units, 1 to 512 inputs, 16 to 96 series. OpenBLAS 0.3.21 got calls of M N K <= MP_GEMM_MOST. tests/bench/lstm.c
 * prints two of the shapes.
 *
 *                  plain kernel    OpenBLAS's kernel for it
 *     AVX-512      217 .. 234      54 .. 224 (Cooperlake)
 *     AVX2         104 .. 120      10 .. 100 (Haswell)
 *     neither        1             26 ..  34 (Nehalem)
 *
 * The plain kernel has an advantage: it arranges a right factor once for many products, and its calls may be large. */
struct gemm mp_gemm_here(void);

/* Up to this M N K, OpenBLAS computes on the caller's thread (its SMP threshold). */
enum { MP_GEMM_MOST = 262144 };

bool mp_gemm_has_openblas(void);

/* Packs a right factor of k x n into k * n numbers. Its element (i, j) is b[i * row_stride + j * column_stride], or 0
 * from column `known` on. The order of the numbers depends on gemm.bytes and on the build alone. */
void mp_gemm_pack(struct gemm gemm, size_t k, size_t n, const real *b, size_t row_stride, size_t column_stride,
                  size_t known, real *packed);

/* C (m x n) = A (m x k) B, B packed. If `row` (n numbers) is not NULL, it is added to every row of C. */
void mp_gemm(struct gemm gemm, size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *packed,
             const real *row, real *c, size_t c_stride);

/* The same, but B is not packed: its rows are b_stride apart. This is for small factors of which not all columns count;
 * n is a multiple of the vector (gemm.bytes). The bytes are those of mp_gemm. */
void mp_gemm_plain(struct gemm gemm, size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *b,
                   size_t b_stride, const real *row, real *c, size_t c_stride);

/* C (m x n) += A' B, where A is k x m and B k x n, not packed. */
void mp_gemm_add_transposed(struct gemm gemm, size_t m, size_t n, size_t k, const real *a, size_t a_stride,
                            const real *b, size_t b_stride, real *c, size_t c_stride);

#endif
