/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums that become vector code and have the same bytes for every vector width. */
#ifndef MP_SUPPORT_SUM_H
#define MP_SUPPORT_SUM_H

#include <stddef.h>

/* Of a total, on every machine: eight doubles fill the widest register. */
enum { MP_PARTIAL_SUMS = 8 };

/* total = the sum of `term`, an expression of i, over i = 0 .. n - 1, for MP_VECTORISED functions. Term i goes to
 * partial sum i modulo 8. Then the upper half of these is added to the lower one, until one is left. */
#define MP_SUM(total, i, n, term)                                           \
    do {                                                                    \
        double partial_[MP_PARTIAL_SUMS] = {0};                             \
        size_t whole_ = (n) - (n) % MP_PARTIAL_SUMS;                        \
        for (size_t first_ = 0; first_ < whole_; first_ += MP_PARTIAL_SUMS) \
            for (size_t i = first_; i < first_ + MP_PARTIAL_SUMS; i++)      \
                partial_[i - first_] += (term);                             \
        for (size_t i = whole_; i < (n); i++)                               \
            partial_[i - whole_] += (term);                                 \
        for (size_t width_ = MP_PARTIAL_SUMS / 2; width_ > 0; width_ /= 2)  \
            for (size_t i = 0; i < width_; i++)                             \
                partial_[i] += partial_[i + width_];                        \
        (total) = partial_[0];                                              \
    } while (0)

#endif
