/* SPDX-License-Identifier: BSD-3-Clause */
/* Order statistics without sorting: Hoare's quickselect (1961, algorithm 65). */
#ifndef MP_SUPPORT_SELECT_H
#define MP_SUPPORT_SELECT_H

#include <stddef.h>

/* Returns the value that would stand at index `rank` if the n values were sorted. rank < n, and no value is NaN.
 * Reorders the values. The time is proportional to n, except for inputs that were made to be slow. */
static inline double mp_select(double *values, size_t n, size_t rank)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = values[rank];
        size_t i = low, j = high;
        while (i <= j) { /* no value below i exceeds the pivot, none above j is less: both searches end */
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
