/* SPDX-License-Identifier: BSD-3-Clause */
/* A detector's configuration: defaults and ranges. */
#ifndef MP_DETECTOR_CONFIG_H
#define MP_DETECTOR_CONFIG_H

#include "moepredict.h"

/* The limits of a detector: the number of its windows, the steps of each, and the blocks of drift_window. The last two
 * are so low that sums of squares fit their integers (window.c, drift.c). */
enum {
    MP_WINDOWS = sizeof((moep_detector_config *)0)->windows / sizeof(uint32_t),
    MP_LONGEST_WINDOW = 1024,
    MP_MOST_BLOCKS = 512
};

/* The defaults; struct_size is 0. */
extern const moep_detector_config mp_detector_config_defaults;

/* The square of a tolerance, within limits that keep sums and quotients of it within the range of a double. */
double mp_squared_tolerance(double tolerance);

/* Copies the caller's configuration and checks every field. */
moep_status mp_detector_config_read(moep_detector_config *to, const moep_detector_config *from);

#endif
