/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods/auto/report.h"

#include "api/status.h"
#include "methods/auto/calibration.h"
#include "methods/auto/forecast.h"
#include "methods/auto/weights.h"

static void report_layer(const struct auto_call *call, size_t layer, const moep_auto_report *report)
{
    const struct auto_run *run = call->state.run;
    struct auto_view view = mp_auto_call_layer(call, layer);
    struct block_origin now = mp_auto_now(&view, run);
    if (report->weights)
        mp_auto_weigh(view.layer, mp_auto_has_network(&now), report->weights + layer * MP_AUTO_CANDIDATES);
    if (report->expected_error)
        report->expected_error[layer] = mp_auto_expected_error(view.layer);
    for (size_t level = 0; level < MP_AUTO_LEVELS && report->coverage; level++)
        report->coverage[layer * MP_AUTO_LEVELS + level] = mp_auto_coverage(view.layer, level);
    if (report->since_jump)
        report->since_jump[layer] = (now.blocks - now.start) * MP_AUTO_BLOCK + now.phase;
}

moep_status mp_auto_report(const struct task *task, const void *model, const moep_auto_report *report)
{
    struct auto_call call;
    if (!mp_auto_call_make(&call, task, model))
        return mp_out_of_memory("the report's scratch");
    for (size_t l = 0; l < call.state.layers; l++)
        report_layer(&call, l, report);
    mp_auto_call_free(&call, &task->runtime->memory);
    return MOEP_OK;
}
