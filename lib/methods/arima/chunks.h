/* SPDX-License-Identifier: BSD-3-Clause */
/* The series of a panel, worked on in chunks by several threads.
 *
 * Workers take chunks in ascending order until none is left. Timing decides which worker gets which chunk. So the work
 * on a chunk must not depend on the worker, nor on what earlier chunks have left in its scratch. */
#ifndef MP_METHODS_ARIMA_CHUNKS_H
#define MP_METHODS_ARIMA_CHUNKS_H

#include "moepredict.h"

#include <stddef.h>

struct arima_chunks {
    size_t begin, end, size; /* series begin .. end - 1; series per chunk */
    size_t workers;          /* at most MP_MOST_THREADS */
    void (*work)(void *user, size_t worker, size_t first, size_t count);
    void *user;
    /* NULL: nothing is reported. Worker 0, on the caller's thread, reports the first series of each of its chunks as a
     * fraction of `total`; another result than 0 cancels. */
    int32_t (*progress)(void *user, double fraction);
    void *progress_user;
    size_t total;
};

/* How many workers `threads` threads make where no more than `most` have something to do: at least 1. */
size_t mp_arima_workers(size_t threads, size_t most);

/* CANCELLED: some chunks were left out. */
moep_status mp_arima_run_chunks(const struct arima_chunks *chunks);

#endif
