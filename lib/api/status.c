/* SPDX-License-Identifier: BSD-3-Clause */
#include "api/status.h"

#include <fenv.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number

static _Thread_local char last_error[256];

moep_status mp_fail(moep_status status, const char *format, ...)
{
    fenv_t callers; /* some C libraries print numbers with x87, which MP_BORDER leaves as it is */
    va_list arguments;
    fegetenv(&callers);
    fesetenv(FE_DFL_ENV);
    va_start(arguments, format);
    vsnprintf(last_error, sizeof last_error, format, arguments);
    va_end(arguments);
    fesetenv(&callers);
    return status;
}

moep_status mp_fail_at(moep_status status, const char *what, size_t i)
{
    char text[sizeof last_error];
    memcpy(text, last_error, sizeof text);
    return mp_fail(status, "%s %zu: %s", what, i, text);
}

moep_status mp_fail_null(const char *name)
{
    return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%s is NULL", name);
}

moep_status mp_out_of_memory(const char *what)
{
    return mp_fail(MOEP_ERROR_OUT_OF_MEMORY, "no memory for %s", what);
}

const char *moep_last_error(void)
{
    return last_error;
}

const char *moep_status_string(moep_status status)
{
    switch (status) {
    case MOEP_OK: return "ok";
    case MOEP_ERROR_INVALID_ARGUMENT: return "invalid argument";
    case MOEP_ERROR_OUT_OF_MEMORY: return "out of memory";
    case MOEP_ERROR_INCOMPATIBLE: return "incompatible";
    case MOEP_ERROR_CORRUPT: return "corrupt";
    case MOEP_ERROR_TOO_FEW_STEPS: return "too few steps";
    case MOEP_ERROR_NOT_FITTED: return "not fitted";
    case MOEP_ERROR_NUMERIC: return "numeric";
    case MOEP_ERROR_CANCELLED: return "cancelled";
    case MOEP_ERROR_UNSUPPORTED: return "unsupported";
    default: return "unknown status";
    }
}

uint32_t moep_version_number(void)
{
    return MP_VERSION;
}

const char *moep_version(void)
{
    return TEXT_OF(MOEP_VERSION_MAJOR) "." TEXT_OF(MOEP_VERSION_MINOR) "." TEXT_OF(MOEP_VERSION_PATCH);
}
