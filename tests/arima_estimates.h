/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the tests of ARIMA estimates: requests, series, and whether an estimate is coherent. */
#ifndef TESTS_ARIMA_ESTIMATES_H
#define TESTS_ARIMA_ESTIMATES_H

#include "arima_scratch.h"

#include "methods/arima/estimate.h"
#include "methods/arima/roots.h"

/* ---- requests ---------------------------------------------------------------------------------------------------- */

enum { DEFAULT_STARTS = 5 };

/* Series of one length, one after another. */
struct columns {
    const double *values;
    size_t steps;
};

static inline void load_columns(void *user, size_t first, size_t count, double *values)
{
    const struct columns *columns = user;
    memcpy(values, columns->values + first * columns->steps, count * columns->steps * sizeof *values);
}

static inline struct arima_request make_request(struct columns *columns, size_t series,
                                                const struct arima_order *orders)
{
    return (struct arima_request){
        .series = series,
        .observations = columns->steps,
        .load = load_columns,
        .user = columns,
        .orders = orders,
        .starts = DEFAULT_STARTS,
        .threads = 1,
        .memory = &plain_memory,
    };
}

static inline struct arima_estimate estimate_one(const double *values, size_t steps, struct arima_order order,
                                                 unsigned starts)
{
    struct columns columns = {values, steps};
    struct arima_request request = make_request(&columns, 1, &order);
    struct arima_estimate estimate = {0};
    request.starts = starts;
    assert_int_equal(mp_arima_estimate(&request, &estimate), MOEP_OK);
    assert_true(estimate.done);
    return estimate;
}

/* The exact log-likelihood of differenced values; NaN where there is none. */
static inline double loglik_at(const double *values, size_t n, unsigned p, unsigned q, const double *coefficients,
                               double mean)
{
    static struct arima_point point;
    struct own_scratch own;
    unsigned dimension = p > q ? p : q;
    double theta[MP_ARIMA_ORDER] = {0};
    memcpy(theta, coefficients + p, q * sizeof *theta);
    double within[MP_ARIMA_ORDER]; /* roots on the unit circle, up to rounding, are not reflected */
    memcpy(within, theta, sizeof within);
    mp_arima_shrink(within, q, 1 - 1e-6);
    if (!mp_arima_roots_inside(within, q))
        mp_arima_reflect(theta, q);
    make_own_scratch(&own, n);
    memset(&point, 0, sizeof point);
    for (size_t t = 0; t < n; t++)
        own.scratch.workspace.series[t * MP_LANE_COLUMN] = values[t] - mean;
    for (unsigned i = 0; i < dimension; i++) {
        point.parameters[i].lane[0] = i < p ? coefficients[i] : 0;
        point.parameters[dimension + i].lane[0] = i < q ? theta[i] : 0;
    }
    mp_arima_kernel(0)->evaluate(&own.scratch.workspace, dimension, &point);
    free_own_scratch(&own);
    double objective = point.objective.lane[0];
    return objective < MP_ARIMA_INADMISSIBLE ? 0.5 * (double)n * (log((double)n) - log(2 * acos(-1)) - 1) - objective
                                             : NAN;
}

/* The estimate's likelihood is that of its coefficients, phi is stationary and theta invertible. */
static inline void assert_coherent(const struct arima_estimate *estimate, const double *series, size_t steps,
                                   double tolerance)
{
    double *values = malloc(steps * sizeof *values), coefficients[2 * MP_ARIMA_ORDER], negative[MP_ARIMA_ORDER];
    const struct arima_order order = estimate->order;
    memcpy(values, series, steps * sizeof *values);
    for (unsigned k = 0; k < order.d; k++)
        for (size_t t = 0; t + 1 < steps - k; t++)
            values[t] = values[t + 1] - values[t];
    memcpy(coefficients, estimate->phi, order.p * sizeof *coefficients);
    memcpy(coefficients + order.p, estimate->theta, order.q * sizeof *coefficients);
    for (unsigned i = 0; i < order.p; i++)
        negative[i] = -estimate->phi[i];
    assert_true(mp_arima_roots_inside(negative, order.p));
    double wider[MP_ARIMA_ORDER]; /* rounding may put a root of the unit circle outside */
    memcpy(wider, estimate->theta, sizeof wider);
    mp_arima_shrink(wider, order.q, 1 - 1e-6);
    assert_true(mp_arima_roots_inside(wider, order.q));
    if (order.p + order.q > 0) {
        double loglik = loglik_at(values, steps - order.d, order.p, order.q, coefficients, estimate->mean);
        assert_near(estimate->loglik, loglik, tolerance * (1 + fabs(loglik)));
    }
    free(values);
}

/* ---- series ------------------------------------------------------------------------------------------------------ */

static inline double uniform(uint64_t *seed)
{
    return (double)(random_number(seed) >> 11) / 9007199254740992.0;
}

static inline double normal(uint64_t *seed)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform(seed);
    return sum;
}

/* Shares of an expert: its logit an autoregression, or a walk, and the noise of counting tokens. */
static inline void share(double *values, size_t steps, uint64_t seed)
{
    double x = 0, phi = seed % 2 == 0 ? 1 : 0.97;
    for (size_t t = 0; t < steps; t++) {
        x = phi * x + 0.02 * normal(&seed);
        values[t] = 1 / (1 + 60 * exp(-x)) * (1 + 0.03 * normal(&seed));
    }
}

static inline double *shares(size_t series, size_t steps)
{
    double *values = malloc(series * steps * sizeof *values);
    for (size_t s = 0; s < series; s++)
        share(values + s * steps, steps, s + 1);
    return values;
}

#endif
