/* SPDX-License-Identifier: BSD-3-Clause */
/* Which of the kernels that are compiled once per width of the vector registers (lib/meson.build) runs here. */
#ifndef MP_SUPPORT_WIDTH_H
#define MP_SUPPORT_WIDTH_H

/* How wide this processor's registers are, in bytes, as far as there are kernels for them. */
static inline int mp_vector_bytes(void)
{
#ifdef MP_LANES_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return 64;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return 32;
#endif
    return 16;
}

/* Calls the kernel for vectors of so many bytes. */
#ifdef MP_LANES_X86
#define MP_BY_WIDTH(bytes, kernel, ...) \
    ((bytes) == 64 ? kernel##_64(__VA_ARGS__) : (bytes) == 32 ? kernel##_32(__VA_ARGS__) : kernel##_16(__VA_ARGS__))
#else
#define MP_BY_WIDTH(bytes, kernel, ...) ((void)(bytes), kernel##_16(__VA_ARGS__))
#endif

#endif
