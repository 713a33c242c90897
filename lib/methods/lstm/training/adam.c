/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/training/adam.h"

#include "methods/lstm/training/adam_kernel.h"
#include "support/simd.h"

#include <float.h>
#include <math.h>

/* As Kingma and Ba propose. */
static const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;

struct lstm_adam mp_lstm_adam_init(void)
{
    return (struct lstm_adam){0, 1, 1};
}

MP_VECTORISED static double mp_squared_norm(const real *gradient, size_t n)
{
    double sum[MP_ROW] = {0}, total = 0;
    for (size_t i = 0; i < n; i += MP_ROW)
        for (size_t l = 0; l < MP_ROW; l++)
            sum[l] += (double)gradient[i + l] * (double)gradient[i + l];
    for (size_t l = 0; l < MP_ROW; l++)
        total += sum[l];
    return total;
}

/* (1 + cos(pi progress)) / 2 = 1 - sin(x)^2 with x = pi progress / 2, for 0 <= progress <= 1. The series of sin gives the same
 * bytes on every machine, which a C library's cos need not. */
static double cosine_decay(double progress)
{
    double x = 1.5707963267948966 * progress, square = x * x, sum = 0;
    for (int k = 23; k >= 3; k -= 2)
        sum = (1 + sum) * -square / (double)(k * (k - 1));
    x += x * sum;
    return 1 - x * x;
}

static double rate_after(uint64_t updates, const struct lstm_adam_rule *rule)
{
    double rate = rule->learning_rate;
    if (updates < rule->warmup_updates)
        rate = rate * (double)(updates + 1) / (double)rule->warmup_updates;
    if (rule->decay_updates == 0)
        return rate;
    return updates >= rule->decay_updates ? 0 : rate * cosine_decay((double)updates / (double)rule->decay_updates);
}

bool mp_lstm_adam_update(struct lstm_adam *adam, const struct lstm_adam_rule *rule, size_t n, const real *gradient,
                         real *m, real *v, real *parameters)
{
    double norm = sqrt(mp_squared_norm(gradient, n));
    if (!(norm <= DBL_MAX))
        return false;
    double rate = rate_after(adam->updates, rule);
    adam->updates++;
    adam->beta1_power *= beta1;
    adam->beta2_power *= beta2;
    struct lstm_adam_update update = {.scale = (real)(norm > rule->max_norm ? rule->max_norm / norm : 1),
                                      .m_gain = (real)(1 - beta1),
                                      .v_gain = (real)(1 - beta2),
                                      .rate = (real)(rate / (1 - adam->beta1_power)),
                                      .v_scale = (real)(1 / sqrt(1 - adam->beta2_power)),
                                      .epsilon = (real)epsilon};
    MP_BY_WIDTH(mp_vector_bytes(), mp_lstm_adam_update, &update, n, gradient, m, v, parameters);
    return true;
}
