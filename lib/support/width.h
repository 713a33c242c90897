/* SPDX-License-Identifier: BSD-3-Clause */
/* The choice among kernels that are compiled once per width of the vector registers (lib/meson.build). */
#ifndef MP_SUPPORT_WIDTH_H
#define MP_SUPPORT_WIDTH_H

#include <stdbool.h>

/* The widest vectors, in bytes, whose kernels a processor with these instruction sets runs. lib/meson.build compiles
 * the kernels with the same sets. */
static inline int mp_width_for(bool avx2, bool fma, bool avx512f, bool avx512vl, bool avx512dq)
{
    if (!avx2 || !fma)
        return 16;
    return avx512f && avx512vl && avx512dq ? 64 : 32;
}

/* The widest vectors, in bytes, on this processor. */
static inline int mp_vector_bytes(void)
{
#ifdef MP_X86_KERNELS
    __builtin_cpu_init();
    return mp_width_for(__builtin_cpu_supports("avx2"), __builtin_cpu_supports("fma"),
                        __builtin_cpu_supports("avx512f"), __builtin_cpu_supports("avx512vl"),
                        __builtin_cpu_supports("avx512dq"));
#else
    return 16;
#endif
}

/* Calls kernel_16, kernel_32 or kernel_64, the kernel for vectors of that many bytes. */
#ifdef MP_X86_KERNELS
#define MP_BY_WIDTH(bytes, kernel, ...) \
    ((bytes) == 64 ? kernel##_64(__VA_ARGS__) : (bytes) == 32 ? kernel##_32(__VA_ARGS__) : kernel##_16(__VA_ARGS__))
#else
#define MP_BY_WIDTH(bytes, kernel, ...) ((void)(bytes), kernel##_16(__VA_ARGS__))
#endif

#endif
