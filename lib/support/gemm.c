/* SPDX-License-Identifier: BSD-3-Clause */
/* Matrix products: the choice between our kernel and OpenBLAS, and the arrangement of right factors. */
#include "support/gemm.h"

#include "support/gemm_blas.h"
#include "support/gemm_kernel.h"
#include "support/process.h"

#include <string.h>

/* The tests' build in double has no OpenBLAS. */
#if defined(MP_OPENBLAS) && !defined(MP_REAL_DOUBLE)
enum { HAVE_OPENBLAS = 1 };
#define BLAS_ADD mp_gemm_blas_add
#else
enum { HAVE_OPENBLAS = 0 };
#define BLAS_ADD(...) ((void)0)
#endif

bool mp_gemm_has_openblas(void)
{
    return HAVE_OPENBLAS;
}

struct gemm mp_gemm_here(void)
{
    int bytes = mp_vector_bytes();
    return (struct gemm){bytes, HAVE_OPENBLAS && bytes == 16 && !mp_process_is_forked()};
}

/* The columns of one panel of a packed factor. Our kernel's panels are as wide as its tiles, so that it reads
 * consecutive numbers. OpenBLAS reads one panel of all columns. A forked child must not enter OpenBLAS, but reads what
 * its parent packed. So the width depends on the processor and on the build, not on gemm.openblas. */
static size_t panel_of(struct gemm gemm, size_t n)
{
    return HAVE_OPENBLAS && gemm.bytes == 16 ? n : 2 * (size_t)gemm.bytes / sizeof(real);
}

void mp_gemm_pack(struct gemm gemm, size_t k, size_t n, const real *b, size_t row_stride, size_t column_stride,
                  size_t known, real *packed)
{
    size_t panel = panel_of(gemm, n);
    for (size_t first = 0; first < n; first += panel) {
        size_t columns = n - first < panel ? n - first : panel;
        for (size_t i = 0; i < k; i++, packed += columns)
            for (size_t j = 0; j < columns; j++)
                packed[j] = first + j < known ? b[i * row_stride + (first + j) * column_stride] : 0;
    }
}

void mp_gemm(struct gemm gemm, size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *packed,
             const real *row, real *c, size_t c_stride)
{
    if (gemm.openblas)
        mp_gemm_plain(gemm, m, n, k, a, a_stride, packed, n, row, c, c_stride); /* its one panel is as B lies */
    else
        MP_BY_WIDTH(gemm.bytes, mp_gemm_packed, m, n, k, a, a_stride, packed, panel_of(gemm, n), row, c, c_stride);
}

void mp_gemm_plain(struct gemm gemm, size_t m, size_t n, size_t k, const real *a, size_t a_stride, const real *b,
                   size_t b_stride, const real *row, real *c, size_t c_stride)
{
    if (gemm.openblas) {
        for (size_t i = 0; i < m && row; i++)
            memcpy(c + i * c_stride, row, n * sizeof *c);
        for (size_t i = 0; i < m && !row; i++)
            memset(c + i * c_stride, 0, n * sizeof *c);
        BLAS_ADD(false, m, n, k, a, a_stride, b, b_stride, c, c_stride);
    } else {
        MP_BY_WIDTH(gemm.bytes, mp_gemm_plain, m, n, k, a, a_stride, b, b_stride, row, c, c_stride);
    }
}

void mp_gemm_add_transposed(struct gemm gemm, size_t m, size_t n, size_t k, const real *a, size_t a_stride,
                            const real *b, size_t b_stride, real *c, size_t c_stride)
{
    if (gemm.openblas)
        BLAS_ADD(true, m, n, k, a, a_stride, b, b_stride, c, c_stride);
    else
        MP_BY_WIDTH(gemm.bytes, mp_gemm_add_transposed, m, n, k, a, a_stride, b, b_stride, c, c_stride);
}
