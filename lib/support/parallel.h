/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads that live as long as one call. */
#ifndef MP_SUPPORT_PARALLEL_H
#define MP_SUPPORT_PARALLEL_H

#include <stddef.h>

enum { MP_MOST_THREADS = 64 };

/* The stack of a started worker, in bytes. A call needs at most 64 KiB of it (tests/test_stack.c). The rest is for the
 * thread-local variables of the whole process, which some C libraries store there too. */
enum { MP_WORKER_STACK = 512 << 10 };

/* Calls work(user, worker) once for each worker 0 .. workers - 1, at most MP_MOST_THREADS, and returns when all have
 * returned. Worker 0 runs on the caller's thread. A worker whose thread cannot be started is left out, so no worker may
 * wait for another. Instead, workers fetch tasks from a shared counter until none is left. They block all signals and
 * have the default floating-point environment (environment.h). */
void mp_parallel(size_t workers, void (*work)(void *user, size_t worker), void *user);

#endif
