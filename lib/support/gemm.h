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
 * kernel has no fused product and sum, and not in a forked child, whose parent's OpenBLAS threads do not exist there.
 *
 * Measured with M N K <= MP_GEMM_MOST (tests/bench/lstm.c prints it): with AVX-512 and AVX2 the plain kernel is faster at
 * every shape of ours, since a right factor that is used for many products is arranged once, and since OpenBLAS's calls
 * must be small. */
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
