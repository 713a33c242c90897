/* SPDX-License-Identifier: BSD-3-Clause */
/* The floating-point environment at the border of the library.
 *
 * A host may round another way, trap exceptions, flush denormals to zero, or wait for a flag. Every public call that
 * computes, or calls its caller back, begins with MP_BORDER: until it returns, from wherever, the environment is the
 * default one, in callbacks too; then it is the caller's again, flags included. Threads inherit it (POSIX), and so
 * workers are within the border.
 *
 * On x86-64 a look at the register of the vector unit tells whether it is the default one already, which costs next to
 * nothing; <fenv.h> takes as long as pushing a small layer. The other unit we do not compute by, and where a C library
 * prints by it, mp_fail takes care. */
#ifndef MP_SUPPORT_ENVIRONMENT_H
#define MP_SUPPORT_ENVIRONMENT_H

#include <fenv.h>
#include <stdbool.h>

#if defined(__x86_64__)
#define MP_ENVIRONMENT_CONTROL() __builtin_ia32_stmxcsr()
#define MP_ENVIRONMENT_RESTORE(control) __builtin_ia32_ldmxcsr(control)
#else
#define MP_ENVIRONMENT_CONTROL() MP_ENVIRONMENT_UNKNOWN
#define MP_ENVIRONMENT_RESTORE(control) ((void)(control))
#endif

enum { MP_ENVIRONMENT_FLAGS = 0x3f, MP_ENVIRONMENT_DEFAULT = 0x1f80, MP_ENVIRONMENT_UNKNOWN = 0 };

/* The caller's. */
struct environment {
    unsigned control;
    bool other; /* than the default: then all of it is kept */
    fenv_t all;
};

static inline void mp_environment_enter(struct environment *callers)
{
    callers->control = MP_ENVIRONMENT_CONTROL();
    callers->other = (callers->control & ~(unsigned)MP_ENVIRONMENT_FLAGS) != MP_ENVIRONMENT_DEFAULT;
    if (callers->other) {
        fegetenv(&callers->all);
        fesetenv(FE_DFL_ENV);
    }
    __asm__ volatile("" ::: "memory"); /* nothing is computed before, */
}

static inline void mp_environment_leave(const struct environment *callers)
{
    __asm__ volatile("" ::: "memory"); /* nor after */
    if (callers->other)
        fesetenv(&callers->all);
    else if (MP_ENVIRONMENT_CONTROL() != callers->control)
        MP_ENVIRONMENT_RESTORE(callers->control);
}

/* At the beginning of a public function. */
#define MP_BORDER                                                                          \
    __attribute__((cleanup(mp_environment_leave))) struct environment callers_environment; \
    mp_environment_enter(&callers_environment);

#endif
