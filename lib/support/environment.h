/* SPDX-License-Identifier: BSD-3-Clause */
/* The floating-point environment at the API boundary.
 *
 * A host may use another rounding mode, trap exceptions, flush denormals to zero, or watch the exception flags. Every
 * public function that computes or calls back begins with MP_BORDER. From there until it returns, callbacks included,
 * the environment is the default one. Then the caller's environment is restored, flags included. A thread inherits the
 * environment of the thread that starts it (POSIX), so workers have the default one too.
 *
 * On x86-64 we read the control register of the vector unit (MXCSR) to see whether the environment is the default one
 * already. That costs next to nothing, whereas <fenv.h> takes as long as the push of a small layer. We do not compute
 * with the other unit, x87. Some C libraries print numbers with it, so mp_fail sets its default (lib/api/status.c). */
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

/* The control register's exception flags, its default value, and a value for a register that cannot be read, which
 * differs from the default. */
enum { MP_ENVIRONMENT_FLAGS = 0x3f, MP_ENVIRONMENT_DEFAULT = 0x1f80, MP_ENVIRONMENT_UNKNOWN = 0 };

/* The caller's environment. */
struct environment {
    unsigned control;
    bool other; /* it is not the default one, and `all` holds it */
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
    __asm__ volatile("" ::: "memory"); /* keeps the compiler from moving computations to before this line */
}

static inline void mp_environment_leave(const struct environment *callers)
{
    __asm__ volatile("" ::: "memory"); /* and from moving them to after this one */
    if (callers->other)
        fesetenv(&callers->all);
    else if (MP_ENVIRONMENT_CONTROL() != callers->control)
        MP_ENVIRONMENT_RESTORE(callers->control);
}

/* The first line of a public function. The cleanup runs at every return. */
#define MP_BORDER                                                                          \
    __attribute__((cleanup(mp_environment_leave))) struct environment callers_environment; \
    mp_environment_enter(&callers_environment);

#endif
