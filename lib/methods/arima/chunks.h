/* SPDX-License-Identifier: BSD-3-Clause */
/* Several threads work on the series of a panel in chunks.
 *
 * Workers take chunks in ascending order until none is left. Timing decides which worker gets which chunk. So the work
 * on a chunk must not depend on the worker, nor on the contents that earlier chunks have left in its scratch. */
#ifndef MP_METHODS_ARIMA_CHUNKS_H
#define MP_METHODS_ARIMA_CHUNKS_H

#include "moepredict.h"

#include <stddef.h>

struct arima_chunks {
    size_t begin, end, size; /* series begin .. end - 1; series per chunk */
    size_t workers;          /* at most MP_MOST_THREADS */
    void (*work)(void *user, size_t worker, size_t first, size_t count);
    void *user;
    /* Worker 0, on the caller's thread, reports the first series of each of its chunks as a fraction of `total`. A
     * result other than 0 cancels. NULL: nothing is reported. */
    int32_t (*progress)(void *user, double fraction);
    void *progress_user;
    size_t total;
};

/* The number of workers: as many as threads, but at most `most` and at least 1. */
size_t mp_arima_workers(size_t threads, size_t most);

/* Runs `work` on all chunks. CANCELLED: some chunks were left out. */
moep_status mp_arima_run_chunks(const struct arima_chunks *chunks);

#endif
