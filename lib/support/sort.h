/* SPDX-License-Identifier: BSD-3-Clause */
/* Sorting in place without allocating memory, which a C library's qsort may do. */
#ifndef MP_SUPPORT_SORT_H
#define MP_SUPPORT_SORT_H

#include <stddef.h>

/* Lets values[root] sink into the heap of n values below it. */
static inline void mp_sift(float *values, size_t root, size_t n)
{
    float sinking = values[root];
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && values[child + 1] > values[child])
            child++;
        if (!(values[child] > sinking))
            break;
        values[root] = values[child];
    }
    values[root] = sinking;
}

/* Ascending, by heapsort (Williams, 1964). */
static inline void mp_sort(float *values, size_t n)
{
    for (size_t root = n / 2; root-- > 0;)
        mp_sift(values, root, n);
    for (size_t last = n; last-- > 1;) {
        float largest = values[0];
        values[0] = values[last];
        values[last] = largest;
        mp_sift(values, 0, last);
    }
}

#endif
