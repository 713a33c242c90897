/* SPDX-License-Identifier: BSD-3-Clause */
/* Calibration of standard errors: factors that make them as large as the errors of the forecasts that the estimates
 * would have made within the history. */
#ifndef MP_METHODS_ARIMA_CALIBRATE_H
#define MP_METHODS_ARIMA_CALIBRATE_H

#include "methods/arima/model.h"
#include "methods/arima/observations.h"

/* Fills the model's factors and calibration_horizons. OUT_OF_MEMORY: the factors are in an unknown state. */
moep_status mp_arima_calibrate(const struct task *task, struct arima_model *model,
                               const struct arima_observations *observed);

#endif
