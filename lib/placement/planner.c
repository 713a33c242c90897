/* SPDX-License-Identifier: BSD-3-Clause */
/* The handle: create and destroy, push, and info.
 *
 * allocates: at create only; threads: none. */
#include "placement/planner.h"

#include "api/status.h"
#include "api/struct.h"
#include "support/environment.h"

/* ---- life -------------------------------------------------------------------------------------------------------- */

moep_status mp_planner_make(size_t layers, size_t experts, const moep_planner_config *config,
                            const struct runtime *runtime, moep_planner **out)
{
    const struct memory *memory = &runtime->memory;
    moep_planner *planner = mp_allocate(memory, 1, sizeof *planner);
    if (!planner)
        return mp_out_of_memory("the planner");
    *planner = (moep_planner){.config = *config, .runtime = *runtime};
    moep_status status = mp_history_make(&planner->history, layers, experts, 1, memory);
    if (status == MOEP_OK)
        status = mp_samples_make(&planner->samples, layers, experts, config, memory);
    if (status == MOEP_OK)
        *out = planner;
    else
        mp_planner_destroy(planner);
    return status;
}

moep_status moep_planner_create(size_t layers, size_t experts, const moep_planner_config *config,
                                const moep_runtime *runtime, moep_planner **out)
{
    MP_BORDER
    if (!out)
        return mp_fail_null("out");
    *out = NULL;
    moep_planner_config checked;
    struct runtime resolved;
    moep_status status = mp_shape_check(layers, experts);
    if (status == MOEP_OK)
        status = mp_planner_config_read(&checked, config);
    if (status == MOEP_OK)
        status = mp_runtime_read(&resolved, runtime, &mp_runtime_default);
    if (status == MOEP_OK)
        status = mp_planner_make(layers, experts, &checked, &resolved, out);
    if (status == MOEP_OK)
        mp_history_touch(&(*out)->history);
    return status;
}

void mp_planner_destroy(moep_planner *planner)
{
    if (!planner)
        return;
    struct memory memory = planner->runtime.memory;
    mp_samples_free(&planner->samples, &memory);
    mp_history_free(&planner->history, &memory);
    mp_release(&memory, planner, 1, sizeof *planner);
}

void moep_planner_destroy(moep_planner *planner)
{
    MP_BORDER
    mp_planner_destroy(planner);
}

/* ---- counts in --------------------------------------------------------------------------------------------------- */

static void sample(void *user)
{
    moep_planner *planner = user;
    struct panel newest = mp_history_panel(&planner->history);
    mp_samples_push(&planner->samples, mp_panel_row(&newest, 0));
}

static moep_status push(moep_planner *planner, uint64_t first_step, size_t steps, const void *counts, moep_dtype dtype)
{
    return mp_history_push_each(&planner->history, first_step, steps, counts, dtype, sample, planner);
}

moep_status moep_planner_push(moep_planner *planner, size_t steps, const void *counts, moep_dtype dtype)
{
    MP_BORDER
    return planner ? push(planner, planner->history.next_step, steps, counts, dtype) : mp_fail_null("planner");
}

moep_status moep_planner_push_at(moep_planner *planner, uint64_t first_step, size_t steps, const void *counts,
                                 moep_dtype dtype)
{
    MP_BORDER
    return planner ? push(planner, first_step, steps, counts, dtype) : mp_fail_null("planner");
}

/* ---- calls for a forecast ---------------------------------------------------------------------------------------- */

moep_status mp_planner_read_call(struct layout *to, const moep_planner *planner, const moep_layout *layout,
                                 const double *forecast)
{
    const struct history *history = &planner->history;
    moep_status status = mp_layout_read(to, layout, true);
    if (status != MOEP_OK)
        return status;
    if (to->layers != history->layers || to->experts != history->experts)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "the layout has %zu layers of %zu experts, the planner %zu of %zu",
                       to->layers, to->experts, history->layers, history->experts);
    if (!forecast && history->steps == 0)
        return mp_fail(MOEP_ERROR_TOO_FEW_STEPS, "no step pushed yet, and no forecast to plan for");
    return forecast ? mp_shares_check(to, 1, forecast, "forecast") : MOEP_OK;
}

/* ---- info -------------------------------------------------------------------------------------------------------- */

moep_status moep_planner_info(const moep_planner *planner, moep_info *info)
{
    MP_BORDER
    if (!planner)
        return mp_fail_null("planner");
    moep_info ours = mp_history_info(&planner->history);
    ours.method = -1;
    ours.history = planner->config.scenarios;
    ours.min_steps = 1;
    ours.fitted_step = UINT64_MAX; /* never */
    return mp_struct_write(info, &ours, sizeof ours, "moep_info");
}

moep_status moep_planner_config_read(const moep_planner *planner, moep_planner_config *config)
{
    MP_BORDER
    if (!planner)
        return mp_fail_null("planner");
    return mp_struct_write(config, &planner->config, sizeof planner->config, "moep_planner_config");
}
