/* SPDX-License-Identifier: BSD-3-Clause */
/* The allocator, threads and progress callback that a call uses. */
#ifndef MP_API_RUNTIME_H
#define MP_API_RUNTIME_H

#include "moepredict.h"
#include "support/memory.h"

/* A moep_runtime, resolved. */
struct runtime {
    struct memory memory;
    size_t threads; /* 1 or more */
    int32_t (*progress)(void *user, double fraction);
    void *progress_user;
};

/* Checks and resolves the caller's runtime; NULL copies `fallback`. */
moep_status mp_runtime_read(struct runtime *to, const moep_runtime *from, const struct runtime *fallback);

extern const struct runtime mp_runtime_default;

/* Reports progress to the caller; CANCELLED if the caller's callback asks to stop. */
moep_status mp_runtime_progress(const struct runtime *runtime, double fraction);

#endif
