/* SPDX-License-Identifier: BSD-3-Clause */
/* The products of gemm.h by OpenBLAS, in calls of at most MP_GEMM_MOST, so that it does not use threads of its own. */
#ifndef MP_SUPPORT_GEMM_BLAS_H
#define MP_SUPPORT_GEMM_BLAS_H

#include <stdbool.h>
#include <stddef.h>

/* C += A B or, transposed, C += A' B. */
void mp_gemm_blas_add(bool transposed, size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                      size_t b_stride, float *c, size_t c_stride);

#endif
