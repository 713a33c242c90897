/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/network.h"

struct auto_network mp_auto_network_of(const moep_predictor_config *config, const void *model)
{
    struct auto_network network = {.method = mp_method(MOEP_LSTM), .config = *config, .model = model};
    network.config.method = MOEP_LSTM;
    network.config.lstm_scope = MOEP_LSTM_SHARED;
    network.config.lstm_layers = 0;
    network.config.lstm_hidden = 1; /* without a meaning, but training would take memory for them */
    return network;
}

bool mp_auto_has_network(const struct block_origin *origin)
{
    return origin->blocks * MP_AUTO_BLOCK + origin->phase >= MP_AUTO_FIRST_ORIGIN * MP_AUTO_BLOCK;
}

void mp_auto_network_forecast(const struct auto_network *network, const struct auto_view *view,
                              const struct block_origin *origin, uint64_t age, size_t horizon, size_t stride,
                              const struct auto_scratch *scratch, double *rows, size_t row_stride)
{
    const struct means_forecast *means_forecast = network->method->means_forecast;
    struct window_means means = {scratch->windows, view->experts, (double)age};
    mp_window_means(&view->blocks, origin, means_forecast->steps, means_forecast->windows, scratch->sum,
                    scratch->windows);
    means_forecast->forecast(&network->config, network->model, &means, horizon, stride, scratch->network, rows,
                             row_stride);
}
