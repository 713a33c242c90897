/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/parallel.h"

#include <pthread.h>
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

void mp_parallel(size_t workers, void (*work)(void *user, size_t worker), void *user)
{
    struct worker pool[MP_MOST_THREADS];
    if (workers > MP_MOST_THREADS)
        workers = MP_MOST_THREADS;
    for (size_t i = 1; i < workers; i++) {
        pool[i] = (struct worker){.index = i, .work = work, .user = user};
        pool[i].started = pthread_create(&pool[i].thread, NULL, run, &pool[i]) == 0;
    }
    work(user, 0);
    for (size_t i = 1; i < workers; i++)
        if (pool[i].started)
            pthread_join(pool[i].thread, NULL);
}
