/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/arima/forecast_request.h"

size_t mp_arima_row_end(const struct arima_forecast_request *request, size_t row)
{
    size_t begin = row * request->stride;
    return request->stride < request->horizon - begin ? begin + request->stride : request->horizon;
}

size_t mp_arima_error_rows(const struct arima_forecast_request *request)
{
    return mp_forecast_rows(request->ahead, request->width);
}

static void lay_out_quantiles(const struct arima_forecast_request *request, struct arima_forecast_scratch *scratch,
                              struct arena *arena)
{
    size_t experts = request->observed.experts;
    scratch->centre = mp_arena_take(arena, mp_product(request->count, experts), sizeof(double));
    scratch->step_variance = mp_arena_take(arena, experts, sizeof(double));
    scratch->standard_errors = mp_arena_take(arena, mp_arima_error_rows(request), sizeof(double));
    scratch->psi_sums = mp_arena_take(arena, request->ahead, sizeof(double));
    scratch->z = mp_arena_take(arena, request->quantiles->n, sizeof(double));
    scratch->present = mp_arena_take(arena, experts, sizeof *scratch->present);
}

void mp_arima_forecast_lay_out(void *self, struct arena *arena)
{
    struct arima_forecast_request *request = self;
    size_t experts = request->observed.experts, n = request->observed.observations;
    request->scratch = mp_arena_take(arena, request->threads, sizeof *request->scratch);
    for (size_t w = 0; w < request->threads; w++) {
        struct arima_forecast_scratch counted, *scratch = request->scratch ? &request->scratch[w] : &counted;
        scratch->values = mp_arena_take(arena, mp_product(experts, n), sizeof(double));
        scratch->means = mp_arena_take(arena, experts, sizeof(double));
        scratch->shares = mp_arena_take(arena, experts, sizeof(double));
        scratch->estimates = mp_arena_take(arena, experts, sizeof *scratch->estimates);
        scratch->states = mp_arena_take(arena, experts, sizeof *scratch->states);
        mp_arima_state_scratch_lay_out(&scratch->of_states, arena, n, 0);
        if (request->quantiles)
            lay_out_quantiles(request, scratch, arena);
    }
}
