/* SPDX-License-Identifier: BSD-3-Clause */
/* The logistic function and the hyperbolic tangent of a vector, within a few units in the last place; NaN for NaN.
 * Kernels, which are compiled once per vector width (vectors.h), include this file.
 *
 * Both come from exp(y) = 2^n (1 + p), where y = n log 2 + r, |r| <= log(2) / 2 and p = exp(r) - 1:
 *
 *     logistic(x) = 1 / (1 + exp(-x))        tanh(x) = (exp(2x) - 1) / (exp(2x) + 1)
 *
 * p is small, so exp(y) - 1 = 2^n p + (2^n - 1) keeps its digits near y = 0. Therefore tanh needs no special case
 * there. */
#ifndef MP_SUPPORT_ACTIVATION_H
#define MP_SUPPORT_ACTIVATION_H

#include "support/vectors.h"

/* Outside +-LARGEST, 2^n would not be a normal number, and both functions have reached their limits. The last binary
 * digit of SHIFT counts ones, so a sum with SHIFT is rounded to a whole number, which its last digits hold. log 2 is
 * LOG2_HIGH + LOG2_LOW; n times LOG2_HIGH is exact for every n in range. */
#ifdef MP_REAL_DOUBLE
enum { FRACTION = 52, BIAS = 1023, TERMS = 12 };
static const real LARGEST = 708, SHIFT = 6755399441055744.0, PER_LOG2 = 1.4426950408889634;
static const real LOG2_HIGH = 6.93147180369123816490e-01, LOG2_LOW = 1.90821492927058770002e-10;
/* Taylor's series of (exp(r) - 1 - r) / r^2. */
static const real SERIES[TERMS] = {1.0 / 2,       1.0 / 6,        1.0 / 24,        1.0 / 120,
                                   1.0 / 720,     1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                                   1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
#else
enum { FRACTION = 23, BIAS = 127, TERMS = 5 };
static const real LARGEST = 87, SHIFT = 12582912, PER_LOG2 = 1.44269504F;
static const real LOG2_HIGH = 0.693145752F, LOG2_LOW = 1.42860677e-6F;
/* The minimax polynomial: its greatest error relative to exp(r) - 1 is 1.7e-8 (by Lawson's iteration). */
static const real SERIES[TERMS] = {0.49999997F, 0.16666543F, 0.0416672006F, 0.00836654752F, 0.00138825167F};
#endif

struct power {
    vector scale, excess; /* 2^n, p */
};

/* Computes exp of n vectors at once, at most 4, because one alone would wait for each of its sums. Overwrites y. */
INLINE void powers_of(const int n, vector *y, struct power *e)
{
    vector shifted[4], sum[4];
    UNROLLED
    for (int i = 0; i < n; i++) {
        y[i] = choose(y[i] > splat(LARGEST), splat(LARGEST), y[i]);
        y[i] = choose(y[i] < splat(-LARGEST), splat(-LARGEST), y[i]);
        shifted[i] = fused(y[i], splat(PER_LOG2), splat(SHIFT));
    }
    UNROLLED
    for (int i = 0; i < n; i++) {
        vector whole = shifted[i] - splat(SHIFT);
        y[i] = fused(whole, splat(-LOG2_LOW), fused(whole, splat(-LOG2_HIGH), y[i]));
        sum[i] = splat(SERIES[TERMS - 1]);
    }
    UNROLLED
    for (int k = TERMS - 2; k >= 0; k--) {
        UNROLLED
        for (int i = 0; i < n; i++)
            sum[i] = fused(sum[i], y[i], splat(SERIES[k]));
    }
    UNROLLED
    for (int i = 0; i < n; i++) {
        mask bits = ((mask)shifted[i] << FRACTION) + ((real_bits)BIAS << FRACTION);
        e[i] = (struct power){(vector)bits, fused(y[i] * y[i], sum[i], y[i])};
    }
}

/* logistic(x) = 1 / (1 + exp(-x)), from exp(-x) */
INLINE vector logistic_from(struct power e)
{
    return splat(1) / (splat(1) + fused(e.scale, e.excess, e.scale));
}

/* tanh(x), from exp(2x) */
INLINE vector tangent_from(struct power e)
{
    vector less_one = fused(e.scale, e.excess, e.scale - splat(1));
    return less_one / (less_one + splat(2));
}

INLINE vector logistic(vector x)
{
    vector y = -x;
    struct power e;
    powers_of(1, &y, &e);
    return logistic_from(e);
}

INLINE vector hyperbolic_tangent(vector x)
{
    vector y = x + x;
    struct power e;
    powers_of(1, &y, &e);
    return tangent_from(e);
}

#endif
