/* SPDX-License-Identifier: BSD-3-Clause */
#include "detector/config.h"

#include "api/status.h"
#include "api/struct.h"
#include "support/environment.h"

#include <math.h>
#include <stdbool.h>

/* Chosen on recorded and simulated runs with tests/bench/detector_quality.py. */
const moep_detector_config mp_detector_config_defaults = {
    .horizon = 1000,          /* the paper's horizon, and the steps between two placements */
    .tolerance = 0.10,        /* lower: fewer layers become STABLE; higher: a placement is further off */
    .expert_tolerance = 0.20, /* twice the layer's, because a single expert scatters more than the mean of all */
    .growth = MOEP_LEARN,     /* runs differ: some loads come back, others walk */
    .drift_window = 100,      /* longer: slower drifts are seen under more noise; shorter: changes are seen sooner */
    .block = 20,              /* longer: fewer blocks estimate the noise; shorter: they must be independent */
    .dwell = 100,             /* longer: fewer false exits; shorter: STABLE is entered sooner */
    .windows = {10, 100},     /* a short one, and one as long as drift_window */
};

moep_status moep_detector_config_init(moep_detector_config *config)
{
    MP_BORDER
    return mp_struct_write(config, &mp_detector_config_defaults, sizeof *config, "moep_detector_config");
}

double mp_squared_tolerance(double tolerance)
{
    return fmin(fmax(tolerance * tolerance, 1e-300), 1e300);
}

static bool is_positive(double x)
{
    return x > 0 && isfinite(x);
}

static bool has_whole_blocks(const moep_detector_config *config)
{
    uint32_t block = config->block, blocks = block > 0 ? config->drift_window / block : 0;
    return blocks >= 2 && blocks <= MP_MOST_BLOCKS && config->drift_window % block == 0;
}

static bool has_short_windows(const moep_detector_config *config)
{
    for (size_t i = 0; i < MP_WINDOWS; i++)
        if (config->windows[i] > MP_LONGEST_WINDOW)
            return false;
    return true;
}

/* Describes the first fault of a configuration; NULL if it has none. */
static const char *fault_of(const moep_detector_config *config)
{
    if (config->horizon < 1)
        return "horizon must be 1 or more";
    if (!is_positive(config->tolerance))
        return "tolerance must be finite and more than 0";
    if (!is_positive(config->expert_tolerance))
        return "expert_tolerance must be finite and more than 0";
    if (config->growth != MOEP_LEARN && !(config->growth >= 0 && config->growth <= 1))
        return "growth must be MOEP_LEARN (-1) or within 0 and 1";
    if (!has_whole_blocks(config))
        return "drift_window must be 2 to 512 times block";
    if (config->dwell < 1)
        return "dwell must be 1 or more";
    if (config->reserved != 0)
        return "reserved must be 0";
    return has_short_windows(config) ? NULL : "windows must be of 1024 steps or fewer, 0 for none";
}

moep_status mp_detector_config_read(moep_detector_config *to, const moep_detector_config *from)
{
    *to = mp_detector_config_defaults;
    moep_status status = mp_struct_read(to, sizeof *to, from, "moep_detector_config");
    if (status != MOEP_OK)
        return status;
    const char *fault = fault_of(to);
    if (fault)
        return mp_fail(MOEP_ERROR_INVALID_ARGUMENT, "moep_detector_config: %s", fault);
    return MOEP_OK;
}
