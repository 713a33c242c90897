/* SPDX-License-Identifier: BSD-3-Clause */
/* The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#include "npy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *descr, *name;
} dtypes[] = {
    [MOEP_INT32] = {"<i4", "int32"},   [MOEP_INT64] = {"<i8", "int64"},     [MOEP_UINT32] = {"<u4", "uint32"},
    [MOEP_UINT64] = {"<u8", "uint64"}, [MOEP_FLOAT32] = {"<f4", "float32"}, [MOEP_FLOAT64] = {"<f8", "float64"},
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

/* Of size bytes; false says why not, `short_of` if there are fewer. */
static bool read_exactly(FILE *file, void *bytes, size_t size, const char *short_of, char message[NPY_MESSAGE])
{
    errno = 0;
    if (fread(bytes, 1, size, file) == size)
        return true;
    if (ferror(file))
        snprintf(message, NPY_MESSAGE, "cannot read it: %s", strerror(errno));
    else
        say(message, short_of);
    return false;
}

/* Messages show parts of it. */
static bool is_text(const char *header, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((header[i] < ' ' || header[i] > '~') && header[i] != '\n')
            return false;
    return true;
}

/* Reads up to the header's last byte. The caller frees *header, NUL-terminated. */
static bool read_header(FILE *file, char **header, char message[NPY_MESSAGE])
{
    static const char none[] = "this is no .npy file: save the counts with numpy.save",
                      ends[] = "the file ends within its header";
    unsigned char start[12];
    if (!read_exactly(file, start, 10, none, message))
        return false;
    if (memcmp(start, "\x93NUMPY", 6) != 0)
        return say(message, none);
    size_t length = start[8] | (size_t)start[9] << 8;
    if (start[6] >= 2) { /* versions 2 and 3 have four bytes of length */
        if (!read_exactly(file, start + 10, 2, ends, message))
            return false;
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    }
    if (start[6] < 1 || start[6] > 3)
        return say(message, "this version of the .npy format is unknown");
    if (length > LONGEST_HEADER)
        return say(message, "the header is longer than that of any trace");
    *header = calloc(length + 1, 1);
    if (!*header)
        return say(message, "no memory for the header");
    if (!read_exactly(file, *header, length, ends, message))
        return false;
    return is_text(*header, length) || say(message, "its header is damaged");
}

/* ---- the header, a Python dictionary of three keys, in any order ------------------------------------------------- */

enum { DESCR, FORTRAN_ORDER, SHAPE, KEYS };

struct text {
    const char *start;
    size_t length;
};

static void skip_spaces(const char **at)
{
    *at += strspn(*at, " \n");
}

/* Moves over the character if it is the next one. */
static bool take(const char **at, char c)
{
    skip_spaces(at);
    if (**at != c)
        return false;
    ++*at;
    return true;
}

/* In quotes of either kind; without escapes, of which these texts have none. */
static bool take_string(const char **at, struct text *text)
{
    skip_spaces(at);
    const char quote = **at;
    if (quote != '\'' && quote != '"')
        return false;
    text->start = *at + 1;
    text->length = strcspn(text->start, quote == '"' ? "\"\\\n" : "'\\\n");
    *at = text->start + text->length;
    return *(*at)++ == quote;
}

/* Up to the bracket that closes the one here. */
static bool take_brackets(const char **at, struct text *text)
{
    size_t depth = 0;
    for (text->start = *at; **at && **at != '\n'; ++*at) {
        depth += **at == '(' || **at == '[';
        depth -= **at == ')' || **at == ']';
        if (depth == 0) {
            text->length = (size_t)(++*at - text->start);
            return true;
        }
    }
    return false;
}

/* A string with its quotes, a tuple or a list with its brackets, True or False. */
static bool take_value(const char **at, struct text *value)
{
    struct text inner;
    skip_spaces(at);
    const char *start = *at;
    if (*start == '(' || *start == '[')
        return take_brackets(at, value);
    if (strncmp(start, "True", 4) == 0)
        *at += 4;
    else if (strncmp(start, "False", 5) == 0)
        *at += 5;
    else if (!take_string(at, &inner))
        return false;
    *value = (struct text){start, (size_t)(*at - start)};
    return true;
}

static bool equals(struct text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.start, word, text.length) == 0;
}

/* 'key': value, each key once. */
static bool take_item(const char **at, struct text values[KEYS])
{
    static const char *const keys[KEYS] = {"descr", "fortran_order", "shape"};
    struct text key;
    int k = 0;
    if (!take_string(at, &key) || !take(at, ':'))
        return false;
    while (k < KEYS && !equals(key, keys[k]))
        k++;
    return k < KEYS && !values[k].start && take_value(at, &values[k]);
}

static bool take_dictionary(const char *header, struct text values[KEYS])
{
    bool more = take(&header, '{');
    for (int items = 0; more; items++) {
        if (take(&header, '}')) {
            skip_spaces(&header);
            return items == KEYS && *header == '\0';
        }
        if (!take_item(&header, values))
            return false;
        skip_spaces(&header);
        more = take(&header, ',') || *header == '}';
    }
    return false;
}

/* ---- its values ---------------------------------------------------------------------------------------------------- */

static bool parse_dtype(struct text descr, moep_trace *trace, char message[NPY_MESSAGE])
{
    for (int i = 0; i < DTYPES; i++) {
        if (descr.length == 5 && strchr("'\"", *descr.start) && memcmp(descr.start + 1, dtypes[i].descr, 3) == 0) {
            trace->dtype = i;
            return true;
        }
    }
    snprintf(message, NPY_MESSAGE,
             "dtype %.*s: a trace is int32, int64, uint32, uint64, float32 or float64, little-endian",
             (int)descr.length, descr.start);
    return false;
}

/* A length, and the comma after all but the last, which may have one. */
static bool take_length(const char **at, bool last, uint64_t *length)
{
    char *end;
    skip_spaces(at);
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *length = strtoull(*at, &end, 10);
    *at = end + (*end == 'L'); /* as Python 2 writes it */
    return (take(at, ',') || last) && errno == 0;
}

static bool parse_shape(struct text shape, moep_trace *trace, char message[NPY_MESSAGE])
{
    const char *at = shape.start + 1;
    if (*shape.start != '(' || !take_length(&at, false, &trace->steps) || !take_length(&at, false, &trace->layers) ||
        !take_length(&at, true, &trace->experts) || !take(&at, ')')) {
        snprintf(message, NPY_MESSAGE, "shape %.*s: a trace has three axes, [steps][layers][experts]",
                 (int)shape.length, shape.start);
        return false;
    }
    if (trace->steps == 0 || trace->layers == 0 || trace->experts == 0)
        return say(message, "the trace is empty");
    return true;
}

static bool parse_header(const char *header, moep_trace *trace, char message[NPY_MESSAGE])
{
    struct text values[KEYS] = {{0}};
    if (!take_dictionary(header, values))
        return say(message, "its header is damaged");
    if (equals(values[FORTRAN_ORDER], "True"))
        return say(message, "the array is in Fortran order: save numpy.ascontiguousarray(counts)");
    if (!equals(values[FORTRAN_ORDER], "False"))
        return say(message, "its header is damaged");
    return parse_dtype(values[DESCR], trace, message) && parse_shape(values[SHAPE], trace, message);
}

/* ---- the file ------------------------------------------------------------------------------------------------------- */

static bool read_counts(FILE *file, moep_trace *trace, char message[NPY_MESSAGE])
{
    size_t size = moep_dtype_size(trace->dtype);
    if (trace->steps > PTRDIFF_MAX / size / trace->layers / trace->experts)
        return say(message, "the trace is too large for this machine");
    size *= trace->steps * trace->layers * trace->experts;
    void *counts = malloc(size);
    if (!counts)
        return say(message, "no memory for the trace");
    if (!read_exactly(file, counts, size, "the file ends within its counts", message)) {
        free(counts);
        return false;
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
