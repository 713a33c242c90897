/* SPDX-License-Identifier: BSD-3-Clause */
#include "series/simplex.h"

#include <float.h>

/* A compensated sum (A. Neumaier, 1974). A plain sum of a million shares, one of them large, is wrong by 1e-11. */
static double sum_of(const double *shares, size_t experts)
{
    double sum = 0, lost = 0;
    for (size_t e = 0; e < experts; e++) {
        double next = sum + shares[e];
        lost += sum >= shares[e] ? (sum - next) + shares[e] : (shares[e] - next) + sum;
        sum = next;
    }
    return sum + lost;
}

void mp_simplex(double *shares, size_t experts)
{
    for (size_t e = 0; e < experts; e++)
        shares[e] = shares[e] > 0 ? shares[e] : 0;
    double total = sum_of(shares, experts), smallest = DBL_MIN * (double)experts;
    for (size_t e = 0; e < experts; e++)
        shares[e] = total >= smallest && total <= DBL_MAX ? shares[e] / total : 1 / (double)experts;
}
