/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/adam_kernel.h"

void MP_WIDE(mp_lstm_adam_update)(const struct lstm_adam_update *update, size_t n, const real *gradient, real *m,
                                  real *v, real *parameters)
{
    for (size_t p = 0; p < n; p += WIDTH) {
        vector g = load(gradient + p) * splat(update->scale), mean = load(m + p), square = load(v + p);
        mean = fused(g - mean, splat(update->m_gain), mean);
        square = fused(fused(g, g, -square), splat(update->v_gain), square);
        store(m + p, mean);
        store(v + p, square);
        vector root = fused(square_root(square), splat(update->v_scale), splat(update->epsilon));
        store(parameters + p, fused(splat(-update->rate), mean / root, load(parameters + p)));
    }
}
