/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/network/loss.h"

/* F and Y are sums here: F_b / u_b = F / divisor with divisor = b u_b. */
double mp_lstm_loss(size_t n, const real *forecasts, const real *targets, double min_load, double weight, real *d)
{
    double forecast = 0, target = 0, loss = 0;
    for (size_t b = 0; b < n; b++) {
        forecast += (double)forecasts[b];
        target += (double)targets[b];
        double spans = (double)(b + 1), off = forecast - target;
        double divisor = target > min_load * spans ? target : min_load * spans;
        loss += (off < 0 ? -off : off) / divisor / (double)n;
        if (d)
            d[b] = (real)((off > 0) - (off < 0)) * (real)(weight / divisor / (double)n);
    }
    double sum = 0;
    for (size_t b = n; d && b-- > 0;) {
        sum += (double)d[b];
        d[b] = (real)sum;
    }
    return loss;
}
