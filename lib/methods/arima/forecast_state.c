/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/forecast_state.h"

#include "methods/arima/roots.h"

#include <math.h>
#include <string.h>

struct scratch {
    struct arima_workspace workspace;
    struct arima_point *point;
    const struct arima_kernel *kernel;
};

size_t mp_arima_states_size(size_t steps)
{
    return mp_sum(mp_arima_workspace_size(steps), sizeof(struct arima_point) + MP_CACHE_LINE);
}

static struct scratch lay_out(void *memory, size_t steps, int lane_bytes)
{
    struct scratch scratch;
    char *at = memory;
    at += (MP_CACHE_LINE - (uintptr_t)at % MP_CACHE_LINE) % MP_CACHE_LINE;
    scratch.point = (struct arima_point *)at;
    mp_arima_workspace_init(&scratch.workspace, at + sizeof *scratch.point, steps);
    scratch.kernel = mp_arima_kernel(lane_bytes);
    return scratch;
}

static void limit_roots(struct arima_state *state, double limit)
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

static void remember_last(struct arima_state *state, const double *series, size_t steps)
{
    state->last[0] = series[steps - 1];
    state->last[1] = steps > 1 ? series[steps - 1] - series[steps - 2] : 0;
}

/* The last `order` of n, the latest first. */
static void remember(double *latest, unsigned order, const double *values, size_t n)
{
    for (size_t i = 0; i < order && i < n; i++)
        latest[i] = values[n - 1 - i];
}

/* All of a state but the errors; leaves the differences, less their mean, in values. */
static void begin_state(const struct arima_estimate *estimate, double *values, size_t steps, double root_limit,
                        struct arima_state *state)
{
    *state = (struct arima_state){.order = estimate->order, .mean = estimate->mean, .sigma2 = estimate->sigma2};
    memcpy(state->phi, estimate->phi, sizeof state->phi);
    memcpy(state->theta, estimate->theta, sizeof state->theta);
    limit_roots(state, root_limit);
    remember_last(state, values, steps);
    size_t n = steps;
    for (unsigned k = 0; k < state->order.d && n > 1; k++, n--)
        for (size_t t = 0; t + 1 < n; t++)
            values[t] = values[t + 1] - values[t];
    for (size_t t = 0; t < n; t++)
        values[t] -= state->mean;
    remember(state->w, state->order.p, values, n);
}

static unsigned order_of(const struct arima_state *state)
{
    return state->order.p > state->order.q ? state->order.p : state->order.q;
}

/* In units of sigma, so that the sums neither overflow nor vanish. */
static double unit_of(const struct arima_state *state)
{
    return state->sigma2 > 0 ? sqrt(state->sigma2) : 1;
}

/* theta(B) of a column that is in units of sigma. */
static double error_at(const struct arima_state *state, const double *twice, size_t t)
{
    double e = twice[t * MP_LANE_COLUMN];
    for (size_t j = 1; j <= state->order.q && j <= t; j++)
        e += state->theta[j - 1] * twice[(t - j) * MP_LANE_COLUMN];
    return e * unit_of(state);
}

/* The expected errors of up to MP_LANES series of one length and order: theta(B) of what the evaluation leaves. */
static void find_errors(const struct scratch *scratch, const double *values, const size_t *which, size_t count,
                        size_t steps, struct arima_state *states, double *errors)
{
    unsigned order = order_of(&states[which[0]]);
    struct arima_workspace workspace = scratch->workspace;
    workspace.n = steps - states[which[0]].order.d;
    workspace.used = MP_ALL_LANES >> (MP_LANES - count);
    for (size_t l = 0; l < count; l++) {
        const struct arima_state *state = &states[which[l]];
        double *column = mp_arima_lane(&workspace, workspace.series, l), unit = 1 / unit_of(state);
        for (size_t t = 0; t < workspace.n; t++)
            column[t * MP_LANE_COLUMN] = values[which[l] * steps + t] * unit;
        for (unsigned i = 0; i < order; i++) {
            scratch->point->parameters[i].lane[l] = state->phi[i];
            scratch->point->parameters[order + i].lane[l] = state->theta[i];
        }
    }
    scratch->kernel->evaluate(&workspace, order, scratch->point);
    for (size_t l = 0; l < count; l++) {
        struct arima_state *state = &states[which[l]];
        const double *twice = mp_arima_lane(&workspace, workspace.filtered_residuals, l);
        state->evaluated = scratch->point->objective.lane[l] < 1e299;
        if (!state->evaluated)
            continue;
        for (size_t i = 0; i < state->order.q && i < workspace.n; i++)
            state->e[i] = error_at(state, twice, workspace.n - 1 - i);
        for (size_t t = 0; t < workspace.n && errors; t++)
            errors[which[l] * steps + t] = error_at(state, twice, t);
        state->sigma2 *= scratch->point->sum_of_squares.lane[l] / (double)workspace.n;
    }
}

/* Those that are not evaluated yet, of one order and d at a time, by MP_LANES. */
static void find_all_errors(const struct scratch *scratch, const double *values, size_t count, size_t steps,
                            struct arima_state *states, double *errors)
{
    for (unsigned kind = 0; kind < 3 * MP_ARIMA_ORDER; kind++) {
        size_t which[MP_LANES], lanes = 0;
        for (size_t s = 0; s < count; s++) {
            const struct arima_state *state = &states[s];
            unsigned order = kind % MP_ARIMA_ORDER + 1, d = kind / MP_ARIMA_ORDER;
            if (state->evaluated || order_of(state) != order || state->order.d != d)
                continue;
            which[lanes++] = s;
            if (lanes == MP_LANES) {
                find_errors(scratch, values, which, lanes, steps, states, errors);
                lanes = 0;
            }
        }
        if (lanes > 0)
            find_errors(scratch, values, which, lanes, steps, states, errors);
    }
}

void mp_arima_states(const struct arima_estimate *estimates, double *values, size_t count, size_t steps,
                     double root_limit, int lane_bytes, void *memory, struct arima_state *states, double *errors)
{
    struct scratch scratch = lay_out(memory, steps, lane_bytes);
    for (size_t s = 0; s < count; s++)
        begin_state(&estimates[s], values + s * steps, steps, root_limit, &states[s]);
    find_all_errors(&scratch, values, count, steps, states, errors);
    for (size_t s = 0; s < count; s++) { /* drawn in, a root of theta may have come too close to others */
        if (states[s].evaluated)
            continue;
        memcpy(states[s].phi, estimates[s].phi, sizeof states[s].phi);
        memcpy(states[s].theta, estimates[s].theta, sizeof states[s].theta);
    }
    find_all_errors(&scratch, values, count, steps, states, errors);
    for (size_t s = 0; s < count; s++)
        if (!states[s].evaluated)
            states[s].order.p = states[s].order.q = 0;
}

struct arima_state mp_arima_earlier(const struct arima_state *state, const double *series, const double *differences,
                                    const double *errors, size_t steps)
{
    struct arima_state earlier = *state;
    remember_last(&earlier, series, steps);
    remember(earlier.w, earlier.order.p, differences, steps - earlier.order.d);
    remember(earlier.e, earlier.order.q, errors, steps - earlier.order.d);
    return earlier;
}

/* phi(B) / theta(B) of a step. */
void mp_arima_step_response(const struct arima_state *state, double *response, size_t n)
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

void mp_arima_change_mean(struct arima_state *state, double mean, const double *response, size_t steps)
{
    double change = state->mean - mean;
    for (size_t i = 0; i < state->order.p && i < steps; i++)
        state->w[i] += change;
    for (size_t i = 0; i < state->order.q && i < steps; i++)
        state->e[i] += change * response[steps - 1 - i];
    state->mean = mean;
}

/* What was the future moves into the past. */
double mp_arima_next_difference(struct arima_state *state)
{
    double w = 0;
    for (unsigned i = 0; i < state->order.p; i++)
        w += state->phi[i] * state->w[i];
    for (unsigned j = 0; j < state->order.q; j++)
        w += state->theta[j] * state->e[j];
    for (unsigned i = order_of(state); i-- > 1;) {
        state->w[i] = state->w[i - 1];
        state->e[i] = state->e[i - 1];
    }
    state->w[0] = w;
    state->e[0] = 0;
    return w;
}

double mp_arima_next(struct arima_state *state)
{
    double x = state->mean + mp_arima_next_difference(state);
    if (state->order.d == 2)
        x = state->last[1] += x;
    if (state->order.d > 0)
        x = state->last[0] += x;
    return x;
}
