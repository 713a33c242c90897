/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/gemm_blas.h"

#include "support/gemm.h"

#include <cblas.h>

/* Halves the largest of the three sizes until the product is small enough. */
void mp_gemm_blas_add(bool transposed, size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                      size_t b_stride, float *c, size_t c_stride)
{
    size_t second = m / 2, second_n = n / 2, second_k = k / 2;
    if (m * n * k <= MP_GEMM_MOST) {
        cblas_sgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, (int)m, (int)n, (int)k, 1, a,
                    (int)a_stride, b, (int)b_stride, 1, c, (int)c_stride);
    } else if (m >= n && m >= k) {
        mp_gemm_blas_add(transposed, second, n, k, a, a_stride, b, b_stride, c, c_stride);
        mp_gemm_blas_add(transposed, m - second, n, k, a + second * (transposed ? 1 : a_stride), a_stride, b, b_stride,
                         c + second * c_stride, c_stride);
    } else if (n >= k) {
        mp_gemm_blas_add(transposed, m, second_n, k, a, a_stride, b, b_stride, c, c_stride);
        mp_gemm_blas_add(transposed, m, n - second_n, k, a, a_stride, b + second_n, b_stride, c + second_n, c_stride);
    } else {
        mp_gemm_blas_add(transposed, m, n, second_k, a, a_stride, b, b_stride, c, c_stride);
        mp_gemm_blas_add(transposed, m, n, k - second_k, a + second_k * (transposed ? a_stride : 1), a_stride,
                         b + second_k * b_stride, b_stride, c, c_stride);
    }
}
