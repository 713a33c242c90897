/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/forecast.h"

#include <math.h>
#include <string.h>

static void forecast_means(struct arima_state state, size_t horizon, size_t stride, double *mean, size_t spacing)
{
    for (size_t first = 0; first < horizon; first += stride) {
        size_t last = stride < horizon - first ? first + stride : horizon;
        double sum = 0;
        for (size_t k = first; k < last; k++)
            sum += mp_arima_next(&state);
        *mean = sum / (double)(last - first);
        mean += spacing;
        if (last == horizon)
            return;
    }
}

/* sums[k] = psi(0) + ... + psi(k), psi the weights of the errors in the series, d times summed. */
static void psi_sums(const struct arima_state *state, size_t horizon, double *sums)
{
    struct arima_state weights = {.order = state->order};
    double once = 0, twice = 0, sum = 0;
    memcpy(weights.phi, state->phi, sizeof weights.phi);
    memcpy(weights.theta, state->theta, sizeof weights.theta);
    for (size_t k = 0; k < horizon; k++) {
        double psi = mp_arima_next_difference(&weights);
        if (k == 0)
            psi = weights.w[0] = weights.e[0] = 1;
        if (state->order.d > 0)
            psi = once += psi;
        if (state->order.d > 1)
            psi = twice += psi;
        sums[k] = sum += psi;
    }
}

/* The error i steps before a row's last step enters the row's sum with the weights psi(i - stride + 1) .. psi(i): the
 * same for every row, and so one running sum of squares serves all rows of full length. */
static void forecast_errors(const struct arima_state *state, size_t horizon, size_t stride, double *error,
                            size_t spacing, double *sums)
{
    double squares = 0;
    size_t whole = horizon / stride * stride, i = 0;
    psi_sums(state, horizon, sums);
    for (size_t last = stride; last <= whole && last >= stride; last += stride) {
        for (; i < last; i++) {
            double weight = sums[i] - (i >= stride ? sums[i - stride] : 0);
            squares += weight * weight;
        }
        *error = sqrt(state->sigma2 * squares) / (double)stride;
        error += spacing;
        if (whole - last < stride)
            break;
    }
    size_t rest = horizon - whole;
    if (rest == 0)
        return;
    squares = 0;
    for (i = 0; i < horizon; i++) {
        double weight = sums[i] - (i >= rest ? sums[i - rest] : 0);
        squares += weight * weight;
    }
    *error = sqrt(state->sigma2 * squares) / (double)rest;
}

void mp_arima_forecast(const struct arima_state *state, size_t horizon, size_t stride, double *mean, double *error,
                       size_t spacing, double *scratch)
{
    if (horizon == 0 || stride == 0)
        return;
    if (mean)
        forecast_means(*state, horizon, stride, mean, spacing);
    if (error)
        forecast_errors(state, horizon, stride, error, spacing, scratch);
}

void mp_arima_span_errors(const struct arima_state *state, size_t spans, double *error, double *scratch)
{
    double squares = 0;
    psi_sums(state, spans > 0 ? (size_t)1 << (spans - 1) : 0, scratch);
    for (size_t span = 0, i = 0; span < spans; span++) {
        size_t end = (size_t)1 << span;
        for (; i < end; i++)
            squares += scratch[i] * scratch[i];
        error[span] = sqrt(state->sigma2 * squares) / (double)end;
    }
}

/* Into one column of the weights: of a past in which there is nothing but a single 1. */
static void weights_of(struct arima_state past, size_t spans, double *column)
{
    double sum = 0;
    for (size_t span = 0, i = 0; span < spans; span++) {
        size_t end = (size_t)1 << span;
        for (; i < end; i++)
            sum += mp_arima_next(&past);
        column[span * MP_ARIMA_PARAMETERS] = sum / (double)end;
    }
}

void mp_arima_span_weights(const struct arima_state *state, size_t spans, arima_span_weights *weights)
{
    struct arima_state nothing = {.order = state->order};
    memcpy(nothing.phi, state->phi, sizeof nothing.phi);
    memcpy(nothing.theta, state->theta, sizeof nothing.theta);
    for (unsigned i = 0; i < state->order.p + state->order.q; i++) {
        struct arima_state past = nothing;
        *(i < state->order.p ? &past.w[i] : &past.e[i - state->order.p]) = 1;
        weights_of(past, spans, &weights[0][i]);
    }
}

double mp_arima_span_mean(const struct arima_state *state, size_t span, const arima_span_weights *weights)
{
    double mean = state->mean, observations = (double)((size_t)1 << span);
    if (state->order.d > 0)
        mean = state->last[0];
    if (state->order.d == 2)
        mean += state->last[1] * (observations + 1) / 2;
    for (unsigned i = 0; i < state->order.p; i++)
        mean += weights[span][i] * state->w[i];
    for (unsigned j = 0; j < state->order.q; j++)
        mean += weights[span][state->order.p + j] * state->e[j];
    return mean;
}
