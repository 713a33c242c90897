/* SPDX-License-Identifier: BSD-3-Clause */
#include "series/trace.h"

#include "api/status.h"
#include "api/struct.h"
#include "series/intake.h"

moep_status mp_trace_read(moep_trace *to, const moep_trace *from)
{
    *to = (moep_trace){0};
    moep_status status = mp_struct_read(to, sizeof *to, from, "moep_trace");
    if (status == MOEP_OK && to->reserved != 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_trace.reserved must be 0");
    return status;
}

const void *mp_trace_counts(const moep_trace *trace, uint64_t step, size_t layer)
{
    size_t row = (size_t)(step * trace->layers + layer);
    return (const char *)trace->counts + row * (size_t)trace->experts * mp_dtype_size(trace->dtype);
}
