/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads traces that NumPy saved: numpy.save("trace.npy", counts), counts of shape [steps][layers][experts]. */
#ifndef NPY_H
#define NPY_H

#include <moepredict.h>

#include <stdbool.h>

enum { NPY_MESSAGE = 256 };

/* On success the caller frees trace->counts. On failure the message says what is wrong with the file. */
bool npy_read(const char *path, moep_trace *trace, char message[NPY_MESSAGE]);

/* For example "int32". */
const char *npy_dtype_name(moep_dtype dtype);

#endif
