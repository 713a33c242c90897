/* SPDX-License-Identifier: BSD-3-Clause */
/* Public structs across the border: each begins with its size, which tells older callers from newer ones. */
#ifndef MP_API_STRUCT_H
#define MP_API_STRUCT_H

#include "moepredict.h"

/* Copies the fields that the caller's struct has over the defaults in `to`. INVALID_ARGUMENT or INCOMPATIBLE, in words
 * with the struct's name, if its struct_size is none that a version of it has had. */
moep_status mp_struct_read(void *to, size_t size, const void *from, const char *name);

/* Copies the fields that fit from ours into the caller's struct; the same errors. */
moep_status mp_struct_write(void *to, const void *from, size_t size, const char *name);

#endif
