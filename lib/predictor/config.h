/* SPDX-License-Identifier: BSD-3-Clause */
/* A predictor's configuration: defaults and ranges. */
#ifndef MP_PREDICTOR_CONFIG_H
#define MP_PREDICTOR_CONFIG_H

#include "moepredict.h"

/* Without struct_size. */
extern const moep_predictor_config mp_predictor_config_defaults;

/* With the checks that every method shares; history is resolved. */
moep_status mp_predictor_config_read(moep_predictor_config *to, const moep_predictor_config *from);

#endif
