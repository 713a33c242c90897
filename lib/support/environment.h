/* SPDX-License-Identifier: BSD-3-Clause */
/* The floating-point environment at the border of the library.
 *
 * A host may round another way, trap exceptions, flush denormals to zero, or watch the flags that exceptions raise.
 * Every public function that computes, or calls its caller back, begins with MP_BORDER: until it returns, by whichever
 * of its returns, the environment is the default one, in callbacks too; then it is the caller's again, flags included.
 * A thread begins with the environment of the one that starts it (POSIX), and so workers have the default one too.
 *
 * On x86-64 the control register of the vector unit (MXCSR) tells whether the environment is the default one already.
 * Reading it costs next to nothing, whereas <fenv.h> takes as long as pushing a small layer. We do not compute with the
 * other unit (x87); C libraries that print numbers with it get the default one from mp_fail (lib/api/status.c). */
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

/* Of the control register: its bits that are flags, its value by default, and what stands for it where it is not known,
 * which is never the default. */
enum { MP_ENVIRONMENT_FLAGS = 0x3f, MP_ENVIRONMENT_DEFAULT = 0x1f80, MP_ENVIRONMENT_UNKNOWN = 0 };

/* What the caller gets back. */
struct environment {
    unsigned control;
    bool other; /* it is not the default one, and so all of it is kept */
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
    __asm__ volatile("" ::: "memory"); /* the compiler moves no computation to before this line, */
}

static inline void mp_environment_leave(const struct environment *callers)
{
    __asm__ volatile("" ::: "memory"); /* nor to after this one */
    if (callers->other)
        fesetenv(&callers->all);
    else if (MP_ENVIRONMENT_CONTROL() != callers->control)
        MP_ENVIRONMENT_RESTORE(callers->control);
}

/* The first line of a public function. */
#define MP_BORDER                                                                          \
    __attribute__((cleanup(mp_environment_leave))) struct environment callers_environment; \
    mp_environment_enter(&callers_environment);

#endif
