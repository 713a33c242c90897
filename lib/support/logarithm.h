/* SPDX-License-Identifier: BSD-3-Clause */
/* The natural logarithm, the same to the last bit on every machine. A C library's depends on the processor. */
#ifndef MP_SUPPORT_LOGARITHM_H
#define MP_SUPPORT_LOGARITHM_H

#include <stdint.h>
#include <string.h>

/* log(x 2^exponent) of a positive, normal x, within two units in the last place. It has no branches, so that a loop
 * over it becomes vector code.
 *
 *     x = m 2^e, m between sqrt(1/2) and sqrt(2)
 *     log m = 2 artanh(s) = 2 s + (2/3) s^3 + (2/5) s^5 + ...,  s = (m - 1) / (m + 1), |s| < 0.172 */
static inline double mp_logarithm_scaled(double x, int32_t exponent)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t fraction = bits & UINT64_C(0x000fffffffffffff);
    int64_t carry = (int64_t)fraction > INT64_C(0x0006a09e667f3bcd);
    exponent += (int32_t)(bits >> 52) - 1023 + (int32_t)carry;
    bits = fraction | (uint64_t)(1023 - carry) << 52;
    memcpy(&x, &bits, sizeof x);
    double f = x - 1, s = f / (x + 1), z = s * s, sum = 2.0 / 21;
    for (int k = 19; k >= 3; k -= 2)
        sum = sum * z + 2.0 / k;
    /* log m = 2 s + s z sum, and 2 s = f - s f, of which the large part f is exact */
    return (double)exponent * 0.69314718036912382 +
           (f - (s * f - s * z * sum - (double)exponent * 1.9082149292705877e-10));
}

/* log(x) of a positive, finite x. A denormal is scaled by 2^54 first. */
static inline double mp_logarithm(double x)
{
    return x < 2.2250738585072014e-308 ? mp_logarithm_scaled(x * 18014398509481984.0, -54) : mp_logarithm_scaled(x, 0);
}

#endif
