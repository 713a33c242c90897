/* SPDX-License-Identifier: BSD-3-Clause */
/* Forecasts and their variances, as in Box, Jenkins, Reinsel and Ljung, chapter 5. With the psi-weights of
 * phi(B) (1 - B)^d x = theta(B) e,
 *
 *     psi(0) = 1,   psi(k) = theta(k) + sum over i of phi(i) psi(k - i),   summed d times,
 *
 * the error of the forecast of the k-th observation is psi(0) e(k) + psi(1) e(k-1) + .. + psi(k-1) e(1). Let Psi(i) =
 * psi(0) + .. + psi(i), and 0 for negative i. The sum of the s observations that end with the k-th contains e(k - i)
 * with the weight Psi(i) - Psi(i - s), so that
 *
 *     variance of their mean = sigma2 / s^2 sum over i < k of (Psi(i) - Psi(i - s))^2.
 *
 * allocates: nothing. */
#include "methods/arima/forecast.h"

#include <math.h>
#include <string.h>

static void forecast_means(struct arima_forecast_state state, size_t horizon, size_t stride, double *mean,
                           size_t spacing)
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

/* sums[k] = Psi(k). The psi-weights are the forecasts of `weights`, a state after a single e = 1; psi(0) is 1. */
static void psi_sums(const struct arima_forecast_state *state, size_t horizon, double *sums)
{
    struct arima_forecast_state weights = {.order = state->order};
    double first_sum = 0, second_sum = 0, sum = 0;
    memcpy(weights.phi, state->phi, sizeof weights.phi);
    memcpy(weights.theta, state->theta, sizeof weights.theta);
    for (size_t k = 0; k < horizon; k++) {
        double psi = mp_arima_next_difference(&weights);
        if (k == 0)
            psi = weights.w[0] = weights.e[0] = 1;
        if (state->order.d > 0)
            psi = first_sum += psi;
        if (state->order.d > 1)
            psi = second_sum += psi;
        sums[k] = sum += psi;
    }
}

/* The weights do not depend on the row: one running sum of squares serves all rows of full length. */
static void forecast_standard_errors(const struct arima_forecast_state *state, size_t horizon, size_t stride,
                                     double *standard_error, size_t spacing, double *sums)
{
    double squares = 0;
    size_t whole = horizon / stride * stride, i = 0;
    psi_sums(state, horizon, sums);
    for (size_t last = stride; last <= whole && last >= stride; last += stride) {
        for (; i < last; i++) {
            double weight = sums[i] - (i >= stride ? sums[i - stride] : 0);
            squares += weight * weight;
        }
        *standard_error = sqrt(state->sigma2 * squares) / (double)stride;
        standard_error += spacing;
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
    *standard_error = sqrt(state->sigma2 * squares) / (double)rest;
}

void mp_arima_forecast(const struct arima_forecast_state *state, size_t horizon, size_t stride, double *mean,
                       double *standard_error, size_t spacing, double *scratch)
{
    if (horizon == 0 || stride == 0)
        return;
    if (mean)
        forecast_means(*state, horizon, stride, mean, spacing);
    if (standard_error)
        forecast_standard_errors(state, horizon, stride, standard_error, spacing, scratch);
}

void mp_arima_dyadic_standard_errors(const struct arima_forecast_state *state, size_t horizons, double *standard_error,
                                     double *scratch)
{
    double squares = 0;
    psi_sums(state, horizons > 0 ? (size_t)1 << (horizons - 1) : 0, scratch);
    for (size_t k = 0, i = 0; k < horizons; k++) {
        size_t horizon = (size_t)1 << k;
        for (; i < horizon; i++)
            squares += scratch[i] * scratch[i];
        standard_error[k] = sqrt(state->sigma2 * squares) / (double)horizon;
    }
}

/* Computes one column of the weights: the forecasts from a state that is 0 except for a single 1. */
static void weights_of(struct arima_forecast_state impulse, size_t horizons, double *column)
{
    double sum = 0;
    for (size_t k = 0, i = 0; k < horizons; k++) {
        size_t horizon = (size_t)1 << k;
        for (; i < horizon; i++)
            sum += mp_arima_next(&impulse);
        column[k * MP_ARIMA_PARAMETERS] = sum / (double)horizon;
    }
}

void mp_arima_dyadic_weights(const struct arima_forecast_state *state, size_t horizons, arima_dyadic_weights *weights)
{
    struct arima_forecast_state zero = {.order = state->order};
    memcpy(zero.phi, state->phi, sizeof zero.phi);
    memcpy(zero.theta, state->theta, sizeof zero.theta);
    for (unsigned i = 0; i < state->order.p + state->order.q; i++) {
        struct arima_forecast_state impulse = zero;
        *(i < state->order.p ? &impulse.w[i] : &impulse.e[i - state->order.p]) = 1;
        weights_of(impulse, horizons, &weights[0][i]);
    }
}

/* For d = 2 the last difference persists: to the mean of the next h observations it adds (1 + .. + h) / h =
 * (h + 1) / 2 times itself. */
double mp_arima_dyadic_mean(const struct arima_forecast_state *state, size_t k, const arima_dyadic_weights *weights)
{
    double mean = state->mean, horizon = (double)((size_t)1 << k);
    if (state->order.d > 0)
        mean = state->last[0];
    if (state->order.d == 2)
        mean += state->last[1] * (horizon + 1) / 2;
    for (unsigned i = 0; i < state->order.p; i++)
        mean += weights[k][i] * state->w[i];
    for (unsigned j = 0; j < state->order.q; j++)
        mean += weights[k][state->order.p + j] * state->e[j];
    return mean;
}
