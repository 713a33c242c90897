/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/chunks.h"

#include "api/status.h"
#include "support/parallel.h"

#include <stdatomic.h>
#include <stdbool.h>

struct walk {
    const struct arima_chunks *chunks;
    atomic_size_t next; /* the first series of the next chunk */
    atomic_bool cancelled;
};

static bool cancels(const struct arima_chunks *chunks, size_t first)
{
    return chunks->progress && chunks->progress(chunks->progress_user, (double)first / (double)chunks->total) != 0;
}

static void walk_chunks(void *user, size_t worker)
{
    struct walk *walk = user;
    const struct arima_chunks *chunks = walk->chunks;
    for (;;) {
        size_t first = atomic_fetch_add(&walk->next, chunks->size);
        if (first >= chunks->end || atomic_load(&walk->cancelled))
            return;
        if (worker == 0 && cancels(chunks, first)) {
            atomic_store(&walk->cancelled, true);
            return;
        }
        size_t left = chunks->end - first;
        chunks->work(chunks->user, worker, first, left < chunks->size ? left : chunks->size);
    }
}

size_t mp_arima_workers(size_t threads, size_t most)
{
    if (threads > most)
        threads = most;
    return threads < 1 ? 1 : threads > MP_MOST_THREADS ? MP_MOST_THREADS : threads;
}

moep_status mp_arima_run_chunks(const struct arima_chunks *chunks)
{
    struct walk walk = {.chunks = chunks};
    atomic_init(&walk.next, chunks->begin);
    mp_parallel(chunks->workers, walk_chunks, &walk);
    return atomic_load(&walk.cancelled) ? mp_fail(MOEP_ERROR_CANCELLED, "cancelled by the progress function") : MOEP_OK;
}
