/* SPDX-License-Identifier: BSD-3-Clause */
/* Public structs at the API boundary. Each begins with its size, which distinguishes older callers from newer ones. */
#ifndef MP_API_STRUCT_H
#define MP_API_STRUCT_H

#include "moepredict.h"

/* Copies the fields that the caller's struct has over the defaults in `to`. INVALID_ARGUMENT or INCOMPATIBLE, with the
 * struct's name, if no known version of it has that struct_size. */
moep_status mp_struct_read(void *to, size_t size, const void *from, const char *name);

/* Copies those of our fields that the caller's struct has into it. Its errors are those of mp_struct_read. */
moep_status mp_struct_write(void *to, const void *from, size_t size, const char *name);

#endif
