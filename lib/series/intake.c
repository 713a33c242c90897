/* SPDX-License-Identifier: BSD-3-Clause */
/* A table with one row of kernels per dtype.
 *
 * bytes: floating-point totals are those of support/sum.h; threads: none; allocates: nothing. */
#include "series/intake.h"

#include "api/status.h"
#include "support/memory.h"
#include "support/simd.h"
#include "support/sum.h"

#include <float.h>
#include <math.h>

/* The kernels of one dtype. A share is x * scale * inverse, where inverse = 1 / sum of x * scale. scale is a power of
 * two that keeps floating-point totals in range, and 1 for integers. */
struct reader {
    size_t size;
    bool (*valid)(const void *counts, size_t n);
    bool (*whole)(const void *counts, size_t n); /* NULL for integers */
    double (*total)(const void *counts, size_t n, double scale);
    void (*shares)(const void *counts, size_t n, double scale, double inverse, float *shares);
    void (*exact_shares)(const void *counts, size_t n, double scale, double inverse, double *shares);
};

static bool unsigned_valid(const void *counts, size_t n)
{
    (void)counts;
    (void)n;
    return true;
}

#define SIGNED_VALID(type)                                                    \
    MP_VECTORISED static bool mp_##type##_valid(const void *counts, size_t n) \
    {                                                                         \
        const type *x = counts;                                               \
        type seen = 0;                                                        \
        for (size_t i = 0; i < n; i++)                                        \
            seen |= x[i];                                                     \
        return seen >= 0;                                                     \
    }

#define REAL_VALID(type, largest)                                             \
    MP_VECTORISED static bool mp_##type##_valid(const void *counts, size_t n) \
    {                                                                         \
        const type *x = counts;                                               \
        int bad = 0;                                                          \
        for (size_t i = 0; i < n; i++)                                        \
            bad |= !(x[i] >= 0) | !(x[i] <= largest);                         \
        return !bad;                                                          \
    }

/* From 2^52 on a double has no fraction; below, adding 2^52 rounds to the nearest whole number. */
#define REAL_WHOLE(type, limit)                                                \
    MP_VECTORISED static bool mp_##type##_whole(const void *counts, size_t n)  \
    {                                                                          \
        const type *x = counts;                                                \
        int bad = 0;                                                           \
        for (size_t i = 0; i < n; i++) {                                       \
            double count = (double)x[i], rounded = (count + 0x1p52) - 0x1p52;  \
            bad |= (count >= limit) | ((count < 0x1p52) & (rounded != count)); \
        }                                                                      \
        return !bad;                                                           \
    }

/* With x = 2^32 high + low the sum is 2^32 (sum of high) + (sum of low). For up to 2^21 integers both sums are below
 * 2^53, and so exact as doubles. Their addition rounds once. */
#define INTEGER_TOTAL(type)                                                                   \
    MP_VECTORISED static double mp_##type##_total(const void *counts, size_t n, double scale) \
    {                                                                                         \
        const type *x = counts;                                                               \
        uint64_t low = 0, high = 0;                                                           \
        (void)scale;                                                                          \
        for (size_t i = 0; i < n; i++) {                                                      \
            low += (uint64_t)x[i] & UINT32_MAX;                                               \
            high += (uint64_t)x[i] >> 32;                                                     \
        }                                                                                     \
        return (double)high * 4294967296.0 + (double)low;                                     \
    }

#define REAL_TOTAL(type)                                                                      \
    MP_VECTORISED static double mp_##type##_total(const void *counts, size_t n, double scale) \
    {                                                                                         \
        const type *x = counts;                                                               \
        double sum;                                                                           \
        MP_SUM(sum, i, n, (double)x[i] * scale);                                              \
        return sum;                                                                           \
    }

/* Adding +0 turns a negative zero into a positive one. */
#define SHARES(type, result, name)                                                                           \
    MP_VECTORISED static void mp_##type##_##name(const void *counts, size_t n, double scale, double inverse, \
                                                 result *out)                                                \
    {                                                                                                        \
        const type *x = counts;                                                                              \
        for (size_t i = 0; i < n; i++)                                                                       \
            out[i] = (result)((double)x[i] * scale * inverse + 0.0);                                         \
    }

#define KERNELS(type, TOTAL) TOTAL(type) SHARES(type, float, shares) SHARES(type, double, exact_shares)

SIGNED_VALID(int32_t)
SIGNED_VALID(int64_t)
REAL_VALID(float, FLT_MAX)
REAL_VALID(double, DBL_MAX)
REAL_WHOLE(float, 0x1p24)
REAL_WHOLE(double, 0x1p53)
KERNELS(int32_t, INTEGER_TOTAL)
KERNELS(int64_t, INTEGER_TOTAL)
KERNELS(uint32_t, INTEGER_TOTAL)
KERNELS(uint64_t, INTEGER_TOTAL)
KERNELS(float, REAL_TOTAL)
KERNELS(double, REAL_TOTAL)

#define READER(type, valid, whole)                                                                  \
    {                                                                                               \
        sizeof(type), valid, whole, mp_##type##_total, mp_##type##_shares, mp_##type##_exact_shares \
    }

static const struct reader readers[] = {
    [MOEP_INT32] = READER(int32_t, mp_int32_t_valid, NULL),
    [MOEP_INT64] = READER(int64_t, mp_int64_t_valid, NULL),
    [MOEP_UINT32] = READER(uint32_t, unsigned_valid, NULL),
    [MOEP_UINT64] = READER(uint64_t, unsigned_valid, NULL),
    [MOEP_FLOAT32] = READER(float, mp_float_valid, mp_float_whole),
    [MOEP_FLOAT64] = READER(double, mp_double_valid, mp_double_whole),
};

static const struct reader *find_reader(moep_dtype dtype)
{
    bool known = dtype >= 0 && (size_t)dtype < sizeof readers / sizeof *readers;
    return known ? &readers[dtype] : NULL;
}

size_t mp_dtype_size(moep_dtype dtype)
{
    const struct reader *reader = find_reader(dtype);
    return reader ? reader->size : 0;
}

size_t moep_dtype_size(moep_dtype dtype)
{
    return mp_dtype_size(dtype);
}

bool mp_intake_are_tokens(const void *counts, moep_dtype dtype, size_t experts)
{
    const struct reader *reader = find_reader(dtype);
    return !reader->whole || reader->whole(counts, experts);
}

/* Names the first of n counts that is not valid. */
static moep_status refuse(const struct reader *reader, const char *counts, size_t n, size_t layers, size_t experts)
{
    size_t i = 0;
    while (i + 1 < n && reader->valid(counts + i * reader->size, 1))
        i++;
    double value;
    reader->exact_shares(counts + i * reader->size, 1, 1.0, 1.0, &value);
    const char *fault = isnan(value) ? "not a number" : value < 0 && isfinite(value) ? "negative" : "infinite";
    return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "step %zu of the call, layer %zu, expert %zu: count is %s",
                   i / experts / layers, i / experts % layers, i % experts, fault);
}

moep_status mp_intake_check(const void *counts, moep_dtype dtype, uint64_t steps, size_t layers, size_t experts)
{
    const struct reader *reader = find_reader(dtype);
    if (!reader)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "dtype %d is unknown", (int)dtype);
    if (steps == 0)
        return MOEP_OK;
    if (!counts)
        return mp_fail_null("counts");
    size_t n = mp_product(steps < SIZE_MAX ? (size_t)steps : SIZE_MAX, mp_product(layers, experts));
    if (mp_product(n, reader->size) > PTRDIFF_MAX)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "%llu steps: no array has that many counts",
                       (unsigned long long)steps);
    if (!reader->valid(counts, n))
        return refuse(reader, counts, n, layers, experts);
    return MOEP_OK;
}

/* The scale at which a total is summed again: 1 if the total and its inverse are normal numbers with a margin. Outside
 * that range either could overflow or lose digits. 2^-600 and 2^600 bring any double, 2^-1074 to 2^1024, back into
 * it. */
static double rescaling(double total)
{
    if (total > 0x1p900)
        return 0x1p-600;
    return total < 0x1p-900 ? 0x1p600 : 1.0;
}

/* Returns a layer's total, and computes the two factors that turn its counts into shares. */
static double layer_total(const struct reader *reader, const void *counts, size_t experts, double *scale,
                          double *inverse)
{
    double total = reader->total(counts, experts, 1.0);
    *scale = rescaling(total);
    *inverse = 1.0 / (*scale == 1.0 ? total : reader->total(counts, experts, *scale));
    return total;
}

double mp_intake_shares(const void *counts, moep_dtype dtype, size_t experts, float *shares)
{
    const struct reader *reader = find_reader(dtype);
    double scale, inverse, total = layer_total(reader, counts, experts, &scale, &inverse);
    if (total > 0)
        reader->shares(counts, experts, scale, inverse, shares);
    return total;
}

double mp_intake_exact_shares(const void *counts, moep_dtype dtype, size_t experts, double *shares)
{
    const struct reader *reader = find_reader(dtype);
    double scale, inverse, total = layer_total(reader, counts, experts, &scale, &inverse);
    if (total > 0)
        reader->exact_shares(counts, experts, scale, inverse, shares);
    return total;
}

void mp_intake_values(const void *counts, moep_dtype dtype, size_t n, double *values)
{
    find_reader(dtype)->exact_shares(counts, n, 1.0, 1.0, values);
}
