/* SPDX-License-Identifier: BSD-3-Clause */
/* Products of row-major matrices. All widths of the right factor are multiples of MP_ROW (vectors.h). */
#ifndef MP_SUPPORT_GEMM_H
#define MP_SUPPORT_GEMM_H

#include "support/vectors.h"

#include <stdbool.h>

/* Two ways to a product: a plain kernel for each vector width, all with the same bytes, and OpenBLAS's. */
struct gemm {
    int bytes; /* of a vector: 16, 32, 64 */
    bool openblas;
};

/* The one that wins on this processor. Ask once per call of the library, not once per product. OpenBLAS where the plain
 * kernel has no fused product and sum of its own, and not in a forked child, where its parent's OpenBLAS threads are not.
 *
 * Least and largest GFLOP/s of one Zen 5 core at 3.5 GHz over the products of networks of 32 to 128 units, 1 to 512 inputs,
 * 16 to 96 series, OpenBLAS 0.3.21 in calls of M N K <= MP_GEMM_MOST (tests/bench/lstm.c prints two of the shapes):
 *
 *                  plain kernel    OpenBLAS's kernel for it
 *     AVX-512      217 .. 234      54 .. 224 (Cooperlake)
 *     AVX2         104 .. 120      10 .. 100 (Haswell)
 *     neither        1             26 ..  34 (Nehalem)
 *
 * The plain kernel has an advantage: it arranges a right factor once for many products, and its calls may be large. */
struct gemm mp_gemm_here(void);

/* OpenBLAS stays on the caller's thread up to this product of the three sizes (its SMP threshold). */
enum { MP_GEMM_MOST = 262144 };

bool mp_gemm_has_openblas(void);

/* Arranges a right factor k x n, whose element (i, j) is b[i * across + j * along], or 0 from column `known` on, in k * n
 * numbers. */
void mp_gemm_pack(struct gemm gemm, size_t k, size_t n, const real *b, size_t across, size_t along, size_t known,
                  real *packed);

/* C (m x n) = A (m x k) B, plus a row (n numbers) if it is not NULL. */
void mp_gemm(struct gemm gemm, size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *packed,
             const real *row, real *c, size_t c_stride);

/* C (m x n) += A' B, where A is k x m and B k x n, as it is. */
void mp_gemm_add_transposed(struct gemm gemm, size_t m, size_t n, size_t k, const real *a, size_t a_stride,
                            const real *b, size_t b_stride, real *c, size_t c_stride);

#endif
