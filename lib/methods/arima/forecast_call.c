/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/forecast_call.h"

size_t mp_arima_end_of_row(const struct arima_call *call, size_t row)
{
    size_t begin = row * call->stride;
    return call->stride < call->horizon - begin ? begin + call->stride : call->horizon;
}

size_t mp_arima_error_rows(const struct arima_call *call)
{
    return mp_forecast_rows(call->ahead, call->width);
}

size_t mp_arima_scratch_size(const struct arima_call *call)
{
    size_t e = call->source.experts, doubles = mp_product(e, call->source.observations);
    doubles = mp_sum(doubles, mp_product(3, e));
    if (call->quantiles) {
        doubles = mp_sum(doubles, mp_product(call->count, e));
        doubles = mp_sum(doubles, mp_sum(mp_arima_error_rows(call), call->ahead));
        doubles = mp_sum(doubles, call->quantiles->n);
    }
    size_t size = mp_product(doubles, sizeof(double));
    size_t states = call->quantiles ? 2 : 1;
    size = mp_sum(size, mp_product(e, states * sizeof(struct arima_state) + sizeof(struct arima_estimate)));
    size = mp_sum(size, mp_arima_states_size(call->source.observations));
    return mp_whole_lines(size, 1);
}

struct arima_scratch mp_arima_scratch(const struct arima_call *call, size_t worker)
{
    size_t e = call->source.experts;
    struct arima_scratch scratch = {.values = (double *)(call->memory + worker * call->worker_size)};
    scratch.means = scratch.values + e * call->source.observations;
    scratch.scatter = scratch.means + e;
    scratch.shares = scratch.scatter + e;
    scratch.centre = scratch.shares + e;
    double *end = scratch.centre;
    if (call->quantiles) {
        scratch.errors = scratch.centre + call->count * e;
        scratch.sums = scratch.errors + mp_arima_error_rows(call);
        scratch.z = scratch.sums + call->ahead;
        end = scratch.z + call->quantiles->n;
    }
    scratch.states = (struct arima_state *)end;
    scratch.present = call->quantiles ? scratch.states + e : scratch.states;
    scratch.estimates = (struct arima_estimate *)(scratch.present + e);
    scratch.memory = scratch.estimates + e;
    return scratch;
}
