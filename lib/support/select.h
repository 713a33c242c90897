/* SPDX-License-Identifier: BSD-3-Clause */
/* The value that would have a given place if all were sorted, without sorting them. */
#ifndef MP_SUPPORT_SELECT_H
#define MP_SUPPORT_SELECT_H

#include <stddef.h>

/* Returns the value at place `rank` of n values in ascending order, where 0 is the least; rank < n, and none is NaN.
 * Leaves them in another order. Takes time in proportion to n, except for input made to be slow (Hoare 1961, algorithm
 * 65). */
static inline double mp_select(double *values, size_t n, size_t rank)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = values[rank];
        size_t i = low, j = high;
        while (i <= j) { /* below i nothing is larger than the pivot, above j nothing smaller: searches end there */
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
