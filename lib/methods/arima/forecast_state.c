/* SPDX-License-Identifier: BSD-3-Clause */
/* The forecast of the next difference less its mean is
 *
 *     w(t) = phi(1) w(t-1) + .. + phi(p) w(t-p) + theta(1) e(t-1) + .. + theta(q) e(t-q),
 *
 * with e = 0 in the future; d cumulative sums then give the observation. The residuals e of the past are the expected
 * innovations given all observations. The kernel leaves v = e / theta(B), pre-sample values included, so that
 * e = theta(B) v. With these residuals the forecast is the finite-sample predictor, the one of a Kalman filter.
 *
 * bytes: a series' state does not depend on its neighbours. threads: none. allocates: nothing. */
#include "methods/arima/forecast_state.h"

#include "methods/arima/roots.h"

#include <math.h>
#include <string.h>

void mp_arima_state_scratch_lay_out(struct arima_state_scratch *scratch, struct arena *arena, size_t observations,
                                    int lane_bytes)
{
    mp_arima_workspace_lay_out(&scratch->workspace, arena, observations);
    scratch->point = mp_arena_take(arena, 1, sizeof *scratch->point);
    scratch->kernel = mp_arima_kernel(lane_bytes);
}

/* ---- all of a state except its residuals
 * ---------------------------------------------------------------------------- */

static void limit_roots(struct arima_forecast_state *state, double limit)
{
    if (limit >= 1)
        return;
    for (int i = 0; i < MP_ARIMA_ORDER; i++)
        state->phi[i] = -state->phi[i];
    mp_arima_limit_roots(state->phi, state->order.p, limit);
    mp_arima_limit_roots(state->theta, state->order.q, limit);
    for (int i = 0; i < MP_ARIMA_ORDER; i++)
        state->phi[i] = -state->phi[i];
}

static void set_last(struct arima_forecast_state *state, const double *series, size_t n)
{
    state->last[0] = series[n - 1];
    state->last[1] = n > 1 ? series[n - 1] - series[n - 2] : 0;
}

/* Copies the last `count` of n values, the latest first. */
static void copy_latest(double *latest, unsigned count, const double *values, size_t n)
{
    for (size_t i = 0; i < count && i < n; i++)
        latest[i] = values[n - 1 - i];
}

/* Fills a state except for its residuals. Leaves the differences, less their mean, in values. */
static void begin_state(const struct arima_estimate *estimate, double *values, size_t n, double root_limit,
                        struct arima_forecast_state *state)
{
    *state =
        (struct arima_forecast_state){.order = estimate->order, .mean = estimate->mean, .sigma2 = estimate->sigma2};
    memcpy(state->phi, estimate->phi, sizeof state->phi);
    memcpy(state->theta, estimate->theta, sizeof state->theta);
    limit_roots(state, root_limit);
    set_last(state, values, n);
    for (unsigned k = 0; k < state->order.d && n > 1; k++, n--)
        for (size_t t = 0; t + 1 < n; t++)
            values[t] = values[t + 1] - values[t];
    for (size_t t = 0; t < n; t++)
        values[t] -= state->mean;
    copy_latest(state->w, state->order.p, values, n);
}

/* ---- residuals --------------------------------------------------------------------------------------------------- */

static unsigned dimension_of(const struct arima_forecast_state *state)
{
    return state->order.p > state->order.q ? state->order.p : state->order.q;
}

/* The kernel works on differences over sigma, so that its sums neither overflow nor vanish. */
static double scale_of(const struct arima_forecast_state *state)
{
    return state->sigma2 > 0 ? sqrt(state->sigma2) : 1;
}

/* theta(B) v at t, times sigma. */
static double residual_at(const struct arima_forecast_state *state, const double *v, size_t t)
{
    double e = v[t * MP_LANE_COLUMN];
    for (size_t j = 1; j <= state->order.q && j <= t; j++)
        e += state->theta[j - 1] * v[(t - j) * MP_LANE_COLUMN];
    return e * scale_of(state);
}

static void load_lane(const struct arima_state_scratch *scratch, const struct arima_workspace *workspace, size_t l,
                      const struct arima_forecast_state *state, const double *differences, unsigned dimension)
{
    double *column = mp_arima_lane(workspace, workspace->series, l), factor = 1 / scale_of(state);
    for (size_t t = 0; t < workspace->n; t++)
        column[t * MP_LANE_COLUMN] = differences[t] * factor;
    for (unsigned i = 0; i < dimension; i++) {
        scratch->point->parameters[i].lane[l] = state->phi[i];
        scratch->point->parameters[dimension + i].lane[l] = state->theta[i];
    }
}

/* Stores the residuals of lane l, if the likelihood exists. sigma2 becomes that of these coefficients. */
static void store_residuals(const struct arima_state_scratch *scratch, const struct arima_workspace *workspace,
                            size_t l, struct arima_forecast_state *state, double *residuals)
{
    const double *v = mp_arima_lane(workspace, workspace->filtered_residuals, l);
    state->has_residuals = scratch->point->objective.lane[l] < MP_ARIMA_INADMISSIBLE;
    if (!state->has_residuals)
        return;
    for (size_t i = 0; i < state->order.q && i < workspace->n; i++)
        state->e[i] = residual_at(state, v, workspace->n - 1 - i);
    for (size_t t = 0; t < workspace->n && residuals; t++)
        residuals[t] = residual_at(state, v, t);
    state->sigma2 *= scratch->point->sum_of_squares.lane[l] / (double)workspace->n;
}

/* Finds the residuals of up to MP_LANES series of one length and dimension. */
static void find_residuals(const struct arima_state_scratch *scratch, const double *values, const size_t *which,
                           size_t count, size_t n, struct arima_forecast_state *states, double *residuals)
{
    unsigned dimension = dimension_of(&states[which[0]]);
    struct arima_workspace workspace = scratch->workspace;
    workspace.n = n - states[which[0]].order.d;
    workspace.used = MP_ALL_LANES >> (MP_LANES - count);
    for (size_t l = 0; l < count; l++)
        load_lane(scratch, &workspace, l, &states[which[l]], values + which[l] * n, dimension);
    scratch->kernel->evaluate(&workspace, dimension, scratch->point);
    for (size_t l = 0; l < count; l++)
        store_residuals(scratch, &workspace, l, &states[which[l]], residuals ? residuals + which[l] * n : NULL);
}

/* Finds the residuals of all series that have none, those of one dimension and d together. */
static void find_missing_residuals(const struct arima_state_scratch *scratch, const double *values, size_t count,
                                   size_t n, struct arima_forecast_state *states, double *residuals)
{
    for (unsigned kind = 0; kind < 3 * MP_ARIMA_ORDER; kind++) {
        unsigned dimension = kind % MP_ARIMA_ORDER + 1, d = kind / MP_ARIMA_ORDER;
        size_t which[MP_LANES], lanes = 0;
        for (size_t s = 0; s < count; s++) {
            const struct arima_forecast_state *state = &states[s];
            if (state->has_residuals || dimension_of(state) != dimension || state->order.d != d)
                continue;
            which[lanes++] = s;
            if (lanes == MP_LANES) {
                find_residuals(scratch, values, which, lanes, n, states, residuals);
                lanes = 0;
            }
        }
        if (lanes > 0)
            find_residuals(scratch, values, which, lanes, n, states, residuals);
    }
}

/* Limited roots of theta may come so close to others that the likelihood does not exist. Those series are tried again
 * with the estimated coefficients. */
void mp_arima_forecast_states(const struct arima_estimate *estimates, double *values, size_t count, size_t n,
                              double root_limit, const struct arima_state_scratch *scratch,
                              struct arima_forecast_state *states, double *residuals)
{
    for (size_t s = 0; s < count; s++)
        begin_state(&estimates[s], values + s * n, n, root_limit, &states[s]);
    find_missing_residuals(scratch, values, count, n, states, residuals);
    for (size_t s = 0; s < count; s++) {
        if (states[s].has_residuals)
            continue;
        memcpy(states[s].phi, estimates[s].phi, sizeof states[s].phi);
        memcpy(states[s].theta, estimates[s].theta, sizeof states[s].theta);
    }
    find_missing_residuals(scratch, values, count, n, states, residuals);
    for (size_t s = 0; s < count; s++)
        if (!states[s].has_residuals)
            states[s].order.p = states[s].order.q = 0;
}

/* ---- earlier states ---------------------------------------------------------------------------------------------- */

struct arima_forecast_state mp_arima_state_at(const struct arima_forecast_state *state, const double *series,
                                              const double *differences, const double *residuals, size_t observations)
{
    struct arima_forecast_state earlier = *state;
    size_t n = observations - earlier.order.d;
    set_last(&earlier, series, observations);
    copy_latest(earlier.w, earlier.order.p, differences, n);
    copy_latest(earlier.e, earlier.order.q, residuals, n);
    return earlier;
}

/* phi(B) / theta(B) of a unit step: response(t) = 1 - sum over i <= t of phi(i) - sum over j of theta(j)
 * response(t-j). */
void mp_arima_step_response(const struct arima_forecast_state *state, double *response, size_t n)
{
    double sum = 1;
    for (size_t t = 0; t < n; t++) {
        if (t > 0 && t <= state->order.p)
            sum -= state->phi[t - 1];
        response[t] = sum;
        for (size_t j = 1; j <= state->order.q && j <= t; j++)
            response[t] -= state->theta[j - 1] * response[t - j];
    }
}

/* Residuals are linear in the differences. Pre-sample values, which also change, are neglected: their effect fades. */
void mp_arima_change_mean(struct arima_forecast_state *state, double mean, const double *response, size_t differences)
{
    double change = state->mean - mean;
    for (size_t i = 0; i < state->order.p && i < differences; i++)
        state->w[i] += change;
    for (size_t i = 0; i < state->order.q && i < differences; i++)
        state->e[i] += change * response[differences - 1 - i];
    state->mean = mean;
}

/* ---- the next observation ---------------------------------------------------------------------------------------- */

double mp_arima_next_difference(struct arima_forecast_state *state)
{
    double w = 0;
    for (unsigned i = 0; i < state->order.p; i++)
        w += state->phi[i] * state->w[i];
    for (unsigned j = 0; j < state->order.q; j++)
        w += state->theta[j] * state->e[j];
    for (unsigned i = dimension_of(state); i-- > 1;) {
        state->w[i] = state->w[i - 1];
        state->e[i] = state->e[i - 1];
    }
    state->w[0] = w;
    state->e[0] = 0;
    return w;
}

double mp_arima_next(struct arima_forecast_state *state)
{
    double x = state->mean + mp_arima_next_difference(state);
    if (state->order.d == 2)
        x = state->last[1] += x;
    if (state->order.d > 0)
        x = state->last[0] += x;
    return x;
}
