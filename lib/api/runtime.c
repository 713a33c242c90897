/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/runtime.h"

#include "api/status.h"
#include "api/struct.h"

const struct runtime mp_runtime_default = {
    .memory = {mp_default_allocate, mp_default_release, NULL},
    .threads = 1,
};

moep_status mp_runtime_read(struct runtime *to, const moep_runtime *from, const struct runtime *fallback)
{
    *to = *fallback;
    if (!from)
        return MOEP_OK;
    moep_runtime theirs = {0};
    moep_status status = mp_struct_read(&theirs, sizeof theirs, from, "moep_runtime");
    if (status != MOEP_OK)
        return status;
    if (!theirs.allocate != !theirs.release)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_runtime: set both allocate and release, or neither");
    if (theirs.reserved != 0)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_runtime.reserved must be 0");
    *to = mp_runtime_default;
    if (theirs.allocate)
        to->memory = (struct memory){theirs.allocate, theirs.release, theirs.allocator_user};
    to->threads = theirs.threads > 1 ? theirs.threads : 1;
    to->progress = theirs.progress;
    to->progress_user = theirs.progress_user;
    return MOEP_OK;
}

moep_status mp_runtime_progress(const struct runtime *runtime, double fraction)
{
    if (runtime->progress && runtime->progress(runtime->progress_user, fraction) != 0)
        return mp_fail(MOEP_ERROR_CANCELLED, "the progress callback asked to stop");
    return MOEP_OK;
}
