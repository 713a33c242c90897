/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads that live as long as one call. */
#ifndef MP_SUPPORT_PARALLEL_H
#define MP_SUPPORT_PARALLEL_H

#include <stddef.h>

enum { MP_MOST_THREADS = 64 };

/* The stack of every worker that is not the caller's thread, in bytes: several times what a call needs of the caller's,
 * because some C libraries put all thread-local variables of the process on it too. */
enum { MP_WORKER_STACK = 512 << 10 };

/* Calls work(user, worker) once for each worker 0 .. workers - 1, worker 0 on the caller's thread, and returns when all
 * have returned; of more than MP_MOST_THREADS workers, that many. Workers share out what is to be done by a counter and
 * end when nothing is left, so that none depends on another: one whose thread cannot be started is left out. Workers
 * inherit the caller's floating-point environment, which within the library is the default one (environment.h). */
void mp_parallel(size_t workers, void (*work)(void *user, size_t worker), void *user);

#endif
