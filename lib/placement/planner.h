/* SPDX-License-Identifier: BSD-3-Clause */
/* The planner's handle, inside the library. */
#ifndef MP_PLACEMENT_PLANNER_H
#define MP_PLACEMENT_PLANNER_H

#include "api/runtime.h"
#include "placement/layout.h"
#include "placement/samples.h"
#include "series/history.h"

struct moep_planner {
    moep_planner_config config; /* checked */
    struct runtime runtime;
    struct history history; /* of one step: the newest */
    struct samples samples;
};

/* The defaults; struct_size is 0. */
extern const moep_planner_config mp_planner_config_defaults;

/* Checks the caller's configuration, defaults filled in. INVALID_ARGUMENT, INCOMPATIBLE. */
moep_status mp_planner_config_read(moep_planner_config *to, const moep_planner_config *from);

/* A planner of that shape; config is checked. */
moep_status mp_planner_make(size_t layers, size_t experts, const moep_planner_config *config,
                            const struct runtime *runtime, moep_planner **out);
void mp_planner_destroy(moep_planner *planner);

/* Checks what calls for a forecast share: a layout of the planner's shape, the forecast, that there is one or a step.
 * INVALID_ARGUMENT, INCOMPATIBLE, TOO_FEW_STEPS. */
moep_status mp_planner_read_call(struct layout *to, const moep_planner *planner, const moep_layout *layout,
                                 const double *forecast);

#endif
