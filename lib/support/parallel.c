/* SPDX-License-Identifier: BSD-3-Clause */
/* Every worker runs the same function. The caller's thread is worker 0, so a call succeeds without any other thread. */
#define _POSIX_C_SOURCE 200809L
#include "support/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

struct worker {
    pthread_t thread;
    bool started;
    size_t index;
    void (*work)(void *user, size_t worker);
    void *user;
};

static void *run(void *argument)
{
    const struct worker *worker = argument;
    worker->work(worker->user, worker->index);
    return NULL;
}

/* The system refuses a stack that is too small for the process's thread-local variables; the default size is then
 * right. */
static bool start(struct worker *worker, const pthread_attr_t *attributes)
{
    return (attributes && pthread_create(&worker->thread, attributes, run, worker) == 0) ||
           pthread_create(&worker->thread, NULL, run, worker) == 0;
}

static void start_all(struct worker *pool, size_t workers)
{
    pthread_attr_t attributes;
    bool have = pthread_attr_init(&attributes) == 0,
         sized = have && !pthread_attr_setstacksize(&attributes, MP_WORKER_STACK);
    for (size_t i = 1; i < workers; i++)
        pool[i].started = start(&pool[i], sized ? &attributes : NULL);
    if (have)
        pthread_attr_destroy(&attributes);
}

void mp_parallel(size_t workers, void (*work)(void *user, size_t worker), void *user)
{
    struct worker pool[MP_MOST_THREADS];
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* the host's handlers run in the host's threads */
    if (workers > MP_MOST_THREADS)
        workers = MP_MOST_THREADS;
    for (size_t i = 1; i < workers; i++)
        pool[i] = (struct worker){.index = i, .work = work, .user = user};
    if (workers > 1)
        start_all(pool, workers);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    work(user, 0);
    for (size_t i = 1; i < workers; i++)
        if (pool[i].started)
            pthread_join(pool[i].thread, NULL);
}
