/* SPDX-License-Identifier: BSD-3-Clause */
/* One function, compiled for several vector widths; the loader picks the widest that the processor has. */
#ifndef MP_SUPPORT_SIMD_H
#define MP_SUPPORT_SIMD_H

#include <stdint.h> /* glibc's defines __GLIBC__ */

/* MP_VECTORISED stands before a static function whose plain loops the compiler turns into vector code. All variants
 * give the same bytes: sums keep their order, and no product is merged into a sum (-ffp-contract=off).
 *
 * The function must be static: gcc exports the variants of other functions, and clang breaks them. Its name must still
 * begin with mp_, because clang makes its resolver, NAME.resolver, a global symbol. Under ThreadSanitizer there are no
 * variants, because its runtime is not ready when the loader chooses. The variants have 256-bit vectors, and 512-bit
 * ones with conversions of 64-bit integers. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MP_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_THREAD__)
#define MP_THREAD_SANITIZER
#endif

#if !defined(__x86_64__) || !defined(__GLIBC__) || defined(MP_THREAD_SANITIZER)
#define MP_VECTORISED
#elif defined(__clang__) && __clang_major__ >= 14
#define MP_VECTORISED __attribute__((target_clones("default", "avx2", "avx512dq")))
#elif !defined(__clang__) && __GNUC__ >= 12
#define MP_VECTORISED __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define MP_VECTORISED
#endif

#endif
