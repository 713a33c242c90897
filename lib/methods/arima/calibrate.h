/* SPDX-License-Identifier: BSD-3-Clause */
/* Calibration of standard errors. The estimates forecast from earlier origins within the history; factors make the
 * standard errors as large as the errors of these forecasts. */
#ifndef MP_METHODS_ARIMA_CALIBRATE_H
#define MP_METHODS_ARIMA_CALIBRATE_H

#include "methods/arima/model.h"
#include "methods/arima/observations.h"

/* Fills the model's factors and calibration_horizons. After OUT_OF_MEMORY the factors are undefined. */
moep_status mp_arima_calibrate(const struct task *task, struct arima_model *model,
                               const struct arima_observations *observed);

#endif
