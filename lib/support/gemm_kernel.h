/* SPDX-License-Identifier: BSD-3-Clause */
/* The plain products of gemm.h, one kernel of each per vector width. */
#ifndef MP_SUPPORT_GEMM_KERNEL_H
#define MP_SUPPORT_GEMM_KERNEL_H

#include "support/vectors.h"

#define MP_GEMM_KERNELS(bytes)                                                                                       \
    void mp_gemm_packed_##bytes(size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *packed,    \
                                size_t panel, const real *row, real *c, size_t c_stride);                            \
    void mp_gemm_plain_##bytes(size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *b,          \
                               size_t b_stride, const real *row, real *c, size_t c_stride);                          \
    void mp_gemm_add_transposed_##bytes(size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *b, \
                                        size_t b_stride, real *c, size_t c_stride)

MP_GEMM_KERNELS(16);
MP_GEMM_KERNELS(32);
MP_GEMM_KERNELS(64);

#endif
