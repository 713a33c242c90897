/* SPDX-License-Identifier: BSD-3-Clause */
/* exp(x), the same to the last bit on every machine. A C library's depends on the processor. */
#ifndef MP_SUPPORT_EXPONENTIAL_H
#define MP_SUPPORT_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

/* exp(x) within two units in the last place; x is clipped to +-700. It has no branches, so that a loop over it becomes
 * vector code.
 *
 *     x = n log 2 + r, |r| <= log(2) / 2,   exp(x) = 2^n (1 + r + r^2 / 2! + ... + r^13 / 13!)
 *
 * A sum with SHIFT is rounded to a whole number, which its last digits hold. log 2 is the sum of two constants, of
 * which the first has few digits, so that n times it is exact. */
static inline double mp_exponential(double x)
{
    static const double factorial[] = {1,    1,     2,      6,       24,       120,       720,
                                       5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800};
    const double SHIFT = 0x1.8p52;
    x = x < -700 ? -700 : x;
    x = x > 700 ? 700 : x;
    double shifted = x * 1.4426950408889634 + SHIFT, n = shifted - SHIFT;
    double r = x - n * 0.69314718036912382 - n * 1.9082149292705877e-10, sum = 1 / factorial[13];
    for (int k = 12; k >= 0; k--)
        sum = sum * r + 1 / factorial[k];
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52; /* 2^n */
    double power;
    memcpy(&power, &bits, sizeof power);
    return sum * power;
}

#endif
