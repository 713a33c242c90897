/* SPDX-License-Identifier: BSD-3-Clause */
#include "simplex.h"

#include <float.h>

void mp_simplex(double *shares, size_t experts)
{
    double total = 0;
    for (size_t e = 0; e < experts; e++) {
        shares[e] = shares[e] > 0 ? shares[e] : 0;
        total += shares[e];
    }
    double smallest = DBL_MIN * (double)experts;
    for (size_t e = 0; e < experts; e++)
        shares[e] = total >= smallest && total <= DBL_MAX ? shares[e] / total : 1 / (double)experts;
}
