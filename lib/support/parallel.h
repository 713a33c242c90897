/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads that live as long as one call. */
#ifndef MP_SUPPORT_PARALLEL_H
#define MP_SUPPORT_PARALLEL_H

#include <stddef.h>

enum { MP_MOST_THREADS = 64 };

/* Of every worker but the caller's thread, in bytes: several times what a call needs of the caller's, because some C
 * libraries put all thread-local variables of the process there too. */
enum { MP_WORKER_STACK = 512 << 10 };

/* work(user, worker) once for each worker 0 .. workers - 1, worker 0 on the caller's thread; returns when all have.
 * Workers take what is to be done from a shared counter until none is left, and so none depends on another: one whose
 * thread cannot be started is left out. At most MP_MOST_THREADS workers. They inherit the floating-point environment,
 * which is the default one there (environment.h). */
void mp_parallel(size_t workers, void (*work)(void *user, size_t worker), void *user);

#endif
