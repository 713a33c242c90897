/* SPDX-License-Identifier: BSD-3-Clause */
/* The value of a rank, without sorting all. */
#ifndef MP_SUPPORT_SELECT_H
#define MP_SUPPORT_SELECT_H

#include <stddef.h>

/* Which of n values, none of them NaN, comes at that rank in ascending order, from 0; rank < n. Reorders them. Time in
 * proportion to n, but for orders that nobody meets by chance (Hoare 1961, algorithm 65). */
static inline double mp_select(double *values, size_t n, size_t rank)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = values[rank];
        size_t i = low, j = high;
        for (;;) { /* below i nothing is larger than the pivot, above j nothing smaller */
            while (values[i] < pivot)
                i++;
            while (values[j] > pivot)
                j--;
            if (i > j)
                break;
            double larger = values[i];
            values[i++] = values[j];
            values[j] = larger;
            if (j == 0)
                break;
            j--;
        }
        if (j < rank)
            low = i;
        if (i > rank)
            high = j;
    }
    return values[rank];
}

#endif
