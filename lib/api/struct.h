/* SPDX-License-Identifier: BSD-3-Clause */
/* Public structs across the border: each begins with its size, by which older and newer callers are told apart. */
#ifndef MP_API_STRUCT_H
#define MP_API_STRUCT_H

#include "moepredict.h"

/* Copies what the caller's struct has over the defaults in `to`, or says what is wrong with its struct_size.
 * name: the struct's, for that sentence. */
moep_status mp_struct_read(void *to, size_t size, const void *from, const char *name);

/* Copies what fits from ours into the caller's struct; the same sentences. */
moep_status mp_struct_write(void *to, const void *from, size_t size, const char *name);

#endif
