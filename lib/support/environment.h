/* SPDX-License-Identifier: BSD-3-Clause */
/* The floating-point environment at the border of the library.
 *
 * A host may round another way, trap exceptions, flush denormals to zero, or wait for a flag. Every public call that
 * computes, or calls its caller back, begins with MP_BORDER: until it returns, from wherever, the environment is the
 * default one, in callbacks too; then it is the caller's again, flags included. Threads inherit it (POSIX), and so
 * workers are within the border.
 *
 * On x86-64 that is one register: we compute by the vector unit alone. Where a C library would use the other one,
 * mp_fail takes care. Reading it costs next to nothing, which push wants; <fenv.h> does not know all of it, and takes as
 * long as pushing a small layer. */
#ifndef MP_SUPPORT_ENVIRONMENT_H
#define MP_SUPPORT_ENVIRONMENT_H

#if defined(__x86_64__)

typedef unsigned mp_environment;
enum { MP_ENVIRONMENT_FLAGS = 0x3f, MP_ENVIRONMENT_DEFAULT = 0x1f80 };

static inline mp_environment mp_environment_enter(void)
{
    mp_environment callers = __builtin_ia32_stmxcsr();
    if ((callers & ~(unsigned)MP_ENVIRONMENT_FLAGS) != MP_ENVIRONMENT_DEFAULT)
        __builtin_ia32_ldmxcsr(MP_ENVIRONMENT_DEFAULT);
    __asm__ volatile("" ::: "memory"); /* nothing is computed with what is read before */
    return callers;
}

static inline void mp_environment_leave(const mp_environment *callers)
{
    __asm__ volatile("" ::: "memory");
    if (__builtin_ia32_stmxcsr() != *callers)
        __builtin_ia32_ldmxcsr(*callers);
}

#else

#include <fenv.h>

typedef fenv_t mp_environment;

static inline mp_environment mp_environment_enter(void)
{
    mp_environment callers;
    fegetenv(&callers);
    fesetenv(FE_DFL_ENV);
    __asm__ volatile("" ::: "memory");
    return callers;
}

static inline void mp_environment_leave(const mp_environment *callers)
{
    __asm__ volatile("" ::: "memory");
    fesetenv(callers);
}

#endif

/* At the beginning of a public function. */
#define MP_BORDER                                                                                     \
    __attribute__((cleanup(mp_environment_leave), unused)) const mp_environment callers_environment = \
        mp_environment_enter();

#endif
