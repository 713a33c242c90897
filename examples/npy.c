/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the header, a Python dictionary in text, and then the counts.
 * The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
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

static bool set_message(char message[NPY_MESSAGE], const char *text)
{
    snprintf(message, NPY_MESSAGE, "%s", text);
    return false;
}

/* Reads size bytes. On failure the message is the error, or if_shorter at the end of the file. */
static bool read_exactly(FILE *file, void *bytes, size_t size, const char *if_shorter, char message[NPY_MESSAGE])
{
    errno = 0;
    if (fread(bytes, 1, size, file) == size)
        return true;
    if (ferror(file))
        snprintf(message, NPY_MESSAGE, "cannot read it: %s", strerror(errno));
    else
        set_message(message, if_shorter);
    return false;
}

/* Messages show parts of a header, so it must be printable. */
static bool is_text(const char *header, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((header[i] < ' ' || header[i] > '~') && header[i] != '\n')
            return false;
    return true;
}

/* Reads up to the last byte of the header. The caller frees *header, which ends in NUL. */
static bool read_header(FILE *file, char **header, char message[NPY_MESSAGE])
{
    static const char none[] = "this is no .npy file: save the counts with numpy.save",
                      ends[] = "the file ends within its header";
    unsigned char start[12];
    if (!read_exactly(file, start, 10, none, message))
        return false;
    if (memcmp(start, "\x93NUMPY", 6) != 0)
        return set_message(message, none);
    size_t length = start[8] | (size_t)start[9] << 8;
    if (start[6] >= 2) { /* versions 2 and 3 have four bytes of length */
        if (!read_exactly(file, start + 10, 2, ends, message))
            return false;
        length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
    }
    if (start[6] < 1 || start[6] > 3)
        return set_message(message, "this version of the .npy format is unknown");
    if (length > LONGEST_HEADER)
        return set_message(message, "the header is longer than that of any trace");
    *header = calloc(length + 1, 1);
    if (!*header)
        return set_message(message, "no memory for the header");
    if (!read_exactly(file, *header, length, ends, message))
        return false;
    return is_text(*header, length) || set_message(message, "its header is damaged");
}

/* ---- parsing the header, a dictionary of three keys in any order --------------------------------------------------
 * A parse_ function reads at *at, moves it past what it has read, and returns false if something else is there. */

enum { DESCR, FORTRAN_ORDER, SHAPE, KEYS };

struct text {
    const char *start;
    size_t length;
};

static void skip_spaces(const char **at)
{
    *at += strspn(*at, " \n");
}

static bool parse_char(const char **at, char c)
{
    skip_spaces(at);
    if (**at != c)
        return false;
    ++*at;
    return true;
}

/* A string in quotes of either kind. Escapes are not supported: these strings need none. */
static bool parse_string(const char **at, struct text *text)
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

/* A tuple or list, up to the bracket that closes the first one. */
static bool parse_brackets(const char **at, struct text *text)
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

/* A string with its quotes, a tuple or list with its brackets, True, or False. */
static bool parse_value(const char **at, struct text *value)
{
    struct text inner;
    skip_spaces(at);
    const char *start = *at;
    if (*start == '(' || *start == '[')
        return parse_brackets(at, value);
    if (strncmp(start, "True", 4) == 0)
        *at += 4;
    else if (strncmp(start, "False", 5) == 0)
        *at += 5;
    else if (!parse_string(at, &inner))
        return false;
    *value = (struct text){start, (size_t)(*at - start)};
    return true;
}

static bool equals(struct text text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.start, word, text.length) == 0;
}

/* 'key': value. Each key may occur once. */
static bool parse_item(const char **at, struct text values[KEYS])
{
    static const char *const keys[KEYS] = {"descr", "fortran_order", "shape"};
    struct text key;
    int k = 0;
    if (!parse_string(at, &key) || !parse_char(at, ':'))
        return false;
    while (k < KEYS && !equals(key, keys[k]))
        k++;
    return k < KEYS && !values[k].start && parse_value(at, &values[k]);
}

static bool parse_dictionary(const char *header, struct text values[KEYS])
{
    bool more = parse_char(&header, '{');
    for (int items = 0; more; items++) {
        if (parse_char(&header, '}')) {
            skip_spaces(&header);
            return items == KEYS && *header == '\0';
        }
        if (!parse_item(&header, values))
            return false;
        skip_spaces(&header);
        more = parse_char(&header, ',') || *header == '}';
    }
    return false;
}

/* ---- the values of the keys -------------------------------------------------------------------------------------- */

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

/* A length and the comma after it, which the last one may lack. */
static bool parse_length(const char **at, bool last, uint64_t *length)
{
    char *end;
    skip_spaces(at);
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    *length = strtoull(*at, &end, 10);
    *at = end + (*end == 'L'); /* as Python 2 writes it */
    return (parse_char(at, ',') || last) && errno == 0;
}

static bool parse_shape(struct text shape, moep_trace *trace, char message[NPY_MESSAGE])
{
    const char *at = shape.start + 1;
    if (*shape.start != '(' || !parse_length(&at, false, &trace->steps) || !parse_length(&at, false, &trace->layers) ||
        !parse_length(&at, true, &trace->experts) || !parse_char(&at, ')')) {
        snprintf(message, NPY_MESSAGE, "shape %.*s: a trace has three axes, [steps][layers][experts]",
                 (int)shape.length, shape.start);
        return false;
    }
    if (trace->steps == 0 || trace->layers == 0 || trace->experts == 0)
        return set_message(message, "the trace is empty");
    return true;
}

static bool parse_header(const char *header, moep_trace *trace, char message[NPY_MESSAGE])
{
    struct text values[KEYS] = {{0}};
    if (!parse_dictionary(header, values))
        return set_message(message, "its header is damaged");
    if (equals(values[FORTRAN_ORDER], "True"))
        return set_message(message, "the array is in Fortran order: save numpy.ascontiguousarray(counts)");
    if (!equals(values[FORTRAN_ORDER], "False"))
        return set_message(message, "its header is damaged");
    return parse_dtype(values[DESCR], trace, message) && parse_shape(values[SHAPE], trace, message);
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static bool read_counts(FILE *file, moep_trace *trace, char message[NPY_MESSAGE])
{
    size_t size = moep_dtype_size(trace->dtype);
    if (trace->steps > PTRDIFF_MAX / size / trace->layers / trace->experts)
        return set_message(message, "the trace is too large for this machine");
    size *= trace->steps * trace->layers * trace->experts;
    void *counts = malloc(size);
    if (!counts)
        return set_message(message, "no memory for the trace");
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
