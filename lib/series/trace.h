/* SPDX-License-Identifier: BSD-3-Clause */
/* The caller's recorded run. */
#ifndef MP_SERIES_TRACE_H
#define MP_SERIES_TRACE_H

#include "moepredict.h"

/* Copies a caller's trace, and checks its struct_size and reserved. */
moep_status mp_trace_read(moep_trace *to, const moep_trace *from);

/* The counts of a layer at a step. */
const void *mp_trace_counts(const moep_trace *trace, uint64_t step, size_t layer);

#endif
