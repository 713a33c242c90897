/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/lstm/means_forecast.h"

#include "methods/lstm/features/log_ratios.h"
#include "methods/lstm/forecast_rows.h"
#include "methods/lstm/model.h"
#include "methods/lstm/network/head_kernel.h"
#include "methods/lstm/network/shared_net.h"
#include "support/arena.h"
#include "support/width.h"

enum { TILE = 24 }; /* series that go through the network at once: their outputs and the weights stay in the L1 cache */

struct scratch {
    real *means, *features; /* of a tile */
    double *logs, *reference;
    struct lstm_head_scratch head;
    real *forecasts; /* [experts][MP_LSTM_OUTPUT_ROW]: a span's sum over all experts comes before any row */
};

static struct scratch lay_out(struct arena *arena, size_t experts)
{
    struct scratch s = {0};
    s.means = mp_arena_take(arena, TILE, MP_LSTM_WINDOWS * sizeof *s.means);
    s.features = mp_arena_take(arena, TILE, MP_LSTM_FEATURES * sizeof *s.features);
    s.logs = mp_arena_take(arena, TILE, MP_LSTM_WINDOWS * sizeof *s.logs);
    s.reference = mp_arena_take(arena, TILE, sizeof *s.reference);
    s.head.hidden = mp_arena_take(arena, TILE, MP_LSTM_HEAD_HIDDEN * sizeof *s.head.hidden);
    s.head.outputs = mp_arena_take(arena, TILE, MP_LSTM_HEAD_ROW * sizeof *s.head.outputs);
    s.forecasts = mp_arena_take(arena, experts, MP_LSTM_OUTPUT_ROW * sizeof *s.forecasts);
    return s;
}

static size_t scratch_size(size_t experts)
{
    struct arena arena = {0};
    lay_out(&arena, experts);
    return arena.used;
}

static void forecast_tile(struct gemm gemm, const real *parameters, const struct window_means *means, size_t first,
                          struct lstm_head_rows rows, struct scratch *s)
{
    for (size_t w = 0; w < MP_LSTM_WINDOWS; w++)
        for (size_t i = 0; i < rows.count; i++)
            s->means[i * MP_LSTM_WINDOWS + w] = (real)means->means[w * means->experts + first + i];
    mp_lstm_fill_features(&(struct lstm_features){s->means, rows.count, (double)means->experts, means->age, s->logs,
                                                  s->reference, s->features});
    mp_lstm_shared_net_head(gemm, parameters, &rows, &s->head);
}

static void forecast(const moep_predictor_config *config, const void *model, const struct window_means *means,
                     size_t horizon, size_t stride, void *scratch, double *rows, size_t row_stride)
{
    struct arena arena = mp_arena_over(scratch);
    struct scratch s = lay_out(&arena, means->experts);
    const real *parameters = mp_lstm_model(config, means->experts, (void *)model).best;
    struct gemm gemm = {.bytes = mp_vector_bytes()}; /* our kernel: OpenBLAS takes memory and locks, a push must not */
    for (size_t first = 0; first < means->experts; first += TILE) {
        size_t rest = means->experts - first;
        struct lstm_head_rows tile = {.count = rest < TILE ? rest : TILE,
                                      .spans = mp_lstm_spans(horizon),
                                      .features = s.features,
                                      .means = s.means,
                                      .forecasts = s.forecasts + first * MP_LSTM_OUTPUT_ROW};
        forecast_tile(gemm, parameters, means, first, tile, &s);
    }
    mp_lstm_layer_rows(s.forecasts, means->experts, horizon, stride, rows, row_stride);
}

const struct means_forecast mp_lstm_means_forecast = {
    .windows = MP_LSTM_WINDOWS,
    .steps = mp_lstm_windows,
    .scratch_size = scratch_size,
    .forecast = forecast,
};
