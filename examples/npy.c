/* SPDX-License-Identifier: BSD-3-Clause */
/* The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#include "npy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *descr, *name;
    size_t size;
} dtypes[] = {
    [MOEP_INT32] = {"<i4", "int32", 4},     [MOEP_INT64] = {"<i8", "int64", 8},
    [MOEP_UINT32] = {"<u4", "uint32", 4},   [MOEP_UINT64] = {"<u8", "uint64", 8},
    [MOEP_FLOAT32] = {"<f4", "float32", 4}, [MOEP_FLOAT64] = {"<f8", "float64", 8},
};
enum { DTYPES = sizeof dtypes / sizeof *dtypes, LONGEST_HEADER = 65535 };

const char *npy_dtype_name(moep_dtype dtype)
{
    return dtypes[dtype].name;
}

static bool say(char message[NPY_MESSAGE], const char *text)
{
    snprintf(message, NPY_MESSAGE, "%s", text);
    return false;
}

/* Reads up to the header's last byte. The caller frees *header, NUL-terminated. */
static bool read_header(FILE *file, char **header, char message[NPY_MESSAGE])
{
    unsigned char start[12];
    if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY", 6) != 0)
        return say(message, "this is no .npy file: save the counts with numpy.save");
    size_t length = start[8] | (size_t)start[9] << 8;
    if (start[6] >= 2) { /* versions 2 and 3 have four bytes of length */
        if (fread(start + 10, 1, 2, file) != 2)
            return say(message, "the file ends within its header");
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    }
    if (start[6] < 1 || start[6] > 3)
        return say(message, "this version of the .npy format is unknown");
    if (length > LONGEST_HEADER)
        return say(message, "the header is longer than that of any trace");
    *header = calloc(length + 1, 1);
    if (!*header)
        return say(message, "no memory for the header");
    if (fread(*header, 1, length, file) != length)
        return say(message, "the file ends within its header");
    return true;
}

/* The text after 'key': in the header, a Python dictionary. */
static const char *value_of(const char *header, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s':", key);
    const char *found = strstr(header, quoted);
    if (!found)
        return "";
    found += strlen(quoted);
    return found + strspn(found, " ");
}

static bool parse_dtype(const char *header, moep_trace *trace, char message[NPY_MESSAGE])
{
    const char *descr = value_of(header, "descr");
    for (int i = 0; i < DTYPES; i++) {
        if (*descr == '\'' && strncmp(descr + 1, dtypes[i].descr, 3) == 0 && descr[4] == '\'') {
            trace->dtype = i;
            return true;
        }
    }
    snprintf(message, NPY_MESSAGE,
             "dtype %.*s: a trace is int32, int64, uint32, uint64, float32 or float64, little-endian",
             (int)strcspn(descr, ","), descr);
    return false;
}

static bool parse_shape(const char *header, moep_trace *trace, char message[NPY_MESSAGE])
{
    const char *shape = value_of(header, "shape");
    unsigned long long steps, layers, experts;
    int read = 0;
    if (sscanf(shape, "(%llu, %llu, %llu)%n", &steps, &layers, &experts, &read) != 3 || read == 0) {
        snprintf(message, NPY_MESSAGE, "shape %.*s: a trace has three axes, [steps][layers][experts]",
                 *shape ? (int)strcspn(shape, ")") + 1 : 0, shape);
        return false;
    }
    if (steps == 0 || layers == 0 || experts == 0)
        return say(message, "the trace is empty");
    trace->steps = steps;
    trace->layers = layers;
    trace->experts = experts;
    return true;
}

static bool parse_header(const char *header, moep_trace *trace, char message[NPY_MESSAGE])
{
    if (strncmp(value_of(header, "fortran_order"), "False", 5) != 0)
        return say(message, "the array is in Fortran order: save numpy.ascontiguousarray(counts)");
    return parse_dtype(header, trace, message) && parse_shape(header, trace, message);
}

static bool read_counts(FILE *file, moep_trace *trace, char message[NPY_MESSAGE])
{
    size_t size = dtypes[trace->dtype].size;
    if (trace->steps > PTRDIFF_MAX / size / trace->layers / trace->experts)
        return say(message, "the trace is too large for this machine");
    size *= trace->steps * trace->layers * trace->experts;
    void *counts = malloc(size);
    if (!counts)
        return say(message, "no memory for the trace");
    if (fread(counts, 1, size, file) != size) {
        free(counts);
        return say(message, "the file ends within its counts");
    }
    trace->counts = counts;
    return true;
}

bool npy_read(const char *path, moep_trace *trace, char message[NPY_MESSAGE])
{
    *trace = (moep_trace){.struct_size = sizeof *trace};
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(message, NPY_MESSAGE, "cannot open it: %s", strerror(errno));
        return false;
    }
    char *header = NULL;
    bool ok = read_header(file, &header, message) && parse_header(header, trace, message) &&
              read_counts(file, trace, message);
    free(header);
    fclose(file);
    return ok;
}
