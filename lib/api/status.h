/* SPDX-License-Identifier: BSD-3-Clause */
/* How a call fails: with a status, and a sentence for moep_last_error(). */
#ifndef MP_API_STATUS_H
#define MP_API_STATUS_H

#include "moepredict.h"

/* The value of moep_version_number(). */
enum { MP_VERSION = MOEP_VERSION_MAJOR << 16 | MOEP_VERSION_MINOR << 8 | MOEP_VERSION_PATCH };

/* Stores the sentence as this thread's moep_last_error() and returns the status. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
moep_status
mp_fail(moep_status status, const char *format, ...);

/* Writes "what i: " in front of the last sentence, for a failure of the i-th of several things. Returns the status. */
moep_status mp_fail_at(moep_status status, const char *what, size_t i);

/* INVALID_ARGUMENT: "name is NULL". */
moep_status mp_fail_null(const char *name);

/* OUT_OF_MEMORY: "no memory for what". */
moep_status mp_out_of_memory(const char *what);

#endif
