/* SPDX-License-Identifier: BSD-3-Clause */
#define _POSIX_C_SOURCE 200809L
#include "support/process.h"

#include <unistd.h>

/* Written once, before any call of the library. */
static pid_t loaded_in;

__attribute__((constructor)) static void remember_process(void)
{
    loaded_in = getpid();
}

bool mp_process_is_forked(void)
{
    return getpid() != loaded_in;
}
