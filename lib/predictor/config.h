/* SPDX-License-Identifier: BSD-3-Clause */
/* A predictor's configuration: defaults and ranges. */
#ifndef MP_PREDICTOR_CONFIG_H
#define MP_PREDICTOR_CONFIG_H

#include "moepredict.h"

/* The defaults; struct_size is 0. */
extern const moep_predictor_config mp_predictor_config_defaults;

/* Copies the caller's configuration, checks every field, and resolves a history of 0. */
moep_status mp_predictor_config_read(moep_predictor_config *to, const moep_predictor_config *from);

#endif
