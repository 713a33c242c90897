/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/adam_kernel.h"

void MP_WIDE(mp_lstm_adam_update)(const struct lstm_adam_update *u, size_t n, const real *gradient, real *first,
                                  real *second, real *parameters)
{
    for (size_t p = 0; p < n; p += WIDTH) {
        vector g = load(gradient + p) * splat(u->scale), m = load(first + p), v = load(second + p);
        m = fused(g - m, splat(u->m_gain), m);
        v = fused(fused(g, g, -v), splat(u->v_gain), v);
        store(first + p, m);
        store(second + p, v);
        vector root = fused(square_root(v), splat(u->v_scale), splat(u->epsilon));
        store(parameters + p, fused(splat(-u->rate), m / root, load(parameters + p)));
    }
}
