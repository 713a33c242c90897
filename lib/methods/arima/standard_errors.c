/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/standard_errors.h"

#include <math.h>

/* By Cholesky's factor of the matrix, one right-hand side after another. */
void mp_arima_standard_errors(const struct arima_point *point, unsigned order, size_t l, struct arima_run *run)
{
    double a[MP_ARIMA_PARAMETERS][MP_ARIMA_PARAMETERS];
    unsigned n = run->p + run->q;
    for (unsigned i = 0; i < n; i++) {
        unsigned row = i < run->p ? i : order + i - run->p;
        for (unsigned j = 0; j <= i; j++) {
            unsigned column = j < run->p ? j : order + j - run->p;
            a[i][j] = point->hessian[row][column].lane[l];
            for (unsigned k = 0; k < j; k++)
                a[i][j] -= a[i][k] * a[j][k];
            if (i == j)
                a[i][i] = a[i][i] > 0 ? sqrt(a[i][i]) : 0;
            else
                a[i][j] = a[j][j] > 0 ? a[i][j] / a[j][j] : 0;
        }
    }
    for (unsigned e = 0; e < n; e++) {
        double x[MP_ARIMA_PARAMETERS], sum = 0;
        for (unsigned i = e; i < n; i++) {
            x[i] = i == e;
            for (unsigned k = e; k < i; k++)
                x[i] -= a[i][k] * x[k];
            x[i] = a[i][i] > 0 ? x[i] / a[i][i] : INFINITY;
            sum += x[i] * x[i];
        }
        run->error[e] = sqrt(sum);
    }
}
