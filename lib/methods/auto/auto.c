/* SPDX-License-Identifier: BSD-3-Clause */
/* AUTO: a mixture of ten forecasts for each layer, weighed by how well each has forecast the run's last few hundred
 * steps. It keeps block means instead of steps. candidates.h, weights.h and jump.h explain the forecasts, spread.h and
 * calibration.h their intervals, state.h and work.h how the work is spread over pushes.
 *
 * bytes: every layer is computed alone, every sum in a fixed order; threads: none; allocates: forecasts, their scratch
 * for the call; watch nothing. */
#include "api/status.h"
#include "methods/auto/forecast.h"
#include "methods/auto/spread.h"
#include "methods/auto/work.h"
#include "support/simd.h"

/* ---- create ------------------------------------------------------------------------------------------------------ */

static const char *fault_of(const moep_predictor_config *config)
{
    (void)config;
    return NULL;
}

static uint64_t one_step(const moep_predictor_config *config)
{
    (void)config;
    return 1;
}

static size_t model_size(const moep_predictor_config *config, size_t layers, size_t experts)
{
    struct auto_network network = mp_auto_network_of(config, NULL);
    return network.method->model_size(&network.config, layers, experts);
}

static void init_model(const moep_predictor_config *config, size_t series, void *model)
{
    struct auto_network network = mp_auto_network_of(config, NULL);
    network.method->init_model(&network.config, series, model);
}

static void model_fields(struct checkpoint *checkpoint, const moep_predictor_config *config, size_t series, void *model)
{
    struct auto_network network = mp_auto_network_of(config, NULL);
    network.method->model_fields(checkpoint, &network.config, series, model);
}

static moep_status fit_traces(const struct task *task, const struct run *runs, size_t n, void *model)
{
    struct auto_network network = mp_auto_network_of(task->config, NULL);
    struct task own = *task;
    own.config = &network.config;
    return network.method->fit_traces(&own, runs, n, model);
}

/* ---- push -------------------------------------------------------------------------------------------------------- */

MP_VECTORISED static void mp_auto_add_step(double *restrict running, const float *restrict shares, size_t n)
{
    for (size_t i = 0; i < n; i++)
        running[i] += (double)shares[i];
}

/* Turns the running block's sums into means, and begins the next block. */
MP_VECTORISED static void mp_auto_end_sums(double *restrict running, float *restrict means, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        means[i] = (float)(running[i] / MP_AUTO_BLOCK);
        running[i] = 0;
    }
}

static void end_block(const struct auto_state *state, const float *last_step, uint64_t next_step)
{
    struct auto_run *run = state->run;
    for (size_t l = 0; l < state->layers; l++) {
        struct auto_view view = mp_auto_layer(state, l);
        mp_auto_end_sums(state->running + l * state->experts, mp_block_mean(&view.blocks, run->blocks), state->experts);
        mp_auto_measure_step(&view, last_step + l * state->experts, run->blocks);
    }
    run->blocks++;
    run->phase = 0;
    run->end_step = next_step;
}

static void work(const struct auto_state *state, const struct auto_network *network)
{
    const struct auto_run *run = state->run;
    size_t end = mp_auto_first_due(state->layers, run->phase + 1);
    for (size_t l = mp_auto_first_due(state->layers, run->phase); l < end; l++) {
        struct auto_view view = mp_auto_layer(state, l);
        if (mp_auto_is_pending(&view, run))
            mp_auto_work(&view, run, network, &state->scratch);
    }
}

static void watch(const struct task *task, const void *model, void *memory)
{
    size_t series = task->panel.series;
    struct auto_state state = mp_auto_state(memory, series / task->experts, task->experts);
    struct auto_network network = mp_auto_network_of(task->config, model);
    struct auto_run *run = state.run;
    const float *step = mp_panel_row(&task->panel, task->panel.steps - 1);
    mp_auto_add_step(state.running, step, series);
    run->phase++;
    if (run->phase == MP_AUTO_BLOCK)
        end_block(&state, step, task->next_step);
    work(&state, &network);
}

const struct method mp_auto = {
    .name = "auto",
    .fault_of = fault_of,
    .default_history = one_step,
    .least_history = one_step,
    .model_size = model_size,
    .init_model = init_model,
    .state_size = mp_auto_state_size,
    .watch = watch,
    .fit_traces = fit_traces,
    .min_steps = one_step,
    .forecast = mp_auto_forecast,
    .quantiles = mp_auto_quantiles,
    .model_fields = model_fields,
    .state_fields = mp_auto_state_fields,
};
