/* SPDX-License-Identifier: BSD-3-Clause */
#include "placement/planner.h"

#include "api/status.h"
#include "api/struct.h"
#include "support/environment.h"

#include <math.h>

/* Chosen by replaying recorded runs. */
const moep_planner_config mp_planner_config_defaults = {
    .span = 900,      /* longer: fewer steps above the predicted p99 of a peak; shorter: peaks are less overestimated */
    .scenarios = 100, /* more: plans are a little better, and slower */
    .risk = 0.674,    /* the upper quartile of a normal distribution; more changes little */
};

moep_status moep_planner_config_init(moep_planner_config *config)
{
    MP_BORDER
    return mp_struct_write(config, &mp_planner_config_defaults, sizeof *config, "moep_planner_config");
}

/* Describes the first fault of a configuration; NULL if it has none. */
static const char *fault_of(const moep_planner_config *config)
{
    if (config->span < MP_SAMPLE_BLOCKS)
        return "span must be 20 or more";
    if (config->scenarios < 2 || config->scenarios > config->span)
        return "scenarios must be within 2 and span";
    if (!(config->risk >= 0 && isfinite(config->risk)))
        return "risk must be finite and 0 or more";
    return NULL;
}

moep_status mp_planner_config_read(moep_planner_config *to, const moep_planner_config *from)
{
    *to = mp_planner_config_defaults;
    moep_status status = mp_struct_read(to, sizeof *to, from, "moep_planner_config");
    if (status != MOEP_OK)
        return status;
    const char *fault = fault_of(to);
    if (fault)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_planner_config: %s", fault);
    return MOEP_OK;
}
